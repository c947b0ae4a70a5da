"""Rounds: all contenders of one workload in turns in one run, so that the drift of the machine cancels."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, process_time
from typing import Any

from benchmarks.workload import EVEN, OURS, Run, Spent, Workload


@dataclass(frozen=True)
class Effort:
    """How long one size of one workload may take."""

    seconds: float = 1.5
    """All rounds together, about."""
    run: float = 0.03
    """One run of streamkit or by hand; a peer gets half of it."""
    rounds: int = 31
    """At most; an odd number, so that a median is one of them."""
    fewest: int = 9
    """At least so many, however long they take."""
    least: int = 1_000
    """Everyone runs about so many items or more."""


LONG = 0.2
"""Seconds from which on a run leaves so much behind that whoever is next would be slower."""


class DiffersError(Exception):
    """It gives another result than those before it."""


FULL = Effort()
CLOSE = Effort(seconds=4.0, rounds=81, fewest=15)
"""In place of FULL, for sizes that have a goal."""
SHORT = Effort(seconds=3.0, run=0.002, rounds=1_001, fewest=201, least=4_000)
"""In place of FULL, where rows are `close`: so short a run has others on the machine in it, or has not."""
FAST = Effort(seconds=0.25, run=0.01, rounds=7, fewest=3, least=200)
ROUGH = Effort(seconds=0.3, rounds=7, fewest=1)
"""For those that run apart, which are a hundred times slower."""


@dataclass
class Contender:
    name: str
    run: Run
    fastest: bool = False
    """Whether the fastest round counts: the others had others in them."""
    count: int = 0
    spent: float = 0.0
    rounds: list[float | None] = field(default_factory=list[float | None])
    """Seconds per item of each round; None where it sat out."""

    @property
    def seconds(self) -> float:
        found = [each for each in self.rounds if each is not None]
        return min(found) if self.fastest else median(found)


Tell = Callable[..., None]
"""Says what is begun and what was found, for whoever watches this process."""


def least(workload: Workload, size: int, effort: Effort) -> int:
    """How many items everyone runs at first, and the slow ones later on too."""
    return workload.fit(size, workload.most if workload.same and effort is not FAST else effort.least)


async def timed(workload: Workload, contender: Contender, size: int) -> tuple[float, Any]:
    """Seconds of one run, and its result; where it only computes, others on the machine do not count."""
    clock = perf_counter if workload.waits else process_time
    start = clock()
    result = await contender.run(size, contender.count)
    taken = clock() - start
    return (result.seconds, result.result) if isinstance(result, Spent) else (taken, result)


async def prepare(
    workload: Workload, size: int, contender: Contender, expected: list[Any], effort: Effort
) -> list[Any]:
    """See that it gives what the others gave, and find how many items it may run in a round."""
    await contender.run(size, workload.fit(size, 1))  # it is imported
    contender.count = least(workload, size, effort)
    took, found = await timed(workload, contender, size)
    if expected and found != expected[0]:
        raise DiffersError
    if took > effort.seconds and contender.name not in (OURS, *EVEN):
        contender.rounds = [took / contender.count]  # once is enough of that
        return [found]
    share = effort.run if contender.name in (OURS, *EVEN) else effort.run / 2
    for _ in range(4):
        took, _ = await timed(workload, contender, size)
        wanted = workload.fit(size, contender.count * min(8, share / took))
        if took > 0.6 * share or wanted <= contender.count:
            break
        contender.count = wanted
    return [found]


def even_out(ready: Sequence[Contender]) -> None:
    """Streamkit and `EVEN` run as many items, so that what a run costs before its first weighs the same."""
    even = [contender for contender in ready if contender.name in (OURS, *EVEN)]
    for contender in even:
        contender.count = max(each.count for each in even)


async def rounds(
    contenders: Sequence[Contender], size: int, effort: Effort, workload: Workload, tell: Tell
) -> None:
    """Every second round begins with the last, so that none always runs on what another left behind."""
    gc.collect()
    if not workload.collects:
        gc.disable()
    start = perf_counter()
    try:
        for number in range(effort.rounds):
            for contender in contenders[:: -1 if number % 2 else 1]:
                if number and contender.spent > effort.seconds / 4 and contender.name not in (OURS, *EVEN):
                    contender.rounds.append(None)
                    continue
                tell("begins", name=contender.name, items=contender.count)
                took, _ = await timed(workload, contender, size)
                if took > LONG:
                    gc.collect()
                contender.spent += took
                contender.rounds.append(took / contender.count)
            if number % 2 == 0 and number + 1 >= effort.fewest and perf_counter() - start > effort.seconds:
                break
    finally:
        gc.enable()


def row(contender: Contender, base: Contender | None) -> dict[str, Any]:
    """What is kept: the median, and the median of the ratios to streamkit in the same round."""
    found: dict[str, Any] = {"items": contender.count, "seconds": rounded(contender.seconds)}
    if base is not None and (base.fastest or len(contender.rounds) < len(base.rounds)):
        found["ratio"] = rounded(contender.seconds / base.seconds)
    elif base is not None:
        pairs = zip(contender.rounds, base.rounds, strict=False)
        found["ratio"] = rounded(median(a / b for a, b in pairs if a is not None and b is not None))
    return found


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def fails(error: BaseException) -> dict[str, Any]:
    """A row of one that has no figures."""
    if isinstance(error, DiffersError):
        return {"says": "gives another result"}
    words = " ".join(str(error).split())[:80]
    return {"says": f"fails: {type(error).__name__}{': ' if words else ''}{words}"}


async def contest(workload: Workload, size: int, names: Sequence[str], effort: Effort, tell: Tell) -> None:
    """Measure `names` for one size, and tell of each what was found."""
    if effort is FULL and size in workload.goals:
        effort = SHORT if workload.close else CLOSE
    expected: list[Any] = []
    ready: list[Contender] = []
    for name in names:
        tell("begins", name=name, items=least(workload, size, effort))
        contender = Contender(name, workload.contenders[name], fastest=workload.close)
        try:
            expected = await prepare(workload, size, contender, expected, effort)
        except Exception as error:
            tell("found", name=name, row=fails(error))
        else:
            ready.append(contender)
    even_out(ready)
    await rounds([contender for contender in ready if not contender.rounds], size, effort, workload, tell)
    base = next((contender for contender in ready if contender.name == OURS), None)
    for contender in ready:
        tell("found", name=contender.name, row=row(contender, base))
