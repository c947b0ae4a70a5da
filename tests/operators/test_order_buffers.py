"""Operators that read several lanes: behind buffers of every kind, and behind each other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    KeepLatest,
    Spill,
    Stream,
    Suspend,
    Unbounded,
    ops,
)
from streamkit.testing import run

STRATEGIES = [
    *(Suspend(2), Fail(100), Spill(2), Unbounded(), Collect(2), Conflate(max), KeepLatest(gaps=True)),
    *(DropIncoming(2), DropOldest(2, gaps=True), DropYoungest(2), DropAll(2)),
]
OPERATORS: list[Callable[..., Any]] = [
    *(ops.merge_sorted, ops.merge_prioritized, ops.interleave),
    *(ops.combine_latest, ops.zip_latest, ops.race),
]


@pytest.mark.parametrize("operator", [ops.merge_sorted, ops.merge_prioritized, ops.race])
def test_thousands_inside_of_each_other_and_behind_each_other_run_as_one(operator: Any) -> None:
    inside, behind = Stream([1_000]), Stream([0])
    for number in range(1, 1_000):
        inside = Stream([1_000 - number]) | operator(inside)
        behind = behind | operator([number])
    if operator is ops.race:
        assert (list(inside), list(behind)) == ([1], [0])
    else:
        assert (list(inside), list(behind)) == ([*range(1, 1_001)], [*range(1_000)])


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_behind_a_buffer_of_any_kind(operator: Any, strategy: Any) -> None:
    async def bursts() -> AsyncIterator[int]:
        for number in range(30):
            yield number
            if number % 7 == 0:
                await asyncio.sleep(1.0)

    async def main() -> list[Any]:
        key = {"key": str} if operator is ops.merge_sorted else {}
        buffered = Stream(bursts) | ops.buffer(strategy)
        found: list[Any] = []
        async for item in buffered | operator(Stream(bursts) | ops.buffer(strategy), **key):
            found.append(item)
            await asyncio.sleep(0.3)
        return found

    async def alone() -> Any:
        return await (Stream(bursts) | ops.buffer(strategy) | ops.last())

    last, found = run(alone), run(main)
    assert last in (found[-1] if isinstance(found[-1], tuple) else found)
