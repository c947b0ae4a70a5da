"""A master and its workers: each worker is prepared once, with arguments of its own, and may die.

    python examples/masters.py --tasks 200 --kill

The workers count the primes below a number with a sieve that each makes once. With ``--kill``, one of them is
killed now and then: its task is done again by the one that takes its place, and every task has its result.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from bisect import bisect
from collections import Counter
from random import Random

from streamkit import Retry, Stream, ops
from streamkit.executors import Processes

LARGEST = 200_000


class Sieve:
    """What a worker prepares: the primes up to `largest`. Called with a task, it answers by its name."""

    def __init__(self, name: str, largest: int = LARGEST) -> None:
        self.name = name
        marked = bytearray([1]) * (largest + 1)
        marked[:2] = b"\0\0"
        for number in range(2, int(largest**0.5) + 1):
            if marked[number]:
                marked[number * number :: number] = bytes(len(range(number * number, largest + 1, number)))
        self.primes = [number for number in range(largest + 1) if marked[number]]

    def __call__(self, task: tuple[int, int]) -> tuple[int, int, str]:
        number, limit = task
        return number, bisect(self.primes, limit), self.name


async def answers(tasks: int, workers: int, *, kill: bool) -> list[tuple[int, int, str]]:
    """The number of each task, how many primes there are below its limit, and who has counted them."""
    random = Random(1)
    limits = [random.randrange(LARGEST) for _ in range(tasks)]
    names = [{"name": f"worker {number}"} for number in range(workers)]
    async with Processes(workers, prepare=Sieve, each=names, spare=1, on_crash=Retry(10)) as pool:

        def killed(number: int) -> None:
            if kill and number % 50 == 25:
                os.kill(random.choice([each.pid for each in pool.workers() if each.pid]), signal.SIGKILL)

        counted = Stream(limits) | ops.enumerate() | ops.map(on=pool, ordered=False)
        return await (counted | ops.tap(lambda answer: killed(answer[0])) | ops.to_list())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Count primes, in processes that are prepared once.")
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="kill a worker now and then")
    given = parser.parse_args(arguments)
    found = asyncio.run(answers(given.tasks, given.workers, kill=given.kill))
    for name, count in sorted(Counter(name for _, _, name in found).items()):
        print(f"{name}: {count} tasks")
    print(f"{len(found)} results for {given.tasks} tasks")
    return 0 if len(found) == given.tasks else 1


if __name__ == "__main__":
    raise SystemExit(main())
