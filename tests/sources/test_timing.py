"""Sources of time, in virtual time."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex.testing import TestScheduler

import streamkit
from streamkit import Missed, Stream, Suspend, ops
from streamkit._engine.buffer.clock import wall_clock_of
from streamkit.sources import timing
from streamkit.testing import VirtualLoop, run

BUSY = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.25, 3.0]), min_size=1, max_size=8)
"""How long a consumer is busy after each item."""


async def times(stream: Stream[Any], busy: list[float]) -> list[float]:
    """When the items of `stream` come to a consumer that is busy for so long after each."""
    loop = asyncio.get_running_loop()
    found: list[float] = []
    async with stream.open() as items:
        for seconds in busy:
            number = await anext(items)
            assert number == len(found)
            found.append(loop.time())
            await asyncio.sleep(seconds)
    return found


def tokio(missed: Missed, busy: list[float], period: float = 1.0) -> list[float]:
    """When the ticks of tokio's ``Interval`` come, as ``MissedTickBehavior`` is defined, in its words."""
    now, deadline = 0.0, period
    found: list[float] = []
    for seconds in busy:
        now = max(now, deadline)
        found.append(now)
        timeout, deadline = deadline, deadline + period
        if now > timeout + 0.005:
            match missed:
                case Missed.CATCH_UP:  # Burst
                    deadline = timeout + period
                case Missed.DELAY:
                    deadline = now + period
                case Missed.SKIP:
                    deadline = now + period - math.fmod(now - timeout, period)
        now += seconds
    return found


class TestInterval:
    def test_ticks_exactly_at_whole_multiples(self) -> None:
        found = run(lambda: times(streamkit.interval(0.1), [0.0] * 50))
        assert found == [0.1 * number for number in range(1, 51)]

    @pytest.mark.parametrize("missed", Missed)
    @given(busy=BUSY)
    def test_what_was_missed_is_what_tokio_makes_of_it(self, missed: Missed, busy: list[float]) -> None:
        found = run(lambda: times(streamkit.interval(1.0, missed=missed), busy))
        assert found == tokio(missed, busy)

    @given(period=st.sampled_from([0.5, 1.0, 2.0]), end=st.integers(1, 9))
    def test_is_that_of_rx_for_an_observer_that_is_not_busy(self, period: float, end: int) -> None:
        scheduler = TestScheduler()
        theirs = scheduler.start(lambda: reactivex.interval(period), 100.0, 200.0, 200.25 + end)
        expected = [(message.time - 200.0, message.value.value) for message in theirs.messages]

        async def main() -> list[tuple[float, int]]:
            loop = asyncio.get_running_loop()
            until = loop.time() + end + 0.25
            found: list[tuple[float, int]] = []
            async with streamkit.interval(period).open() as items:
                async for number in items:
                    if loop.time() > until:
                        break
                    found.append((loop.time(), number))
            return found

        assert run(main) == expected

    def test_begins_at_the_first_pull(self) -> None:
        async def main() -> None:
            async with streamkit.interval(1.0).open() as items:
                await asyncio.sleep(10.5)
                await anext(items)
                assert asyncio.get_running_loop().time() == 11.5

        run(main)

    def test_a_buffer_holds_ticks_for_a_busy_consumer(self) -> None:
        stream = streamkit.interval(1.0) | ops.buffer(Suspend(8))
        assert run(lambda: times(stream, [3.5, 0.0, 0.0, 0.0])) == [1.0, 4.5, 4.5, 4.5]

    def test_two_runs_tick_by_themselves(self) -> None:
        async def main() -> None:
            stream = streamkit.interval(1.0)

            async def later() -> list[float]:
                await asyncio.sleep(0.5)
                return await times(stream, [0.0, 0.0])

            assert await asyncio.gather(times(stream, [0.0]), later()) == [[1.0], [1.5, 2.5]]

        run(main)

    def test_an_impatient_reader_loses_no_tick(self) -> None:
        async def main() -> None:
            async with streamkit.interval(1.0).open() as items:
                for _ in range(3):
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(anext(items), 0.3)
                assert await anext(items) == 0
                assert asyncio.get_running_loop().time() == 1.0

        run(main)

    @pytest.mark.parametrize("seconds", [1e-320, 1e-9, 1e300])
    def test_any_finite_period_works(self, seconds: float) -> None:
        async def main() -> list[int]:
            return await (streamkit.interval(seconds) | ops.take(3) | ops.to_list())

        assert run(main) == [0, 1, 2]

    @pytest.mark.parametrize(
        ("given", "error", "words"),
        [
            ({"seconds": "1"}, TypeError, "seconds must be a finite number of seconds above 0"),
            ({"seconds": None}, TypeError, "seconds must be a finite number"),
            ({"seconds": True}, TypeError, "seconds must be a finite number"),
            ({"seconds": 0}, ValueError, "seconds must be a finite number of seconds above 0"),
            ({"seconds": -1.0}, ValueError, "seconds must be a finite number"),
            ({"seconds": math.nan}, ValueError, "seconds must be a finite number"),
            ({"seconds": math.inf}, ValueError, "seconds must be a finite number"),
            ({"seconds": 10**400}, ValueError, "seconds must be a finite number"),
            ({"missed": "skip"}, TypeError, "missed must be Missed.SKIP, CATCH_UP or DELAY"),
            ({"missed": None}, TypeError, "missed must be Missed.SKIP, CATCH_UP or DELAY"),
            ({"aligned": 1}, TypeError, "aligned must be True or False"),
            ({"aligned": True, "missed": Missed.DELAY}, ValueError, "missed must be Missed.SKIP or CATCH_UP"),
        ],
    )
    def test_bad_argument(self, given: Any, error: Any, words: str) -> None:
        with pytest.raises(error, match=words):
            streamkit.interval(**{"seconds": 1.0, **given})

    def test_is_shown_as_it_was_written(self) -> None:
        assert repr(streamkit.interval(1)) == "Stream(interval(1.0))"
        stream = streamkit.interval(2.5, missed=Missed.CATCH_UP, aligned=True)
        assert repr(stream) == "Stream(interval(2.5, missed=Missed.CATCH_UP, aligned=True))"


async def aligned(
    hours: Callable[[float], float], busy: list[float], missed: Missed = Missed.SKIP
) -> list[float]:
    """When aligned ticks come, where the clock on the wall shows ``hours(time of the loop)``."""
    loop = asyncio.get_running_loop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VirtualLoop, "wall_time", lambda self: hours(self.time()))
        return await times(streamkit.interval(1.0, aligned=True, missed=missed), busy) if loop else []


class TestAligned:
    def test_ticks_when_the_clock_on_the_wall_shows_a_whole_multiple(self) -> None:
        assert run(lambda: aligned(lambda now: now + 0.75, [0.0] * 3)) == [0.25, 1.25, 2.25]

    @pytest.mark.parametrize(
        ("missed", "found"),
        [(Missed.SKIP, [1.0, 3.5, 4.0, 5.0]), (Missed.CATCH_UP, [1.0, 3.5, 3.5, 4.0])],
    )
    def test_what_was_missed(self, missed: Missed, found: list[float]) -> None:
        assert run(lambda: aligned(lambda now: now, [2.5, 0.0, 0.0, 0.0], missed)) == found

    @pytest.mark.parametrize(
        ("missed", "found"),
        [
            (Missed.SKIP, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            (Missed.CATCH_UP, [1.0, 2.0, 2.0, 2.0, 2.0, 3.0]),
        ],
    )
    def test_a_clock_that_is_set_forward_has_missed_ticks(self, missed: Missed, found: list[float]) -> None:
        def forward(now: float) -> float:
            return now if now < 1.5 else now + 3.0

        assert run(lambda: aligned(forward, [0.0] * 6, missed)) == found

    @pytest.mark.parametrize("missed", [Missed.SKIP, Missed.CATCH_UP])
    def test_a_clock_that_is_set_back_goes_on_by_the_new_time(self, missed: Missed) -> None:
        def back(now: float) -> float:
            return now + 100.0 if now < 1.5 else now + 0.75

        assert run(lambda: aligned(back, [0.0] * 4, missed)) == [1.0, 2.25, 3.25, 4.25]

    def test_a_clock_that_is_slow_is_waited_for(self) -> None:
        found = run(lambda: aligned(lambda now: 0.5 * now, [0.0] * 3))
        assert found == pytest.approx([2.0, 4.0, 6.0])

    def test_where_time_is_not_virtual_it_is_that_of_the_machine(self) -> None:
        with asyncio.Runner() as runner:
            assert wall_clock_of(runner.get_loop()) is time.time


class TestTimer:
    @given(st.floats(0, 1e6))
    def test_gives_one_item_exactly_then(self, seconds: float) -> None:
        async def main() -> None:
            assert await (streamkit.timer(seconds) | ops.to_list()) == [0]
            assert asyncio.get_running_loop().time() == seconds

        run(main)

    def test_is_that_of_rx(self) -> None:
        scheduler = TestScheduler()
        theirs = scheduler.start(lambda: reactivex.timer(2.0), 100.0, 200.0, 209.0)
        assert [(each.time, each.value.kind) for each in theirs.messages] == [(202.0, "N"), (202.0, "C")]
        assert theirs.messages[0].value.value == 0

    def test_with_a_period_is_a_timer_and_then_an_interval(self) -> None:
        stream = streamkit.concat(streamkit.timer(0.5), streamkit.interval(2.0)) | ops.map(lambda _: 0)

        async def main() -> list[float]:
            loop = asyncio.get_running_loop()
            timed = stream | ops.take(3) | ops.map(lambda _: loop.time()) | ops.to_list()
            return await timed

        assert run(main) == [0.5, 2.5, 4.5]

    @pytest.mark.parametrize(
        ("value", "error"),
        [
            ("1", TypeError),
            (None, TypeError),
            (-1, ValueError),
            (math.nan, ValueError),
            (math.inf, ValueError),
        ],
    )
    def test_bad_argument(self, value: Any, error: Any) -> None:
        with pytest.raises(error, match="seconds must be a finite number of seconds of at least 0"):
            streamkit.timer(value)


class TestNever:
    def test_waits_until_it_is_left(self) -> None:
        async def main() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(streamkit.never() | ops.to_list(), 1e6)
            assert await (streamkit.of(1) | ops.merge(streamkit.never()) | ops.first()) == 1

        run(main)


def test_the_times_of_ticks_do_not_drift() -> None:
    ticks = timing._Ticks(0.1, Missed.CATCH_UP, 0.0)
    for _ in range(999_999):
        ticks.passed(0.0)
    assert ticks.due == pytest.approx(100_000.0, abs=1e-9)
