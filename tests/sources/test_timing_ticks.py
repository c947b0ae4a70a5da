"""Ticks of the clock on the wall: when they come, what they say, and clocks that are set."""

import asyncio
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import Missed, Stream, ops
from streamkit.testing import VirtualLoop, run

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OFFSETS = st.sampled_from([-0.25, 0.0, 0.125, 0.5])


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def virtual() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


async def come(stream: Stream[datetime], busy: list[float]) -> list[tuple[float, float]]:
    """When ticks come, and which they are: seconds of the loop, and of the wall since noon."""
    found: list[tuple[float, float]] = []
    async with stream.open() as items:
        for seconds in busy:
            tick = await anext(items)
            found.append((round(virtual().time(), 5), (tick - NOON).total_seconds()))
            await asyncio.sleep(seconds)
    return found


def at_noon(stream: Stream[datetime], busy: list[float]) -> list[tuple[float, float]]:
    async def main() -> list[tuple[float, float]]:
        virtual().set_wall_time(NOON)
        return await come(stream, busy)

    return run(main)


def test_ticks_come_when_they_are_due_and_say_when_that_was() -> None:
    assert at_noon(streamkit.ticks(0.1), [0.0] * 3) == [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)]
    assert at_noon(streamkit.ticks(1.0, offset=0.25), [0.0] * 2) == [(0.25, 0.25), (1.25, 1.25)]
    assert at_noon(streamkit.ticks(60, offset=-1), [0.0] * 2) == [(59.0, 59.0), (119.0, 119.0)]
    assert at_noon(streamkit.ticks(86400.0), [0.0]) == [(43200.0, 43200.0)]


def test_what_was_missed() -> None:
    busy = [2.5, 0.0, 0.0, 0.0]
    assert at_noon(streamkit.ticks(1.0), busy) == [(1.0, 1.0), (3.5, 2.0), (4.0, 4.0), (5.0, 5.0)]
    all_of_them = streamkit.ticks(1.0, missed=Missed.CATCH_UP)
    assert at_noon(all_of_them, busy) == [(1.0, 1.0), (3.5, 2.0), (3.5, 3.0), (4.0, 4.0)]


def test_what_is_past_is_replayed_without_a_gap_though_the_consumer_is_busy() -> None:
    found = at_noon(streamkit.ticks(1.0, start=after(-3.0)), [0.5] * 8 + [2.5, 0.0, 0.0])
    assert [tick for _, tick in found] == [*range(-3, 7), 8.0]  # it skips only when it is live
    assert found[0] == (0.0, -3.0)
    assert found[8:10] == [(5.0, 5.0), (7.5, 6.0)]


@given(
    seconds=st.sampled_from([0.1, 0.25, 1.0, 7.0]),
    offset=OFFSETS,
    start=st.integers(-40, 10),
    many=st.integers(0, 30),
)
def test_a_tick_is_the_same_whether_it_is_replayed_or_lived_through(
    seconds: float, offset: float, start: int, many: int
) -> None:
    begin, end = after(start), after(start + many)
    stream = streamkit.ticks(seconds, offset=offset, start=begin, end=end)
    step = timedelta(seconds=seconds)
    grid = EPOCH + timedelta(seconds=offset)
    first = begin + (grid - begin) % step
    expected = [first + step * number for number in range(math.ceil((end - first) / step))]

    async def main(now: datetime) -> list[datetime]:
        virtual().set_wall_time(now)
        return await (stream | ops.to_list())

    assert run(lambda: main(begin - step)) == run(lambda: main(end)) == expected


def test_replay_lets_others_run() -> None:
    async def main() -> None:
        handle = (streamkit.ticks(0.001, start=EPOCH) | ops.count()).start()
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it has begun: half a century of milliseconds
        await handle.stop()

    run(main)


class TestClocksThatAreSet:
    async def set_to(self, stream: Stream[datetime], by: float, many: int) -> list[tuple[float, float]]:
        """Ticks, where the clock is set by so many seconds after 90.5."""
        loop = virtual()
        loop.set_wall_time(NOON)
        loop.call_at(90.5, lambda: loop.set_wall_time(after(90.5 + by)))
        return await come(stream, [0.0] * many)

    def test_by_less_than_a_tick_back_gives_none_twice(self) -> None:
        found = run(lambda: self.set_to(streamkit.ticks(60.0), -45.0, 3))
        assert found == [(60.0, 60.0), (165.0, 120.0), (225.0, 180.0)]

    def test_by_more_goes_on_by_the_new_time(self) -> None:
        found = run(lambda: self.set_to(streamkit.ticks(60.0), -3600.0, 2))
        assert found == [(60.0, 60.0), (180.0, -3420.0)]

    @pytest.mark.parametrize(("by", "came"), [(-3600.0, [3900.0, 3960.0]), (-30.0, [330.0, 390.0])])
    def test_back_before_the_start_gives_none_before_it(self, by: float, came: list[float]) -> None:
        found = run(lambda: self.set_to(streamkit.ticks(60.0, start=after(300.0)), by, 2))
        assert found == [(came[0], 300.0), (came[1], 360.0)]

    @pytest.mark.parametrize("missed", [Missed.SKIP, Missed.CATCH_UP])
    def test_forward_has_missed_ticks_and_is_noticed_within_a_minute(self, missed: Missed) -> None:
        stream = streamkit.ticks(3600.0, missed=missed)
        found = run(lambda: self.set_to(stream, 3 * 3600.0, 3))
        assert found[0] == (120.0, 3600.0)
        ticks = {Missed.SKIP: [14400.0, 18000.0], Missed.CATCH_UP: [7200.0, 10800.0]}
        assert [tick for _, tick in found[1:]] == ticks[missed]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"seconds": 0}, ValueError, "seconds must be a finite number of seconds above 0"),
        ({"offset": "1"}, TypeError, "offset must be a finite number"),
        ({"offset": math.inf}, ValueError, "offset must be a finite number"),
        ({"start": "noon"}, TypeError, "start must be a datetime with a time zone"),
        ({"start": NOON.date()}, TypeError, "start must be a datetime with a time zone"),
        ({"end": datetime(2026, 1, 1)}, ValueError, "end must have a time zone"),
        ({"missed": Missed.DELAY}, ValueError, "missed must be Missed.SKIP or CATCH_UP for ticks"),
        ({"missed": None}, TypeError, "missed must be Missed.SKIP, CATCH_UP or DELAY"),
    ],
)
def test_bad_argument(given: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        streamkit.ticks(**{"seconds": 1.0, **given})


def test_is_shown_as_it_was_written() -> None:
    assert repr(streamkit.ticks(1)) == "Stream(ticks(1.0))"
    stream = streamkit.ticks(2.5, offset=0.5, missed=Missed.CATCH_UP)
    assert repr(stream) == "Stream(ticks(2.5, offset=0.5, missed=Missed.CATCH_UP))"
