"""Books: the buffers of a started job, so that its handle can count and hold them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from streamkit._core.delivery import Holder
from streamkit._engine.buffer.account import BufferStats, Sums

__all__ = ["Book", "Hands", "Told"]

Told: TypeAlias = Callable[[Any], Iterable[tuple[object, int]]]
"""Tells of a loop, or of a pool, the operators that have items in hand, and how many."""
Hands: TypeAlias = WeakKeyDictionary[Any, Told]
"""The loops and pools of a job that are there."""


class Entry(Protocol):
    """Anything that can be entered in a book: a channel, or another book."""

    def stats(self) -> list[BufferStats]:
        """What became of the items in each of its buffers, so far."""
        ...

    def hold(self) -> None:
        """Suspend direct delivery until the reader has run."""
        ...


class Book:
    """The buffers of a stage, and of what it reads, in the order of the pipe.

    Behind it stands what reads the stage where that owns its reader, as a broadcast owns its branches.
    """

    def __init__(
        self,
        gate: asyncio.Event | None = None,
        hands: Hands | None = None,
        ledgers: dict[Any, Holder | None] | None = None,
    ) -> None:
        self.gate: asyncio.Event = gate or asyncio.Event()
        """Closed while the job is paused."""
        self.hands = hands
        """What may be asked what it has in hand; None, if nobody asks."""
        self.ledgers = ledgers
        """What has deliveries open in the run: the ledgers of its tracked sources, by these, without that of
        one that others open; and what it has of theirs. None, if it has no such source."""
        self._sources: list[Entry] = []
        self._before = _Page()
        self._own: list[Entry] = []
        self._after = _Page()

    def enter(self, entry: Entry, *, source: bool = False) -> None:
        """Enter the stage, or a buffer that is a source of it."""
        (self._sources if source else self._own).append(entry)

    def replace(self, source: Entry, other: Entry) -> None:
        """Enter `other` in the place of `source`, whose counts it goes on with."""
        self._sources[self._sources.index(source)] = other

    def chapter(self, *, after: bool = False) -> Book:
        """A new book, entered in this one: of what the stage reads, or of what reads it."""
        chapter = Book(self.gate, self.hands, self.ledgers)
        (self._after if after else self._before).chapters[chapter] = None
        return chapter

    def in_hand(self) -> dict[str, int]:
        """How many items each operator has in hand that are in no buffer; as far as they are watched."""
        found: Counter[str] = Counter()
        for thing, told in [*(self.hands or {}).items()]:
            for link, count in told(thing):
                found[repr(link)] += count
        return +found

    def watch(self, thing: Any, told: Told) -> None:
        """Have `told` asked of `thing`, as long as that is there, if anybody asks."""
        if self.hands is not None:
            self.hands[thing] = told

    def close(self, chapter: Book) -> None:
        """Replace `chapter`, which has ended, by its sums: many short runs need no more memory."""
        page = self._before if chapter in self._before.chapters else self._after
        del page.chapters[chapter]
        page.ended.add(*chapter.stats())

    def stats(self) -> list[BufferStats]:
        """What became of the items in each buffer, so far."""
        sources, own = _stats(self._sources), _stats(self._own)
        return [*sources, *self._before.stats(), *own, *self._after.stats()]

    def hold(self) -> None:
        """Hold every entry."""
        for entry in (*self._sources, *self._before.chapters, *self._own, *self._after.chapters):
            entry.hold()


class _Page:
    """Chapters, in order, and the sums of those that have ended."""

    def __init__(self) -> None:
        self.chapters: dict[Book, None] = {}
        self.ended = Sums()

    def stats(self) -> list[BufferStats]:
        return [*self.ended.stats(), *_stats(self.chapters)]


def _stats(entries: Iterable[Entry]) -> list[BufferStats]:
    return [stats for entry in entries for stats in entry.stats()]
