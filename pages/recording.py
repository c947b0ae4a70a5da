"""Records one run of ``buffer(strategy)`` in virtual time, for `pages.pictures`.

The producer comes in bursts, and the consumer is slow: both are the same for every strategy. These two,
``on_drop``, the fold and pickle write the tape. If it differs from `BufferStats`, nothing is drawn.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import streamkit as sk
from streamkit import Stream, ops
from streamkit.testing import run

__all__ = ["BUSY", "DUE", "Make", "Stay", "Tape", "record"]

DUE = dict(zip("abcdefghi", (0, 1, 2, 3, 4, 5, 6, 18, 19), strict=True))
"""When the producer has each item, in seconds."""
BUSY = 3.5
"""How many seconds the consumer works on each item, or on each list."""


@dataclass
class Stay:
    """One item in one place of the buffer, from when to when, and how that ended."""

    label: str
    place: str
    begin: float
    end: float = -1.0
    outcome: str = "held"
    row: int = 0

    @property
    def passed(self) -> bool:
        """Whether it left at once, and so took no place."""
        return self.begin == self.end


@dataclass
class Tape:
    """What was seen in one run."""

    stays: list[Stay] = field(default_factory=list[Stay])
    offered: dict[str, float] = field(default_factory=dict[str, float])
    worked: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    gaps: list[tuple[float, sk.Gap]] = field(default_factory=list[tuple[float, sk.Gap]])
    failed: tuple[float, str] | None = None

    def enter(self, label: str, place: str = "memory") -> None:
        self.stays.append(Stay(label, place, now()))

    def leave(self, label: str, outcome: str) -> None:
        stay = next(stay for stay in self.stays if stay.label == label and stay.outcome == "held")
        stay.end, stay.outcome = now(), outcome

    def drop(self, item: str, reason: str) -> None:
        self.leave(item, "dropped")

    def fold(self, waiting: str, item: str) -> str:
        self.leave(waiting, "folded")
        self.leave(item, "folded")
        self.enter(waiting + item)
        return waiting + item

    def moved(self, label: str, place: str) -> None:
        """An item went to disk, or came back."""
        self.leave(label, "moved")
        self.enter(label, place)

    async def producer(self) -> AsyncIterator[str]:
        for label, due in DUE.items():
            await asyncio.sleep(max(0.0, due - now()))
            self.offered[label] = now()
            self.enter(label)
            try:
                yield Item(label)
            except GeneratorExit:
                self.leave(label, "refused")
                raise

    async def consumer(self, item: str | list[str] | sk.Gap) -> None:
        if isinstance(item, sk.Gap):
            self.gaps.append((now(), item))
            return
        labels = item if isinstance(item, list) else [item]
        for label in labels:
            self.leave(label, "delivered")
        self.worked.append((now(), " ".join(labels)))
        await asyncio.sleep(BUSY)

    def check(self, stats: sk.BufferStats) -> None:
        """What was seen must be what was counted."""
        seen = Counter(stay.outcome for stay in self.stays)
        counted = {name: seen[name] for name in ("delivered", "dropped", "refused", "held")}
        counted["offered"] = len(self.offered)
        counted["folded"] = sum(stay.outcome == "folded" and stay.passed for stay in self.stays)
        times = self.offered.values()
        together = [sum(stay.begin <= when < stay.end for stay in self.stays) for when in times]
        counted["held_at_most"] = max(1, *together)
        for name, number in counted.items():
            if getattr(stats, name) != number:
                raise RuntimeError(f"{name}: {number} were seen, which is not what was counted: {stats}")
        if self.gaps and stats.dropped != sum(gap.count or 0 for _, gap in self.gaps):
            raise RuntimeError(f"{self.gaps} is not what was dropped: {stats}")


Make = Callable[[Tape], sk.Strategy]
"""Makes a strategy that reports to the tape."""
_tape: ContextVar[Tape] = ContextVar("tape")


class Item(str):
    """An item that is seen when it is pickled, and when it comes back."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Callable[[str], Item], tuple[str]]:
        _tape.get().moved(self, "disk")
        return read_back, (str(self),)


def read_back(label: str) -> Item:
    _tape.get().moved(label, "memory")
    return Item(label)


def now() -> float:
    return asyncio.get_running_loop().time()


def record(make: Make) -> tuple[Tape, sk.BufferStats]:
    """Run ``buffer(strategy)`` once, in virtual time."""

    async def main() -> tuple[Tape, sk.BufferStats]:
        tape = Tape()
        _tape.set(tape)
        job = Stream(tape.producer) | ops.buffer(make(tape)) | ops.for_each(tape.consumer)
        handle = job.start()
        try:
            await handle
        except sk.BufferOverflowError as error:
            tape.failed = now(), type(error).__name__
        (stats,) = handle.buffers()
        tape.check(stats)
        return tape, stats

    return run(main)
