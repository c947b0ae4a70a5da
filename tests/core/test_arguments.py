"""Checks of arguments: what passes and as what, and what each error says."""

import asyncio
import copy
import functools
import math
import pickle
from collections import ChainMap
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import ABSENT, ops
from streamkit._core.arguments import (
    callback,
    discard,
    flag,
    is_said,
    iterable,
    makes_coroutine,
    mapping,
    number,
    seconds,
    whole,
)
from streamkit._core.markers import Marker
from streamkit._core.show import shown

NO_NUMBERS = ["1", None, [1], 1j, object]


class Five:
    def __index__(self) -> int:
        return 5


class Numbers:
    """Several numbers, as an array has them."""

    def __len__(self) -> int:
        return 2

    def __index__(self) -> int:
        raise TypeError("only arrays of one number can become one")

    __float__ = __index__


class OneNumber:
    """An array of one, which ``float`` takes."""

    def __len__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 5.0


class Refusing:
    def __index__(self) -> int:
        raise OSError("no")

    def __float__(self) -> float:
        raise OSError("no")


class Unreadable:
    def __iter__(self) -> Any:
        raise OSError("gone")


class Waiting:
    """An object that is called like a coroutine function."""

    async def __call__(self, *arguments: Any) -> None: ...


class Elusive:
    """Asked for whatever it has not, it fails."""

    def __getattr__(self, name: str) -> Any:
        raise OSError("no")


class Exactly(float):
    """A kind of float of its own, as NumPy's is."""


class Work:
    """An awaitable that says whether it was closed."""

    closed = False

    def __await__(self) -> Any:
        yield

    def close(self) -> None:
        self.closed = True


def kind_of(value: object) -> str:
    return type(value).__name__


def plain(*arguments: Any) -> None: ...


async def waiting(*arguments: Any) -> None: ...


class TestWhole:
    @given(st.integers(), st.integers())
    def test_passes_from_the_least_on_and_says_what_is_wrong_below(self, value: int, least: int) -> None:
        if value >= least:
            assert whole("size", value, least=least) == value
            return
        with pytest.raises(ValueError, match="must be") as caught:
            whole("size", value, least=least)
        assert str(caught.value) == f"size must be a whole number of at least {least}, not {value}"

    @given(st.integers(), st.integers())
    def test_says_what_is_wrong_above_the_most(self, value: int, most: int) -> None:
        if 0 <= value <= most:
            assert whole("size", value, least=0, most=most) == value
            return
        with pytest.raises(
            ValueError, match=f"size must be a whole number of at least 0, and at most {most}"
        ):
            whole("size", value, least=0, most=most)

    @given(st.integers())
    def test_without_a_least_any_passes(self, value: int) -> None:
        assert whole("size", value) == value

    def test_what_python_takes_for_a_whole_number_becomes_one(self) -> None:
        assert type(whole("size", Five())) is int  # type: ignore[arg-type]
        assert whole("size", Five(), least=5) == 5  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", [True, False, 1.0, math.nan, *NO_NUMBERS])
    def test_what_is_none(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            whole("size", value)
        assert str(caught.value) == f"size must be a whole number, not {value!r}"
        with pytest.raises(TypeError) as caught:
            whole("size", value, least=1)
        assert str(caught.value) == f"size must be a whole number of at least 1, not {value!r}"

    def test_of_an_index_that_fails_or_is_none_names_the_argument(self) -> None:
        for value in (Numbers(), Refusing()):
            with pytest.raises(TypeError) as caught:
                whole("size", value)
            assert str(caught.value) == f"size must be a whole number, not {shown(value)}"


class TestSeconds:
    @given(st.floats(min_value=0, exclude_min=True, allow_infinity=False) | st.integers(1, 10**9))
    def test_passes_as_a_float(self, value: float) -> None:
        assert seconds("pause", value) == value
        assert type(seconds("pause", value)) is float

    def test_zero_passes_only_where_it_may(self) -> None:
        assert seconds("pause", 0, positive=False) == 0.0
        with pytest.raises(ValueError, match=r"pause must be a finite number of seconds above 0, not 0$"):
            seconds("pause", 0)

    @pytest.mark.parametrize(
        "value", [Five(), Fraction(5), Decimal(5), Exactly(5.0)], ids=lambda value: type(value).__name__
    )
    def test_what_python_takes_for_a_number_becomes_one(self, value: Any) -> None:
        assert (seconds("pause", value), type(seconds("pause", value))) == (5.0, float)
        assert (number("rate", value, least=5), type(number("rate", value))) == (5.0, float)

    @pytest.mark.parametrize(
        "value", [Numbers(), OneNumber(), Refusing()], ids=["several", "one of an array", "refusing"]
    )
    def test_what_fails_to_be_one_names_the_argument(self, value: Any) -> None:
        for check, words in ((seconds, "a finite number of seconds above 0"), (number, "a finite number")):
            with pytest.raises(TypeError) as caught:
                check("pause", value)
            assert str(caught.value) == f"pause must be {words}, not {shown(value)}"

    def test_what_no_float_can_hold(self) -> None:
        with pytest.raises(ValueError, match="pause must be a finite number of seconds above 0, not <int of"):
            seconds("pause", 10**5000)

    @given(st.floats(max_value=0, exclude_max=True) | st.sampled_from([math.inf, math.nan]))
    def test_below_zero_and_endless_never_pass(self, value: float) -> None:
        with pytest.raises(ValueError, match="pause must be a finite number of seconds above 0, not"):
            seconds("pause", value)
        with pytest.raises(ValueError, match="pause must be a finite number of seconds of at least 0, not"):
            seconds("pause", value, positive=False)

    @pytest.mark.parametrize("value", [True, False, *NO_NUMBERS])
    def test_what_is_none(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            seconds("pause", value)
        assert str(caught.value) == f"pause must be a finite number of seconds above 0, not {value!r}"


class TestNumber:
    @given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9))
    def test_passes_as_a_float(self, value: float) -> None:
        assert number("rate", value) == value
        assert type(number("rate", value)) is float

    @given(st.floats(allow_infinity=False), st.integers(-5, 5))
    def test_limits(self, value: float, limit: int) -> None:
        for limits, passes, words in (
            ({"least": limit}, value >= limit, f"of at least {limit}"),
            ({"above": limit}, value > limit, f"above {limit}"),
        ):
            if passes:
                assert number("rate", value, **limits) == value
                continue
            with pytest.raises(ValueError, match="rate must be") as caught:
                number("rate", value, **limits)
            assert str(caught.value) == f"rate must be a finite number {words}, not {value!r}"

    @pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
    def test_what_is_not_finite(self, value: float) -> None:
        with pytest.raises(ValueError, match="rate must be") as caught:
            number("rate", value)
        assert str(caught.value) == f"rate must be a finite number, not {value!r}"

    @pytest.mark.parametrize("value", [True, False, *NO_NUMBERS])
    def test_what_is_none(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            number("rate", value, above=0)
        assert str(caught.value) == f"rate must be a finite number above 0, not {value!r}"


class TestFlag:
    @pytest.mark.parametrize("value", [True, False])
    def test_passes(self, value: bool) -> None:
        assert flag("strict", value) is value

    @pytest.mark.parametrize("value", [0, 1, None, "yes", []])
    def test_truth_is_not_enough(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            flag("strict", value)
        assert str(caught.value) == f"strict must be True or False, not {value!r}"


class TestIterableAndMapping:
    @pytest.mark.parametrize(
        "value", [[], "", iter([1]), range(2), {1: 2}], ids=lambda value: type(value).__name__
    )
    def test_what_a_plain_for_goes_through_passes_as_it_is(self, value: Any) -> None:
        assert iterable("items", value) is value

    @pytest.mark.parametrize("value", [5, None, len, Unreadable()], ids=lambda value: type(value).__name__)
    def test_what_it_does_not_names_the_argument_and_has_its_cause(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            iterable("items", value)
        assert str(caught.value) == f"items must be an iterable, not {shown(value)}"
        assert isinstance(caught.value.__cause__, OSError if isinstance(value, Unreadable) else TypeError)

    @pytest.mark.parametrize(
        "value", [{}, MappingProxyType({1: 2}), ChainMap({})], ids=lambda value: type(value).__name__
    )
    def test_a_mapping_passes_as_it_is(self, value: Any) -> None:
        assert mapping("pipes", value) is value

    @pytest.mark.parametrize("value", [5, None, [(1, 2)], dict], ids=repr)
    def test_what_is_no_mapping_names_the_argument(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            mapping("pipes", value)
        assert str(caught.value) == f"pipes must be a mapping, such as a dict, not {shown(value)}"


class TestCallback:
    @pytest.mark.parametrize(
        "value",
        [plain, waiting, len, str, functools.partial(plain), lambda: None, "".join],
        ids=lambda value: type(value).__name__,
    )
    def test_passes_as_it_is(self, value: Any) -> None:
        assert callback("function", value) is value

    @pytest.mark.parametrize("value", [ops.take(1), ops.batch(1), ops.count(), ops.map(str)], ids=repr)
    def test_operators_are_none_though_some_can_be_called(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            callback("function", value)
        assert str(caught.value) == f"function must be a callable, not the operator {value!r}"

    @pytest.mark.parametrize("value", [5, None, object()], ids=["number", "none", "object"])
    def test_what_cannot_be_called(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            callback("function", value)
        assert str(caught.value) == f"function must be a callable, not {value!r}"

    @pytest.mark.parametrize("value", [[1], "text", {}, range(3)])
    def test_what_could_be_a_source_gets_a_hint(self, value: Any) -> None:
        with pytest.raises(TypeError, match=r"to read items from it, use it as a source$"):
            callback("function", value)

    def test_a_coroutine_gets_a_hint_and_is_closed(self) -> None:
        work = waiting()
        with pytest.raises(TypeError) as caught:
            callback("function", work)  # type: ignore[arg-type]
        assert str(caught.value) == (
            f"function must be a callable, not the awaitable {shown(work)}: "
            "pass the function without calling it"
        )

    def test_a_plain_function_can_be_required(self) -> None:
        assert callback("on_drop", plain, waits=False) is plain
        for value in (waiting, Waiting()):
            with pytest.raises(TypeError) as caught:
                callback("on_drop", value, waits=False)
            assert str(caught.value) == (
                f"on_drop must be a plain function, not the coroutine function {shown(value)}"
            )


class TestMakesCoroutine:
    @pytest.mark.parametrize("value", [waiting, Waiting(), functools.partial(waiting)], ids=kind_of)
    def test_a_coroutine_function_and_an_object_that_is_called_like_one(self, value: Any) -> None:
        assert makes_coroutine(value)

    @pytest.mark.parametrize(
        "value", [plain, str, 5, None, Five(), Elusive()], ids=lambda value: type(value).__name__
    )
    def test_nothing_else_does_whatever_it_answers(self, value: Any) -> None:
        assert not makes_coroutine(value)

    def test_of_what_answers_no_question_nothing_is_said(self) -> None:
        assert is_said(callable, plain)
        assert not is_said(lambda value: value.nowhere, Elusive())


class TestDiscard:
    def test_closes_what_would_be_awaited_by_nobody(self) -> None:
        work = Work()
        discard(work)
        assert work.closed
        discard(asyncio.sleep(1.0))  # a warning of Python would fail this test

    @pytest.mark.parametrize("value", [5, None, "text", asyncio.sleep])
    def test_leaves_everything_else_alone(self, value: Any) -> None:
        discard(value)

    def test_leaves_an_open_file_open(self, tmp_path: Any) -> None:
        with (tmp_path / "file").open("w") as file:
            discard(file)
            assert not file.closed


class TestAbsent:
    def test_is_one_value_also_after_copying(self) -> None:
        for same in (
            copy.copy(ABSENT),
            copy.deepcopy(ABSENT),
            pickle.loads(pickle.dumps(ABSENT)),
            Marker.ABSENT,
        ):
            assert same is ABSENT

    def test_says_its_name(self) -> None:
        assert repr(ABSENT) == "ABSENT"

    @pytest.mark.parametrize("value", [None, False, 0, "", "absent"])
    def test_equals_no_value_that_a_user_could_give(self, value: Any) -> None:
        assert value != ABSENT
