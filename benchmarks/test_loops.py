"""What a pipeline costs beside the loop by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from ratio import Work, measure

from streamkit import Stream, ops

N = 100_000


def add(number: int) -> int:
    return number + 1


def odd(number: int) -> int:
    return number % 2


def triple(number: int) -> int:
    return number * 3


async def numbers() -> AsyncIterator[int]:
    for number in range(N):
        yield number


async def nothing() -> AsyncIterator[int]:
    return
    yield 0


def chain(source: Any) -> Any:
    return Stream(source) | ops.map(add) | ops.filter(odd) | ops.map(triple)


def ten(source: Any) -> Any:
    stream: Any = Stream(source)
    for _ in range(10):
        stream = stream | ops.map(add)
    return stream


async def range_ours() -> list[int]:
    return await (chain(range(N)) | ops.to_list())


async def range_by_hand() -> list[int]:
    out: list[int] = []
    for item in range(N):
        value = add(item)
        if odd(value):
            out.append(triple(value))
    return out


async def async_ours() -> list[int]:
    return await (chain(numbers) | ops.to_list())


async def async_by_hand() -> list[int]:
    out: list[int] = []
    async for item in numbers():
        value = add(item)
        if odd(value):
            out.append(triple(value))
    return out


async def ten_ours() -> list[int]:
    return await (ten(range(N)) | ops.to_list())


async def ten_by_hand() -> list[int]:
    out: list[int] = []
    for item in range(N):
        value = add(item)
        value = add(value)
        value = add(value)
        value = add(value)
        value = add(value)
        value = add(value)
        value = add(value)
        value = add(value)
        value = add(value)
        out.append(add(value))
    return out


async def ten_nested() -> list[int]:
    out: list[int] = []
    for item in range(N):
        out.append(add(add(add(add(add(add(add(add(add(add(item)))))))))))
    return out


async def empty_ours() -> list[int]:
    return await (chain([]) | ops.to_list())


async def empty_by_hand() -> list[int]:
    return [item async for item in nothing()]


async def iterated_ours() -> int:
    total = 0
    async for item in chain(numbers):
        total += item
    return total


async def iterated_by_hand() -> int:
    async def generator() -> AsyncIterator[int]:
        async for item in numbers():
            value = add(item)
            if odd(value):
                yield triple(value)

    total = 0
    async for item in generator():
        total += item
    return total


async def plain_ours() -> int:
    return sum(chain(range(N)))


async def plain_by_hand() -> int:
    def generator() -> Any:
        for item in range(N):
            value = add(item)
            if odd(value):
                yield triple(value)

    return sum(generator())


KEYS = [item * 7919 % 10_007 % 10_000 for item in range(N)]


def key(item: int) -> int:
    return item


async def grouped_ours() -> list[tuple[int, int]]:
    return await (Stream(KEYS) | ops.group_by(key, ops.count(), max_groups=10_000) | ops.to_list())


async def grouped_by_hand() -> list[tuple[int, int]]:
    counts: dict[int, int] = {}
    for item in KEYS:
        found = key(item)
        counts[found] = counts.get(found, 0) + 1
    return list(counts.items())


CASES: list[tuple[str, Work, Work, float | None, int]] = [
    ("map-filter-map over a range, to a list", range_ours, range_by_hand, 1.10, 1),
    ("map-filter-map over an async generator, to a list", async_ours, async_by_hand, 1.15, 1),
    ("ten maps over a range, to a list", ten_ours, ten_by_hand, 1.15, 1),
    ("ten maps over a range, against nested calls", ten_ours, ten_nested, None, 1),
    ("build and run map-filter-map over nothing, to a list", empty_ours, empty_by_hand, 25.0, 1_000),
    ("map-filter-map over an async generator, async for", iterated_ours, iterated_by_hand, None, 1),
    ("map-filter-map over a range, plain for", plain_ours, plain_by_hand, None, 1),
    ("a count for each of 10,000 keys, to a list", grouped_ours, grouped_by_hand, 2.0, 1),
]


@pytest.mark.parametrize(
    ("workload", "ours", "by_hand", "goal", "calls"), CASES, ids=[case[0] for case in CASES]
)
def test_loop(
    benchmark: Any, workload: str, ours: Work, by_hand: Work, goal: float | None, calls: int
) -> None:
    found = measure(workload, ours, by_hand, goal=goal, calls=calls)
    benchmark.extra_info["ratio"] = found.ratio
    benchmark.extra_info["calls"] = calls
    # one loop for all rounds, and all calls inside it: a new loop costs ten times what an empty job does
    with asyncio.Runner() as runner:
        benchmark.pedantic(lambda: runner.run(_repeated(ours, calls)), rounds=5)


async def _repeated(work: Work, calls: int) -> None:
    for _ in range(calls):
        await work()
