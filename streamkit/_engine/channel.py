"""Channel: the only buffer between tasks.

A channel has one reader and one lane per writer. Its room is shared out by lane, so no writer can
fill it for the others, and the reader takes turns among the lanes that have something. Waking the
reader, or a writer, happens once for everything that is ready, not once per item. The end, the first
error and the counting live here, once.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from streamkit._core.errors import attach
from streamkit._core.strategy import Strategy
from streamkit._engine.loop import EMPTY

__all__ = ["Abandoned", "BufferStats", "Channel", "Lane"]


class Abandoned(Exception):  # noqa: N818 - a signal between floors, no error that users see
    """Told to a writer whose reader has gone."""


@dataclass(frozen=True)
class BufferStats:
    """What became of the items offered to one buffer: offered = delivered + dropped + refused + held."""

    strategy: Strategy | None
    offered: int
    delivered: int
    dropped: int
    refused: int
    held: int


class Channel:
    """Lanes of items on their way from writers to one reader."""

    def __init__(self, failed: Callable[[], None] | None = None) -> None:
        self.lanes: list[Lane] = []
        self.error: BaseException | None = None
        self._failed = failed
        """Called at the first error: ends intake, that is, stops the other writers."""
        self._ready: deque[Lane] = deque()
        self._open = 0
        self._reader: Future[None] | None = None
        self.left = False

    def lane(self, strategy: Strategy | None) -> Lane:
        """A new lane; without a strategy it is a hand-over: the writer waits until the reader asks."""
        lane = Lane(self, strategy)
        self.adopt(lane)
        return lane

    def adopt(self, lane: Lane) -> None:
        """Take in a lane of another make."""
        self.lanes.append(lane)
        self._open += 1

    @property
    def ready(self) -> bool:
        """Whether there is something to pop."""
        return bool(self._ready)

    @property
    def asking(self) -> bool:
        """Whether the reader is waiting for an item."""
        return self._reader is not None and not self._ready

    # the reader ----------------------------------------------------------------------------

    def pop(self) -> Any:
        """The next item, in turn among the lanes; EMPTY if there is none now."""
        ready = self._ready
        if not ready:
            return EMPTY
        lane = ready[0]
        held = lane.held
        item = held.popleft()
        lane.delivered += 1
        if not held:
            ready.popleft()
        elif len(ready) > 1:
            ready.rotate(-1)
        if lane.writer is not None and len(held) <= lane.low:
            lane.wake()
        return item

    async def wait(self) -> bool:
        """Wait for something to pop; False at the end. The first error comes after what is held."""
        while not self._ready:
            if self.error is not None:
                raise self.error
            if not self._open:
                return False
            await self._wait()
        return True

    async def change(self) -> None:
        """Wait until a lane that was empty is not, or a lane ends; for readers that choose the lane."""
        if not self._ready:
            await self._wait()
        self._ready.clear()

    async def _wait(self) -> None:
        self._reader = get_running_loop().create_future()
        try:
            for lane in self.lanes:
                if lane.strategy is None:
                    lane.wake()
            await self._reader
        finally:
            self._reader = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._items()

    async def _items(self) -> AsyncIterator[Any]:
        while True:
            item = self.pop()
            if item is EMPTY:
                if not await self.wait():
                    return
            else:
                yield item

    def leave(self) -> None:
        """The reader goes: what is held is dropped, with the reason ``closed``, and writers are let go."""
        if self.left:
            return
        self.left = True
        errors: list[BaseException] = []
        for lane in self.lanes:
            lane.discard(errors)
        if errors:
            for late in errors[1:]:
                attach(errors[0], late)
            raise errors[0]

    # what lanes say ------------------------------------------------------------------------

    def arrived(self, lane: Lane) -> None:
        self._ready.append(lane)
        self.wake()

    def wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def closed(self) -> None:
        self._open -= 1
        self.wake()

    def fail(self, error: BaseException) -> None:
        """Keep the first error, for when what is held is delivered; later ones hang on it."""
        if self.error is not None:
            attach(self.error, error)
            return
        self.error = error
        if self._failed is not None:
            self._failed()
        self.wake()


class Lane:
    """One writer's share of a channel."""

    __slots__ = (
        "channel",
        "delivered",
        "dropped",
        "held",
        "limit",
        "low",
        "offered",
        "open",
        "refused",
        "strategy",
        "waits",
        "writer",
    )

    def __init__(self, channel: Channel, strategy: Strategy | None) -> None:
        self.channel = channel
        self.strategy = strategy
        limit = 1 if strategy is None else strategy.limit
        self.limit: float = float("inf") if limit is None else limit
        self.low = 0 if limit is None else limit // 2
        self.waits = strategy is None or strategy.waits
        self.held: deque[Any] = deque()
        self.open = True
        self.writer: Future[None] | None = None
        self.offered = self.delivered = self.dropped = self.refused = 0

    def put(self, item: Any) -> bool:
        """Take in `item`; True if the writer must wait for `room` before it pulls the next."""
        held = self.held
        self.offered += 1
        size = len(held)
        if size >= self.limit or not self.open:
            return self._overflow(item)
        held.append(item)
        if not size:
            self.channel.arrived(self)
        return self.waits and (size + 1 >= self.limit or self.strategy is None)

    def _overflow(self, item: Any) -> bool:
        if not self.open or self.strategy is None:
            self.refused += 1
            raise Abandoned
        try:
            dropped = self.strategy.overflow(self.held, item)
        except BaseException:
            self.refused += 1
            raise
        for lost in dropped:
            self.dropped += 1
            self.strategy.dropped(lost, "full")
        return False

    def full(self) -> bool:
        """Whether a writer must wait before it pulls: there is no room, or (hand-over) nobody asks."""
        if not self.waits or not self.open:
            return False
        return len(self.held) >= self.limit or (self.strategy is None and not self.channel.asking)

    async def room(self) -> None:
        """Wait until there is room."""
        while self.full():
            self.writer = get_running_loop().create_future()
            try:
                await self.writer
            finally:
                self.writer = None

    def wake(self) -> None:
        if self.writer is not None and not self.writer.done():
            self.writer.set_result(None)

    def pop(self) -> Any:
        """The next item of this lane, which must have one."""
        item = self.held.popleft()
        self.delivered += 1
        if self.writer is not None and len(self.held) <= self.low:
            self.wake()
        return item

    def close(self) -> None:
        """The writer is done; what is held will still be delivered."""
        if self.open:
            self.open = False
            self.channel.closed()

    def discard(self, errors: list[BaseException]) -> None:
        """Nobody reads any more: drop what is held, tell ``on_drop``, and let the writer go."""
        self.open = False
        self.wake()
        while self.held:
            self.dropped += 1
            try:
                item = self.held.popleft()
                if self.strategy is not None:
                    self.strategy.dropped(item, "closed")
            except Exception as error:
                errors.append(error)

    def stats(self) -> BufferStats:
        """The counts so far."""
        return BufferStats(
            self.strategy, self.offered, self.delivered, self.dropped, self.refused, held=len(self.held)
        )
