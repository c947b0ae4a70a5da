"""Runs every workload beside the peers, and writes the tables and the chart.

    python -m benchmarks [--fast] [--only PART-OF-A-NAME] [--write]

``--fast`` tries all of it out with fewer rounds and sizes, and writes nothing. ``--only`` measures anew the
workloads whose name contains that part, and keeps what was stored of the others. ``--write`` measures none.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from time import perf_counter

from benchmarks import memory
from benchmarks.imports import imports
from benchmarks.pages import brief, write
from benchmarks.store import Results, current, here
from benchmarks.watch import measured
from benchmarks.workloads import WORKLOADS

MEMORY = ("memory: peaks", "memory: growth")


def run(results: Results, fast: bool, only: str) -> None:
    """Measure, and print each workload as it is done."""
    for workload in WORKLOADS.values():
        if only in workload.name and workload.missing:
            print(f"{workload.name}: left out, because {workload.needs} is not installed", flush=True)
        elif only in workload.name:
            sizes = tuple(workload.goals or workload.sizes[:1]) if fast else workload.sizes
            rows = asyncio.run(measured(workload, sizes, fast))
            results.workloads[workload.name] = {str(size): found for size, found in rows.items()}
            print(brief(workload, sizes, results), flush=True)
            if not fast:
                results.save()
    if only in "imports":
        results.imports = imports(3 if fast else 11)
    if not fast and only in MEMORY[0]:
        results.peaks = {name: memory.peaks(workload) for name, workload in WORKLOADS.items()}
    if not fast and only in MEMORY[1]:
        results.growth = dict(memory.growth())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fast", action="store_true", help="fewer rounds and sizes; write nothing")
    parser.add_argument("--only", default="", metavar="PART", help="workloads whose name contains this")
    parser.add_argument("--write", action="store_true", help="write the pages from what is stored")
    options = parser.parse_args()
    if not options.write:
        start = perf_counter()
        parts = (*WORKLOADS, "imports", *(() if options.fast else MEMORY))
        if not any(options.only in part for part in parts):
            parser.error(f"nothing that is measured has {options.only!r} in its name: {'; '.join(parts)}")
        results = here() if options.fast else current()
        run(results, options.fast, options.only)
        print(f"{perf_counter() - start:.0f} s", file=sys.stderr)
        if options.fast:
            return
        results.save()
    write()


if __name__ == "__main__":
    main()
