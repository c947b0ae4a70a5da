"""Sinks that make one value of all items."""

import asyncio
from operator import add
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, ops
from streamkit.testing import run

NUMBERS = st.lists(st.integers(), max_size=9)


async def awaited(job: Any) -> Any:
    return await job


class TestFold:
    @given(NUMBERS, st.integers())
    def test_folds_from_the_initial_value_on(self, numbers: list[int], initial: int) -> None:
        assert (Stream(numbers) | ops.fold(add, initial)).run() == initial + sum(numbers)

    def test_is_given_the_state_first_and_the_item_second(self) -> None:
        assert (Stream("ab") | ops.fold(lambda state, item: f"({state}{item})", "")).run() == "((a)b)"

    @pytest.mark.parametrize("wrap", [lambda call: call, lambda call: lambda *arguments: call(*arguments)])
    def test_an_awaitable_state_is_awaited(self, wrap: Any) -> None:
        async def later(state: int, item: int) -> int:
            await asyncio.sleep(1.0)
            return state + item

        assert run(lambda: awaited(Stream([1, 2, 3]) | ops.fold(wrap(later), 10))) == 16

    @pytest.mark.parametrize("initial", [None, 0, [], ()])
    def test_of_nothing_is_the_initial_value_itself(self, initial: Any) -> None:
        assert (Stream([]) | ops.fold(add, initial)).run() is initial

    @pytest.mark.parametrize("value", [5, None, [1]])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not"):
            ops.fold(value, 0)


class TestCount:
    @given(NUMBERS)
    def test_is_the_length(self, numbers: list[int]) -> None:
        assert (Stream(numbers) | ops.count()).run() == len(numbers)

    def test_false_items_count(self) -> None:
        assert (Stream([None, 0, ""]) | ops.count()).run() == 3
