"""The driver: cases on all cores until the time is up, then the figures."""

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count

from tests.soak.cases import Failure, Tally, tried_case

__all__ = ["BLOCK", "block", "figures", "soak"]

BLOCK = 20
"""Cases that a process tries before it reports."""
MOST_TOLD = 20
"""Failures that are printed whole."""


def block(seed: int, begin: int, until: float) -> tuple[Tally, list[Failure]]:
    """Try the cases of a block, as long as there is time."""
    tally, failures, used = Tally(), list[Failure](), time.process_time()
    for number in range(begin, begin + BLOCK):
        if time.time() < until:
            failures += tried_case(seed, number, tally)
            gc.collect()  # each run freezes what was there before it, garbage too
    tally.seconds = time.process_time() - used
    return tally, failures


def soak(
    seed: int, minutes: float, processes: int, tell: Callable[[str], object] = print
) -> tuple[Tally, list[Failure]]:
    """Try cases of `seed` for so many minutes, in so many processes; tell of each failure at once."""
    until = time.time() + 60.0 * minutes
    total, failures = Tally(), list[Failure]()
    spawn = multiprocessing.get_context("spawn")  # a process that was forked has threads and loops of ours
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        for tally, found in _blocks(pool, seed, until, processes):
            total.add(tally)
            for failure in found:
                if len(failures) < MOST_TOLD:
                    tell(str(failure))
                failures.append(failure)
    return total, failures


def _blocks(
    pool: ProcessPoolExecutor, seed: int, until: float, processes: int
) -> Iterator[tuple[Tally, list[Failure]]]:
    begins = count(0, BLOCK)
    running: set[Future[tuple[Tally, list[Failure]]]] = set()
    while running or time.time() < until:
        while time.time() < until and len(running) < 2 * processes:
            running.add(pool.submit(block, seed, next(begins), until))
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for each in done:
            yield each.result()


def figures(tally: Tally, failures: list[Failure], seconds: float, processes: int) -> str:
    """What `make soak` prints at its end."""
    faults = sum(tally.faults.values())
    kinds = tally.kinds
    lines = [
        f"{'cases':24}{tally.cases:>12,}",
        f"{'runs':24}{tally.runs:>12,}",
        f"{'schedules drawn':24}{tally.schedules:>12,}",
        f"{'faults injected':24}{faults:>12,}",
        *[f"  {name:32}{number:>10,}" for name, number in tally.faults.most_common()],
        f"{'items offered':24}{tally.offered:>12,}",
        f"{'items delivered':24}{tally.delivered:>12,}",
        f"{'items dropped':24}{tally.dropped:>12,}",
        f"{'leaks':24}{kinds['leak']:>12,}",
        f"{'lost, doubled, misplaced':24}{kinds['lost, doubled or out of order']:>12,}",
        f"{'hangs':24}{kinds['hang']:>12,}",
        f"{'other laws broken':24}{kinds['other']:>12,}",
        f"{'undecided':24}{tally.undecided:>12,}",
        f"{seconds:.0f} seconds in {processes} processes: {tally.seconds:,.0f} seconds of processor time, "
        f"{faults / max(tally.seconds, 1e-9):,.0f} faults in each",
    ]
    if failures:
        lines.append(f"{len(failures)} cases failed: " + ", ".join(str(each.case) for each in failures[:50]))
    return "\n".join(lines)


def cores() -> int:
    """How many processes run at once on this machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
