"""Sinks that keep the items."""

import asyncio
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as of

from streamkit import Stream, ops
from streamkit.testing import run

NUMBERS = st.lists(st.integers(), max_size=9)
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers()), max_size=9)


async def awaited(job: Any) -> Any:
    return await job


def third(number: int) -> int:
    return number % 3


async def third_later(number: int) -> int:
    await asyncio.sleep(1.0)
    return number % 3


class TestToList:
    @given(NUMBERS)
    def test_has_every_item_in_order(self, numbers: list[int]) -> None:
        assert (Stream(numbers) | ops.to_list()).run() == numbers

    def test_every_run_makes_a_list_of_its_own(self) -> None:
        job = Stream([1]) | ops.to_list()
        assert job.run() is not job.run()

    def test_what_it_keeps_is_told_as_its_result(self) -> None:
        assert (Stream([1]) | ops.to_list()).explain().parts[-1].result == "every item"


class TestToSet:
    @given(NUMBERS)
    def test_is_the_set_of_the_items_and_that_of_rx(self, numbers: list[int]) -> None:
        found = (Stream(numbers) | ops.to_set()).run()
        assert found == {*numbers} == reactivex.from_iterable(numbers).pipe(of.to_set()).run()

    def test_keeps_the_first_of_equal_items(self) -> None:
        assert [type(item) for item in (Stream([1.0, 1, True]) | ops.to_set()).run()] == [float]

    def test_what_cannot_be_hashed_names_the_sink(self) -> None:
        with pytest.raises(TypeError, match="unhashable") as caught:
            (Stream([[1]]) | ops.to_set()).run()
        assert caught.value.__notes__[0].startswith("in to_set() at ")


class TestToDict:
    @given(PAIRS)
    def test_of_pairs_is_dict(self, pairs: list[tuple[int, int]]) -> None:
        found = (Stream(pairs) | ops.to_dict()).run()
        assert [*found.items()] == [*dict(pairs).items()]

    @given(NUMBERS)
    def test_of_a_key_and_a_value_is_that_of_rx(self, numbers: list[int]) -> None:
        source = reactivex.from_iterable(numbers)
        assert (Stream(numbers) | ops.to_dict(key=third)).run() == source.pipe(of.to_dict(third)).run()
        found = (Stream(numbers) | ops.to_dict(key=third, value=str)).run()
        assert found == source.pipe(of.to_dict(third, str)).run()
        assert [*found.items()] == [*{third(number): str(number) for number in numbers}.items()]

    @pytest.mark.parametrize("key", [third_later, lambda number: third_later(number)])
    def test_awaits_what_its_callbacks_return(self, key: Any) -> None:
        found = run(lambda: awaited(Stream([3, 4]) | ops.to_dict(key=key, value=key)))
        assert found == {0: 0, 1: 1}

    def test_calls_the_key_before_the_value(self) -> None:
        calls: list[str] = []
        sink = ops.to_dict(key=lambda _: calls.append("key"), value=lambda _: calls.append("value"))
        (Stream([1]) | sink).run()
        assert calls == ["key", "value"]

    @pytest.mark.parametrize(
        ("item", "error", "words"),
        [
            (5, TypeError, "cannot unpack"),
            ((1,), ValueError, "not enough values"),
            ((1, 2, 3), ValueError, "too many values"),
            (([], 1), TypeError, "unhashable"),
        ],
    )
    def test_what_is_no_pair_names_the_sink(self, item: Any, error: Any, words: str) -> None:
        with pytest.raises(error, match=words) as caught:
            (Stream([item]) | ops.to_dict()).run()
        assert caught.value.__notes__[0].startswith("in to_dict() at ")

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"key": 5}, "key must be a callable, not 5"),
            ({"key": None}, "key must be a callable, not None"),
            ({"key": str, "value": [1]}, r"value must be a callable, not \[1\]"),
            ({"value": str}, "value must be given together with key"),
        ],
    )
    def test_bad_argument(self, given: Any, words: str) -> None:
        with pytest.raises(TypeError, match=words):
            ops.to_dict(**given)
