"""Stages that read each other in place, one inside the other: so many that the rest has a task of its own."""

import asyncio
from collections.abc import AsyncIterator
from functools import reduce
from itertools import product
from typing import Any

import pytest

from streamkit import Operator, Stream, Suspend, ops, stage
from streamkit._engine.run.apart import DEEP, deep
from streamkit.testing import FaultySource, run

MANY = 100
"""More stages than read each other on one stack."""
SOME = 30
"""Fewer."""


async def _passing(run: Any, source: Any) -> AsyncIterator[Any]:
    async for item in run.open(source):
        yield item


@stage(_passing, pumps=False)
def passing() -> Operator[Any, Any]:
    """A stage that reads its source in its own task, and so in that of whoever reads it."""
    return Operator(passing)


def behind_each_other(count: int, pipe: Any) -> Any:
    return reduce(lambda stream, _: stream | passing(), range(count), pipe)


class Where(FaultySource[int]):
    """Notes how many stages stand on the stack when it is asked."""

    def __init__(self, **faults: Any) -> None:
        super().__init__(range(5), every=0.0, **faults)
        self.tasks: set[Any] = set()

    def __aiter__(self) -> Any:
        self.tasks.add(asyncio.current_task())
        return super().__aiter__()


async def taken(stream: Any, count: int) -> tuple[list[Any], asyncio.Task[Any] | None]:
    found = []
    async with stream.open() as items:
        async for item in items:
            found.append(item)
            if len(found) == count:
                break
    return found, asyncio.current_task()


@pytest.mark.parametrize(
    ("pipe", "expected"),
    [
        (ops.concat_map(list), True),
        (ops.concat_map(list) | ops.map(abs), True),
        (ops.concat_map(list) | ops.buffer(Suspend(1)), False),
        (ops.map(abs), False),
    ],
)
def test_a_stream_is_read_flat_whose_steps_at_its_end_go_through_streams(pipe: Any, expected: bool) -> None:
    assert deep(Stream([1]) | pipe) == expected


@pytest.mark.parametrize("count", [SOME, MANY])
@pytest.mark.parametrize("take", [5, 2], ids=["to the end", "left"])
def test_items_come_through_any_number_of_stages_and_the_source_is_closed_once(count: int, take: int) -> None:
    source = Where()
    found, task = run(lambda: taken(behind_each_other(count, Stream(source)), take))
    assert found == [*range(take)]
    assert source.tasks == {task} if count == SOME else task not in source.tasks
    source.check()


def test_a_stage_among_them_that_has_a_task_of_its_own_makes_the_stack_short() -> None:
    source = Where()
    pipe = behind_each_other(SOME, behind_each_other(SOME, Stream(source)) | ops.buffer(Suspend(1)))
    found, _ = run(lambda: taken(pipe, 5))
    assert found == [*range(5)]
    source.check()


def test_an_error_comes_through_as_itself() -> None:
    boom = OSError("gone")
    source = Where(at=3, error=boom)
    found: list[int] = []

    async def main() -> None:
        async for item in behind_each_other(MANY, Stream(source)):
            found.append(item)

    with pytest.raises(OSError, match="gone") as raised:
        run(main)
    assert raised.value is boom
    assert found == [0, 1, 2]
    source.check()


def test_a_stage_may_close_what_is_read_apart() -> None:
    """It waits until the source is closed, and goes on."""
    source = Where(close_seconds=1.0)

    async def _first(run: Any, items: Any) -> AsyncIterator[Any]:
        opened = run.open(items)
        async for item in opened:
            yield item
            break
        await run.close(opened)
        yield f"closed: {source.closed}"

    @stage(_first, pumps=False)
    def first() -> Operator[Any, Any]:
        return Operator(first)

    async def main() -> list[Any]:
        return [item async for item in behind_each_other(MANY, Stream(source)) | first()]

    assert run(main) == [0, "closed: 1"]
    source.check()


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize("count", [SOME, MANY, 2 * MANY])
def test_no_stage_is_left_out_and_none_runs_twice(count: int, steps: bool) -> None:
    async def _adding(run: Any, source: Any) -> AsyncIterator[int]:
        async for item in run.open(source):
            yield item + 1

    @stage(_adding, pumps=False)
    def adding() -> Operator[int, int]:
        return Operator(adding)

    one: Any = adding() | ops.map(lambda number: number + 1000) if steps else adding()
    pipe = reduce(lambda stream, _: stream | one, range(count), Stream(Where()))
    added = count * 1001 if steps else count
    assert run(lambda: taken(pipe, 5))[0] == [number + added for number in range(5)]


@pytest.mark.parametrize(("more", "steps"), [*product((0, 1), (0, 2))])
def test_so_many_stand_on_one_stack_and_steps_between_them_do_not_count(more: int, steps: int) -> None:
    source = Where()
    pipe: Any = Stream(source)
    for _ in range(DEEP + more + (not steps)):
        pipe = reduce(lambda stream, _: stream | ops.map(lambda item: item), range(steps), pipe) | passing()
    found, task = run(lambda: taken(pipe, 5))
    assert found == [*range(5)]
    assert (source.tasks == {task}) is (not more)
