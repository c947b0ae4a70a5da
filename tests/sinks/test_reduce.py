"""Sinks that add up the items, or join them two by two."""

import asyncio
import builtins
import functools
import math
import statistics
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
import reactivex
from hypothesis import example, given, strategies as st
from reactivex import operators as of

from streamkit import EmptyStreamError, Stream, ops
from streamkit.sinks import reduce
from streamkit.testing import run

NUMBERS = st.lists(st.integers(), max_size=8)
TEXTS = st.lists(st.text(max_size=2), min_size=1, max_size=8)


async def awaited(job: Any) -> Any:
    return await job


def joined(one: str, other: str) -> str:
    return f"({one}{other})"


class TestReduce:
    @given(TEXTS)
    def test_is_that_of_functools_and_of_rx(self, texts: list[str]) -> None:
        found = (Stream(texts) | ops.reduce(joined)).run()
        assert found == functools.reduce(joined, texts)
        assert found == reactivex.from_iterable(texts).pipe(of.reduce(joined)).run()

    @pytest.mark.parametrize("item", [None, 0, "", []])
    def test_of_one_item_is_that_item(self, item: Any) -> None:
        assert (Stream([item]) | ops.reduce(joined)).run() is item
        assert (Stream([item]) | ops.reduce(joined, default=5)).run() is item

    @pytest.mark.parametrize("default", [None, 0, "", []])
    def test_of_nothing_is_the_default(self, default: Any) -> None:
        assert (Stream([]) | ops.reduce(joined, default=default)).run() is default

    def test_of_nothing_fails_without_a_default(self) -> None:
        with pytest.raises(EmptyStreamError, match=r"reduce\(\) of an empty stream; give default="):
            (Stream([]) | ops.reduce(joined)).run()

    @pytest.mark.parametrize("wrap", [lambda call: call, lambda call: lambda *arguments: call(*arguments)])
    def test_an_awaitable_state_is_awaited(self, wrap: Any) -> None:
        async def later(state: int, item: int) -> int:
            await asyncio.sleep(1.0)
            return state + item

        assert run(lambda: awaited(Stream([1, 2, 3]) | ops.reduce(wrap(later)))) == 6

    @pytest.mark.parametrize("value", [5, None, [1]])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not"):
            ops.reduce(value)


class TestSum:
    @given(NUMBERS, st.integers())
    def test_is_the_builtin_of_whole_numbers(self, numbers: list[int], start: int) -> None:
        assert (Stream(numbers) | ops.sum()).run() == builtins.sum(numbers)
        assert (Stream(numbers) | ops.sum(start=start)).run() == builtins.sum(numbers, start)

    @given(st.lists(st.fractions() | st.decimals(allow_nan=False, allow_infinity=False), max_size=0))
    def test_of_nothing_is_the_start_itself(self, nothing: list[Any]) -> None:
        start = Decimal("0.00")
        assert (Stream(nothing) | ops.sum(start=start)).run() is start

    def test_adds_whatever_can_be_added(self) -> None:
        assert (Stream([Fraction(1, 3), Fraction(2, 3)]) | ops.sum()).run() == 1
        assert (Stream([(1,), (2,)]) | ops.sum(start=())).run() == (1, 2)

    def test_does_not_change_its_start(self) -> None:
        start = [0]
        job = Stream([[1], [2]]) | ops.sum(start=start)
        assert job.run() == job.run() == [0, 1, 2]
        assert start == [0]

    def test_floats_are_added_one_after_the_other_on_every_version(self) -> None:
        numbers = [1e16, 1.0, -1e16]  # the builtin gives 1.0 from Python 3.12 on
        assert (Stream(numbers) | ops.sum()).run() == 0.0
        assert (Stream(numbers) | ops.mean()).run() == 1 / 3

    @pytest.mark.parametrize("start", ["", b"", bytearray()])
    def test_refuses_texts_as_the_builtin_does(self, start: Any) -> None:
        with pytest.raises(
            TypeError, match="start must be a number, or what else can be added, not the text"
        ):
            ops.sum(start=start)
        with pytest.raises(TypeError):
            builtins.sum([], start)

    def test_what_cannot_be_added_names_the_sink(self) -> None:
        with pytest.raises(TypeError, match="unsupported operand") as caught:
            (Stream(["a"]) | ops.sum()).run()
        assert caught.value.__notes__[0].startswith("in sum() at ")


def outcome(mean: Callable[[list[Any]], float], numbers: list[Any]) -> float | type[Exception]:
    """What `mean` says of `numbers`, or the error that it raises."""
    try:
        return mean(numbers)
    except (ValueError, OverflowError) as error:
        return type(error)


def mean_of(numbers: list[Any]) -> float:
    return (Stream(numbers) | ops.mean()).run()


def mean_in_parts(numbers: list[Any], size: int) -> float:
    """As the sink has it, if it collected so few numbers before it adds them."""
    held: list[float] = []
    for each in numbers:
        held.append(reduce.real(each))
        if len(held) > size:
            held = reduce.exact(held)
    return math.fsum(held) / len(numbers)


def same(one: Any, other: Any) -> bool:
    return one == other or (isinstance(one, float) and isinstance(other, float) and math.isnan(one + other))


REALS = st.lists(st.floats() | st.integers() | st.booleans(), min_size=1, max_size=12)


class TestMean:
    @given(REALS)
    @example([1e308, 1e308])
    @example([10**400])
    def test_is_fmean(self, numbers: list[Any]) -> None:
        assert same(outcome(mean_of, numbers), outcome(statistics.fmean, numbers))

    @given(REALS, st.integers(1, 5))
    @example([math.inf, math.nan, 1.0, -math.inf], 1)
    def test_is_fmean_wherever_the_sum_is_cut(self, numbers: list[Any], size: int) -> None:
        expected = outcome(statistics.fmean, numbers)
        found = outcome(partial(mean_in_parts, size=size), numbers)
        assert same(found, expected) or OverflowError in {found, expected}  # which depends on the order there

    @given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40))
    def test_is_exact_however_long_the_stream_is(self, numbers: list[float]) -> None:
        assert mean_of(numbers * 40) == statistics.fmean(numbers * 40)

    @given(st.lists(st.floats(-1e300, 1e300), max_size=40))
    def test_what_it_keeps_of_many_has_the_same_sum(self, numbers: list[float]) -> None:
        kept = reduce.exact([*numbers])
        assert sum(map(Fraction, kept)) == sum(map(Fraction, numbers))

    @given(st.lists(st.floats(-1e300, 1e300), max_size=40))
    def test_keeps_few_numbers_of_many(self, numbers: list[float]) -> None:
        assert len(reduce.exact(numbers * 20)) <= 42  # as many as a float has different parts of a sum

    @pytest.mark.parametrize("kind", [Decimal, Fraction, float, int])
    def test_is_a_float_of_any_kind_of_number(self, kind: Any) -> None:
        mean = (Stream([kind(1), kind(2)]) | ops.mean()).run()
        assert (mean, type(mean)) == (1.5, float)

    @pytest.mark.parametrize("item", ["3", None, 1j, [1]])
    def test_what_is_no_number_fails_at_once_and_names_the_sink(self, item: Any) -> None:
        pulled: list[Any] = []
        with pytest.raises(TypeError, match="must be real number, not") as caught:
            (Stream([1, item, 2]) | ops.tap(pulled.append) | ops.mean()).run()
        assert caught.value.__notes__[0].startswith("in mean() at ")
        assert pulled == [1, item]

    @pytest.mark.parametrize("default", [None, 0, ""])
    def test_of_nothing_is_the_default(self, default: Any) -> None:
        assert (Stream([]) | ops.mean(default=default)).run() is default

    def test_of_nothing_fails_without_a_default(self) -> None:
        with pytest.raises(EmptyStreamError, match=r"mean\(\) of an empty stream; give default="):
            (Stream([]) | ops.mean()).run()
