"""What must hold, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import memory
from benchmarks.store import Results
from benchmarks.workload import EVEN, OURS
from benchmarks.workloads import WORKLOADS

IMPORT = 0.020
"""Seconds that ``import streamkit`` may take over ``import asyncio``."""


SEEN = 8e-6
"""Seconds that a run over nothing may take, of a shape that was run before, besides building the pipe."""

FLAT, FEW, MANY = 1.5, 10, 1_000
"""How much more an item may cost with many sources than with few; and how many that is."""


@dataclass(frozen=True)
class Judgement:
    what: tuple[str, str, str, str]
    """Workload, size, against whom, and the goal in words."""
    found: str
    hit: bool | None
    """None where there is no figure."""

    @property
    def shown(self) -> str:
        return self.found if self.hit is None else f"{self.found} {'hit' if self.hit else '**miss**'}"


def digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}" if number >= 10 else f"{number:.2f}"


def judged(results: Results) -> Iterator[Judgement]:
    """Every goal, with what was measured on this Python."""
    for workload in WORKLOADS.values():
        if workload.name in results.workloads:
            for size, goals in workload.goals.items():
                for name, goal in goals.items():
                    yield against(results, workload.name, size, name, goal)
    yield from of_growing(results, "merge")
    yield from of_seen_shapes(results)
    yield from of_imports(results)
    for name, found in results.growth.items():
        counts = f"{memory.COUNTS[0]:,} to {memory.COUNTS[-1]:,} items"
        words = next((each for each in found if isinstance(each, str)), None)
        shown, hit = (
            (f"{found[0]} to {found[-1]} MiB", memory.is_flat(found)) if words is None else (words, None)
        )
        yield Judgement((f"memory, {name}", counts, "itself", "flat"), shown, hit)


def against(results: Results, workload: str, size: int, name: str, goal: float) -> Judgement:
    if name == OURS:
        return within(
            (workload, f"{size:,}", "itself"), goal, results.row(workload, size, OURS).get("seconds")
        )
    faster = "no slower" if goal == 1 else f"at least {goal:g}× as fast"
    words = f"at most {goal:.2f} of it" if name in EVEN else faster
    what = (workload, f"{size:,}", name, words)
    ours, other = (results.row(workload, size, each) for each in (OURS, name))
    if "seconds" not in ours:
        return Judgement(what, f"streamkit {ours.get('says', 'not measured')}", None)
    if "ratio" not in other:
        return Judgement(what, f"{name} {other.get('says', 'not measured')}", None)
    if WORKLOADS[workload].close:
        cost = more(results, workload, size, name)
        words = f"at most {1e9 * goal:g} ns an item more"
        return Judgement((*what[:3], words), f"{1e9 * cost:.1f} ns", cost <= goal)
    if name in EVEN:
        return Judgement(what, f"{1 / other['ratio']:.2f}", 1 / other["ratio"] <= goal)
    return Judgement(what, f"{digits(other['ratio'])}×", other["ratio"] >= goal)


def more(results: Results, workload: str, size: int, name: str) -> float:
    """How many seconds an item streamkit takes more than `name`: as many as the ratio says."""
    other = results.row(workload, size, name)
    return float(other["seconds"] / other["ratio"] - other["seconds"])


def within(what: tuple[str, str, str], goal: float, seconds: float | None, words: str = "") -> Judgement:
    """Whether what took so many `seconds` took no longer than its goal."""
    found = "not measured" if seconds is None else f"{digits(1e6 * seconds)} µs"
    hit = None if seconds is None else seconds <= goal
    return Judgement((*what, f"at most {digits(1e6 * goal)} µs{words}"), found, hit)


def of_seen_shapes(results: Results) -> Iterator[Judgement]:
    """Whether a pipe of a shape that was run before, built anew, costs little more than the building."""
    building, running = "build a chain", "run a chain over nothing"
    for size in (3, 10):
        built, ran = (results.row(each, size, OURS).get("seconds") for each in (building, running))
        if built and ran:
            yield within((running, f"{size:,}", "itself"), SEEN, ran - built, " and the building")


def of_growing(results: Results, workload: str) -> Iterator[Judgement]:
    """Whether an item costs as much among many sources as among few."""
    few, many = (results.row(workload, size, OURS).get("seconds") for size in (FEW, MANY))
    if few and many:
        what = (workload, f"{FEW:,} to {MANY:,}", "itself", f"flat: at most {FLAT:.2f} of it")
        yield Judgement(what, f"{many / few:.2f}", many / few <= FLAT)


def of_imports(results: Results) -> Iterator[Judgement]:
    ours, theirs = results.imports.get(OURS), results.imports.get("aiostream")
    if isinstance(ours, float):
        shown = f"{1e3 * ours:.1f} ms"
        yield Judgement(
            ("import", "", "asyncio", f"at most {1e3 * IMPORT:.0f} ms over it"), shown, ours <= IMPORT
        )
        if isinstance(theirs, float):
            shown += f" and {1e3 * theirs:.1f} ms"
            yield Judgement(("import", "", "aiostream", "no slower"), shown, ours <= theirs)
