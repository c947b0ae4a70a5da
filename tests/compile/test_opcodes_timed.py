"""What an item costs where it could be late, and is not: little more than in a loop that keeps a deadline."""

import asyncio
import sys
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest

from streamkit import Stream, ops
from tests.compile.by_hand import Work
from tests.compile.test_opcodes import (
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)

LONG = 60.0


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


def ours(operator: Any) -> Work:
    async def run(items: int) -> Any:
        return await (Stream(numbers(items)) | operator | ops.sum())

    return run


def pulled(operator: Any) -> Work:
    async def run(items: int) -> int:
        total = 0
        async for item in Stream(numbers(items)) | operator:
            total += item
        return total

    return run


async def deadline(items: int) -> float:
    """The loop by hand; the timer that goes with it costs nothing per item."""
    total, due, clock = 0, 0.0, monotonic
    async for item in numbers(items):
        total += item
        due = clock() + LONG
    return total + 0 * due


async def latest(items: int) -> int:
    """The loop by hand of what passes on the latest item only."""
    last = 0
    async for item in numbers(items):
        last = item
    return last


async def bucket(items: int) -> int:
    """The loop by hand that keeps a rate: one number says when the bucket is full again."""
    total, full, apart, ahead, clock = 0, 0.0, 1e-9, 1e-6, monotonic
    async for item in numbers(items):
        now = clock()
        if now > full:
            full = now + apart
        elif full - now <= ahead:
            full += apart
        else:
            await asyncio.sleep(full - now - ahead)
        total += item
    return total


LATE = sys.version_info >= (3, 12)
HANDED = (28.5, 31.5)[LATE]
"""To look whether the reader lets others run its loop, to send the item into that, and to count."""
DRIVEN = (212, 199)[LATE]
"""To step a pump in its task's name, to where it parks again, and to take what it brought: see `PARK`."""
KEPT = (21.5, 22.5)[LATE]
"""To put an item in a place, under a count, and to look whether it is time to let others run."""
STAMPED = (27.5, 28)[LATE]
"""The same, with a look at the clock."""
PACED = (19.5, 24)[LATE]
"""To count from the beginning, with what came while a timer was late; and the next look at another clock."""
KEEP_ALIVE = ops.keep_alive(LONG, function=int)


@pytest.mark.parametrize("operator", [ops.timeout(LONG), ops.timeout(total=LONG), KEEP_ALIVE], ids=repr)
def test_an_item_goes_into_the_loop_of_its_reader(operator: Any) -> None:
    assert per_item(ours(operator)) <= per_item(deadline) + HANDED


@pytest.mark.parametrize("operator", [ops.timeout(LONG), KEEP_ALIVE], ids=repr)
def test_a_reader_that_pulls_drives_the_pump(operator: Any) -> None:
    assert per_item(pulled(operator)) <= per_item(deadline) + DRIVEN


def test_the_latest_item_takes_the_place_of_the_one_before() -> None:
    assert per_item(ours(ops.sample(LONG))) <= per_item(latest) + KEPT
    assert per_item(ours(ops.debounce(LONG))) <= per_item(latest) + STAMPED


def test_a_throttle_is_a_step_in_the_loop_of_its_reader() -> None:
    assert per_item(ours(ops.throttle(1e9, burst=1e6))) <= per_item(bucket) + PACED


def test_items_that_are_not_late_arm_no_timer() -> None:
    """One handle for all items of a burst, however many of them come."""

    async def main() -> int:
        loop, armed = asyncio.get_running_loop(), 0
        call_at = loop.call_at

        def counted(*arguments: Any, **named: Any) -> Any:
            nonlocal armed
            armed += 1
            return call_at(*arguments, **named)

        loop.call_at = counted  # type: ignore[method-assign]
        for operator in (ops.timeout(LONG), KEEP_ALIVE, ops.timeout(LONG, total=LONG)):
            await ours(operator)(5_000)
            await pulled(operator)(5_000)
        return armed

    assert asyncio.run(main()) <= 6 * 2
