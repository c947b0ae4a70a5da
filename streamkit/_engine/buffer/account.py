"""Books: the buffers and the stages of a job that was started, for its handle to look into and to hold."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from streamkit._core.value import Record

if TYPE_CHECKING:
    from streamkit._core.strategy import Strategy

__all__ = ["Book", "BufferStats", "Sums"]


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


class Entry(Protocol):
    """What can be entered in a book."""

    def stats(self) -> list[BufferStats]:
        """What became of the items in each of its buffers, so far."""
        ...

    def hold(self) -> None:
        """Let nobody run a reader's loop until that reader has been awake again."""
        ...


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


class Book:
    """What is entered, in that order, and the sums of what has ended before the job did."""

    def __init__(self, gate: asyncio.Event | None = None) -> None:
        self.gate: asyncio.Event = gate or asyncio.Event()
        """Closed while the job is paused."""
        self._entries: dict[Entry, None] = {}
        self._ended = Sums()

    def enter(self, entry: Entry) -> None:
        self._entries[entry] = None

    def chapter(self) -> Book:
        """A new book, entered in this one."""
        chapter = Book(self.gate)
        self.enter(chapter)
        return chapter

    def close(self, entry: Entry) -> None:
        """`entry` has ended: keep no more than the sums."""
        del self._entries[entry]
        for stats in entry.stats():
            self._ended.add(stats)

    def stats(self) -> list[BufferStats]:
        """What became of the items in each buffer, so far."""
        return [stats for entry in self._entries for stats in entry.stats()] + self._ended.stats()

    def hold(self) -> None:
        """Hold all that is entered."""
        for entry in self._entries:
            entry.hold()


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
