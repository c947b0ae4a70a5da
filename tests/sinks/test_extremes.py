"""Sinks that find the least or the greatest item."""

import asyncio
import builtins
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as of

from streamkit import EmptyStreamError, Stream, ops
from streamkit.testing import run

FLOATS = st.lists(st.floats(), min_size=1, max_size=8)
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers()), min_size=1, max_size=8)
SINKS = {"min": (ops.min, builtins.min), "max": (ops.max, builtins.max)}
both = pytest.mark.parametrize(("sink", "builtin"), SINKS.values(), ids=SINKS)


async def awaited(job: Any) -> Any:
    return await job


def first(pair: tuple[int, int]) -> int:
    return pair[0]


@both
class TestBoth:
    @given(numbers=FLOATS)
    def test_are_the_builtins_also_of_nan_and_infinity(
        self, sink: Any, builtin: Any, numbers: list[float]
    ) -> None:
        assert (Stream(numbers) | sink()).run() is builtin(numbers)

    @given(pairs=PAIRS)
    def test_keep_the_first_of_items_with_one_key(
        self, sink: Any, builtin: Any, pairs: list[tuple[int, int]]
    ) -> None:
        assert (Stream(pairs) | sink(key=first)).run() is builtin(pairs, key=first)

    def test_keep_the_first_of_equal_items(self, sink: Any, builtin: Any) -> None:
        items = [1.0, 1, True]
        assert (Stream(items) | sink()).run() is builtin(items) is items[0]

    @given(numbers=st.lists(st.integers(), min_size=1, max_size=8))
    def test_are_those_of_rx(self, sink: Any, builtin: Any, numbers: list[int]) -> None:
        theirs = {ops.min: of.min, ops.max: of.max}[sink]
        found = reactivex.from_iterable(numbers).pipe(theirs()).run()
        assert (Stream(numbers) | sink()).run() == found

    @pytest.mark.parametrize("default", [None, 0, "", float("nan")])
    def test_of_nothing_are_the_default(self, sink: Any, builtin: Any, default: Any) -> None:
        assert (Stream([]) | sink(default=default)).run() is default
        assert (Stream([]) | sink(key=first, default=default)).run() is default
        assert (Stream([5]) | sink(default=default)).run() == 5

    def test_of_nothing_fail_without_a_default(self, sink: Any, builtin: Any) -> None:
        name = builtin.__name__
        for given_key in ({}, {"key": first}):
            with pytest.raises(EmptyStreamError, match=rf"{name}\(\) of an empty stream; give default="):
                (Stream([]) | sink(**given_key)).run()

    def test_await_what_a_key_returns(self, sink: Any, builtin: Any) -> None:
        async def later(number: int) -> int:
            await asyncio.sleep(1.0)
            return -number

        for key in (later, lambda number: later(number)):
            found = run(lambda key=key: awaited(Stream([2, 3, 1]) | sink(key=key)))
            assert found == builtin([2, 3, 1], key=lambda number: -number)

    def test_an_item_may_be_none_where_it_has_a_key(self, sink: Any, builtin: Any) -> None:
        assert (Stream([None]) | sink()).run() is None
        assert (Stream([None, 1]) | sink(key=lambda item: item is None)).run() == builtin(
            [None, 1], key=lambda item: item is None
        )

    def test_what_cannot_be_compared_names_the_sink(self, sink: Any, builtin: Any) -> None:
        with pytest.raises(TypeError, match="not supported between") as caught:
            (Stream([1, "a"]) | sink()).run()
        assert caught.value.__notes__[0].startswith(f"in {builtin.__name__}() at ")

    @pytest.mark.parametrize("value", [None, 5, "text", [1]])
    def test_bad_argument(self, sink: Any, builtin: Any, value: Any) -> None:
        with pytest.raises(TypeError, match="key must be a callable, not"):
            sink(key=value)
