"""Lanes: one writer's share of a channel, where its strategy acts and its items are counted."""

from __future__ import annotations

import sys
from asyncio import CancelledError, Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from streamkit._core.spill import SpillStore, Store
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats

__all__ = ["NEVER", "Abandoned", "Lane", "Reader", "Rescue"]


class Abandoned(Exception):  # noqa: N818 - a signal between floors, no error that users see
    """Told to a writer whose reader has gone."""


class Reader(Protocol):
    """What a lane needs of its channel."""

    clock: Callable[[], float]
    error: BaseException | None
    left: bool
    """Whether the reader has gone."""
    alone: bool
    """Whether it lets nobody run while it takes what is there, and notes first how much that is."""

    @property
    def asking(self) -> bool: ...
    def arrived(self, lane: Any, /) -> None: ...
    def closed(self) -> None: ...
    def count(self) -> None: ...
    def cut(self) -> None: ...
    def dropped(self, strategy: Strategy, item: Any, reason: str, /) -> None: ...
    def fail(self, error: BaseException) -> None: ...


NEVER = sys.maxsize
Rescue = Callable[[CancelledError], Awaitable[None]]


class Lane:
    """One writer's share of a channel."""

    __slots__ = (
        "_full_seconds",
        "_full_since",
        "channel",
        "delivered",
        "dropped",
        "folded",
        "grows",
        "held",
        "inline",
        "kept",
        "last",
        "limit",
        "listed",
        "low",
        "mark",
        "most",
        "open",
        "plain",
        "refused",
        "strategy",
        "waits",
        "writer",
    )

    def __init__(self, channel: Reader, strategy: Strategy | None) -> None:
        self.channel: Reader = channel
        self.strategy: Strategy | None = strategy
        limit = 1 if strategy is None else strategy.limit if strategy.overflows else None
        self.limit: int = NEVER if limit is None else limit
        self.low: int = 0 if limit is None else (limit + 2) // 4
        """How few items must be held before a writer that waits is woken: not for each one."""
        self.last: int = self.limit - 1
        """How many items are held when one more fills it."""
        self.waits: bool = strategy is None or strategy.waits
        self.held: Store = deque[Any]() if strategy is None else strategy.store()
        self.plain: bool = type(self) is Lane and type(self.held) is deque
        """Whether its items may be put into `held` by one who counts as `put` does."""
        self.inline: bool = self.plain
        """Whether its items may be taken out of `held` by one who counts as `pop` does."""
        self.grows: bool = self.inline and (strategy is None or strategy.only_grows)
        """Whether nobody but the reader takes anything out of it."""
        self.kept: list[Any] = []
        """Items that were popped, but have not left: they count as held."""
        self.open: bool = True
        self.writer: Future[None] | None = None
        self.delivered: int = 0
        self.dropped: int = 0
        self.folded: int = 0
        self.refused: int = 0
        self.most: int = 0
        self.mark: int = NEVER
        """From how many delivered items on taking one out means more than that: `loosen` is to be called."""
        self.listed: bool = False
        """Whether the channel has noted that there is something here, and more may be appended to it."""
        self._full_seconds = 0.0
        self._full_since: float | None = None

    # the writer ----------------------------------------------------------------------------

    def put(self, item: Any) -> bool:
        """Take in `item`; True if the writer must wait for `room` before it pulls the next."""
        held = self.held
        size = len(held) + 1
        if size > self.limit:
            self._overflow(item)
            return False
        try:
            held.append(item)
        except BaseException:
            self.refused += 1
            raise
        if size > self.most:  # noqa: PLR1730 - max() costs a call per item
            self.most = size
        if size == 1:
            self.channel.arrived(self)
            size = len(held)  # a reader that is no task has taken it out already
        if size < self.limit:
            return False
        self._full_since = self.channel.clock()
        self.watch()
        return self.waits

    def granted(self) -> int:
        """How many items the writer may append to what is held, while this is `listed`, and do nothing else.

        None of them fills it; and that so much is held is noted already, or by the reader, who is alone.
        """
        last = self.last
        if last > self.most and not (self.channel.alone and self.grows):
            last = self.most
        free = last - len(self.held)
        return free if free > 0 else 0

    def watch(self) -> None:
        """Have `loosen` called when the next item is taken out."""
        if self.mark:
            self.mark = 0
            self.channel.cut()

    def _overflow(self, item: Any) -> None:
        strategy = self.strategy
        if self.limit < 0 or strategy is None:
            self.refused += 1
            raise Abandoned
        try:
            dropped = strategy.overflow(self.held, item)
        except BaseException:
            self.refused += 1
            raise
        self.folded += strategy.folds
        self.dropped += len(dropped)
        if len(self.held) < self.limit:
            self._not_full()
        for lost in dropped:
            self._told(self._bare(lost), "full")

    def full(self) -> bool:
        """Whether a writer must wait before it pulls: there is no room, or (hand-over) nobody asks."""
        if not self.waits or self.limit < 0:
            return False
        return len(self.held) >= self.limit or (self.strategy is None and not self.channel.asking)

    def vacancy(self) -> Future[None]:
        """What a writer waits for where there is no room; he sets `writer` to None afterwards."""
        self.writer = writer = get_running_loop().create_future()
        self.watch()
        return writer

    async def room(self, rescue: Rescue | None = None) -> None:
        """Wait until there is room: called where there is none.

        A cancellation meanwhile is for `rescue` to raise, or to deal with.
        """
        while True:
            try:
                try:
                    await self.vacancy()
                finally:
                    self.writer = None
            except CancelledError as error:
                if rescue is None:
                    raise
                await rescue(error)
            if not self.full():
                return

    def wake(self) -> None:
        if self.writer is not None and not self.writer.done():
            self.writer.set_result(None)

    def close(self) -> None:
        """The writer is done; what is held will still be delivered."""
        if self.open:
            self.open = False
            self.channel.closed()

    # the reader ----------------------------------------------------------------------------

    def pop(self) -> Any:
        """The next item of this lane, which must have one."""
        try:
            item = self.held.popleft()
        except BaseException:  # what was spilled cannot be read back
            self.refused += 1
            raise
        self.delivered += 1
        if self.delivered >= self.mark:
            self.loosen()
        return item

    def loosen(self) -> None:
        """Something was taken out: note that there is room, and wake a writer that waits for it."""
        if self._full_since is not None:  # `_not_full` without the call, which each burst would pay
            self._full_seconds += self.channel.clock() - self._full_since
            self._full_since = None
        writer = self.writer
        if writer is not None:
            above = len(self.held) - self.low
            if above > 0:
                self.mark = self.delivered + above
                return
            if not writer.done():
                writer.set_result(None)
        self.mark = NEVER

    def _not_full(self) -> None:
        if self._full_since is not None:
            self._full_seconds += self.channel.clock() - self._full_since
            self._full_since = None

    def keep(self, item: Any) -> None:
        """Count `item`, which was popped, as held until `release`."""
        self.kept.append(item)
        self.delivered -= 1
        self.mark = 0
        if self.limit > 0:
            self.limit -= 1
            self.last -= 1

    def release(self, *, but: int = 0) -> list[Any]:
        """What was kept, in order, except for the last `but`: now it is delivered, and leaves room."""
        self.most = max(self.most, self.count)
        end = len(self.kept) - but
        items, self.kept = self.kept[:end], self.kept[end:]
        self.delivered += len(items)
        if self.limit >= 0:
            self.limit += len(items)
            self.last += len(items)
        self.wake()
        return items

    def refuse(self) -> None:
        """Nothing more is taken in: what a writer puts in late goes the slow way, and is refused."""
        self.limit = self.last = -1
        self.listed = False
        self.wake()

    def discard(self, errors: list[BaseException]) -> None:
        """Nobody reads any more: drop what is held, tell ``on_drop``, and let the writer go."""
        self.open = False
        self._not_full()
        self.most = max(self.most, self.count)
        self.refuse()
        held = self.held
        if not held and not self.kept and type(held) is deque:
            return
        kept, self.kept = self.kept, []
        self.dropped += len(held) + len(kept)
        if isinstance(held, SpillStore):
            held.close()
        for lost in (*kept, *(self._bare(held.popleft()) for _ in range(len(held)))):
            try:
                self._told(lost, "closed")
            except Exception as error:
                errors.append(error)

    def _bare(self, entry: Any) -> Any:
        """The item in an entry of `held`."""
        return entry

    def _told(self, item: Any, reason: str) -> None:
        if self.strategy is not None:
            self.channel.dropped(self.strategy, item, reason)

    @property
    def count(self) -> int:
        """How many items are held."""
        return len(self.held) + len(self.kept)

    def stats(self, operator: str = "") -> BufferStats:
        """The counts so far."""
        self.channel.count()
        full = self._full_seconds
        if self._full_since is not None:
            full += self.channel.clock() - self._full_since
        delivered, dropped, folded, refused = self.delivered, self.dropped, self.folded, self.refused
        held = self.count
        return BufferStats(
            operator=operator,
            strategy=self.strategy,
            offered=delivered + dropped + folded + refused + held,
            delivered=delivered,
            dropped=dropped,
            folded=folded,
            refused=refused,
            held=held,
            held_at_most=max(self.most, self.count),
            seconds_full=full,
        )
