"""Hubs: consumers that come and go, each of which gets every item, or the next that is there."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from streamkit._core.again import throw
from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats, Sums
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import NEVER, Lane
from streamkit._engine.compile.key import Kind
from streamkit._engine.plan.source import Opened
from streamkit._stages.hub import Exchange

__all__ = ["Balancing", "Broadcasting"]


class _Consumer(Channel):
    """The channel of one consumer, which has a lane of its own."""

    def __init__(self, exchange: Broadcasting) -> None:
        super().__init__()
        self.exchange = exchange

    def finish(self) -> None:
        """Take in no more; what is held is delivered. From any thread."""
        self.exchange.dismiss(self)

    def leave(self) -> None:
        if self.left:
            return
        self.exchange.gone(self)
        try:
            super().leave()
        finally:
            self.exchange.note(self)


class Broadcasting(Exchange):
    """Every consumer gets every item that comes while it is there."""

    def __init__(self, strategy: Strategy | None, name: str, written: tuple[str, int]) -> None:
        super().__init__(strategy, name, written)
        self._consumers: dict[Lane, _Consumer] = {}
        self._open: tuple[Lane, ...] = ()
        self._left = 0
        """For how many items all of them have room, at least: looked at again when there is none."""
        self._past = Sums()

    def lanes(self) -> tuple[Lane, ...]:
        return self._open

    def full(self) -> bool:
        if self._left <= 0 and self._open:
            self._left = min(map(self._room, self._open))
        return self._left <= 0

    def _room(self, lane: Lane) -> int:
        """How many items may be put into `lane`, at least: one at a time, where they are handed over."""
        if self.strategy is None:
            return not lane.full()
        return lane.limit - len(lane.held) if lane.waits else NEVER

    @property
    def consumers(self) -> int:
        return len(self._open)

    def give(self, item: Any) -> None:
        self._left -= 1
        for lane in self._open:
            try:
                lane.put(item)
            except Exception as error:  # of this consumer's strategy, and so only for this consumer
                self._part(lane)
                lane.channel.fail(self.noted(error))

    def consumer(self) -> _Consumer:
        """A new consumer."""
        self.enter()
        consumer = _Consumer(self)
        consumer.name = self.name
        lane = consumer.lane(self.strategy)
        self._consumers[lane] = consumer
        if self.over:
            self._finish(lane)
        else:
            self._open += (lane,)
            self._left = 0
            self.look()
        return consumer

    def opened(self) -> Opened:
        consumer = self.consumer()
        return Opened(Kind.CHANNEL, lambda: consumer, None, consumer.leave, consumer)

    def gone(self, consumer: _Consumer) -> None:
        """`consumer` leaves."""
        (lane,) = consumer.lanes
        del self._consumers[lane]
        self._part(lane)
        lane.refuse()
        self.leave()
        self.look()

    def dismiss(self, consumer: _Consumer) -> None:
        """`consumer` gets what it holds, and then the end."""
        assert self._home is not None  # it came in that loop
        with suppress(RuntimeError):  # which was closed
            self._home.call_soon_threadsafe(self._dismiss, consumer)

    def _dismiss(self, consumer: _Consumer) -> None:
        (lane,) = consumer.lanes
        if any(lane is each for each in self._open):
            self._part(lane)
            self._finish(lane)
            self.look()

    def note(self, consumer: _Consumer) -> None:
        """Keep the counts of one who has gone."""
        self._past.add(*consumer.stats())

    def _part(self, lane: Lane) -> None:
        self._open = tuple([each for each in self._open if each is not lane])
        self._left = 0

    def _finish(self, lane: Lane) -> None:
        if self.end.error is not None:
            lane.channel.fail(self.end.error.with_traceback(self.end.trace))
        lane.close()

    def finish(self) -> None:
        for lane in self._open:
            self._finish(lane)
        self._open = ()

    def stats(self) -> list[BufferStats]:
        present = [stats for consumer in self._consumers.values() for stats in consumer.stats()]
        return [*present, *self._past.stats()]


class _Pool(Channel):
    """The channel that all consumers read; those who wait for an item have it in the order of asking."""

    def __init__(self) -> None:
        super().__init__()
        self.askers: deque[Future[None]] = deque()

    def wake(self) -> None:
        while self.askers:
            asker = self.askers.popleft()
            if not asker.done():
                asker.set_result(None)
                return

    async def ask(self) -> None:
        """Wait until there may be an item."""
        asker: Future[None] = asyncio.get_running_loop().create_future()
        self.askers.append(asker)
        try:
            await asker
        except CancelledError:
            if asker.done() and not asker.cancelled():  # what it was woken for is the next one's
                self.wake()
            raise


class Balancing(Exchange):
    """Every item goes to one consumer, the first that asks for it. Until then the hub holds it."""

    def __init__(self, strategy: Strategy | None, name: str, written: tuple[str, int]) -> None:
        super().__init__(strategy, name, written)
        self._readers = 0
        self._made: tuple[_Pool, Lane] | None = None

    def lanes(self) -> tuple[Lane, ...]:
        return (self._pool()[1],)

    def full(self) -> bool:
        return self._pool()[1].full()

    def give(self, item: Any) -> None:
        try:
            self._pool()[1].put(item)
        except Exception as error:
            self.close(self.noted(error))
            raise

    @property
    def consumers(self) -> int:
        return self._readers

    def opened(self) -> Opened:
        items = self._items()
        return Opened(Kind.ASYNC, items, items.aclose)

    async def _items(self) -> AsyncGenerator[Any, None]:
        self.enter()
        self._readers += 1
        try:
            pool, lane = self._pool()
            while True:
                if (item := lane.take()) is not EMPTY:
                    if lane.held:
                        pool.wake()
                    yield item
                    del item
                elif self.end.error is not None:
                    throw(self.end.error, self.end.trace)
                elif self.over:
                    return
                else:
                    await pool.ask()
        finally:
            self._readers -= 1
            self.leave()

    def finish(self) -> None:
        if self._made is None:
            return
        pool, lane = self._made
        lane.close()
        while pool.askers:
            pool.wake()

    def stats(self) -> list[BufferStats]:
        return [] if self._made is None else self._made[0].stats(self.name)

    def _pool(self) -> tuple[_Pool, Lane]:
        """The channel and its lane, which are made when an event loop first runs."""
        if self._made is None:
            pool = _Pool()
            self._made = pool, pool.lane(self.strategy)
        return self._made
