"""throttle_first, throttle_latest and audit."""

import asyncio
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as of

from streamkit import Stream, ops
from streamkit.testing import run
from tests.marbles import ERROR, Noted, drawn, noted
from tests.operators.pacing import BUSY, OFF_BEAT, balanced, consumed, gapped, stopped
from tests.operators.virtual import emitted

EIGHTHS = st.lists(st.integers(1, 30).map(lambda eighths: eighths / 8), max_size=9)
ENDS = st.integers(1, 20).map(lambda eighths: eighths / 8)
Dropped = list[tuple[Any, str]]
MAKES: dict[str, Callable[..., Any]] = {
    "audit": ops.audit,
    "throttle_first": ops.throttle_first,
    "throttle_latest": ops.throttle_latest,
}
every = pytest.mark.parametrize("name", MAKES)


def first_then_latest(gaps: list[float], ends: float, seconds: float) -> Noted:
    """What `throttle_latest` gives a consumer that is never busy, worked out without it."""
    times = [*accumulate(gaps)]
    seen: Noted = []
    due = 0.0
    for number, time in enumerate(times):
        following = times[number + 1] if number + 1 < len(times) else float("inf")
        when = max(time, due)
        if following > when:  # else the next item replaces it
            seen.append((when, number))
            due = when + seconds
    return [*seen, (max([sum(gaps) + ends, *(time for time, _ in seen)]), "|")]


def latest_of_each_period(gaps: list[float], ends: float, seconds: float) -> Noted:
    """What `audit` gives a consumer that is never busy, worked out without it."""
    over = sum(gaps) + ends
    seen: Noted = []
    until = 0.0
    for number, time in enumerate(accumulate(gaps)):
        if time > until:
            until = time + seconds
            seen.append((min(until, over), number))
        else:
            seen[-1] = seen[-1][0], number
    return [*seen, (over, "|")]


class TestThrottleFirst:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b-c-----------d--|")) | ops.throttle_first(5.0)
        assert noted(stream) == [(2.0, "a"), (18.0, "d"), (21.0, "|")]

    @given(EIGHTHS, ENDS, st.sampled_from([0.5, 1.0, 3.0]))
    def test_is_that_of_rxpy(self, gaps: list[float], ends: float, seconds: float) -> None:
        seen = noted(Stream(gapped(gaps, ends)) | ops.throttle_first(seconds))
        assert seen == emitted(of.throttle_first(seconds), gaps, ends)

    def test_unlike_in_rxpy_the_silence_begins_when_a_slow_consumer_has_taken_the_item(self) -> None:
        stream = Stream(drawn("-a-b-c-d-e-f-g-h|")) | ops.throttle_first(2.0)
        assert noted(stream, 5.5) == [
            *((1.0, "a"), (6.5, "b"), (9.0, "e"), (11.0, "f"), (13.0, "g"), (15.0, "h"), (16.0, "|"))
        ]

    def test_the_item_that_waits_comes_before_an_error(self) -> None:
        stream = Stream(drawn("-a--bcX")) | ops.throttle_first(2.0)
        assert noted(stream, 9.0) == [(1.0, "a"), (10.0, "b"), (10.0, ERROR)]


class TestThrottleLatest:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b-c-----------d--|")) | ops.throttle_latest(5.0)
        assert noted(stream) == [(2.0, "a"), (7.0, "c"), (18.0, "d"), (21.0, "|")]

    @given(EIGHTHS, ENDS)
    def test_the_first_at_once_then_the_latest_of_each_period(self, gaps: list[float], ends: float) -> None:
        seen = noted(Stream(gapped(gaps, ends)) | ops.throttle_latest(OFF_BEAT))
        assert seen == first_then_latest(gaps, ends, OFF_BEAT)

    @given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5]), max_size=12), BUSY)
    def test_never_two_within_the_time_and_never_one_that_is_stale(
        self, gaps: list[float], busy: list[float]
    ) -> None:
        seen = noted(Stream(gapped(gaps)) | ops.throttle_latest(1.0), *busy)[:-1]
        came = [*accumulate(gaps)]
        asked = 0.0
        for place, (time, number) in enumerate(seen):
            if place:
                assert time - seen[place - 1][0] >= 1.0
            newer = [when for when in came[number + 1 :] if when < max(asked, time)]
            assert not newer or time == asked == came[number], "a newer one was there"
            asked = time + busy[place]
        assert [number for _, number in seen[-1:]] == [*range(len(gaps))][-1:]

    def test_the_first_of_several_that_come_at_once_passes_if_it_is_waited_for(self) -> None:
        assert noted(Stream("abcd") | ops.throttle_latest(3.0)) == [(0.0, "a"), (3.0, "d"), (3.0, "|")]

    def test_a_slow_consumer_gets_what_is_the_latest_when_it_asks(self) -> None:
        stream = Stream(drawn("-a-b-c-d-e-|")) | ops.throttle_latest(2.0)
        assert noted(stream, 5.5) == [(1.0, "a"), (6.5, "c"), (8.5, "d"), (10.5, "e"), (11.0, "|")]

    def test_the_last_one_waits_for_its_turn_as_does_the_end_or_an_error_behind_it(self) -> None:
        for end, last in (("|", "|"), ("X", ERROR)):
            stream = Stream(drawn(f"ab{end}")) | ops.throttle_latest(9.0)
            assert noted(stream) == [(0.0, "a"), (9.0, "b"), (9.0, last)]


class TestAudit:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b-c-----------d--|")) | ops.audit(5.0)
        assert noted(stream) == [(7.0, "c"), (21.0, "d"), (21.0, "|")]

    @given(EIGHTHS, ENDS)
    def test_the_latest_of_each_period_that_an_item_begins(self, gaps: list[float], ends: float) -> None:
        seen = noted(Stream(gapped(gaps, ends)) | ops.audit(OFF_BEAT))
        assert seen == latest_of_each_period(gaps, ends, OFF_BEAT)

    def test_a_late_consumer_gets_the_latest_at_once_or_waits_for_the_rest_of_the_time(self) -> None:
        stream = Stream(drawn("-a---b-c---d----|")) | ops.audit(2.0)
        assert noted(stream, 9.5, 0.0) == [(3.0, "a"), (12.5, "d"), (16.0, "|")]
        stream = Stream(drawn("-a---b-c---d----|")) | ops.audit(2.0)
        assert noted(stream, 5.5, 0.0) == [(3.0, "a"), (8.5, "c"), (13.0, "d"), (16.0, "|")]

    def test_the_latest_comes_at_once_before_an_error(self) -> None:
        assert noted(Stream(drawn("-a-bX")) | ops.audit(9.0)) == [(4.0, "b"), (4.0, ERROR)]


class TestAll:
    @every
    @given(st.lists(st.integers(0, 4).map(float), max_size=14), BUSY)
    def test_every_item_is_delivered_or_dropped_and_counted(
        self, name: str, gaps: list[float], busy: list[float]
    ) -> None:
        dropped: Dropped = []
        operator = MAKES[name](2.0, on_drop=lambda item, why: dropped.append((item, why)))
        got, stats, error = consumed(Stream(gapped(gaps)) | operator, busy.__getitem__)
        assert error is None
        assert got == sorted(got)
        assert sorted([*got, *(item for item, _ in dropped)]) == [*range(len(gaps))]
        assert {why for _, why in dropped} <= {"full"}
        assert balanced(stats)
        assert (stats.offered, stats.delivered, stats.dropped) == (len(gaps), len(got), len(dropped))

    @every
    def test_what_is_held_at_an_early_end_is_dropped_as_closed(self, name: str) -> None:
        dropped: Dropped = []
        cleaned: list[float] = []
        operator = MAKES[name](2.0, on_drop=lambda item, why: dropped.append((item, why)))
        stats = stopped(Stream(drawn("-a-----b-", cleaned)) | operator, 9.0)
        assert dropped == [("b", "closed")]
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (2, 1, 1, 0)
        assert cleaned == [9.0]

    @every
    def test_a_consumer_that_leaves_while_an_item_waits_leaves_nothing(self, name: str) -> None:
        async def main() -> None:
            async with (Stream(drawn("ab-")) | MAKES[name](50.0)).open() as items:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(5.0):
                        while True:
                            await anext(items)

        run(main)

    @every
    def test_an_error_of_on_drop_is_named(self, name: str) -> None:
        error = ValueError("on_drop")

        def on_drop(item: Any, reason: str) -> None:
            raise error

        assert noted(Stream(drawn("-abcd---|")) | MAKES[name](9.0, on_drop=on_drop))[-1][1] is error
        assert error.__notes__[0].startswith(f"in {name}(9.0, on_drop=")

    @every
    def test_empty(self, name: str) -> None:
        assert noted(Stream(drawn("---|")) | MAKES[name](1.0)) == [(3.0, "|")]

    @every
    @pytest.mark.parametrize("seconds", [0, -1, 0.0, -0.5, float("inf"), float("nan"), 10**400])
    def test_no_time(self, name: str, seconds: float) -> None:
        with pytest.raises(ValueError, match="seconds must be a finite number of seconds above 0"):
            MAKES[name](seconds)

    @every
    @pytest.mark.parametrize("seconds", [True, "1", None, [1.0], Stream([1])])
    def test_no_number(self, name: str, seconds: Any) -> None:
        with pytest.raises(TypeError, match="seconds must be a finite number of seconds above 0, not"):
            MAKES[name](seconds)

    @every
    @pytest.mark.parametrize("on_drop", [3, "x", asyncio.sleep])
    def test_no_plain_function(self, name: str, on_drop: Any) -> None:
        with pytest.raises(TypeError, match="on_drop must be a"):
            MAKES[name](1.0, on_drop=on_drop)
