"""Connections in memory: two transports, each of which hands what is written to the protocol of the other.

They behave as those of asyncio do: what comes is handed over in a later iteration of the loop, a protocol may
pause what comes, and then whoever writes is paused as well.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

__all__ = ["End", "Manner", "Wire"]

_HIGH: Final = 64 * 1024
"""Bytes that wait for a protocol at most, before who writes is paused."""


class Manner(Enum):
    """How a wire carries what is written."""

    WELL = "as it is"
    NOTHING = "not at all: neither side hears of it"
    DRIP = "what the server writes, byte by byte"
    CUT = "half of what the server writes next, and then the end"


class End(asyncio.Transport):
    """One end of a wire."""

    def __init__(self, wire: Wire, protocol: asyncio.Protocol, name: tuple[str, int]) -> None:
        super().__init__({"peername": name, "sockname": name})
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._protocol: Any = protocol
        self._came: deque[bytes | None] = deque()
        """What has come and was not handed over; None for the end."""
        self._waiting = 0
        """How many bytes that are."""
        self._reading = True
        self._due = False
        self._closing = False
        self.lost: bool = False

    @property
    def other(self) -> End:
        """The other end."""
        return self._wire.server if self is self._wire.client else self._wire.client

    # what comes ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Tell the protocol of its connection."""
        self._protocol.connection_made(self)

    def come(self, data: bytes | None) -> None:
        """Hand `data` to the protocol, in a later iteration; None for the end."""
        if self.lost:
            return
        self._came.append(data)
        before, self._waiting = self._waiting, self._waiting + len(data or b"")
        if before <= _HIGH < self._waiting and not self.other.lost:
            self.other._protocol.pause_writing()
        self._hand_over_soon()

    def _hand_over_soon(self) -> None:
        if self._reading and not self._due and self._came:
            self._due = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._due = False
        while self._came and self._reading and not self.lost:
            data = self._came.popleft()
            if data is None:
                if not self._protocol.eof_received():
                    self.close()
                return
            before, self._waiting = self._waiting, self._waiting - len(data)
            self._protocol.data_received(data)
            if self._waiting <= _HIGH < before and not self.other.lost:
                self.other._protocol.resume_writing()

    def lose(self, error: Exception | None) -> None:
        """The connection is gone, as this end sees it."""
        if not self.lost:
            self.lost = self._closing = True
            self._came.clear()
            self._loop.call_soon(self._protocol.connection_lost, error)
            self._wire.left()

    # what asyncio asks of a transport -------------------------------------------------------

    def write(self, data: Any) -> None:
        if data and not self._closing:
            self._wire.carry(self, bytes(data))

    def write_eof(self) -> None:
        if not self._closing:
            self._wire.carry(self, None)

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._wire.carry(self, None)
            self._loop.call_soon(self.lose, None)

    def abort(self) -> None:
        if not self.lost:
            if not self._closing:
                self._wire.carry(self, None)
            self.lose(None)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._hand_over_soon()

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def get_write_buffer_size(self) -> int:
        return self.other._waiting

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return _HIGH, _HIGH

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The limits are those of the wire."""


class Wire:
    """A connection between a client and a server, in memory."""

    def __init__(
        self,
        client: asyncio.Protocol,
        server: asyncio.Protocol,
        name: tuple[str, int],
        ended: Callable[[Wire], object],
    ) -> None:
        self.client: End = End(self, client, name)
        self.server: End = End(self, server, name)
        self.manner: Manner = Manner.WELL
        self._ended = ended
        self._dripping: deque[bytes | None] = deque()

    def begin(self) -> None:
        """Both sides are connected."""
        self.server.begin()
        self.client.begin()

    def carry(self, sender: End, data: bytes | None) -> None:
        """Carry what `sender` has written to the other end, in the manner of this wire."""
        manner = self.manner
        if manner is Manner.NOTHING:
            return
        if sender is self.client or manner is Manner.WELL:
            sender.other.come(data)
        elif manner is Manner.DRIP:
            self._drip(data)
        else:
            self._cut(data)

    def reset(self) -> None:
        """Neither side has closed it, and it is gone."""
        for end in (self.client, self.server):
            end.lose(ConnectionResetError(104, "Connection reset by peer"))

    def sever(self) -> None:
        """Each side sees that the other has closed it."""
        for end in (self.client, self.server):
            end.come(None)

    def mend(self) -> None:
        """Carry what comes from now on as it is."""
        if self.manner in (Manner.DRIP, Manner.CUT):
            self.manner = Manner.WELL
            while self._dripping:
                self.client.come(self._dripping.popleft())

    def left(self) -> None:
        """One end has lost it."""
        if self.client.lost and self.server.lost:
            self._ended(self)

    def _drip(self, data: bytes | None) -> None:
        began = not self._dripping
        self._dripping.extend([None] if data is None else [bytes([each]) for each in data])
        if began:
            self._drop_soon()

    def _drop_soon(self) -> None:
        asyncio.get_running_loop().call_later(1.0, self._drop)

    def _drop(self) -> None:
        if self._dripping and not self.client.lost:
            self.client.come(self._dripping.popleft())
            if self._dripping:
                self._drop_soon()

    def _cut(self, data: bytes | None) -> None:
        head, body = data or b"", b""
        if head.startswith(b"HTTP/"):
            head, blank, body = head.partition(b"\r\n\r\n")
            head += blank
            if not body:  # the head is whole, and what follows it is cut
                self.client.come(head)
                return
        else:
            head, body = b"", head
        self.client.come(head + body[: len(body) // 2])
        self.manner = Manner.NOTHING
        self.sever()
