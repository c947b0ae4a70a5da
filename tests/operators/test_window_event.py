"""window on event time: beside the definitions of Beam and Flink; late items, idle sources, strange times."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import (
    BufferOverflowError,
    Hopping,
    Session,
    Sliding,
    Stream,
    StreamkitError,
    Tumbling,
    Window,
    ops,
)
from streamkit.testing import run
from tests.marbles import noted
from tests.operators.grouping import awaited
from tests.operators.windowing import Found, by_session, by_time, pipes, sliding
from tests.tiers import examples

TIMES = st.lists(
    st.integers(-20, 60) | st.floats(-20, 60, allow_nan=False).map(lambda time: round(time, 1)), max_size=25
)
LENGTHS = st.sampled_from([0.1, 0.3, 1, 2.5, 7, 10])
LATENESS = st.sampled_from([0, 0, 0.1, 1, 5, 30])


def same(time: Any) -> Any:
    return time


def found(times: list[float], kind: Any, pipe: Any = None, **given: Any) -> Found:
    late: list[float] = []
    windows = ops.window(kind, pipe or ops.to_list(), timestamp=same, on_late=late.append, **given)
    return Found(list(Stream(times) | windows), late)


class TestDefinitions:
    @settings(max_examples=examples(300))
    @given(TIMES, LENGTHS, LATENESS)
    def test_tumbling(self, times: list[float], seconds: float, lateness: float) -> None:
        ours = found(times, Tumbling(seconds=seconds), lateness=lateness)
        assert ours == by_time(times, seconds, seconds, lateness)

    @settings(max_examples=examples(300))
    @given(TIMES, LENGTHS, LENGTHS, LATENESS)
    def test_hopping(self, times: list[float], seconds: float, every: float, lateness: float) -> None:
        ours = found(times, Hopping(seconds=seconds, every=every), lateness=lateness)
        assert ours == by_time(times, seconds, every, lateness)

    @settings(max_examples=examples(300))
    @given(TIMES, LENGTHS, LATENESS)
    def test_sessions(self, times: list[float], gap: float, lateness: float) -> None:
        held = {"max_held": 99} if lateness else {}
        windows, late = found(times, Session(gap=gap), lateness=lateness, **held)
        expected = by_session(times, gap, lateness)
        assert [(bounds, sorted(items)) for bounds, items in windows] == expected.windows
        assert sorted(late) == sorted(expected.late)

    @settings(max_examples=examples(300))
    @given(TIMES, LENGTHS, LATENESS)
    def test_sliding(self, times: list[float], seconds: float, lateness: float) -> None:
        ours = found(times, Sliding(seconds=seconds), lateness=lateness, max_held=99)
        assert ours == sliding(times, seconds, lateness)

    @given(TIMES, LENGTHS, LATENESS)
    def test_every_item_is_in_a_window_or_late(
        self, times: list[float], seconds: float, lateness: float
    ) -> None:
        windows, late = found(times, Tumbling(seconds=seconds), lateness=lateness)
        assert sorted([*late, *[time for _, items in windows for time in items]]) == sorted(times)

    @given(TIMES, LENGTHS, LATENESS)
    def test_nothing_is_late_with_enough_lateness(
        self, times: list[float], seconds: float, lateness: float
    ) -> None:
        assert not found(times, Tumbling(seconds=seconds), lateness=200).late

    @given(TIMES)
    def test_sessions_and_sliding_windows_get_their_items_in_order(self, times: list[float]) -> None:
        for kind in (Session(gap=3), Sliding(seconds=3)):
            windows, late = found(times, kind, lateness=200, max_held=99)
            assert not late
            assert all(items == sorted(items) for _, items in windows)

    @given(TIMES, LENGTHS, LATENESS)
    def test_the_windows_of_two_runs_are_the_same(
        self, times: list[float], seconds: float, lateness: float
    ) -> None:
        windows = Stream(times) | ops.window(
            Tumbling(seconds=seconds), ops.to_list(), timestamp=same, lateness=lateness
        )
        assert list(windows) == list(windows)

    @pytest.mark.parametrize(
        ("kind", "given"),
        [
            (Tumbling(seconds=10), {"lateness": 5}),
            (Hopping(seconds=20, every=10), {"lateness": 5}),
            (Session(gap=5), {"lateness": 5, "max_held": 9}),
            (Sliding(seconds=5), {"lateness": 5, "max_held": 9}),
        ],
        ids=str,
    )
    def test_pipes_with_tasks_do_what_pipes_of_steps_do(self, kind: Any, given: dict[str, Any]) -> None:
        times = [1, 4, 12, 3, 13, 40, 38, 25, 41, 7]
        for pipe in (ops.to_list(), ops.batch(2), ops.take(1)):
            of_steps, of_tasks = (found(times, kind, each, **given) for each in pipes(pipe))
            assert sorted([repr(items) for _, items in of_steps.windows]) == sorted(
                [repr(items) for _, items in of_tasks.windows]
            )
            assert of_steps.late == of_tasks.late
        of_steps, of_tasks = (found(times, kind, each, **given) for each in pipes(ops.count()))
        assert sorted(of_steps.windows) == sorted(of_tasks.windows)


class TestLate:
    def test_an_item_behind_the_watermark_is_not_late_while_its_window_is_open(self) -> None:
        """Deliberately otherwise than in bytewax, where 3 is behind the watermark, 8, and so is late."""
        windows, late = found([1, 8, 3], Tumbling(seconds=10))
        assert windows == [(Window(0, 10), [1, 8, 3])]
        assert late == []

    def test_an_item_goes_into_those_of_its_windows_that_are_open(self) -> None:
        windows, late = found([1, 12, 5], Hopping(seconds=20, every=10))
        assert windows == [(Window(-10, 10), [1]), (Window(0, 20), [1, 12, 5]), (Window(10, 30), [12])]
        assert late == []

    def test_an_item_before_the_one_that_came_last_may_belong_to_another_window(self) -> None:
        windows, _ = found([52, 49], Hopping(seconds=10, every=7), lateness=0.1)
        assert windows == [(Window(42, 52), [49]), (Window(49, 59), [52, 49])]

    def test_between_two_windows_nothing_is_late(self) -> None:
        windows, late = found([1, 7, 11, 8, 2], Hopping(seconds=5, every=10))
        assert windows == [(Window(0, 5), [1]), (Window(10, 15), [11])]
        assert late == [2]

    def test_a_duplicate_counts_again(self) -> None:
        assert found([1, 1, 12, 1], Tumbling(seconds=10)) == Found(
            [(Window(0, 10), [1, 1]), (Window(10, 20), [12])], [1]
        )

    @pytest.mark.parametrize("pipe", pipes(ops.count()), ids=str)
    def test_they_are_dropped_and_counted(self, pipe: Any) -> None:
        async def main() -> tuple[Any, int]:
            windows = ops.window(Tumbling(seconds=10), pipe, timestamp=same)
            handle = (Stream([1, 12, 3, 4, 25]) | windows | ops.to_list()).start()
            return await handle, sum(stats.dropped for stats in handle.buffers())

        windows, dropped = run(main)
        assert windows == [(Window(0, 10), 1), (Window(10, 20), 1), (Window(20, 30), 1)]
        assert dropped == 2

    def test_they_can_be_sent_elsewhere(self) -> None:
        late: list[int] = []

        async def elsewhere(time: int) -> None:
            await asyncio.sleep(1.0)
            late.append(time)

        windows = ops.window(Tumbling(seconds=10), ops.count(), timestamp=same, on_late=elsewhere)
        run(lambda: awaited(Stream([1, 12, 3, 4]) | windows | ops.to_list()))
        assert late == [3, 4]

    def test_an_error_of_on_late_ends_the_stream_and_is_blamed(self) -> None:
        def refuse(time: int) -> None:
            raise ZeroDivisionError(time)

        windows = ops.window(Tumbling(seconds=10), ops.count(), timestamp=same, on_late=refuse)
        with pytest.raises(ZeroDivisionError) as caught:
            list(Stream([1, 12, 3]) | windows)
        assert any(note.startswith("in window(") for note in caught.value.__notes__)

    def test_a_time_far_ahead_makes_what_follows_late(self) -> None:
        windows, late = found([1, 1_000_000, 2, 3, 1_000_001], Tumbling(seconds=10))
        assert windows == [(Window(0, 10), [1]), (Window(1_000_000, 1_000_010), [1_000_000, 1_000_001])]
        assert late == [2, 3]


class TestTimes:
    @pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
    def test_times_that_are_not_finite(self, wrong: float) -> None:
        for place in (0, 2):
            times = [1.0, 2.0, 3.0]
            times[place] = wrong
            for kind in (Tumbling(seconds=10), Hopping(seconds=10, every=5), Session(gap=3)):
                with pytest.raises(
                    ValueError, match=r"timestamp\(item\) must be a finite number, not"
                ) as caught:
                    found(times, kind)
                assert any(note.startswith("in window(") for note in caught.value.__notes__)

    @pytest.mark.parametrize("wrong", ["1", None, True, datetime(2026, 1, 1), [1], b"1"])
    def test_times_of_the_wrong_type(self, wrong: Any) -> None:
        for kind in (Tumbling(seconds=10), Hopping(seconds=10, every=5), Session(gap=3)):
            for times in ([wrong], [1.0, wrong]):
                with pytest.raises(TypeError, match=r"timestamp\(item\) must be a finite number, not"):
                    found(times, kind)

    def test_numbers_of_other_types(self) -> None:
        windows, _ = found([Decimal("1.5"), Fraction(5, 2), 3], Tumbling(seconds=2))  # type: ignore[list-item]
        assert [bounds for bounds, _ in windows] == [Window(0, 2), Window(2, 4)]

    @pytest.mark.parametrize("huge", [1e300, -1e300, 1e18])
    def test_times_so_large_that_seconds_mean_nothing(self, huge: float) -> None:
        for kind in (Tumbling(seconds=10), Hopping(seconds=10, every=5), Session(gap=3)):
            with pytest.raises(ValueError, match=r"timestamp\(item\) must be so small that .* not"):
                found([huge], kind)

    def test_negative_times(self) -> None:
        assert found([-15, -5, 5], Tumbling(seconds=10)).windows == [
            (Window(-20, -10), [-15]),
            (Window(-10, 0), [-5]),
            (Window(0, 10), [5]),
        ]

    def test_a_timestamp_may_be_asynchronous(self) -> None:
        async def timed(number: int) -> float:
            await asyncio.sleep(1.0)
            return number

        windows = ops.window(Tumbling(seconds=10), ops.count(), timestamp=timed)
        assert run(lambda: awaited(Stream([1, 12]) | windows | ops.to_list())) == [
            (Window(0, 10), 1),
            (Window(10, 20), 1),
        ]


def slowly(*items: Any) -> Any:
    """A source of numbers, which come at once, and pauses, which are given as lists of seconds."""

    async def source() -> AsyncIterator[Any]:
        for item in items:
            if isinstance(item, list):
                await asyncio.sleep(*item)
            else:
                yield item

    return source


class TestIdle:
    def test_the_watermark_goes_on_by_the_clock(self) -> None:
        late: list[Any] = []
        windows = ops.window(
            Tumbling(seconds=10), ops.count(), timestamp=same, lateness=5, idle=3, on_late=late.append
        )
        stream = Stream(slowly(0, 1, [100], 2, 200)) | windows
        assert noted(stream) == [
            (15.0, (Window(0, 10), 2)),  # at 3, 6, ... 15 it is 4, 7, ... 16: more than 10 and 5
            (100.0, (Window(200, 210), 1)),
            (100.0, "|"),
        ]
        assert late == [2]

    def test_without_it_windows_wait_for_items(self) -> None:
        windows = ops.window(Tumbling(seconds=10), ops.count(), timestamp=same, lateness=5)
        assert noted(Stream(slowly(0, 1, [100], 200)) | windows)[0] == (100.0, (Window(0, 10), 2))

    def test_sessions_end_too_and_what_waited_is_in_them(self) -> None:
        windows = ops.window(Session(gap=10), ops.to_list(), timestamp=same, lateness=5, idle=1, max_held=9)
        assert noted(Stream(slowly(1, 0, [100])) | windows)[0] == (15.0, (Window(0, 11), [0, 1]))

    def test_nothing_ticks_when_no_window_is_open(self) -> None:
        windows = ops.window(Tumbling(seconds=1), ops.count(), timestamp=same, idle=1e-3)
        assert noted(Stream(slowly([1e9])) | windows) == [(1e9, "|")]
        assert noted(Stream(slowly(0, [1e9])) | windows)[-1] == (1e9, "|")

    def test_time_in_which_the_consumer_is_busy_does_not_count(self) -> None:
        windows = ops.window(Tumbling(seconds=10), ops.count(), timestamp=same, idle=5)
        found = noted(Stream(slowly(0, 11, 12, 13)) | windows, 100.0)
        assert found == [(0.0, (Window(0, 10), 1)), (100.0, (Window(10, 20), 3)), (100.0, "|")]


class TestHeld:
    def test_sessions_hold_what_the_watermark_has_not_come_to(self) -> None:
        windows = ops.window(Session(gap=9), ops.count(), timestamp=same, lateness=5, max_held=2)
        assert list(Stream([0, 1, 10, 20]) | windows) == [
            (Window(0, 10), 2),
            (Window(10, 19), 1),
            (Window(20, 29), 1),
        ]
        with pytest.raises(
            BufferOverflowError, match="2 wait for the watermark already; raise max_held"
        ) as caught:
            list(Stream([0, 1, 2]) | windows)
        assert isinstance(caught.value, StreamkitError)
        assert any(note.startswith("in window(Session(gap=9.0)") for note in caught.value.__notes__)

    def test_sliding_windows_hold_what_they_have(self) -> None:
        windows = ops.window(Sliding(seconds=5), ops.count(), timestamp=same, max_held=2)
        assert [total for _, total in Stream([0, 1, 5, 10, 11]) | windows] == [1, 2, 2, 1, 2]
        with pytest.raises(BufferOverflowError, match=r"2 have come within 5\.0 s; raise max_held"):
            list(Stream([0, 1, 2]) | windows)

    @pytest.mark.parametrize("pipe", pipes(ops.map(str)), ids=str)
    def test_what_waits_goes_into_its_window_before_an_error_of_the_source(self, pipe: Any) -> None:
        def source() -> Iterator[int]:
            yield from [3, 1, 2]
            raise LookupError

        seen: list[Any] = []
        windows = ops.window(Session(gap=9), pipe, timestamp=same, lateness=5, max_held=9)
        with pytest.raises(LookupError):
            (Stream(source) | windows | ops.for_each(lambda pair: seen.append(pair[1]))).run()
        assert seen == ["1", "2", "3"]

    def test_the_bound_says_so(self) -> None:
        def bound(kind: Any, **given: Any) -> float:
            return (
                (Stream([1]) | ops.window(kind, ops.batch(3), timestamp=same, on_late=print, **given))
                .explain()
                .bound
            )

        assert bound(Tumbling(seconds=10)) == 1 + 2
        assert bound(Tumbling(seconds=10), lateness=5) == 1 + 2 * 2
        assert bound(Hopping(seconds=10, every=5), lateness=5) == 1 + 3 * 2
        assert bound(Session(gap=5)) == 1 + 2
        assert bound(Session(gap=5), lateness=5, max_held=7) == 1 + 7 + 2
        assert bound(Sliding(seconds=5), max_held=7) == 1 + 7 + 2

    @pytest.mark.parametrize(
        "kind", [Tumbling(seconds=10), Hopping(seconds=10, every=3), Session(gap=0.5)], ids=str
    )
    def test_no_more_windows_are_open_than_the_contract_says(self, kind: Any) -> None:
        begun = ended = most = 0

        def add(total: int, _: float) -> int:
            nonlocal begun, most
            begun += not total
            most = max(most, begun - ended)
            return total + 1

        held = {"max_held": 10} if isinstance(kind, Session) else {}
        windows = ops.window(kind, ops.fold(add, 0), timestamp=same, lateness=5, **held)
        times = [float(number + number * 7 % 5) for number in range(20_000)]
        for _ in Stream(times) | windows:
            ended += 1
        assert ended == begun > 2_000
        assert most == kind.most(5.0)


class TestByKey:
    def test_each_key_has_a_watermark_of_its_own(self) -> None:
        events = [("a", 1), ("b", 100), ("a", 5), ("b", 3), ("a", 11), ("a", 2)]
        late: list[Any] = []
        windows = ops.window(
            Tumbling(seconds=10), ops.count(), timestamp=lambda event: event[1], on_late=late.append
        )
        grouped = ops.group_by(lambda event: event[0], windows, max_groups=2)
        assert list(Stream(events) | grouped) == [
            ("a", (Window(0, 10), 2)),
            ("a", (Window(10, 20), 1)),
            ("b", (Window(100, 110), 1)),
        ]
        assert late == [("b", 3), ("a", 2)]

    def test_without_on_late_each_key_has_a_task_and_counts(self) -> None:
        async def main() -> tuple[Any, int]:
            windows = ops.window(Tumbling(seconds=10), ops.count(), timestamp=same)
            grouped = ops.group_by(lambda time: time % 2, windows, max_groups=2)
            handle = (Stream([1, 2, 13, 12, 3, 4]) | grouped | ops.to_list()).start()
            return await handle, sum(stats.dropped for stats in handle.buffers())

        windows, dropped = run(main)
        assert sorted(windows) == [
            (0, (Window(0, 10), 1)),
            (0, (Window(10, 20), 1)),
            (1, (Window(0, 10), 1)),
            (1, (Window(10, 20), 1)),
        ]
        assert dropped == 2
