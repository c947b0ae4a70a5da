"""Lanes: one writer's share of a channel, where its strategy acts and its items are counted.

Its state is written here, and in the methods of its kinds: also, in `rounds`, by the loops of readers that
take items of many lanes, since a call per item would cost as much as the item
(`tests/compile/test_opcodes.py`).
"""

from __future__ import annotations

import sys
from asyncio import Future, get_running_loop
from collections import deque
from typing import Any, ClassVar

from streamkit._core.errors import raise_first
from streamkit._core.markers import EMPTY
from streamkit._core.spill import Store
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import Account, BufferStats, tell_each
from streamkit._engine.buffer.target import Abandoned, Reader, Target
from streamkit._engine.compile.key import End

__all__ = ["NEVER", "Lane"]

NEVER = sys.maxsize


class Lane(Target):
    """One writer's share of a channel."""

    channel: Reader
    __slots__ = (
        "account",
        "delivered",
        "grows",
        "held",
        "kept",
        "limit",
        "listed",
        "low",
        "mark",
        "most",
        "open",
        "taken_in",
        "waits",
    )

    plain: ClassVar[bool] = True
    inline: ClassVar[bool] = True
    """Whether a reader may take items out of `held` by itself, and count them as `pop` does."""
    end: ClassVar[End] = End.FILL

    def __init_subclass__(cls) -> None:
        """A kind of lane that is plain or inline although it changes what those rely on must say so."""
        cls.plain = cls.__dict__.get("plain", False)
        cls.inline = cls.__dict__.get("inline", False)
        cls.end = cls.__dict__.get("end", End.FILL if cls.plain else End.PUMP)

    def __init__(self, channel: Reader, strategy: Strategy | None) -> None:
        super().__init__(channel)
        self.account: Account = Account(strategy, channel.clock)
        limit = 1 if strategy is None else strategy.limit if strategy.overflows else None
        self.limit: int = NEVER if limit is None else limit
        """Items that are held at most; -1 when nothing more is taken in."""
        self.low: int = 0 if limit is None else (limit + 2) // 4
        """How few items must be held before a writer that waits is woken: not for each one."""
        self.waits: bool = strategy is None or strategy.waits
        """Whether the writer waits while the lane is full."""
        self.held: Store = deque[Any]() if strategy is None else strategy.store()
        self.kept: list[Any] = []
        """Items that were popped, but have not left: they count as held."""
        self.grows: bool = (
            self.plain
            and self.inline
            and type(self.held) is deque
            and (strategy is None or strategy.only_grows)
        )
        """Whether nobody but the reader takes anything out of `held`."""
        self.open: bool = True
        """Whether the writer may bring more."""
        self.taken_in: int = 0
        """Items that were put in, or appended under a grant."""
        self.delivered: int = 0
        self.most: int = 0
        """Items that were held at most."""
        self.mark: int = NEVER
        """`delivered` count at which the reader must call `loosen`."""
        self.listed: bool = False
        """Whether the lane stands in the queue of its channel, which more items need not tell then."""

    @property
    def strategy(self) -> Strategy | None:
        """What happens when it is full; None for a hand-over."""
        return self.account.strategy

    # the writer ----------------------------------------------------------------------------

    def put(self, item: Any) -> bool:
        held = self.held
        size = len(held) + 1
        if size > self.limit:
            self._overflow(item)
            return False
        self.taken_in += 1
        held.append(item)
        if size > self.most:  # noqa: PLR1730 - max() costs a call per item
            self.most = size
        if size == 1:
            if not self.listed:
                self.listed = True
                self.channel.enlist(self)
            self.channel.wake()
            size = len(held)  # a reader that is no task has taken it out already
        if size < self.limit:
            return False
        self.watch()
        self.account.full_since = self.channel.clock()
        return self.waits

    def extend(self, items: list[Any]) -> None:
        """Put in all of `items`: as many at once as do not fill it.

        For many lanes, a burst costs less so than a call per item (``benchmarks/workloads/sharing.py``).
        """
        at_once = self.plain and type(self.held) is deque
        held: Any = self.held
        many = min(len(items), self.limit - 1 - len(held))
        if at_once and many > 1:
            empty = not held
            held.extend(items[:many])
            self.taken_in += many
            self.most = max(self.most, len(held))
            if empty and not self.listed:
                self.listed = True
                self.channel.enlist(self)
            if empty:
                self.channel.wake()
            items = items[many:]
        for item in items:
            self.put(item)

    def granted(self, left: int, most: int = NEVER) -> int:
        """How many items, of `most`, the writer may append to what is held, while this is `listed`.

        `left` is what is left of those granted before. None fills the lane, or raises `self.most`; `put`
        notes that, and a reader that is `alone`, where only the room is a limit."""
        account = self.account
        self.taken_in += account.grant - left
        size = self.limit - 1
        if size > self.most and not (self.channel.alone and self.grows):
            size = self.most
        free = size - len(self.held)
        account.grant = free = 0 if free < 0 else most if free > most else free
        return free

    def spent(self, left: int) -> None:
        """The writer is done with its grant, and has used all but `left` items of it."""
        self.taken_in += self.account.grant - left
        self.account.grant = 0

    def widen(self, places: int = 1) -> None:
        """Make room for more items: those that had a place elsewhere."""
        self.limit += places
        if len(self.held) < self.limit:
            self.account.not_full()

    def follow(self, before: Lane) -> None:
        """Go on counting where `before` ended; items may have come in already."""
        self.taken_in, self.delivered = self.taken_in + before.taken_in, self.delivered + before.delivered
        self.most = max(self.most, before.most)
        self.account.follow(before.account)

    def noted(self, size: int) -> None:
        """So many are held: what a writer says that appends by itself."""
        self.most = size

    def watch(self) -> None:
        """Have `loosen` called when the next item is taken out."""
        if self.mark:
            self.channel.cut()
            self.mark = 0

    def watch_low(self) -> None:
        """Have `loosen` called when so few items are left that others may be let in."""
        self.mark = self.delivered + max(len(self.held) - self.low, 0)
        self.channel.cut()

    def _overflow(self, item: Any) -> None:
        self._overflow_in(self.held, item)

    def _overflow_in(self, held: Any, item: Any) -> None:
        """Do with `item` what the strategy says where `held` is full.

        Counted as taken in when it is known what becomes of it: a fold may look at the counts.
        """
        account, strategy = self.account, self.account.strategy
        try:
            if self.limit < 0 or strategy is None:
                raise Abandoned
            dropped = strategy.overflow(held, item)
        except BaseException:
            account.refused += 1
            raise
        finally:
            self.taken_in += 1
        if strategy.folds:
            account.folded += 1
        if dropped:
            account.dropped += len(dropped)
            if len(self.held) < self.limit:
                account.not_full()
            if len(dropped) == 1:
                self._told(self._bare(dropped[0]), "full")
            else:
                raise_first(tell_each(self._told, map(self._bare, dropped), "full"))

    def full(self) -> bool:
        return self.waits and len(self.held) >= self.limit >= 0

    def vacancy(self) -> Future[None]:
        self.writer = writer = get_running_loop().create_future()
        if self.mark:  # not where `put` has filled it
            self.watch()
        return writer

    @property
    def closed(self) -> bool:
        return not self.open and self.limit >= 0

    def close(self) -> None:
        """The writer is done; what is held will still be delivered."""
        if self.open:
            self.open = False
            self.channel.closed()

    # the reader ----------------------------------------------------------------------------

    def pop(self) -> Any:
        """The next item of this lane, which must have one."""
        item = self.held.popleft()
        self.delivered += 1
        if self.delivered >= self.mark:
            self.loosen()
        return item

    def take(self) -> Any:
        """The next item of this lane; EMPTY if there is none now."""
        if not self.held:
            return EMPTY
        item = self.pop()
        if not self.held and self.listed:
            self.listed = False
            self.channel.strike(self)
        return item

    def peek(self) -> Any:
        """What `take` would give, which stays where it is."""
        return self.held[0] if self.held else EMPTY

    @property
    def there(self) -> Any:
        """What is empty when there is nothing to take: a reader looks at it for each item."""
        return self.held

    @property
    def exhausted(self) -> bool:
        """Whether the writer is done, and everything was taken."""
        return not (self.open or self.held)

    @property
    def comes(self) -> bool:
        """Whether it has something, or its reader can have something brought, by `more`."""
        return bool(self.held)

    def more(self) -> bool:
        """Have something brought where it has nothing; whether it has something now."""
        return False

    def loosen(self) -> None:
        """Something was taken out: note that there is room, and wake a writer that waits for it.

        A writer that waits is woken when only a quarter of the room is still taken, not for each item.
        """
        account = self.account
        if account.full_since is not None:  # `not_full` without the call, which each burst would pay
            account.full_seconds += self.channel.clock() - account.full_since
            account.full_since = None
        writer = self.writer
        if writer is not None:
            above = len(self.held) - self.low
            if above > 0:
                self.mark = self.delivered + above
                return
            self.writer = None
            if not writer.done():
                writer.set_result(None)
        self.mark = NEVER

    def delist(self) -> None:
        """The channel has taken the lane out of its queue."""
        self.listed = False

    def relist(self) -> None:
        """The reader looks by itself: the channel need only hear of lanes that are empty."""
        self.listed = bool(self.held)

    def keep(self, item: Any) -> None:
        """Count `item`, which was popped, as held until `release`."""
        self.kept.append(item)
        self.delivered -= 1
        self.mark = 0
        if self.limit > 0:
            self.limit -= 1
        if len(self.held) >= self.limit >= 0:  # it has taken the place back that `pop` has left
            self.account.full()

    def release(self, *, since: int = 0, but: int = 0) -> list[Any]:
        """What was kept since there were `since`, in order, except for the last `but`.

        Now it is delivered, and leaves room.
        """
        self.most = max(self.most, self.count)
        end = len(self.kept) - but
        items = self.kept[since:end]
        del self.kept[since:end]
        self._freed(len(items))
        return items

    def _freed(self, many: int) -> None:
        """So many that were kept are delivered, and leave room."""
        self.delivered += many
        if self.limit >= 0:  # below 0, nothing more is taken in
            self.widen(many)
        self.wake()

    # the end -------------------------------------------------------------------------------

    def turn_away(self, item: Any, reason: str = "closed") -> None:
        """Drop `item`, which was not put in: count it, and tell ``on_drop``."""
        self.account.drop()
        self._told(item, reason)

    def refuse(self) -> None:
        """Nothing more is taken in: what a writer puts in late goes the slow way, and is refused."""
        self.limit = -1
        self.listed = False
        self.wake()

    def discard(self, errors: list[BaseException]) -> None:
        """Nobody reads any more: drop what is held, tell ``on_drop``, and let the writer go."""
        self.open = False
        self.account.not_full()
        self.most = max(self.most, self.count)
        self.refuse()
        self.account.dropped += self.count
        lost, self.kept = self.kept, []
        lost += self._taken_out()
        errors += tell_each(self._told, lost, "closed")

    def _taken_out(self) -> list[Any]:
        """What was held, for `discard`."""
        held = self.held
        return [self._bare(held.popleft()) for _ in range(len(held))]

    def _bare(self, entry: Any) -> Any:
        """The item in an entry of `held`."""
        return entry

    def _told(self, item: Any, reason: str) -> None:
        strategy = self.account.strategy
        if strategy is not None:
            self.channel.dropped(strategy, item, reason)

    # the counts ----------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many items are held."""
        return len(self.held) + len(self.kept)

    def stats(self, operator: str = "") -> BufferStats:
        """The counts so far."""
        self.channel.count()
        return self.account.stats(operator, self.taken_in, self.delivered, held=self.count, most=self.most)
