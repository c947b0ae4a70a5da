"""What an item costs where a step goes through streams in the loop: what it costs in a loop by hand."""

import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from benchmarks.workload import HAND, OURS
from benchmarks.workloads.combining import flat_map
from streamkit import Stream, ops
from tests.compile.by_hand import Work, add
from tests.compile.test_opcodes import (
    COUNT,
    FREED,
    LOOK,
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)

EACH = 64
"""Items of each stream."""
OPENED = {
    "range": {"later": 17, "unknown": 35, "listed": 37},
    "async generator": {"later": 34, "unknown": 55, "listed": 53},
}
"""Opcodes for each stream: what kind it is, where it is noted to be closed, and what lets go of it.

And, where the items come one by one, what is counted and let go of with each.
"""


async def later(number: int) -> AsyncIterator[int]:
    for each in range(number, number + EACH):
        yield each


def unknown(number: int) -> Any:
    return later(number)


def listed(number: int) -> list[int]:
    return [number] * EACH


async def outer(items: int) -> AsyncIterator[int]:
    for number in range(items // EACH):
        yield number


OUTER: dict[str, Callable[[int], Any]] = {
    "range": lambda items: range(items // EACH),
    "async generator": lambda items: lambda: outer(items),
}


def ours(source: Callable[[int], Any], function: Callable[[int], Any]) -> Work:
    async def run(items: int) -> list[int]:
        nested = ops.flat_map(function, concurrency=1)
        found: list[int] = await (Stream(source(items)) | nested | ops.map(add) | ops.to_list())
        return found

    return run


def by_hand(
    source: Callable[[int], Any], function: Callable[[int], Any], calls: Callable[[int], int]
) -> Work:
    """The nested loop that one would write, for each kind of source and of stream."""
    waits, lists = source is OUTER["async generator"], function is listed

    async def run(items: int) -> list[int]:
        out = list[int]()
        if waits and lists:
            async for item in outer(items):
                for each in function(item):
                    out.append(calls(each))
        elif waits:
            async for item in outer(items):
                async for each in function(item):
                    out.append(calls(each))
        elif lists:
            for item in source(items):
                for each in function(item):
                    out.append(calls(each))
        else:
            for item in source(items):
                async for each in function(item):
                    out.append(calls(each))
        return out

    return run


@pytest.mark.parametrize("function", [later, unknown, listed])
@pytest.mark.parametrize("kind", OUTER)
def test_an_item_of_a_nested_stream_costs_what_it_costs_by_hand(
    kind: str, function: Callable[[int], Any]
) -> None:
    source = OUTER[kind]
    counted = 0 if function is listed else COUNT[min(sys.version_info.minor, 13) - 11] + 2 * FREED + LOOK
    hand = per_item(by_hand(source, function, add))
    assert per_item(ours(source, function)) <= hand + counted + OPENED[kind][function.__name__] / EACH


def test_streams_that_are_read_at_once_cost_three_times_what_tasks_by_hand_do() -> None:
    ours, by_hand = (partial(flat_map.contenders[name], 10) for name in (OURS, HAND))
    assert per_item(ours) <= 3.2 * per_item(by_hand)
