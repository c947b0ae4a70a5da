"""Measure how surely schedules find planted bugs: ``python -m tests.planted --seeds 100``.

A line for each plant: in how many searches of 1,000 schedules it was found, after how many schedules in half
of them, to how many switches the largest failure was shrunk, how many tokens led to the same error again, and
how many schedules a second its twin, without the bug, ran. It exits with 1 if a figure misses.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.planted.garden import PLANTS
from tests.planted.measure import Report, measured


def _measure(name: str, seeds: int, twins: int, crowd: int) -> Report:
    return measured(PLANTS[name], seeds, twins, crowd)


def _reports(names: Sequence[str], jobs: int, *how: int) -> Iterator[Report]:
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_measure, names, *([each] * len(names) for each in how))


def _line(report: Report) -> str:
    found, seeds = len(report.finds), report.seeds
    return (
        f"{report.plant:24} {report.kind:46} {f'{found}/{seeds}':>9} {report.tried:7.0f} {report.switches:8} "
        f"{f'{report.replayed}/{found}':>9} {report.speed:7.0f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="searches for each plant")
    parser.add_argument("--twins", type=int, default=0, help="searches of each twin; a tenth, if not given")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--crowd", type=int, default=0, help="pairs of other tasks beside each program")
    parser.add_argument("--only", default="", help="plants whose name has this in it")
    parser.add_argument("--tokens", action="store_true", help="print the longest token of each")
    given = parser.parse_args()
    names = [name for name in PLANTS if given.only in name]
    twins = given.twins or max(given.seeds // 10, 1)
    heads = ("plant", "kind", "found", "median", "switches", "replayed", "per s")
    print("{:24} {:46} {:>9} {:>7} {:>8} {:>9} {:>7}".format(*heads), flush=True)
    missed = 0
    for report in _reports(names, given.jobs, given.seeds, twins, given.crowd):
        print(_line(report), flush=True)
        for miss in report.misses:
            missed += 1
            print(f"    {miss}", flush=True)
        if given.tokens and report.finds:
            longest = max(report.finds, key=lambda find: find.switches)
            print(f"    seed {longest.seed}: {longest.token}", flush=True)
    print(
        f"{len(names)} plants, {given.seeds} seeds each; twins {twins} x 1000 schedules; "
        f"figures missed: {missed}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
