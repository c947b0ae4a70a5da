"""What may run a stream again, or goes on with another, costs nothing per item as long as the first runs."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any

import pytest

from streamkit import Stream, ops
from tests.compile.by_hand import Work
from tests.compile.test_opcodes import (
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)


def made(items: int) -> Iterator[int]:
    yield from range(items)


async def later(items: int) -> AsyncIterator[int]:
    for number in range(items):
        yield number


SOURCES: dict[str, Callable[[int], Any]] = {
    "range": range,
    "generator": lambda items: lambda: made(items),
    "async generator": lambda items: lambda: later(items),
    "stage": lambda items: Stream(lambda: range(items)) | ops.merge([]),
}
OPERATORS = [
    ops.retry(),
    ops.repeat(1),
    ops.catch(abs),
    ops.concat([]),
    ops.on_close(print),
    ops.retry() | ops.catch(abs),
]


def work(source: Callable[[int], Any], *operators: Any) -> Work:
    async def run(items: int) -> list[int]:
        found: list[int] = await (Stream(source(items)).pipe(*operators) | ops.map(abs) | ops.to_list())
        return found

    return run


@cache
def without(source: Callable[[int], Any]) -> float:
    """What an item costs from this source alone, in opcodes: the same each time."""
    return per_item(work(source))


@pytest.mark.spread
@pytest.mark.parametrize("operator", OPERATORS, ids=repr)
@pytest.mark.parametrize(
    "source",
    [
        pytest.param(make, id=name, marks=[pytest.mark.full] * (name == "stage"))
        for name, make in SOURCES.items()
    ],
)
def test_an_item_costs_what_it_costs_without(source: Callable[[int], Any], operator: Any) -> None:
    assert per_item(work(source, operator)) <= without(source) + 0.1


@pytest.mark.spread
@pytest.mark.parametrize("operator", [ops.retry(), ops.repeat(1), ops.retry() | ops.catch(abs)], ids=repr)
@pytest.mark.parametrize("source", [SOURCES["range"], SOURCES["async generator"]], ids=["range", "async"])
def test_so_it_does_behind_plain_steps(source: Callable[[int], Any], operator: Any) -> None:
    steps = [ops.map(abs), ops.enumerate(), ops.starmap(pow), ops.filter(bool)]
    assert per_item(work(source, *steps, operator)) <= per_item(work(source, *steps)) + 0.1


@pytest.mark.parametrize(
    "make",
    [range, lambda items: [0] * items, lambda items: (0,) * items],
    ids=["range", "list", "tuple"],
)
def test_lists_that_follow_a_list_cost_what_one_costs(make: Callable[[int], Any]) -> None:
    def several(items: int) -> Any:
        return Stream(make(items // 4)) | ops.concat(*[make(items // 4)] * 3)

    assert per_item(work(several)) <= per_item(work(make)) + 0.3
