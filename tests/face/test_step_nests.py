"""Steps of users that go through the streams that a callback makes of each item."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import Operator, Stream, ops, step


async def numbers(size: int) -> AsyncIterator[int]:
    for number in range(size):
        await asyncio.sleep(0)
        yield number


@step(setup="seen = 0", each="seen += 1\nemit((seen, item))", finish="emit((seen, None))", nests="make")
def counted(make: Callable[[Any], Any]) -> Operator[Any, Any]:
    return Operator(counted, make=make)


@pytest.mark.parametrize("make", [range, numbers, lambda size: Stream(numbers(size)) | ops.map(abs)])
def test_each_is_what_happens_with_each_item_of_the_streams(make: Any) -> None:
    assert list(Stream([2, 0, 1]) | counted(make)) == [(1, 0), (2, 1), (3, 0), (3, None)]


def test_it_stands_in_a_branch_a_group_and_a_window() -> None:
    assert (Stream([2, 1]) | ops.broadcast(counted(numbers) | ops.count(), ops.count())).run() == (4, 2)
    grouped = ops.group_by(lambda _: 1, counted(numbers) | ops.take(2) | ops.to_list(), max_groups=1)
    assert list(Stream([1, 2]) | grouped) == [(1, [(1, 0), (2, 0)])]
    assert list(Stream([2, 1]) | ops.aggregate(counted(numbers) | ops.take(2) | ops.count())) == [2]


def test_one_in_another_is_flat_however_deep() -> None:
    def page(number: int) -> Any:
        return Stream([number + 1]) | ops.concat_map(page) if number < 2_000 else [number]

    assert list(Stream([0]) | ops.concat_map(page)) == [2_000]


def test_the_parameter_must_be_there() -> None:
    with pytest.raises(NameError, match="nests= must name a parameter, not 'other'"):

        @step(each="emit(item)", nests="other")
        def _(make: Any) -> Operator[Any, Any]:
            raise AssertionError(make)


def test_the_name_is_text() -> None:
    with pytest.raises(TypeError, match="nests must be"):
        step(each="emit(item)", nests=numbers)  # type: ignore[arg-type]
