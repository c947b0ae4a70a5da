"""Books: the buffers of a started job, so that its handle can count and hold them."""

from __future__ import annotations

import asyncio
from typing import Protocol

from streamkit._engine.buffer.account import BufferStats, Sums

__all__ = ["Book"]


class Entry(Protocol):
    """Anything that can be entered in a book: a channel, or another book."""

    def stats(self) -> list[BufferStats]:
        """What became of the items in each of its buffers, so far."""
        ...

    def hold(self) -> None:
        """Suspend direct delivery until the reader has run."""
        ...


class Book:
    """The entries, in order, and the sums of entries that ended before the job."""

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
        """Replace `entry`, which has ended, by its sums: memory stays flat in a job with many short runs."""
        del self._entries[entry]
        self._ended.add(*entry.stats())

    def stats(self) -> list[BufferStats]:
        """What became of the items in each buffer, so far."""
        return [stats for entry in self._entries for stats in entry.stats()] + self._ended.stats()

    def hold(self) -> None:
        """Hold every entry."""
        for entry in self._entries:
            entry.hold()
