"""filter, take, take_while, skip, skip_while, distinct_until_changed."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from streamkit import Stream, ops


def odd(number: int) -> bool:
    return number % 2 == 1


async def odd_later(number: int) -> bool:
    await asyncio.sleep(0.0)
    return number % 2 == 1


def small(number: int) -> bool:
    return number < 3


async def small_later(number: int) -> bool:
    return number < 3


class Counted:
    """A source that counts what was pulled, and whether it was closed."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pulled = self.closed = 0

    def __call__(self) -> Iterator[int]:
        try:
            for number in range(self.count):
                self.pulled += 1
                yield number
        finally:
            self.closed += 1


NUMBERS = [-1, -(10**30)]
NO_NUMBERS = [True, False, 1.0, "1", None, [1]]
NO_CALLABLES = [5, None, "f", [1]]


class TestFilter:
    @pytest.mark.parametrize("predicate", [odd, odd_later, lambda number: odd_later(number), (1).__and__])
    def test_keeps_what_is_true(self, predicate: Any) -> None:
        assert list(Stream(range(6)) | ops.filter(predicate)) == [1, 3, 5]

    def test_truth_is_enough(self) -> None:
        assert list(Stream(["", "a", [], [0]]) | ops.filter(len)) == ["a", [0]]

    def test_empty_and_none_left(self) -> None:
        assert list(Stream([]) | ops.filter(odd)) == []
        assert list(Stream([2, 4]) | ops.filter(odd)) == []

    @pytest.mark.parametrize("items", [[], [0, 1, None, "", "a"], [[], [0]]])
    def test_none_is_what_it_is_for_the_builtin(self, items: list[Any]) -> None:
        assert list(Stream(items) | ops.filter(None)) == list(filter(None, items))
        assert repr(ops.filter(None)) == "filter(None)"

    @pytest.mark.parametrize("value", [each for each in NO_CALLABLES if each is not None])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            ops.filter(value)
        assert str(caught.value).startswith(f"predicate must be a callable, not {value!r}")


class TestTake:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 10**20])
    def test_first_items(self, count: int) -> None:
        assert list(Stream(range(3)) | ops.take(count)) == list(range(3))[:count]

    @pytest.mark.parametrize("count", [0, 1, 2, 5])
    def test_pulls_no_more_and_closes_the_source(self, count: int) -> None:
        source = Counted(9)
        items: list[int] = []
        (Stream(source) | ops.take(count) | ops.for_each(items.append)).run()
        assert source.pulled == len(items) == count
        assert source.closed == (count > 0)  # a generator that was never begun has nothing to clean up

    def test_ends_before_the_next_pull_could_fail(self) -> None:
        def source() -> Iterator[int]:
            yield 1
            raise AssertionError("pulled once too often")

        assert list(Stream(source) | ops.take(1)) == [1]

    @pytest.mark.parametrize("count", NUMBERS)
    def test_too_small(self, count: int) -> None:
        with pytest.raises(ValueError, match=f"count must be a whole number of at least 0, not {count}"):
            ops.take(count)

    @pytest.mark.parametrize("count", NO_NUMBERS)
    def test_no_number(self, count: Any) -> None:
        with pytest.raises(TypeError) as caught:
            ops.take(count)
        assert str(caught.value) == f"count must be a whole number of at least 0, not {count!r}"

    def test_what_counts_as_a_number_for_python_does_here(self) -> None:
        class Three:
            def __index__(self) -> int:
                return 3

        assert list(Stream(range(9)) | ops.take(Three())) == [0, 1, 2]  # type: ignore[arg-type]


class TestTakeWhile:
    @pytest.mark.parametrize("predicate", [small, small_later, lambda number: small_later(number)])
    @pytest.mark.parametrize("inclusive", [True, False])
    def test_ends_at_the_first_that_is_false(self, predicate: Any, inclusive: bool) -> None:
        source = Counted(9)
        stream = Stream(source) | ops.take_while(predicate, inclusive=inclusive)
        assert list(stream) == [0, 1, 2, 3][: 3 + inclusive]
        assert (source.pulled, source.closed) == (4, 1)

    def test_empty_and_all(self) -> None:
        assert list(Stream([]) | ops.take_while(small)) == []
        assert list(Stream([1, 2]) | ops.take_while(small, inclusive=True)) == [1, 2]

    @pytest.mark.parametrize("inclusive", [True, False])
    def test_first_is_false(self, inclusive: bool) -> None:
        assert list(Stream([9, 1]) | ops.take_while(small, inclusive=inclusive)) == [9][: int(inclusive)]

    def test_bad_arguments(self) -> None:
        with pytest.raises(TypeError, match="predicate must be a callable, not 5"):
            ops.take_while(5)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="inclusive must be True or False, not 1"):
            ops.take_while(small, inclusive=1)  # type: ignore[call-overload]


class TestSkip:
    @pytest.mark.parametrize("count", [0, 1, 3, 4, 10**20])
    def test_leaves_out_the_first(self, count: int) -> None:
        assert list(Stream(range(3)) | ops.skip(count)) == list(range(3))[count:]

    @pytest.mark.parametrize("count", NUMBERS)
    def test_too_small(self, count: int) -> None:
        with pytest.raises(ValueError, match=f"count must be a whole number of at least 0, not {count}"):
            ops.skip(count)

    @pytest.mark.parametrize("count", NO_NUMBERS)
    def test_no_number(self, count: Any) -> None:
        with pytest.raises(TypeError, match="count must be a whole number of at least 0"):
            ops.skip(count)


class TestSkipWhile:
    @pytest.mark.parametrize("predicate", [small, small_later, lambda number: small_later(number)])
    def test_passes_all_after_the_first_that_is_false(self, predicate: Any) -> None:
        assert list(Stream([1, 2, 9, 1]) | ops.skip_while(predicate)) == [9, 1]

    def test_does_not_ask_again(self) -> None:
        asked: list[int] = []

        def predicate(number: int) -> bool:
            asked.append(number)
            return number < 3

        assert list(Stream([1, 5, 2, 6]) | ops.skip_while(predicate)) == [5, 2, 6]
        assert asked == [1, 5]

    def test_empty_and_all(self) -> None:
        assert list(Stream([]) | ops.skip_while(small)) == []
        assert list(Stream([1, 2]) | ops.skip_while(small)) == []

    def test_bad_argument(self) -> None:
        with pytest.raises(TypeError, match="predicate must be a callable, not 5"):
            ops.skip_while(5)  # type: ignore[call-overload]


class TestDistinctUntilChanged:
    def test_leaves_out_repetitions(self) -> None:
        assert "".join(Stream("aabbba") | ops.distinct_until_changed()) == "aba"

    def test_none_is_an_item(self) -> None:
        assert list(Stream([None, None, 0]) | ops.distinct_until_changed()) == [None, 0]

    @pytest.mark.parametrize("key", [str.lower, lambda text: lower(text)])
    def test_key_is_compared(self, key: Any) -> None:
        assert "".join(Stream("aAbBa") | ops.distinct_until_changed(key)) == "aba"

    def test_compares_with_the_last_key_not_the_last_item(self) -> None:
        assert list(Stream([1, 2, 3, 11, 12]) | ops.distinct_until_changed(lambda x: x // 10)) == [1, 11]

    def test_items_need_no_hash(self) -> None:
        assert list(Stream([[1], [1], {}]) | ops.distinct_until_changed()) == [[1], {}]

    def test_an_item_that_equals_nothing_stays(self) -> None:
        nan = float("nan")
        assert len(list(Stream([nan, nan]) | ops.distinct_until_changed())) == 2

    def test_empty(self) -> None:
        assert list(Stream([]) | ops.distinct_until_changed()) == []

    @pytest.mark.parametrize("value", NO_CALLABLES)
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="key must be a callable"):
            ops.distinct_until_changed(value)


async def lower(text: str) -> str:
    return text.lower()
