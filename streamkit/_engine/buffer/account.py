"""Accounts: what became of the items that were offered to a buffer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streamkit._core.value import Record

if TYPE_CHECKING:
    from streamkit._core.strategy import Strategy

__all__ = ["Account", "BufferStats", "Sums"]


class BufferStats(Record):
    """What became of the items offered to one buffer.

    offered = delivered + dropped + folded + refused + held
    """

    operator: str
    """The stage that it belongs to."""
    strategy: Strategy | None
    """None for a hand-over, where the writer waits until the reader asks."""
    offered: int
    delivered: int
    dropped: int
    folded: int
    refused: int
    """Answered full or closed, or what overflowed ``Fail``."""
    held: int
    held_at_most: int
    seconds_full: float


class Account:
    """The counts of one lane, but for those that an item changes on its usual way. Its lane writes them."""

    __slots__ = ("clock", "dropped", "folded", "full_seconds", "full_since", "refused", "strategy")

    def __init__(self, strategy: Strategy | None, clock: Callable[[], float]) -> None:
        self.strategy: Strategy | None = strategy
        """What its buffer does when it is full; None for a hand-over."""
        self.clock: Callable[[], float] = clock
        self.dropped: int = 0
        self.folded: int = 0
        self.refused: int = 0
        self.full_seconds: float = 0.0
        self.full_since: float | None = None

    def not_full(self) -> None:
        """There is room again."""
        if self.full_since is not None:
            self.full_seconds += self.clock() - self.full_since
            self.full_since = None

    def refuse(self) -> None:
        """Count an item that was refused before it was put in."""
        self.refused += 1

    def drop(self) -> None:
        """Count an item that was dropped before it was put in."""
        self.dropped += 1

    def follow(self, before: Account) -> None:
        """Go on counting where `before` ended."""
        self.dropped, self.folded, self.refused = before.dropped, before.folded, before.refused
        self.full_seconds = before.full_seconds

    def stats(self, operator: str, *, delivered: int, held: int, most: int) -> BufferStats:
        """The counts so far, with those of the lane."""
        full = self.full_seconds
        if self.full_since is not None:
            full += self.clock() - self.full_since
        return BufferStats(
            operator=operator,
            strategy=self.strategy,
            offered=delivered + self.dropped + self.folded + self.refused + held,
            delivered=delivered,
            dropped=self.dropped,
            folded=self.folded,
            refused=self.refused,
            held=held,
            held_at_most=max(most, held),
            seconds_full=full,
        )


class Sums:
    """What became of the items in buffers that are no more, by operator, strategy and size."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Any, ...], BufferStats] = {}

    def add(self, stats: BufferStats) -> None:
        kind = (stats.operator, type(stats.strategy), stats.strategy and stats.strategy.limit)
        before = self._sums.get(kind)
        self._sums[kind] = stats if before is None else _sum(before, stats)

    def stats(self, operator: str = "") -> list[BufferStats]:
        """The sums; of `operator`, where the buffers were nobody else's."""
        return [stats.but(operator=stats.operator or operator) for stats in self._sums.values()]


def _sum(one: BufferStats, other: BufferStats) -> BufferStats:
    return one.but(
        offered=one.offered + other.offered,
        delivered=one.delivered + other.delivered,
        dropped=one.dropped + other.dropped,
        folded=one.folded + other.folded,
        refused=one.refused + other.refused,
        held=one.held + other.held,
        held_at_most=max(one.held_at_most, other.held_at_most),
        seconds_full=one.seconds_full + other.seconds_full,
    )
