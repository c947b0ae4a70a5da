"""Books: the stages of a job that was started, for its handle to look into and to hold."""

from __future__ import annotations

import asyncio
from typing import Protocol

from streamkit._engine.buffer.account import BufferStats, Sums

__all__ = ["Book"]


class Entry(Protocol):
    """What can be entered in a book."""

    def stats(self) -> list[BufferStats]:
        """What became of the items in each of its buffers, so far."""
        ...

    def hold(self) -> None:
        """Let nobody run a reader's loop until that reader has been awake again."""
        ...


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
