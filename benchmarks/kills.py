"""What a killed worker costs, in figures: ``python -m benchmarks.kills [--tasks 3000]``.

How long it takes until the next result is there after a kill, with a spare that stands prepared; and how long
so many tasks take of which a worker is killed every 50 ms. That none is lost is a test
(``tests/executors/test_processes_lost.py``).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time
from contextlib import suppress
from multiprocessing import get_context
from statistics import median

from streamkit import Retry, Stream, ops
from streamkit._core.workers import Calls
from streamkit.executors import Event, Processes, WorkerPrepared

PREPARED = 0.5
"""Seconds that the preparation takes."""
KILLS = 15
EVERY = 0.05
WORKERS = 4


def prepare() -> None:
    time.sleep(PREPARED)


def answer(number: int) -> int:
    return number


def lasts(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def kill(pid: int | None) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def next_results(method: str) -> list[float]:
    """Seconds from each kill to the next result."""
    ready = asyncio.Event()

    def heard(event: Event) -> None:
        if isinstance(event, WorkerPrepared) and event.worker == -1:
            ready.set()

    found: list[float] = []
    pool = Processes(1, prepare=prepare, spare=1, context=get_context(method), on_event=heard)
    async with pool, pool.used(Calls(answer)) as send:
        for number in range(KILLS):
            await ready.wait()
            ready.clear()
            await send([number])
            kill(pool.workers()[0].pid)
            begun = time.perf_counter()
            await send([number])
            found.append(time.perf_counter() - begun)
    return found


async def under_fire(method: str, tasks: int) -> tuple[float, int]:
    """Seconds that so many tasks take, and how many workers were killed meanwhile."""
    pool = Processes(WORKERS, context=get_context(method), on_crash=Retry(20))
    kills = 0

    async def now_and_then() -> None:
        nonlocal kills
        while True:
            await asyncio.sleep(EVERY)
            if ready := [each.pid for each in pool.workers() if each.ready]:
                kill(ready[kills % len(ready)])
                kills += 1

    items = [0.002 + number / 1e9 for number in range(tasks)]
    async with pool:
        killing = asyncio.ensure_future(now_and_then())
        begun = time.perf_counter()
        found = await (Stream(items) | ops.map(lasts, on=pool) | ops.to_list())
        took = time.perf_counter() - begun
        killing.cancel()
    assert found == items
    return took, kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=3_000)
    tasks = parser.parse_args().tasks
    for method in ("spawn", "forkserver"):
        after = asyncio.run(next_results(method))
        print(
            f"{method}: the next result after a kill: median {1e3 * median(after):.1f} ms, at most "
            f"{1e3 * max(after):.1f} ms ({KILLS} kills, {PREPARED} s of preparation, one spare)",
            flush=True,
        )
        took, kills = asyncio.run(under_fire(method, tasks))
        print(f"{method}: {tasks:,} tasks of 2 ms, {kills} kills: {took:.1f} s, none lost", flush=True)


if __name__ == "__main__":
    main()
