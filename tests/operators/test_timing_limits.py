"""timeout: limits for the first item, between items and for the whole stream, and what it goes on with."""

import asyncio
from collections.abc import AsyncIterator
from itertools import accumulate
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as of

from streamkit import Stream, StreamTimeoutError, Suspend, ops
from streamkit.testing import run
from tests.marbles import ERROR, Noted, drawn, noted
from tests.operators.pacing import gapped
from tests.operators.virtual import emitted

GAPS = st.lists(st.integers(0, 30).map(lambda eighths: eighths / 8), max_size=9)
ENDS = st.integers(0, 20).map(lambda eighths: eighths / 8)
OFF_BEAT = 1 + 1 / 16
"""Never ends in the turn in which an item comes. RxPY counts in whole microseconds: it is so many."""
LIMITS = st.none() | st.integers(1, 40).map(lambda eighths: eighths / 8 + 1 / 1024)


def kinds(seen: Noted) -> Noted:
    """`seen`, in which every timeout is the same."""
    return [(time, "late" if isinstance(what, Exception) else what) for time, what in seen]


def limited(gaps: list[float], first: float, between: float, total: float) -> float:
    """When a limit is passed, if ever; `gaps` are the times between items, and before the end."""
    times = [0.0, *accumulate(gaps)]
    dues = [before + (between if place else first) for place, before in enumerate(times[:-1])]
    late = [due for due, time in zip(dues, times[1:], strict=True) if time > due]
    return min([*late[:1], *([total] if times[-1] > total else [])], default=float("inf"))


@given(GAPS, ENDS)
def test_is_that_of_rxpy_for_a_consumer_that_is_never_busy(gaps: list[float], ends: float) -> None:
    seen = noted(Stream(gapped(gaps, ends)) | ops.timeout(OFF_BEAT))
    assert kinds(seen) == kinds(emitted(of.timeout(OFF_BEAT), gaps, ends))


@given(GAPS, ENDS)
def test_goes_on_as_rxpy_does(gaps: list[float], ends: float) -> None:
    seen = noted(Stream(gapped(gaps, ends)) | ops.timeout(OFF_BEAT, fallback=["x", "y"]))
    assert seen == emitted(of.timeout(OFF_BEAT, reactivex.of("x", "y")), gaps, ends)


@given(GAPS, ENDS, LIMITS, LIMITS, LIMITS)
def test_each_limit_holds(
    gaps: list[float], ends: float, first: float | None, between: float | None, total: float | None
) -> None:
    if first is between is total is None:
        return
    seen = noted(Stream(gapped(gaps, ends)) | ops.timeout(first=first, between=between, total=total))
    never = float("inf")
    late = limited([*gaps, ends], first or never, between or never, total or never)
    wants = [(time, number) for number, time in enumerate(accumulate(gaps)) if time < late]
    assert kinds(seen) == [*wants, (late, "late") if late < never else (sum(gaps) + ends, "|")]


class TestLimits:
    def test_the_diagrams(self) -> None:
        items = Stream(drawn("--a--b-----------c--|"))
        begin = [(2.0, "a"), (5.0, "b")]
        assert kinds(noted(items | ops.timeout(5.0))) == [*begin, (10.0, "late")]
        assert kinds(noted(items | ops.timeout(total=7.0))) == [*begin, (7.0, "late")]
        assert noted(items | ops.timeout(5.0, fallback="z")) == [*begin, (10.0, "z"), (10.0, "|")]

    def test_first_and_between_are_seconds_where_they_are_not_given(self) -> None:
        items = Stream(drawn("---a-b---c|"))
        assert kinds(noted(items | ops.timeout(2.0, first=5.0)))[-1] == (7.0, "late")
        assert kinds(noted(items | ops.timeout(2.0, between=5.0)))[-1] == (2.0, "late")
        assert noted(items | ops.timeout(between=5.0, first=4.0))[-1] == (10.0, "|")

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ({"first": 1.0}, "no item came within 1.0 s"),
            ({"between": 2.0}, "no item came within 2.0 s"),
            ({"total": 4.0, "between": 9.0}, "the stream did not end within 4.0 s"),
        ],
    )
    def test_the_error_says_what_was_late(self, given: dict[str, float], text: str) -> None:
        error = noted(Stream(drawn("--a------|")) | ops.timeout(**given))[-1][1]
        assert isinstance(error, StreamTimeoutError)
        assert str(error) == text
        assert error.__notes__[0].startswith("in timeout(")

    def test_total_counts_the_time_of_the_consumer_and_between_does_not(self) -> None:
        seen = noted(Stream(drawn("abc|")) | ops.timeout(between=2.0), 9.0, 9.0, 9.0)
        assert seen[-1] == (27.0, "|")
        seen = noted(Stream(drawn("abc|")) | ops.timeout(total=10.0), 9.0, 9.0, 9.0)
        assert kinds(seen) == [(0.0, "a"), (9.0, "b"), (18.0, "late")]

    def test_what_a_buffer_before_it_holds_comes_before_the_error_of_total(self) -> None:
        stream = Stream(range(9)) | ops.buffer(Suspend(2)) | ops.timeout(total=5.0)
        assert kinds(noted(stream, 3.0, 3.0, 3.0)) == [
            *((0.0, 0), (3.0, 1), (6.0, 2), (9.0, 3)),
            (9.0, "late"),
        ]

    def test_an_item_that_comes_in_the_turn_in_which_the_whole_time_ends_is_passed_on(self) -> None:
        seen = noted(Stream(drawn("--a--|")) | ops.timeout(total=2.0))
        assert kinds(seen) in ([(2.0, "a"), (2.0, "late")], [(2.0, "late")])
        assert noted(Stream(drawn("--a|")) | ops.timeout(total=3.0))[0] == (2.0, "a")


class TestFallback:
    def test_the_source_is_closed_before_it_is_opened(self) -> None:
        cleaned: list[float] = []

        async def other() -> AsyncIterator[str]:
            assert cleaned == [4.0]
            yield "x"

        stream = Stream(drawn("a-----b|", cleaned, takes=2.0)) | ops.timeout(2.0, fallback=other)
        assert noted(stream) == [(0.0, "a"), (4.0, "x"), (4.0, "|")]

    def test_has_no_limit_of_its_own(self) -> None:
        stream = Stream(drawn("a---|")) | ops.timeout(1.0, total=2.0, fallback=drawn("----x----|"))
        assert noted(stream) == [(0.0, "a"), (5.0, "x"), (10.0, "|")]

    def test_is_not_opened_where_the_source_is_in_time_and_not_after_an_error(self) -> None:
        def never() -> list[str]:
            raise AssertionError

        assert noted(Stream(drawn("ab|")) | ops.timeout(5.0, fallback=never))[-1] == (2.0, "|")
        assert noted(Stream(drawn("abX")) | ops.timeout(5.0, fallback=never))[-1] == (2.0, ERROR)

    def test_its_error_comes_as_itself(self) -> None:
        stream = Stream(drawn("---|")) | ops.timeout(1.0, fallback=drawn("X"))
        assert noted(stream) == [(1.0, ERROR)]

    def test_what_is_held_comes_before_it(self) -> None:
        stream = Stream(range(9)) | ops.buffer(Suspend(2)) | ops.timeout(total=5.0, fallback="x")
        seen = noted(stream, 3.0, 3.0, 3.0)
        assert [item for _, item in seen] == [0, 1, 2, 3, "x", "|"]

    def test_what_the_clean_up_of_the_late_source_raises_is_not_lost(self) -> None:
        async def source() -> AsyncIterator[str]:
            try:
                yield "a"
                await asyncio.sleep(9.0)
            finally:
                raise ERROR

        seen = noted(Stream(source) | ops.timeout(1.0, fallback="x"))
        assert seen == [(0.0, "a"), (1.0, ERROR)]

    def test_a_consumer_that_leaves_closes_it(self) -> None:
        cleaned: list[float] = []

        async def main() -> None:
            stream = Stream(drawn("---|")) | ops.timeout(1.0, fallback=drawn("xy-", cleaned))
            async with stream.open() as items:
                assert await anext(items) == "x"

        run(main)
        assert cleaned == [1.0]


class TestBadArguments:
    @pytest.mark.parametrize("name", ["seconds", "first", "between", "total"])
    @pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), 10**400, True, "2", [1.0]])
    def test_no_time(self, name: str, value: Any) -> None:
        kind = ValueError if isinstance(value, (int, float)) and value is not True else TypeError
        with pytest.raises(kind, match=f"{name} must be a finite number of seconds above 0, not"):
            ops.timeout(**{name: value})

    def test_none_at_all(self) -> None:
        with pytest.raises(TypeError, match="timeout needs a time: write seconds=, first=, between= or tot"):
            ops.timeout(fallback=[1])

    def test_seconds_beside_both(self) -> None:
        with pytest.raises(ValueError, match=r"seconds must be left out .*, not 1\.0"):
            ops.timeout(1.0, first=2.0, between=3.0)

    @pytest.mark.parametrize("value", [3, None])
    def test_no_fallback(self, value: Any) -> None:
        with pytest.raises(TypeError, match="fallback must be an iterable, an async iterable, or a callable"):
            ops.timeout(1.0, fallback=value)
