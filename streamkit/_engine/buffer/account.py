"""Accounts: what became of the items that were offered to a buffer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from streamkit._core.value import Record

if TYPE_CHECKING:
    from streamkit._core.strategy import Strategy

__all__ = ["MANY", "Account", "BufferStats", "Sums", "tell_each"]

MANY = 16
"""From how many lanes or streams on those that have ended are looked for, to keep only their counts."""


MOST_SUMS = 32
"""How many sums are kept apart by place, strategy and size; the rest by the name of the operator."""


class BufferStats(Record):
    """What became of the items offered to one buffer.

    offered = delivered + dropped + folded + refused + held
    """

    operator: str
    """The stage that owns the buffer."""
    strategy: Strategy | None
    """None for a hand-over: the writer waits until the reader asks."""
    place: int | None = 0
    """Which of several it is: of a ``merge`` or ``zip``, 1 for that of the second source, as they were
    written; of a ``broadcast``, for that of the second branch. None for a sum of several."""
    offered: int
    delivered: int
    dropped: int
    folded: int
    refused: int
    """Offers answered full or closed, and the item that overflowed ``Fail``."""
    held: int
    held_at_most: int
    seconds_full: float

    def settled(self) -> BufferStats:
        """The same in the middle of a change, which has counted an item on one side only."""
        return self.but(offered=self.delivered + self.dropped + self.folded + self.refused + self.held)

    def with_one_in_hand(self) -> BufferStats:
        """The same, where a reader of another thread may have one item in hand: that counts as held."""
        missing = self.offered - self.settled().offered
        return self.but(held=self.held + 1) if missing == 1 else self


class Account:
    """The rare counts of one lane. The lane itself counts what is put in and taken out, which is cheaper.

    ``tests/compile/test_opcodes.py`` guards what an item costs there."""

    __slots__ = (
        *("clock", "dropped", "folded", "full_seconds", "full_since", "grant", "place", "refused"),
        *("strategy", "turned_away"),
    )

    def __init__(self, strategy: Strategy | None, clock: Callable[[], float]) -> None:
        self.strategy: Strategy | None = strategy
        """The strategy of the lane; None for a hand-over."""
        self.clock: Callable[[], float] = clock
        self.place: int = 0
        """Which lane of its channel it is of."""
        self.turned_away: int = 0
        """Items that were refused or dropped before they were put in."""
        self.grant: int = 0
        """Items that the writer may append by itself; it says how many it has when it asks for more."""
        self.dropped: int = 0
        self.folded: int = 0
        self.refused: int = 0
        self.full_seconds: float = 0.0
        self.full_since: float | None = None

    def placed(self, place: int) -> None:
        """The lane is the one of its channel with this number."""
        self.place = place

    def full(self) -> None:
        """There is no room, from now on if there was some."""
        if self.full_since is None:
            self.full_since = self.clock()

    def not_full(self) -> None:
        """There is room again."""
        if self.full_since is not None:
            self.full_seconds += self.clock() - self.full_since
            self.full_since = None

    def refuse(self) -> None:
        """Count an item that was refused before it was put in."""
        self.turned_away += 1
        self.refused += 1

    def unread(self) -> None:
        """Count an item that was put in, and cannot be read back, or folded, as refused."""
        self.refused += 1

    def lost(self, many: int) -> None:
        """Count so many that were put in as dropped."""
        self.dropped += many

    def fold(self, many: int) -> None:
        """Count so many that were put in as folded."""
        self.folded += many

    def drop(self) -> None:
        """Count an item that was dropped before it was put in."""
        self.turned_away += 1
        self.dropped += 1

    def follow(self, before: Account) -> None:
        """Continue the counts of `before`."""
        self.turned_away += before.turned_away
        self.dropped += before.dropped
        self.folded += before.folded
        self.refused += before.refused
        self.full_seconds += before.full_seconds
        self.place = before.place

    def stats(self, operator: str, put: int, delivered: int, *, held: int, most: int) -> BufferStats:
        """The counts so far, joined with the lane's own.

        What is offered is counted where it comes in. Only while a writer uses its grant is it not known how
        many items of that came in: as many as are there, but no more than were granted.
        """
        offered = put + self.turned_away
        if self.grant:
            there = delivered + self.dropped + self.folded + self.refused + held
            offered += min(max(there - offered, 0), self.grant)
        full = self.full_seconds
        if self.full_since is not None:
            full += self.clock() - self.full_since
        return BufferStats(
            operator=operator,
            strategy=self.strategy,
            place=self.place,
            offered=offered,
            delivered=delivered,
            dropped=self.dropped,
            folded=self.folded,
            refused=self.refused,
            held=held,
            held_at_most=max(most, held),
            seconds_full=full,
        )


def tell_each(tell: Callable[[Any, str], None], items: Iterable[Any], reason: str) -> list[Exception]:
    """Tell of each of `items`, also when telling of one fails; return what was raised."""
    errors: list[Exception] = []
    for item in items:
        try:
            tell(item, reason)
        except Exception as error:
            errors.append(error)
    return errors


class Sums:
    """The summed counts of buffers that are gone: few, however many there were.

    They are kept by operator, by the kind of strategy and by its size. An operator is known by its name here,
    not by its arguments, which may be other ones in each stream that a function has made.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[Any, ...], BufferStats] = {}
        self.many = MANY
        """At how many buffers those that have ended are looked for, to keep only their counts."""

    def add(self, *gone: BufferStats) -> None:
        """Add the counts of the buffers of one pipe, where those of one name differ by their order."""
        places: dict[str, dict[str, int]] = {}
        for stats in gone:
            name = stats.operator.partition("(")[0]
            place = places.setdefault(name, {})
            strategy = stats.strategy
            kind: tuple[Any, ...] = (
                name,
                place.setdefault(stats.operator, len(place)),
                type(strategy),
                None if strategy is None else strategy.limit,
            )
            if kind not in self._sums and len(self._sums) >= MOST_SUMS:
                kind = (name, None, None, None)
            before = self._sums.get(kind)
            self._sums[kind] = stats if before is None else _sum(before, stats)

    def stats(self, operator: str = "") -> list[BufferStats]:
        """The sums; those without an operator are given to `operator`."""
        return [stats.but(operator=stats.operator or operator) for stats in self._sums.values()]


def _sum(one: BufferStats, other: BufferStats) -> BufferStats:
    name = one.operator.partition("(")[0]
    return one.but(
        operator=one.operator if one.operator == other.operator else f"{name}(...)",
        place=one.place if one.place == other.place else None,
        offered=one.offered + other.offered,
        delivered=one.delivered + other.delivered,
        dropped=one.dropped + other.dropped,
        folded=one.folded + other.folded,
        refused=one.refused + other.refused,
        held=one.held + other.held,
        held_at_most=max(one.held_at_most, other.held_at_most),
        seconds_full=one.seconds_full + other.seconds_full,
    )
