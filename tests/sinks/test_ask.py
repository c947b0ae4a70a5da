"""Sinks that answer a question with yes or no."""

import asyncio
import builtins
from collections.abc import AsyncIterator
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as of

from streamkit import Stream, ops
from streamkit.testing import run
from tests.sinks.counting import Counted

NUMBERS = st.lists(st.integers(0, 3), max_size=6)
NAN = float("nan")


async def awaited(job: Any) -> Any:
    return await job


def small(number: int) -> bool:
    return number < 2


async def small_later(number: int) -> bool:
    await asyncio.sleep(1.0)
    return number < 2


class TestAllAndAny:
    @given(NUMBERS)
    def test_are_the_builtins(self, numbers: list[int]) -> None:
        assert (Stream(numbers) | ops.all()).run() is builtins.all(numbers)
        assert (Stream(numbers) | ops.any()).run() is builtins.any(numbers)

    @given(NUMBERS)
    def test_of_a_predicate_are_those_of_rx(self, numbers: list[int]) -> None:
        observable = reactivex.from_iterable(numbers)
        assert (Stream(numbers) | ops.all(small)).run() is observable.pipe(of.all(small)).run()
        assert (Stream(numbers) | ops.any(small)).run() is observable.pipe(of.some(small)).run()

    @pytest.mark.parametrize("predicate", [small_later, lambda number: small_later(number)])
    def test_await_what_a_predicate_returns(self, predicate: Any) -> None:
        assert run(lambda: awaited(Stream([0, 1]) | ops.all(predicate))) is True
        assert run(lambda: awaited(Stream([0, 2, 1]) | ops.all(predicate))) is False
        assert run(lambda: awaited(Stream([2, 3]) | ops.any(predicate))) is False

    def test_end_at_the_item_that_decides(self) -> None:
        for sink, pulled in ((ops.all(small), 3), (ops.any(lambda number: number > 4), 6), (ops.any(), 2)):
            source = Counted()
            (Stream(source) | sink).run()
            assert (source.pulled, source.closed) == (pulled, 1)

    @pytest.mark.parametrize("sink", [ops.all, ops.any])
    @pytest.mark.parametrize("value", [None, 5, "text", [1]])
    def test_bad_argument(self, sink: Any, value: Any) -> None:
        with pytest.raises(TypeError, match="predicate must be a callable, not"):
            sink(value)

    def test_an_error_of_a_predicate_names_the_sink(self) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            (Stream([0]) | ops.any(lambda number: 1 / number)).run()
        assert caught.value.__notes__[0].startswith("in any(<lambda>) at ")


class TestContains:
    @given(NUMBERS, st.integers(0, 3))
    def test_is_the_operator_in(self, numbers: list[int], value: int) -> None:
        assert (Stream(numbers) | ops.contains(value)).run() is (value in numbers)

    def test_the_same_object_is_found_though_it_equals_nothing(self) -> None:
        assert (Stream([NAN]) | ops.contains(NAN)).run() is (NAN in [NAN]) is True
        assert (Stream([NAN]) | ops.contains(float("nan"))).run() is False

    def test_ends_where_it_is_found(self) -> None:
        source = Counted()
        assert (Stream(source) | ops.contains(3)).run() is True
        assert (source.pulled, source.closed) == (4, 1)


class TestIsEmpty:
    @pytest.mark.parametrize("items", [[], [None], [0, 1]])
    def test_is_whether_there_is_an_item(self, items: list[Any]) -> None:
        assert (Stream(items) | ops.is_empty()).run() is (not items)

    def test_ends_at_the_first_item(self) -> None:
        source = Counted()
        assert (Stream(source) | ops.is_empty()).run() is False
        assert (source.pulled, source.closed) == (1, 1)

    def test_an_error_is_no_end(self) -> None:
        async def failing() -> AsyncIterator[int]:
            raise OSError("gone")
            yield 1

        with pytest.raises(OSError, match="gone"):
            run(lambda: awaited(Stream(failing) | ops.is_empty()))


class TestSequenceEqual:
    @given(NUMBERS, NUMBERS)
    def test_is_equality_of_lists_and_that_of_rx(self, one: list[int], other: list[int]) -> None:
        found = (Stream(one) | ops.sequence_equal(other)).run()
        assert found is (one == other)
        theirs = reactivex.from_iterable(other)
        assert found is reactivex.from_iterable(one).pipe(of.sequence_equal(theirs)).run()

    @given(NUMBERS)
    def test_a_stream_equals_itself(self, numbers: list[int]) -> None:
        stream = Stream(numbers) | ops.map(lambda number: number + 1)
        assert (stream | ops.sequence_equal(stream)).run() is True

    def test_the_same_object_equals_itself_as_in_lists(self) -> None:
        assert (Stream([NAN]) | ops.sequence_equal([NAN])).run() is True
        assert (Stream([NAN]) | ops.sequence_equal([float("nan")])).run() is False

    def test_both_are_read_at_once_and_closed_at_the_first_difference(self) -> None:
        closed: list[str] = []

        async def slow(name: str, numbers: list[int]) -> AsyncIterator[int]:
            try:
                for number in numbers:
                    await asyncio.sleep(1.0)
                    yield number
                await asyncio.sleep(100.0)
            finally:
                closed.append(name)

        async def main() -> None:
            one = Stream(lambda: slow("one", [1, 2, 3]))
            other = Stream(lambda: slow("other", [1, 5]))
            assert await (one | ops.sequence_equal(other)) is False
            assert asyncio.get_running_loop().time() == 2.0
            assert sorted(closed) == ["one", "other"]

        run(main)

    @pytest.mark.parametrize("first", [True, False])
    def test_an_error_of_either_comes_as_itself(self, first: bool) -> None:
        async def failing() -> AsyncIterator[int]:
            yield 1
            raise OSError("gone")

        pair: list[Any] = [failing, [1, 2]] if first else [[1, 2], failing]
        with pytest.raises(OSError, match="gone"):
            run(lambda: awaited(Stream(pair[0]) | ops.sequence_equal(pair[1])))

    def test_its_bound_is_one_item_of_each(self) -> None:
        explained = (Stream([1]) | ops.sequence_equal([1])).explain()
        assert (explained.bound, explained.lookahead) == (2, 2)

    @pytest.mark.parametrize("value", [None, 5])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="source must be an iterable"):
            ops.sequence_equal(value)
