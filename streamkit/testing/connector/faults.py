"""The twelve faults of what a connector is connected to, and how each is made in a network in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from typing import Any, Final

from streamkit.testing.connector.network import NetworkLoop
from streamkit.testing.connector.wire import Manner

__all__ = ["ConnectorFault", "Strike"]

_ASKED: Final = 10
"""Seconds that a busy server asks for."""
_CHANGE: Final = timedelta(hours=1)
_JUMP: Final = 8 * 3600.0


class ConnectorFault(Enum):
    """What may happen to what a connector is connected to; `check_connector` makes each of them happen."""

    REFUSED = "connections are refused"
    HANGS = "connections are made, and nothing is answered"
    DRIP = "what is answered comes byte by byte, one a second"
    BUSY = "status 429, with Retry-After in seconds and as a date"
    BROKEN = "status 500"
    CUT = "answers end in their middle"
    RESET = "connections are reset"
    HALF_OPEN = "the other side is gone, and the connection does not know"
    CLOCK_CHANGE = "the clock on the wall is set back by an hour, and forward again"
    CLOCK_JUMP = "the machine sleeps for eight hours"
    ROTATION = "what serves is stopped, and started again"
    LOST_SESSION = "another, which knows nothing of before, takes its place"

    def __repr__(self) -> str:
        return f"ConnectorFault.{self.name}"


class _Mute(asyncio.Protocol):
    """Answers nothing."""


class _Resetting(asyncio.Protocol):
    """Resets the connection when something is asked."""

    def __init__(self, strike: Strike) -> None:
        self._strike = strike

    def data_received(self, data: bytes) -> None:
        self._strike.loop.network.reset()


class _Answering(asyncio.Protocol):
    """Answers each request with a status, and closes."""

    def __init__(self, strike: Strike) -> None:
        self._strike = strike

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._strike.answer())
        self._transport.close()


class Strike:
    """One fault of a network in memory, from when it begins until it ends."""

    def __init__(self, fault: ConnectorFault, loop: NetworkLoop) -> None:
        self.fault = fault
        self.loop = loop
        self.early: list[str] = []
        """Who has come again before the time that it was asked to wait for."""
        self._not_before = 0.0
        self._answers = 0

    def begin(self) -> None:
        """Make it happen."""
        fault, network = self.fault, self.loop.network
        match fault:
            case ConnectorFault.REFUSED:
                network.refuses = True
            case ConnectorFault.HANGS:
                network.answers = _Mute
            case ConnectorFault.DRIP:
                network.manner = Manner.DRIP
            case ConnectorFault.BUSY | ConnectorFault.BROKEN:
                network.answers = lambda: _Answering(self)
                network.dialled = self._dialled
            case ConnectorFault.CUT:
                network.manner = Manner.CUT
            case ConnectorFault.RESET:
                network.answers = lambda: _Resetting(self)
            case ConnectorFault.CLOCK_CHANGE:
                self._set_clock(-_CHANGE)
            case ConnectorFault.CLOCK_JUMP:
                self.loop.jump(_JUMP)
            case _:
                pass
        self._hit()

    def _hit(self) -> None:
        """Deal with the connections that are there."""
        fault, network = self.fault, self.loop.network
        if fault is ConnectorFault.RESET:
            network.reset()
        elif fault in (ConnectorFault.CUT, ConnectorFault.HALF_OPEN):
            for wire in network.wires:
                wire.manner = Manner.CUT if fault is ConnectorFault.CUT else Manner.NOTHING
        elif fault not in _LEAVING:
            network.sever()

    def end(self) -> None:
        """It is over. What is half open stays so: nobody mends that but who notices."""
        if self.fault is ConnectorFault.CLOCK_CHANGE:
            self._set_clock(_CHANGE)
        self.loop.network.mend()
        self.loop.network.dialled = None

    def answer(self) -> bytes:
        """What a server says that has no time; where it says when to come, in one form after the other."""
        if self.fault is ConnectorFault.BROKEN:
            return b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops"
        self._answers += 1
        self._not_before = self.loop.time() + _ASKED
        now = datetime.fromtimestamp(self.loop.wall_time(), UTC) - timedelta(days=2)  # its clock is wrong
        until = format_datetime(now + timedelta(seconds=_ASKED), usegmt=True)
        after = str(_ASKED) if self._answers % 2 else until
        head = f"HTTP/1.1 429 Too Many Requests\r\nDate: {format_datetime(now, usegmt=True)}\r\n"
        return f"{head}Retry-After: {after}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()

    def _dialled(self) -> None:
        sooner = self._not_before - self.loop.time()
        if sooner > 1.0:  # a date is exact to a second
            self.early.append(f"it came {sooner:g} s sooner than Retry-After asks")

    def _set_clock(self, by: timedelta) -> None:
        self.loop.set_wall_time(datetime.fromtimestamp(self.loop.wall_time(), UTC) + by)


_LEAVING: Final = (
    ConnectorFault.CLOCK_CHANGE,
    ConnectorFault.CLOCK_JUMP,
    ConnectorFault.ROTATION,
    ConnectorFault.LOST_SESSION,
)
"""The faults that leave connections to those who made them."""
