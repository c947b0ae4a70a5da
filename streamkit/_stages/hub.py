"""Hubs: producers that wait for their turn to put an item into the lanes of the hub, until it ends."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop, CancelledError, Future
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from streamkit._core.errors import BufferOverflowError, EmitterClosedError, noted
from streamkit._core.markers import EMPTY
from streamkit._core.places import placed
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.meanwhile import Offered
from streamkit._engine.buffer.target import Abandoned, Failing, Rescue, Target
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.run import Run

__all__ = ["Exchange", "HubSource", "fill"]

CLOSED = "the hub takes no more items: it was closed, or has failed"


class Exchange(ABC):
    """What the producers and consumers of a hub have in common: its lanes, and the queue for them."""

    def __init__(self, strategy: Strategy | None, name: str, written: tuple[str, int]) -> None:
        self.strategy = strategy
        """That of each buffer; without one, an item is handed over to consumers that ask."""
        self.name = name
        self._written = written
        self.over = False
        """Whether nothing more is taken in."""
        self.end = Failing()
        """The error with which it has failed, if it has."""
        self.producers: dict[_Waiting, None] = {}
        self.waiting: deque[_Waiting] = deque()
        """Those that wait for room, in the order in which they came."""
        self.members = 0
        """Producers and consumers that are there."""
        self._home: AbstractEventLoop | None = None
        self._watching = False

    # to be said by the kinds ---------------------------------------------------------------

    @abstractmethod
    def lanes(self) -> tuple[Lane, ...]:
        """Where an item goes."""

    @abstractmethod
    def full(self) -> bool:
        """Whether a producer must wait."""

    @property
    @abstractmethod
    def consumers(self) -> int:
        """How many consumers are there."""

    @abstractmethod
    def give(self, item: Any) -> None:
        """Take in an item, for which there is room."""

    @abstractmethod
    def opened(self) -> Opened:
        """What a new consumer reads."""

    def consumer(self) -> Channel | None:
        """A new consumer, if each has a channel of its own."""
        return None

    @abstractmethod
    def finish(self) -> None:
        """Tell the consumers of the end."""

    @abstractmethod
    def stats(self) -> list[BufferStats]:
        """What became of the items in each buffer."""

    def noted(self, error: Exception) -> Exception:
        """`error` of a strategy, with a note that names the hub and its place."""
        noted(error, f"in {self.name} at {placed(*self._written)}")
        return error

    # members -------------------------------------------------------------------------------

    def enter(self) -> None:
        """Somebody comes, in the event loop that runs here.

        Raises:
            RuntimeError: others are there, in another loop.
        """
        loop = asyncio.get_running_loop()
        if self._home is not loop:
            if self.members and self._home is not None and not self._home.is_closed():
                raise RuntimeError(
                    "a hub joins producers and consumers of one event loop, and others are there in another: "
                    "pass items on from loop to loop with push()"
                )
            self._home, self.members, self._watching = loop, 0, False
            self.waiting.clear()
        self.members += 1

    def leave(self) -> None:
        """Somebody goes."""
        self.members -= 1

    def close(self, error: BaseException | None = None) -> bool:
        """End it: consumers get what they hold, and the end. False if it had ended before."""
        if self.over:
            return False
        self.over = True
        if error is not None:
            self.end.fail(error)
        self.finish()
        for producer in (*self.producers,):
            producer.stop()
        self.waiting.clear()
        return True

    # room ----------------------------------------------------------------------------------

    def look(self) -> None:
        """Let the next producer go on, if there is room; else look again when there is."""
        if self._watching or not self.waiting:
            return
        for lane in self.lanes():
            if lane.full():
                self._watching = True
                _room_in(lane).add_done_callback(self._again)
                return
        if not self.full():
            self.waiting.popleft().wake()

    def _again(self, _: Future[None]) -> None:
        self._watching = False
        self.look()

    def handing(self) -> list[tuple[Lane, int]]:
        """The lanes that the last item was handed over into, with their counts."""
        return [(lane, lane.taken_in) for lane in self.lanes()] if self.strategy is None else []

    # who is no stream ----------------------------------------------------------------------

    def offer(self, item: Any) -> Offered:
        """Take in `item`, if there is room now."""
        if self.over:
            return Offered.CLOSED
        self.enter()
        try:
            if self.waiting or self.full():
                return Offered.FULL
            self.give(item)
        except BufferOverflowError:
            return Offered.FULL
        finally:
            self.leave()
        return Offered.ACCEPTED

    async def send(self, item: Any) -> None:
        """Take in `item` when there is room; what is handed over, until all consumers have done with it."""
        if self.over:
            raise EmitterClosedError(CLOSED)
        sender = _Sender(self)
        try:
            if sender.full():
                await sender.room()
            sender.put(item)
            await _handled(self.handing())
        except Abandoned:
            raise EmitterClosedError(CLOSED) from None
        finally:
            sender.close()


def _room_in(lane: Lane) -> Future[None]:
    """What is set when there may be room in `lane`, for all who wait for it."""
    found = lane.writer
    return lane.vacancy() if found is None or found.done() else found


async def _handled(given: list[tuple[Lane, int]], rescue: Rescue | None = None) -> None:
    """Wait until each consumer asks for the next item, or has left: lanes come with their counts of now."""
    loop = asyncio.get_running_loop()
    for lane, count in given:
        while lane.taken_in == count and lane.full():
            asked = loop.create_future()
            _room_in(lane).add_done_callback(partial(_tell, asked))
            try:
                await asked
            except CancelledError as error:
                if rescue is None:
                    raise
                await rescue(error)


def _tell(waiter: Future[None], _: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class _Waiting(Target):
    """Somebody who brings items, and waits for a turn where there is no room."""

    plain: ClassVar[bool] = False

    def __init__(self, channel: Any, exchange: Exchange) -> None:
        super().__init__(channel)
        self.exchange = exchange

    def full(self) -> bool:
        return bool(self.exchange.waiting) or self.exchange.full()

    async def room(self, rescue: Rescue | None = None) -> None:
        exchange = self.exchange
        exchange.waiting.append(self)
        while True:
            waiter = self.vacancy()
            exchange.look()
            try:
                await waiter
            except CancelledError as error:
                self.unwait()
                if self in exchange.waiting:
                    exchange.waiting.remove(self)
                exchange.look()
                if rescue is None:
                    raise
                await rescue(error)
                exchange.waiting.appendleft(self)
                continue
            if exchange.over:
                raise Abandoned
            if not exchange.full():
                return
            exchange.waiting.appendleft(self)

    @abstractmethod
    def stop(self) -> None:
        """The hub takes no more."""


class _Sender(_Waiting):
    """Somebody who sends one item."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange.end, exchange)
        exchange.enter()
        exchange.producers[self] = None

    def put(self, item: Any) -> bool:
        self.exchange.give(item)
        self.exchange.look()
        return False

    def close(self) -> None:
        del self.exchange.producers[self]
        self.exchange.leave()

    def stop(self) -> None:
        self.wake()


class Producer(_Waiting):
    """The target of the pump of one producer. It keeps one item in hand, where another one was quicker."""

    def __init__(self, run: Run, exchange: Exchange) -> None:
        super().__init__(run.channel(), exchange)
        self.channel.join()
        self.run = run
        self.hand: Any = EMPTY
        self.given: list[tuple[Lane, int]] = []
        """Where its last item was handed over, and with which consumers it may be still."""
        self.sent = 0

    def put(self, item: Any) -> bool:
        exchange = self.exchange
        if exchange.over:
            raise EmitterClosedError(CLOSED)
        if exchange.waiting or exchange.full():
            self.hand = item
            return True
        self._give(item)
        return bool(self.given) or exchange.full()

    def _give(self, item: Any) -> None:
        self.exchange.give(item)
        self.sent += 1
        self.given = self.exchange.handing()

    def full(self) -> bool:
        return self.hand is not EMPTY or super().full()

    async def room(self, rescue: Rescue | None = None) -> None:
        if not self.given:
            await super().room(rescue)
        if self.hand is not EMPTY:
            item, self.hand = self.hand, EMPTY
            self._give(item)
        self.exchange.look()
        given, self.given = self.given, []
        await _handled(given, rescue)  # it then pulls, also where nobody is there: that may be its end

    def close(self) -> None:
        if self.hand is not EMPTY and self.exchange.over:
            self.hand = EMPTY
            self.channel.fail(self.run.blame(EmitterClosedError(CLOSED)))
        self.channel.closed()

    def stop(self) -> None:
        self.run.halt()


async def fill(run: Run, source: Inlet[Any], *, hub: Any) -> int:
    """Read `source` into the hub; return how many items that has taken in."""
    exchange: Exchange = hub._exchange
    if exchange.over:
        raise EmitterClosedError(CLOSED)
    exchange.enter()
    producer = Producer(run, exchange)
    exchange.producers[producer] = None
    try:
        run.pump(source, into=producer)
        await producer.channel.wait()
    finally:
        del exchange.producers[producer]
        exchange.leave()
    return producer.sent


class HubSource(Source):
    """The source of the streams of a hub: each run of one is a consumer."""

    __slots__ = ("_came", "strategy")

    def __init__(
        self, exchange: Exchange, strategy: Strategy | None, came: Callable[[Any], None] | None = None
    ) -> None:
        self.value = exchange
        self._consumed = False
        self.strategy: Strategy | None = strategy
        self._came = came
        """Told of each consumer that has a channel of its own."""

    def telling(self, came: Callable[[Any], None]) -> HubSource:
        """The same, of whose consumers `came` is told, to end them."""
        return HubSource(self.value, self.strategy, came)

    def open(self, *, blocking: bool = False) -> Opened:
        opened: Opened = self.value.opened()
        if self._came is not None:
            self._came(opened.buffer)
        return opened

    def attached(self, run: Run) -> Source:
        consumer: Channel | None = self.value.consumer()
        if consumer is None:
            return self
        if self._came is not None:
            self._came(consumer)
        return run.reading(run.adopt(consumer), self).source

    @property
    def blocking(self) -> bool:
        return False

    @property
    def kind(self) -> str:
        return "Hub"

    def __repr__(self) -> str:
        name: str = self.value.name
        return name
