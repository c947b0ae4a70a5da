"""A trial of a connector: it reads numbers from a peer, a fault strikes, and the numbers must come again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from streamkit._core.arguments import discard
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.markers import Gap
from streamkit._core.show import shown, told
from streamkit._engine.face.stream import Stream
from streamkit.testing.connector.faults import ConnectorFault, Strike
from streamkit.testing.connector.network import NetworkLoop

__all__ = ["ConnectorOutcome", "Peer", "Terms", "Trial"]

_FIRST: Final = 3
"""Numbers that come before the fault."""
_EVERY: Final = 1.0
"""Seconds between two numbers."""


class Peer(Protocol):
    """What a connector is connected to in `check_connector`: a server, in the network in memory.

    One that is no server, as a file, has a method ``strike`` beside: it is called with each fault, and with
    None when that is over; if it returns True, it has made the fault itself.
    """

    async def start(self) -> Any:
        """Begin to serve; called again after `stop`."""
        ...

    async def stop(self) -> Any:
        """Stop to serve, and leave nothing behind."""
        ...

    async def send(self, number: int) -> Any:
        """Give `number`, one more than the last, to whoever is connected; also called after `stop`."""
        ...


@dataclass(frozen=True)
class Terms:
    """What is asked of a connector."""

    samples: bool
    repeats: bool
    lasts: float
    within: float
    dials: int
    closing: float


@dataclass
class ConnectorOutcome:
    """What came of one fault."""

    fault: ConnectorFault
    recovered: float | None = None
    """Seconds from the end of the fault to the first number that was sent after that."""
    items: int = 0
    """How many numbers came."""
    gaps: list[Gap] = field(default_factory=list[Gap])
    """The gaps that the connector has put into the stream."""
    dials: int = 0
    """How often it tried to connect while the fault lasted."""
    problems: list[str] = field(default_factory=list[str])
    """What it does wrong."""


class Trial:
    """One run of a connector through one fault."""

    def __init__(
        self,
        connector: Callable[[Any], Stream[Any]],
        peer: Callable[[], Any],
        fault: ConnectorFault,
        terms: Terms,
    ) -> None:
        self._connector, self._make, self._terms = connector, peer, terms
        self.outcome: ConnectorOutcome = ConnectorOutcome(fault)
        self._peer: Any = None
        self._sent = 0
        self._seen: list[Any] = []
        self._newest = -1
        self._ended: str | None = None
        self._news = asyncio.Event()

    async def through(self) -> None:
        """Before the fault, while it lasts, and after it."""
        await self._run(self._suffer)

    async def left(self) -> None:
        """The consumer leaves while the fault lasts."""
        await self._run(self._leave)

    async def _run(self, play: Callable[[Strike, asyncio.Task[None]], Any]) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, NetworkLoop)
        strike = Strike(self.outcome.fault, loop)
        self._peer = self._make()
        await self._peer.start()
        try:
            stream = self._connector(self._peer)
            if not isinstance(stream, Stream):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's function
                discard(stream)
                raise TypeError(f"connector must return a stream: Stream(source), not {shown(stream)}")
        except BaseException:
            await self._peer.stop()
            raise
        sending = asyncio.create_task(self._send())
        reading = asyncio.create_task(self._read(stream))
        try:
            if await self._comes(_FIRST - 1, 60.0):
                await play(strike, reading)
            else:
                self._problem(f"no {_FIRST} numbers came within 60 s before the fault")
        finally:
            await self._end(reading)
            sending.cancel()
            await asyncio.wait([sending])
            loop.network.reset()
            await self._peer.stop()
            loop.network.reset()
            await asyncio.sleep(0)  # connections are lost in a later iteration

    async def _suffer(self, strike: Strike, _: asyncio.Task[None]) -> None:
        dials, loop = strike.loop.network.dials, strike.loop
        before = len(dials)
        await self._begin(strike)
        await asyncio.sleep(self._terms.lasts)
        self.outcome.dials = len(dials) - before
        await self._over(strike)
        healed, first = loop.time(), self._sent
        if await self._comes(first, self._terms.within):
            self.outcome.recovered = loop.time() - healed
        elif self._ended is None:
            self._problem(f"nothing that was sent after it came within {self._terms.within:g} s")
        self.outcome.problems += strike.early
        if self.outcome.dials > self._terms.dials:
            self._problem(f"it tried to connect {self.outcome.dials} times in {self._terms.lasts:g} s")
        self._judge()

    async def _leave(self, strike: Strike, reading: asyncio.Task[None]) -> None:
        await self._begin(strike)
        await asyncio.sleep(self._terms.lasts / 3)
        await self._end(reading)
        await self._over(strike)

    async def _begin(self, strike: Strike) -> None:
        """Make the fault happen, by the network, or by the peer."""
        if await self._strikes(strike.fault):
            return
        strike.begin()
        if strike.fault in (ConnectorFault.ROTATION, ConnectorFault.LOST_SESSION):
            await self._peer.stop()

    async def _over(self, strike: Strike) -> None:
        if await self._strikes(None):
            return
        strike.end()
        if strike.fault is ConnectorFault.LOST_SESSION:
            self._peer = self._make()
        if strike.fault in (ConnectorFault.ROTATION, ConnectorFault.LOST_SESSION):
            await self._peer.start()

    async def _strikes(self, fault: ConnectorFault | None) -> bool:
        if not hasattr(self._peer, "strike"):
            return False
        made = self._peer.strike(fault)
        return bool(await pending(made) if is_awaitable(made) else made)

    # beside -----------------------------------------------------------------------------------

    async def _send(self) -> None:
        while True:
            number, self._sent = self._sent, self._sent + 1
            await self._peer.send(number)
            await asyncio.sleep(_EVERY)

    async def _read(self, stream: Stream[Any]) -> None:
        self._ended = None
        try:
            async with stream.open() as items:
                async for item in items:
                    self._seen.append(item)
                    if not isinstance(item, (int, Gap)):
                        raise TypeError(f"{shown(item)} came, which is no number that was sent, and no Gap")
                    if not isinstance(item, Gap):
                        self._newest = max(self._newest, item)
                    self._news.set()
            self._ended = "it ended"
        except Exception as error:
            self._ended = f"it failed: {told(error)}"
        self._news.set()

    async def _comes(self, number: int, seconds: float) -> bool:
        """Whether `number` comes, or a later one, before the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while self._newest < number and self._ended is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return self._newest >= number

    async def _end(self, reading: asyncio.Task[None]) -> None:
        """Let the consumer leave, and see how long it takes."""
        if reading.done():
            if self._ended is not None and not reading.cancelled():
                self._problem(self._ended)
            return
        begun = asyncio.get_running_loop().time()
        reading.cancel()
        await asyncio.wait([reading])
        took = asyncio.get_running_loop().time() - begun
        if took > self._terms.closing:
            self._problem(f"it took {took:g} s to close")

    # what came ----------------------------------------------------------------------------------

    def _problem(self, what: str) -> None:
        if what not in self.outcome.problems:
            self.outcome.problems.append(what)

    def _judge(self) -> None:
        """Each number once and in order, but where a gap says otherwise."""
        last, gap = -1, True  # what was sent before it was connected is not missed
        missing, doubled = list[str](), list[str]()
        for item in self._seen:
            if isinstance(item, Gap):
                self.outcome.gaps.append(item)
                gap = True
                continue
            self.outcome.items += 1
            if item > last + 1 and not (gap or self._terms.samples):
                missing.append(f"{last + 1} to {item - 1} are missing, and no Gap says so")
            if item <= last and not (gap or self._terms.repeats):
                doubled.append(f"{item} came after {last}")
            last, gap = max(last, item), False
        self.outcome.problems += [*missing[:1], *doubled[:1]]
