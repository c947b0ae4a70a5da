"""How long a change of a slot takes, while items flow: from the call until the old content is gone.

    python -m benchmarks.changes [--changes 1000]

Prints the median, the 99th percentile and the longest of each kind, in milliseconds, and fails if a 99th
percentile is above the goal. The clock is the processor's own: other programs are not counted, the flow
meanwhile is. The source is always ready, and lets others run at each 20th item.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable
from statistics import quantiles
from time import process_time
from typing import Any

from benchmarks.workloads.sources import add_one
from streamkit import Stream, Suspend, ops
from streamkit.live import Slot, edit

GOAL = 5.0
"""Milliseconds that a change may take, of 99 in a hundred."""

Draw = Callable[[random.Random], Any]
"""Makes a new content."""


async def endless() -> AsyncIterator[int]:
    number = 0
    while True:
        for _ in range(20):
            yield number
            number += 1
        await asyncio.sleep(0)


async def later(number: int) -> int:
    await asyncio.sleep(0)
    return number


STEPS: list[Callable[[], Any]] = [
    lambda: ops.map(add_one),
    lambda: ops.filter(lambda _: True),
    lambda: ops.batch(3) | ops.flatten(),
    lambda: ops.enumerate() | ops.starmap(max),
    lambda: ops.map(later),
    lambda: ops.distinct_until_changed(),
]


def seen(drawn: random.Random) -> Any:
    return drawn.choice(STEPS)()


def fresh(drawn: random.Random) -> Any:
    """Steps in an order that was hardly drawn before: a loop that is to be compiled."""
    pipe = drawn.choice(STEPS)()
    for _ in range(2):
        pipe |= drawn.choice(STEPS)()
    return pipe


def stages(drawn: random.Random) -> Any:
    return drawn.choice([ops.map(later, concurrency=4), ops.buffer(Suspend(8)), ops.map(add_one)])


async def changed(draw: Draw, changes: int, *, several: bool = False, apart: bool = False) -> list[float]:
    """Milliseconds of the processor that each change took, with the flow meanwhile."""
    drawn, took = random.Random(1), list[float]()
    slots = [Slot[Any, Any](stages=apart) for _ in range(1 + several)]
    job = Stream(endless()).pipe(ops.map(add_one), *slots, ops.drain()).start()
    for _ in range(changes):
        await asyncio.sleep(0)
        contents = [draw(drawn) for _ in slots]
        began = process_time()
        async with edit() as change:
            for slot, content in zip(slots, contents, strict=True):
                await slot.replace(content)
        await change
        took.append((process_time() - began) * 1e3)
    await job.stop()
    return took


KINDS: dict[str, Callable[[int], Any]] = {
    "steps, loops that were seen": lambda changes: changed(seen, changes),
    "steps, new loops": lambda changes: changed(fresh, changes),
    "two slots at once": lambda changes: changed(seen, changes, several=True),
    "stages": lambda changes: changed(stages, changes, apart=True),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", type=int, default=1_000, help="how many changes of each kind")
    options = parser.parse_args()
    missed = False
    print(f"{'ms of a change':<28} {'median':>8} {'p99':>8} {'longest':>8}")
    for name, measure in KINDS.items():
        took = asyncio.run(measure(options.changes))
        high = quantiles(took, n=100)[98]
        missed = missed or high > GOAL
        print(f"{name:<28} {quantiles(took, n=2)[0]:8.3f} {high:8.3f} {max(took):8.3f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
