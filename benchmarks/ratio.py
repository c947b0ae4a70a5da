"""Ratios: streamkit and the loop by hand, measured in turns in one run, so that drift cancels."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

Work = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Ratio:
    """One line of the table: medians of the rounds, per call."""

    workload: str
    ours: float
    """Seconds."""
    by_hand: float
    """Seconds."""
    ratio: float
    """The median of the ratios of the rounds."""
    goal: float | None
    """What the ratio should not exceed; None where it is for information."""


RATIOS: list[Ratio] = []
"""What was measured in this session."""
NOTES: list[str] = []
"""What was measured and is no ratio."""


async def _timed(work: Work, calls: int) -> float:
    start = perf_counter()
    for _ in range(calls):
        await work()
    return (perf_counter() - start) / calls


async def _rounds(
    ours: Work, by_hand: Work, rounds: int, calls: int, collects: bool
) -> list[tuple[float, float]]:
    assert await ours() == await by_hand(), "the two do not give the same"
    gc.collect()
    if not collects:
        gc.disable()
    try:
        # each round begins with the other one, so that neither always runs on what the first left behind
        pairs: list[tuple[float, float]] = []
        for number in range(rounds):
            if number % 2:
                b = await _timed(by_hand, calls)
                pairs.append((await _timed(ours, calls), b))
            else:
                a = await _timed(ours, calls)
                pairs.append((a, await _timed(by_hand, calls)))
        return pairs
    finally:
        gc.enable()


def measure(
    workload: str,
    ours: Work,
    by_hand: Work,
    *,
    goal: float | None,
    rounds: int = 40,
    calls: int = 1,
    collects: bool = False,
) -> Ratio:
    """Check that both give the same, measure them in turns, and keep the result for the table.

    The garbage collector is off meanwhile, unless it `collects`, where the garbage is a part of the cost.
    """
    pairs = asyncio.run(_rounds(ours, by_hand, rounds, calls, collects))
    found = Ratio(
        workload,
        median(a for a, _ in pairs),
        median(b for _, b in pairs),
        median(a / b for a, b in pairs),
        goal,
    )
    RATIOS.append(found)
    return found


def table() -> list[str]:
    """The ratios, as lines of a table."""
    lines = [f"{'workload':<60} {'streamkit':>11} {'other':>11} {'ratio':>6} {'goal':>5}"]
    for row in RATIOS:
        goal = "" if row.goal is None else f"{row.goal:.2f}"
        times = f"{row.ours * 1e6:>9.1f}µs {row.by_hand * 1e6:>9.1f}µs"
        lines.append(f"{row.workload:<60} {times} {row.ratio:>6.2f} {goal:>5}")
    return [*lines, *NOTES]
