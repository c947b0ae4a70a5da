"""concat of ranges, lists and tuples, which one loop goes through, and of other sources between them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import Stream, ops
from streamkit.testing import run
from tests.nests import first_items


async def later(items: list[int]) -> Any:
    for item in items:
        yield item


def fails(items: list[int]) -> Iterator[int]:
    yield from items
    raise KeyError


KINDS: dict[str, Callable[[list[int]], Any]] = {
    "list": list,
    "tuple": tuple,
    "range": lambda items: range(len(items)),
    "stream": Stream,
    "pipe": lambda items: Stream(items) | ops.map(abs),
    "iterator": lambda items: lambda: iter(items),
    "later": lambda items: lambda: later(items),
    "concat": lambda items: Stream(items) | ops.concat(items, (7,)),
}
SOURCES = st.lists(st.tuples(st.sampled_from([*KINDS]), st.lists(st.integers(0, 9), max_size=3)), min_size=1)


def plain(kind: str, items: list[int]) -> list[int]:
    if kind == "concat":
        return [*items, *items, 7]
    return [*range(len(items))] if kind == "range" else items


@given(SOURCES, st.booleans(), st.integers(0, 3))
def test_of_any_kinds_in_any_order(sources: list[Any], steps: bool, cut: int) -> None:
    made = [KINDS[kind](items) for kind, items in sources]
    first = Stream(made[0])
    cut = min(cut, len(made) - 1)
    before = first | ops.concat(*made[1 : 1 + cut])
    stream = (before | ops.map(lambda item: item)) if steps else before
    wanted = [item for kind, items in sources for item in plain(kind, items)]
    assert list(stream | ops.concat(*made[1 + cut :])) == wanted


@pytest.mark.parametrize("place", [0, 1, 2])
def test_behind_one_that_fails_nothing_comes_unless_that_is_caught(place: int) -> None:
    sources: list[Any] = [[1], [2], [3]]
    sources.insert(place, lambda: fails([9]))
    first, *others = sources
    seen = list[int]()
    with pytest.raises(KeyError):
        list(Stream(first) | ops.concat(*others) | ops.tap(seen.append))
    assert seen == [*range(1, place + 1), 9]
    caught = Stream(first) | ops.concat(*others) | ops.catch(lambda _: [5]) | ops.concat([6], (7,))
    assert list(caught) == [*range(1, place + 1), 9, 5, 6, 7]


def test_an_error_of_a_step_behind_ends_all_of_them() -> None:
    stream = Stream([1, 2]) | ops.concat([0], [4]) | ops.map(lambda item: 1 // item)
    seen = list[int]()
    with pytest.raises(ZeroDivisionError) as caught:
        list(stream | ops.tap(seen.append))
    assert seen == [1, 0]
    assert [each.partition("(")[0] for each in caught.value.__notes__] == ["in map"]


def test_runs_again_from_the_first() -> None:
    stream = Stream([1]) | ops.concat([2], (3,)) | ops.repeat(2) | ops.concat([4])
    assert list(stream) == list(stream) == [1, 2, 3, 1, 2, 3, 4]


def test_a_list_that_grows_meanwhile_is_read_to_its_end() -> None:
    growing = [1]

    async def main() -> list[int]:
        async with (Stream([0]) | ops.concat(growing, [9])).open() as items:
            found = [await anext(items)]
            growing.append(2)
            return found + [item async for item in items]

    assert run(main) == [0, 1, 2, 9]


def test_the_consumer_may_leave_anywhere() -> None:
    stream = streamkit.concat([1, 2], (3,), range(4, 6))
    for size in range(6):
        assert run(lambda size=size: first_items(stream, size)) == [1, 2, 3, 4, 5][:size]
