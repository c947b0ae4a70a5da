"""sample, debounce, and the arguments that keep_alive shares with them."""

import asyncio
from collections.abc import Callable
from itertools import accumulate
from math import ceil
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, Suspend, ops
from streamkit.testing import run
from tests.marbles import ERROR, Noted, drawn, noted
from tests.operators.pacing import OFF_BEAT, gapped, still, stopped

Dropped = list[tuple[Any, str]]


def last_of_each_period(gaps: list[float], ends: float, seconds: float) -> Noted:
    """What `sample` gives a consumer that is never busy, worked out without it."""
    times = list(accumulate(gaps))
    over = sum(gaps) + ends
    latest = {ceil(time / seconds): number for number, time in enumerate(times)}
    return [*((min(period * seconds, over), number) for period, number in latest.items()), (over, "|")]


class TestSample:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b-c-----------d---|")) | ops.sample(5.0)
        assert noted(stream) == [(5.0, "b"), (10.0, "c"), (20.0, "d"), (22.0, "|")]

    @given(
        st.lists(st.integers(1, 30).map(lambda eighths: eighths / 8), max_size=9),
        st.integers(0, 20).map(lambda eighths: eighths / 8),
    )
    def test_of_each_period_the_latest_and_at_the_end_what_is_left(
        self, gaps: list[float], ends: float
    ) -> None:
        dropped: Dropped = []
        stream = Stream(gapped(gaps, ends)) | ops.sample(
            OFF_BEAT, on_drop=lambda item, why: dropped.append((item, why))
        )
        seen = noted(stream)
        assert seen == last_of_each_period(gaps, ends, OFF_BEAT)
        passed = [item for _, item in seen[:-1]]
        assert [(item, "full") for item in range(len(gaps)) if item not in passed] == dropped

    @given(st.lists(st.sampled_from([0.5, 1.0, 1.5]), max_size=12))
    def test_an_item_that_comes_in_the_turn_in_which_a_period_ends_passes_or_is_counted(
        self, gaps: list[float]
    ) -> None:
        dropped: list[int] = []
        stream = Stream(gapped(gaps)) | ops.sample(1.0, on_drop=lambda item, _: dropped.append(item))
        passed = [item for _, item in noted(stream)[:-1]]
        assert passed == sorted(passed)
        assert sorted([*passed, *dropped]) == list(range(len(gaps)))
        assert passed[-1:] == list(range(len(gaps)))[-1:]

    def test_a_period_without_an_item_passes_nothing_on(self) -> None:
        stream = Stream(drawn("-a-----------------b--|")) | ops.sample(2.0)
        assert noted(stream) == [(2.0, "a"), (20.0, "b"), (22.0, "|")]

    def test_what_is_left_comes_at_the_end_and_not_later(self) -> None:
        assert noted(Stream(drawn("-a-b|")) | ops.sample(60.0)) == [(4.0, "b"), (4.0, "|")]

    def test_a_late_consumer_gets_the_latest_at_the_end_of_the_next_period(self) -> None:
        stream = Stream(drawn("-a-b-c-d-e-f-g------|")) | ops.sample(2.0)
        assert noted(stream, 5.0) == [
            (2.0, "a"),
            (8.0, "d"),
            (10.0, "e"),
            (12.0, "f"),
            (14.0, "g"),
            (20.0, "|"),
        ]

    def test_a_consumer_that_is_busy_at_the_end_gets_what_is_left_when_it_asks(self) -> None:
        stream = Stream(drawn("-a-b-c|")) | ops.sample(2.0)
        assert noted(stream, 7.0) == [(2.0, "a"), (9.0, "c"), (9.0, "|")]

    def test_periods_do_not_drift(self) -> None:
        stream = Stream(gapped([0.37] * 1000)) | ops.sample(0.5)
        for time, item in noted(stream)[:-2]:
            assert time * 2 == pytest.approx(round(time * 2))
            assert item == pytest.approx(time / 0.37 - 1, abs=1.0)

    def test_the_latest_comes_before_an_error_of_the_source(self) -> None:
        assert noted(Stream(drawn("-a-bX")) | ops.sample(9.0)) == [(4.0, "b"), (4.0, ERROR)]

    def test_an_error_of_on_drop_comes_after_the_latest_and_is_named(self) -> None:
        error = ValueError("on_drop")

        def on_drop(item: Any, reason: str) -> None:
            raise error

        assert noted(Stream(drawn("-a-b---|")) | ops.sample(9.0, on_drop=on_drop))[-1] == (3.0, error)
        assert error.__notes__[0].startswith("in sample(9.0, on_drop=")

    def test_what_is_held_at_an_early_end_is_dropped_as_closed(self) -> None:
        dropped: Dropped = []
        cleaned: list[float] = []
        stats = stopped(
            Stream(drawn("-a-b-c-", cleaned))
            | ops.sample(2.0, on_drop=lambda item, why: dropped.append((item, why))),
            9.0,
        )
        assert dropped == [("b", "full"), ("c", "closed")]
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (3, 1, 2, 0)
        assert cleaned == [9.0]

    def test_an_early_end_while_a_period_runs_leaves_nothing(self) -> None:
        dropped: Dropped = []

        async def main() -> None:
            stream = Stream(drawn("-a-")) | ops.sample(
                50.0, on_drop=lambda item, why: dropped.append((item, why))
            )
            async with stream.open() as items:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(5.0):
                        await anext(items)

        run(main)
        assert dropped == [("a", "closed")]

    def test_empty(self) -> None:
        assert noted(Stream(drawn("---|")) | ops.sample(1.0)) == [(3.0, "|")]

    def test_a_buffer_before_it_is_read_through(self) -> None:
        stream = Stream(drawn("-a-b-c|")) | ops.buffer(Suspend(4)) | ops.sample(4.0)
        assert noted(stream) == [(4.0, "b"), (6.0, "c"), (6.0, "|")]


def quiet(gaps: list[float], ends: float, seconds: float) -> Noted:
    """What `debounce` gives a consumer that is never busy, worked out without it."""
    times = list(accumulate(gaps))
    over = sum(gaps) + ends
    following = [*times[1:], float("inf")]
    return [
        *(
            (min(time + seconds, over), number)
            for number, (time, following) in enumerate(zip(times, following, strict=False))
            if following - time > seconds
        ),
        (over, "|"),
    ]


class TestDebounce:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b-c-----------d--|")) | ops.debounce(5.0)
        assert noted(stream) == [(11.0, "c"), (21.0, "d"), (21.0, "|")]

    @given(
        st.lists(st.integers(1, 30).map(lambda eighths: eighths / 8), max_size=9),
        st.integers(0, 20).map(lambda eighths: eighths / 8),
    )
    def test_items_that_no_other_follows_in_time(self, gaps: list[float], ends: float) -> None:
        dropped: Dropped = []
        stream = Stream(gapped(gaps, ends)) | ops.debounce(
            OFF_BEAT, on_drop=lambda item, why: dropped.append((item, why))
        )
        seen = noted(stream)
        assert seen == quiet(gaps, ends, OFF_BEAT)
        passed = [item for _, item in seen[:-1]]
        assert [(item, "full") for item in range(len(gaps)) if item not in passed] == dropped

    @given(st.lists(st.sampled_from([0.5, 1.0, 1.5]), max_size=12))
    def test_an_item_that_comes_in_the_turn_in_which_the_time_ends_passes_or_is_counted(
        self, gaps: list[float]
    ) -> None:
        dropped: list[int] = []
        stream = Stream(gapped(gaps)) | ops.debounce(1.0, on_drop=lambda item, _: dropped.append(item))
        passed = [item for _, item in noted(stream)[:-1]]
        assert passed == sorted(passed)
        assert sorted([*passed, *dropped]) == list(range(len(gaps)))
        assert {item for item, gap in enumerate(gaps[1:]) if gap == 1.5} <= {*passed}

    def test_at_the_end_of_the_source_the_latest_comes_at_once(self) -> None:
        assert noted(Stream(drawn("-ab|")) | ops.debounce(60.0)) == [(3.0, "b"), (3.0, "|")]

    def test_a_late_consumer_gets_what_has_been_quiet_at_once(self) -> None:
        stream = Stream(drawn("-a----b-c------|")) | ops.debounce(2.0)
        assert noted(stream, 9.0) == [(3.0, "a"), (12.0, "c"), (15.0, "|")]

    def test_a_late_consumer_waits_for_the_rest_of_the_time_only(self) -> None:
        stream = Stream(drawn("-a----b-c--------|")) | ops.debounce(4.0)
        assert noted(stream, 5.0) == [(5.0, "a"), (12.0, "c"), (17.0, "|")]

    def test_endless_chatter_passes_nothing_on(self) -> None:
        stream = Stream(gapped([0.5] * 200)) | ops.debounce(1.0)
        assert noted(stream) == [(100.0, 199), (100.0, "|")]

    def test_the_latest_comes_before_an_error_of_the_source(self) -> None:
        assert noted(Stream(drawn("-a-bX")) | ops.debounce(9.0)) == [(4.0, "b"), (4.0, ERROR)]

    def test_an_error_of_on_drop_is_named(self) -> None:
        error = ValueError("on_drop")

        def on_drop(item: Any, reason: str) -> None:
            raise error

        assert noted(Stream(drawn("-a-b---|")) | ops.debounce(9.0, on_drop=on_drop))[-1] == (3.0, error)
        assert error.__notes__[0].startswith("in debounce(9.0, on_drop=")

    def test_what_is_held_at_an_early_end_is_dropped_as_closed(self) -> None:
        dropped: Dropped = []
        cleaned: list[float] = []
        stats = stopped(
            Stream(drawn("-a---b-c-", cleaned))
            | ops.debounce(2.0, on_drop=lambda item, why: dropped.append((item, why))),
            9.0,
        )
        assert dropped == [("b", "full"), ("c", "closed")]
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (3, 1, 2, 0)
        assert cleaned == [9.0]

    def test_an_early_end_while_it_waits_leaves_nothing(self) -> None:
        dropped: Dropped = []

        async def main() -> None:
            stream = Stream(drawn("-a-")) | ops.debounce(
                50.0, on_drop=lambda item, why: dropped.append((item, why))
            )
            async with stream.open() as items:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(5.0):
                        await anext(items)

        run(main)
        assert dropped == [("a", "closed")]

    def test_empty(self) -> None:
        assert noted(Stream(drawn("---|")) | ops.debounce(1.0)) == [(3.0, "|")]


OPERATORS: list[Callable[..., Any]] = [
    lambda seconds: ops.keep_alive(seconds, function=still),
    ops.sample,
    ops.debounce,
]


class TestArguments:
    @pytest.mark.parametrize("operator", OPERATORS, ids=["keep_alive", "sample", "debounce"])
    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            *((value, ValueError) for value in (0, -1, 0.0, -0.5, float("inf"), float("nan"))),
            *((value, TypeError) for value in (True, "1", None, [1.0])),
        ],
    )
    def test_seconds_are_a_finite_number_above_zero(
        self, operator: Callable[..., Any], value: Any, kind: type[Exception]
    ) -> None:
        with pytest.raises(kind) as caught:
            operator(value)
        assert str(caught.value) == f"seconds must be a finite number of seconds above 0, not {value!r}"

    @pytest.mark.parametrize("operator", OPERATORS[1:], ids=["sample", "debounce"])
    def test_on_drop_is_a_plain_function(self, operator: Callable[..., Any]) -> None:
        async def later(item: Any, reason: str) -> None: ...

        with pytest.raises(TypeError, match="on_drop must be a callable, not 3"):
            operator(1.0, on_drop=3)
        with pytest.raises(TypeError, match="on_drop must be a plain function, not the coroutine function"):
            operator(1.0, on_drop=later)
