"""Tallies: how many items have left the buffers of a job and its last operator, and how fast."""

from __future__ import annotations

from time import monotonic
from typing import Any, TypeVar

from streamkit._core.value import Record
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.face.job import Job
from streamkit.operators.effects import tap

__all__ = ["Rate", "Tally"]

R = TypeVar("R")


class Rate(Record):
    """How many items have left one buffer of a job, or its last operator, and how fast."""

    operator: str
    """The operator that owns the buffer; of the last, the sink that gets its items."""
    place: int | None
    """Which of several buffers of that operator it is, as in `BufferStats`."""
    count: int
    """Items that have left it since the job began."""
    per_second: float
    """How many have left it in a second, since the rates were last asked for; at first, since it began."""
    held: int
    """Items that it holds now."""


class Tally:
    """Counts what comes out of the last operator of one job."""

    def __init__(self) -> None:
        self.count: int = 0
        self._sink = ""
        self._asked = monotonic()
        self._counts: list[int] = []

    def counting(self, job: Job[R]) -> Job[R]:
        """A job that does the same, and is counted."""
        _, (inlet, links) = job.__reduce__()
        self._sink = repr(links[-1])
        return Job(inlet, (*links[:-1], *tap(self._note).links, links[-1]))

    def _note(self, _: Any) -> None:
        self.count += 1

    def rates(self, buffers: tuple[BufferStats, ...]) -> tuple[Rate, ...]:
        """The rates of these buffers, and of what comes out of the last operator."""
        now, before = monotonic(), self._counts
        rows = [(stats.operator, stats.place, stats.delivered, stats.held) for stats in buffers]
        rows.append((self._sink, None, self.count, 0))
        self._counts = [count for _, _, count, _ in rows]
        seconds, self._asked = max(now - self._asked, 1e-9), now
        if len(before) != len(rows):  # streams were begun, or have ended, that have buffers
            before = before + [0] * len(rows)
        return tuple(
            Rate(
                operator=operator,
                place=place,
                count=count,
                per_second=max(count - earlier, 0) / seconds,
                held=held,
            )
            for (operator, place, count, held), earlier in zip(rows, before, strict=False)
        )
