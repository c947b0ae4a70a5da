"""What a pipeline costs besides its items: building, beginning and each step of its task, in opcodes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

from streamkit import Stream, merge, ops
from tests.compile.by_hand import Work
from tests.compile.test_opcodes import (
    opcodes,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)

RUNS = 20
INNER = 10
"""Items of a source of a merge."""
SOURCE = 3_105


def same(item: Any) -> Any:
    return item


def piped(size: int) -> Stream[int]:
    stream: Any = Stream([])
    for _ in range(size):
        stream = stream | ops.map(same)
    return stream


def each(work: Work) -> float:
    """What one run of many costs."""
    opcodes(work, RUNS)
    return (opcodes(work, 3 * RUNS) - opcodes(work, RUNS)) / (2 * RUNS)


async def built(size: int, count: int) -> None:
    for _ in range(count):
        piped(size)


async def ran(size: int, count: int) -> None:
    for _ in range(count):
        await (piped(size) | ops.to_list())


async def ticked(item: int) -> int:
    await asyncio.sleep(0)
    return item


async def handed(count: int) -> None:
    """A task is handed a job, whose callback waits a turn of the loop for each item."""
    job: Any = Stream(range(count)) | ops.map(ticked) | ops.drain()
    await asyncio.get_running_loop().create_task(job)


async def awaited(count: int) -> None:
    async def work() -> None:
        await (Stream(range(count)) | ops.map(ticked) | ops.drain())

    await asyncio.get_running_loop().create_task(work())


def test_an_operator_is_built_in_few_opcodes() -> None:
    few, many = (each(lambda count, size=size: built(size, count)) for size in (2, 10))  # type: ignore[misc]
    assert (many - few) / 8 <= 160
    assert few <= 400


def test_a_run_of_a_seen_shape_begins_in_few_opcodes() -> None:
    def beyond(size: int) -> float:
        return each(lambda count: ran(size, count)) - each(lambda count: built(size, count))

    few, many = beyond(2), beyond(10)
    assert few <= 480
    assert (many - few) / 8 <= 23


def test_a_task_steps_a_job_in_few_opcodes_more_than_what_awaits_one() -> None:
    direct, around = each(handed), each(awaited)
    assert direct - around <= 22


def test_a_job_that_waits_for_its_turn_is_few_objects() -> None:
    """The collector looks at all of them again and again, where there are thousands."""

    def make() -> Any:
        return piped(3) | ops.to_list()

    waiting = [make()]
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        waiting += [make() for _ in range(RUNS)]
        kept = len(gc.get_objects()) - before
    finally:
        gc.enable()
    for job in waiting:
        job.explain()
    assert kept / RUNS <= 12  # the job, its source, its links with their arguments, and the tuple of these


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def merged(sources: int) -> None:
    await (merge(*[numbers(INNER) for _ in range(sources)], lookahead=2 * INNER) | ops.drain())


def test_a_source_of_a_merge_costs_so_many_opcodes_besides_its_items() -> None:
    """Its task, its lane, the loop that reads it, and what closes and accounts for all of that.

    And ten items: three are put in, and the others appended, as the pump looks at the clock after the first.
    """
    opcodes(merged, 20)
    # the least of some: whoever looks at the clock may find that others are to run, on a busy machine
    assert min(opcodes(merged, 60) - opcodes(merged, 20) for _ in range(5)) / 40 <= SOURCE
