"""Sources of values."""

import asyncio
import builtins
import itertools
import math
import traceback
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as of

import streamkit
from streamkit import OnError, Replace, Resume, Retry, Stream, ops
from streamkit.testing import run

INTEGERS = st.integers(-20, 20)


def firsts(stream: Stream[Any], count: int) -> list[Any]:
    return list(stream | ops.take(count))


class TestOfAndEmpty:
    @given(st.lists(st.integers(), max_size=5))
    def test_of_gives_its_arguments_as_that_of_rx_does(self, numbers: list[int]) -> None:
        assert list(streamkit.of(*numbers)) == numbers
        assert reactivex.of(*numbers).pipe(of.to_list()).run() == numbers

    @pytest.mark.parametrize("item", [None, [], Stream([1]), ops.take(1)])
    def test_of_takes_any_item_as_it_is(self, item: Any) -> None:
        assert list(streamkit.of(item)) == [item]

    def test_empty_has_nothing(self) -> None:
        assert list(streamkit.empty()) == []
        assert (streamkit.empty() | ops.count()).run() == 0

    def test_they_run_as_a_tuple_does(self) -> None:
        code = (streamkit.of(1, 2) | ops.drain()).explain(code=True).code
        assert code == (Stream((1, 2)) | ops.drain()).explain(code=True).code


class TestFail:
    def test_raises_the_error_itself_in_every_run(self) -> None:
        error = OSError("gone")
        stream = streamkit.fail(error)
        lengths = set[int]()
        for _ in range(3):
            with pytest.raises(OSError, match="gone") as caught:
                list(stream)
            assert caught.value is error
            lengths.add(len(traceback.extract_tb(error.__traceback__)))
        assert len(lengths) == 1, "its traceback grows"

    def test_makes_an_error_for_each_run(self) -> None:
        made: list[OSError] = []

        def make() -> OSError:
            made.append(OSError(f"number {len(made)}"))
            return made[-1]

        stream = streamkit.fail(make)
        assert made == []
        for number in range(2):
            with pytest.raises(OSError, match=f"number {number}"):
                list(stream)

    def test_of_a_class_is_an_error_of_it(self) -> None:
        with pytest.raises(ZeroDivisionError):
            list(streamkit.fail(ZeroDivisionError))

    def test_the_end_of_an_iterator_is_an_error_as_in_generators(self) -> None:
        with pytest.raises(RuntimeError, match="StopIteration"):
            list(streamkit.fail(StopIteration()))

    @pytest.mark.parametrize("value", [None, 5, "text", KeyboardInterrupt(), asyncio.CancelledError()])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="error must be"):
            streamkit.fail(value)

    @pytest.mark.parametrize("value", [lambda: None, lambda: 5, KeyboardInterrupt])
    def test_what_is_made_must_be_an_exception(self, value: Any) -> None:
        with pytest.raises(TypeError, match="error must make an exception, not"):
            list(streamkit.fail(value))

    def test_a_coroutine_function_is_refused(self) -> None:
        async def later() -> OSError:
            return OSError("gone")

        with pytest.raises(TypeError, match="error must be a plain function"):
            streamkit.fail(later)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class TestRange:
    @given(INTEGERS, INTEGERS, INTEGERS.filter(bool))
    def test_is_the_builtin(self, start: int, stop: int, step: int) -> None:
        assert list(streamkit.range(stop)) == list(builtins.range(stop))
        assert list(streamkit.range(start, stop)) == list(builtins.range(start, stop))
        assert list(streamkit.range(start, stop, step)) == list(builtins.range(start, stop, step))

    def test_may_be_huge(self) -> None:
        assert firsts(streamkit.range(10**30, 10**40), 2) == [10**30, 10**30 + 1]

    @pytest.mark.parametrize(
        ("given", "error", "words"),
        [
            ((1.0,), TypeError, "stop must be a whole number, not 1.0"),
            (("3",), TypeError, "stop must be a whole number"),
            ((None, 3), TypeError, "start must be a whole number"),
            ((1, True), TypeError, "stop must be a whole number"),
            ((1, 3, math.nan), TypeError, "step must be a whole number"),
            ((1, 3, 0), ValueError, "step must be a whole number other than 0"),
        ],
    )
    def test_bad_argument(self, given: Any, error: Any, words: str) -> None:
        with pytest.raises(error, match=words):
            streamkit.range(*given)


NUMBERS = st.integers() | st.floats(-1e9, 1e9) | st.fractions(max_denominator=9)


class TestCount:
    @given(NUMBERS, NUMBERS)
    def test_is_that_of_itertools(self, start: Any, step: Any) -> None:
        expected = list(itertools.islice(itertools.count(start, step), 5))
        assert firsts(streamkit.count(start, step), 5) == expected

    def test_begins_at_0_and_adds_1(self) -> None:
        assert firsts(streamkit.count(), 3) == [0, 1, 2]
        assert firsts(streamkit.count(5), 2) == [5, 6]
        assert firsts(streamkit.count(step=-1), 3) == [0, -1, -2]

    def test_takes_any_kind_of_number(self) -> None:
        tenth = Decimal("0.1")
        assert firsts(streamkit.count(tenth, tenth), 3)[-1] == Decimal("0.3")
        assert firsts(streamkit.count(Fraction(1, 3), Fraction(1, 3)), 3)[-1] == 1
        assert firsts(streamkit.count(10**400), 2) == [10**400, 10**400 + 1]

    @pytest.mark.parametrize("name", ["start", "step"])
    @pytest.mark.parametrize(
        ("value", "error"),
        [
            (None, TypeError),
            ("1", TypeError),
            (True, TypeError),
            ([1], TypeError),
            (math.nan, ValueError),
            (math.inf, ValueError),
            (Decimal("NaN"), ValueError),
            (Decimal("sNaN"), ValueError),
            (Decimal("Infinity"), ValueError),
        ],
    )
    def test_bad_argument(self, name: str, value: Any, error: Any) -> None:
        with pytest.raises(error, match=f"{name} must be a finite number, not"):
            streamkit.count(**{name: value})

    def test_is_a_source_beside_the_sink_of_that_name(self) -> None:
        assert (streamkit.count() | ops.take(3) | ops.count()).run() == 3


class TestRepeat:
    @given(st.integers(0, 9))
    def test_is_that_of_itertools(self, times: int) -> None:
        assert list(streamkit.repeat("a", times)) == list(itertools.repeat("a", times))

    def test_goes_on_for_ever(self) -> None:
        item = [1]
        assert all(each is item for each in firsts(streamkit.repeat(item), 100))

    @pytest.mark.parametrize(
        ("value", "error"),
        [(1.0, TypeError), ("3", TypeError), (True, TypeError), (-1, ValueError)],
    )
    def test_bad_argument(self, value: Any, error: Any) -> None:
        with pytest.raises(error, match="times must be a whole number"):
            streamkit.repeat("a", value)


def double(number: int) -> int:
    return 2 * number


async def double_later(number: int) -> int:
    await asyncio.sleep(1.0)
    return 2 * number


class TestIterate:
    @given(st.integers(-9, 9), st.integers(0, 6))
    def test_is_what_accumulate_makes_of_nothing_else(self, initial: int, count: int) -> None:
        made = itertools.accumulate(itertools.repeat(None), lambda item, _: double(item), initial=initial)
        expected = list(itertools.islice(made, count))
        assert firsts(streamkit.iterate(double, initial), count) == expected

    @given(st.integers(0, 9))
    def test_with_take_while_is_generate_of_rx(self, most: int) -> None:
        theirs = reactivex.generate(0, lambda number: number < most, lambda number: number + 1)
        ours = streamkit.iterate(lambda number: number + 1, 0) | ops.take_while(lambda number: number < most)
        assert list(ours) == theirs.pipe(of.to_list()).run()

    def test_ends_at_none(self) -> None:
        path = {"c": "b", "b": "a"}
        assert list(streamkit.iterate(path.get, "c")) == ["c", "b", "a"]
        nothing: Any = None
        assert list(streamkit.iterate(path.get, nothing)) == []
        assert list(streamkit.iterate(lambda number: number - 1 if number else None, 2)) == [2, 1, 0]

    @pytest.mark.parametrize("kind", ["function", "coroutine", "lambda"])
    def test_a_call_that_fails_is_made_again(self, kind: str) -> None:
        asked: list[int] = []

        def following(number: int) -> int | None:
            asked.append(number)
            if asked.count(number) < 3:
                raise ConnectionError(number)
            return number + 1 if number < 2 else None

        async def later(number: int) -> int | None:
            return following(number)

        functions: dict[str, Any] = {
            "function": following,
            "coroutine": later,
            "lambda": lambda number: later(number),
        }

        async def main() -> None:
            stream = streamkit.iterate(functions[kind], 0, on_error=Retry(3, 1.0))
            assert await (stream | ops.to_list()) == [0, 1, 2]
            assert asyncio.get_running_loop().time() == 6.0

        run(main)
        assert asked == [0, 0, 0, 1, 1, 1, 2, 2, 2]

    def test_what_follows_where_it_fails(self) -> None:
        def fails(number: int) -> int:
            raise ZeroDivisionError

        after = Replace(lambda item, error: item + 1 if item < 3 else None)
        assert list(streamkit.iterate(fails, 1, on_error=after)) == [1, 2, 3]
        with pytest.raises(ZeroDivisionError):
            list(streamkit.iterate(fails, 1, on_error=Retry(2)))

    @pytest.mark.parametrize("on_error", [Resume(), Retry(2, then=Resume())])
    def test_nothing_follows_what_is_dropped(self, on_error: OnError) -> None:
        with pytest.raises(ValueError, match=r"^on_error must be Retry\(...\) or Replace\(...\), not Re"):
            streamkit.iterate(double, 1, on_error=on_error)

    @pytest.mark.parametrize("on_error", [5, "retry", Retry, print])
    def test_no_policy(self, on_error: Any) -> None:
        with pytest.raises(TypeError, match=r"^on_error must be"):
            streamkit.iterate(double, 1, on_error=on_error)

    def test_a_policy_is_shown(self) -> None:
        stream = streamkit.iterate(double, 1, on_error=Retry(2))
        assert repr(stream) == "Stream(iterate(double, 1, on_error=Retry(2)))"

    @pytest.mark.parametrize("function", [double_later, lambda number: double_later(number)])
    def test_what_is_returned_is_awaited(self, function: Callable[[int], Any]) -> None:
        async def main() -> None:
            assert await (streamkit.iterate(function, 1) | ops.take(3) | ops.to_list()) == [1, 2, 4]
            assert asyncio.get_running_loop().time() == 2.0

        run(main)

    def test_the_function_is_called_when_the_next_item_is_asked_for(self) -> None:
        calls: list[int] = []

        def called(number: int) -> int:
            calls.append(number)
            return number + 1

        items = iter(streamkit.iterate(called, 0))
        assert (next(items), calls) == (0, [])
        assert (next(items), calls) == (1, [0])
        assert (streamkit.iterate(called, 5) | ops.first()).run() == 5
        assert calls == [0]

    def test_is_one_loop_with_the_steps_behind_it(self) -> None:
        def fail(number: int) -> int:
            raise OSError("gone")

        with pytest.raises(OSError, match="gone") as caught:
            (streamkit.iterate(double, 1) | ops.map(fail) | ops.drain()).run()
        frames = [frame for frame in traceback.extract_tb(caught.value.__traceback__) if frame.name == "loop"]
        assert len(frames) == 1

    def test_an_error_names_it(self) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            list(streamkit.iterate(lambda number: 1 // number, 0))
        assert caught.value.__notes__[0].startswith(
            "in iterate(<lambda>, 0) at tests/sources/test_values.py:"
        )

    @pytest.mark.parametrize("value", [None, 5, "text", [1]])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not"):
            streamkit.iterate(value, 1)
