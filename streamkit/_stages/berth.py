"""Berths: each runs groups of a ``group_by``, one after the other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from streamkit._core.errors import GroupsFullError
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane

__all__ = ["Berth", "Berths", "full_error"]


def full_error(key: object, most: int) -> GroupsFullError:
    """The error for an item of a new key, when there are `most` groups already."""
    return GroupsFullError(
        f"no group for the key {shown(key)}: there are max_groups={most} already; "
        "raise max_groups, or let groups end, with on_full=OnFull.EVICT or idle="
    )


class Berth(Lane):
    """The lane of what a group emits, and its `inbox`; used by one group at a time."""

    inbox: Channel
    """The channel that the group reads."""
    intake: Lane
    """The only lane of `inbox`; the router writes into it."""
    name: Hashable = None
    book: Book | None = None
    """The book of the runs inside the group."""
    came: float = 0.0
    """The time of its last item."""
    running: bool = False
    free: bool = False
    """Whether a new group may take it."""

    def __init__(self, berths: Berths, out: Channel) -> None:
        super().__init__(out, Suspend(1))
        self.berths = berths
        self._open_intake()

    def _open_intake(self) -> None:
        self.inbox = Channel()
        self.inbox.made = self.berths.out.made
        self.inbox.blame = self.berths.out.blame
        self.intake = self.inbox.lane(self.berths.strategy)

    def refill(self) -> None:
        """Replace the intake by an empty one, which continues the counts."""
        before = self.intake
        self._open_intake()
        self.intake.follow(before)

    def pop(self) -> Any:
        item = super().pop()
        self.berths.settle(self)
        return item

    def close(self) -> None:
        """The group has ended."""
        self.running = False
        self.berths.running -= 1
        self.berths.ended(self)

    def shut(self) -> None:
        """Close the lane: no further group will begin."""
        super().close()


class Berths:
    """The berths, at most one for each group that may exist at once, and the group in each."""

    def __init__(
        self,
        out: Channel,
        strategy: Strategy,
        most: int,
        ended: Callable[[Berth], None],
        roomy: Callable[[], None],
    ) -> None:
        self.out = out
        self.strategy = strategy
        """The strategy of each group's intake."""
        self.most = most
        self.ended = ended
        """Called when the pipe of a group has ended."""
        self._roomy = roomy
        """Called when a berth has become free."""
        self.groups: OrderedDict[Hashable, Berth] = OrderedDict()
        """The berths of groups, the longest idle first: the first of a plain dict is found by going past all
        that were deleted before it."""
        self.running = 0
        """How many berths are running."""
        self.leaving: dict[Hashable, Berth] = {}
        """Groups that were told to end, and have not ended yet."""
        self._all: list[Berth] = []
        self._free: list[Berth] = []

    def __iter__(self) -> Iterator[Berth]:
        return iter(self._all)

    @property
    def full(self) -> bool:
        """Whether no further group may begin."""
        return len(self.groups) >= self.most

    def came(self, name: Hashable, berth: Berth, now: float) -> None:
        """Note that an item came for the group at the time `now`: it moves to the end of `groups`."""
        self.groups.move_to_end(name)
        berth.came = now

    def taken(self, name: Hashable) -> Berth | None:
        """Take a berth for a new group; None if none is free, or an old group of that name still ends."""
        if name in self.leaving:
            return None
        if self._free:
            berth = self._free.pop()
            berth.free = False
            berth.refill()
        elif len(self._all) < self.most:
            berth = Berth(self, self.out)
            self._all.append(berth)
            self.out.adopt(berth)
        else:
            return None
        self.groups[name] = berth
        berth.name, berth.running = name, True
        self.running += 1
        return berth

    def end(self, berth: Berth) -> None:
        """End a group as if the source had ended."""
        del self.groups[berth.name]
        if berth.running:
            self.leaving[berth.name] = berth
            berth.intake.close()
        else:
            self.settle(berth)

    def left(self, berth: Berth, *, reopens: bool) -> None:
        """The group has ended. If it did so by itself, it keeps its berth, to drop later items of its key.

        If it `reopens`, it does not: the next item of its key begins a new group.
        """
        self.leaving.pop(berth.name, None)
        if reopens and self.groups.get(berth.name) is berth:
            del self.groups[berth.name]
        self.settle(berth)

    def settle(self, berth: Berth) -> None:
        """Free a berth, if no group has it and the reader has taken all that the last group emitted."""
        if berth.running or berth.held or self.groups.get(berth.name) is berth or berth.free:
            return
        berth.free = True
        self._free.append(berth)
        self._roomy()
