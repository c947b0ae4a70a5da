"""Where tasks are eager, those of a run begin at their first turn all the same, as they do elsewhere."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from streamkit import OnFull, Stream, merge, ops
from streamkit.testing import run
from tests.variants.loops import loops_of

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")


def eagerly(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with loops_of("eager"):
        return run(main)


@pytest.mark.parametrize("on_full", [OnFull.FAIL, OnFull.EVICT])
def test_a_group_whose_pipe_ends_before_its_first_item(on_full: OnFull) -> None:
    """Its task had ended before the item was put into it, so the group was not there any more."""
    pipe = ops.take(0) | ops.map(lambda item: item, concurrency=2)

    async def main() -> list[Any]:
        groups = ops.group_by(lambda item: item % 3, pipe, max_groups=3, reopen=True, on_full=on_full)
        return await (Stream(range(9)) | groups | ops.to_list())

    assert eagerly(main) == []


def test_sources_that_nest_do_not_nest_in_the_stack() -> None:
    """Each made the next within its own first step: 1,000 were too deep."""

    def branch(number: int) -> Any:
        here = Stream([number])
        return here | ops.merge(lambda: branch(number + 1)) if number < 1_000 else here

    async def main() -> list[int]:
        return await (branch(0) | ops.to_list())

    assert sorted(eagerly(main)) == [*range(1_001)]


def test_no_source_is_stepped_within_the_call_that_opens_it() -> None:
    order: list[str] = []

    async def source(name: str) -> AsyncIterator[str]:
        order.append(name)
        yield name

    async def main() -> list[str]:
        async with (merge(lambda: source("a"), lambda: source("b")) | ops.tap(order.append)).open() as items:
            pull = asyncio.ensure_future(anext(items))
            order.append("asked")
            return [await pull, *[item async for item in items]]

    assert eagerly(main) == ["a", "b"]
    assert order == ["asked", "a", "b", "a", "b"]


def test_a_task_that_is_ended_before_its_first_turn_begins_nothing() -> None:
    begun: list[str] = []

    async def source(name: str) -> AsyncIterator[str]:
        begun.append(name)
        yield name

    async def main() -> list[str]:
        return await (Stream(lambda: source("a")) | ops.race(lambda: source("b")) | ops.to_list())

    assert eagerly(main) == ["a"]
    assert begun == ["a"]
