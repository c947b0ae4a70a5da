"""What users of an event pipeline library had as clocks, and defects, which must be gone: by their numbers.

The numbers are those of the list of features in the project's notes. They had classes that emit; here the
sources are streams, and time is virtual.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

import streamkit
from streamkit import StoppedError, ops
from streamkit.testing import VirtualLoop, run

BEGIN = datetime(2026, 1, 1, 11, 59, 58, 250000, tzinfo=UTC)


def begin(at: datetime = BEGIN) -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.set_wall_time(at)
    return loop


def test_ap23_a_cron_job_fires_aligned_to_the_clock_on_the_wall() -> None:
    async def main() -> None:
        loop = begin()
        ticks = streamkit.ticks(1.0) | ops.map(lambda tick: (loop.time(), tick)) | ops.take(4)
        found = await (ticks | ops.to_list())
        assert [time for time, _ in found] == pytest.approx([0.75, 1.75, 2.75, 3.75])
        stamps = [tick.timestamp() for _, tick in found]
        assert [after - before for before, after in zip(stamps, stamps[1:], strict=False)] == [1.0] * 3

    run(main)


def test_ap23_the_interval_before_is_whole_though_it_fires_with_an_offset_and_late() -> None:
    async def main() -> None:
        loop = begin()
        late, minute = timedelta(seconds=2), timedelta(minutes=1)
        over = streamkit.ticks(60.0, offset=2.0) | ops.map(lambda tick: (tick - late - minute, tick - late))
        async with over.open() as items:
            start, end = await anext(items)
            assert (start.minute, start.second, end - start) == (59, 0, minute)
            assert loop.time() == pytest.approx(3.75)
            await asyncio.sleep(90.0)  # it is asked 30 seconds too late
            start, end = await anext(items)
            assert (start.minute, start.second, end - start) == (0, 0, minute)

    run(main)


def test_ap24_a_time_source_gives_one_and_is_done() -> None:
    async def main() -> None:
        loop = begin()
        assert await (streamkit.timer(2.5) | ops.to_list()) == [0]
        assert loop.time() == 2.5
        next_noon = await (streamkit.cron("0 12 * * *") | ops.take(1) | ops.to_list())
        assert next_noon == [datetime(2026, 1, 2, 12, tzinfo=UTC)]

    run(main)


def test_ap25_the_past_is_replayed_without_a_wait() -> None:
    async def main() -> None:
        loop = begin()
        past = streamkit.ticks(60.0, start=BEGIN - timedelta(minutes=5), end=BEGIN)
        assert [tick.minute for tick in await (past | ops.to_list())] == [55, 56, 57, 58, 59]
        assert loop.time() == 0.0
        on = streamkit.ticks(60.0, start=BEGIN - timedelta(minutes=2)) | ops.take(4)
        assert [tick.minute for tick in await (on | ops.to_list())] == [58, 59, 0, 1]
        assert loop.time() == pytest.approx(61.75)

    run(main)


def test_ap26_whether_a_source_is_done() -> None:
    async def main() -> None:
        begin()
        replay = (streamkit.ticks(60.0, start=BEGIN - timedelta(hours=1), end=BEGIN) | ops.count()).start()
        live = (streamkit.ticks(60.0) | ops.drain()).start()
        assert not replay.done
        assert await replay == 60
        assert replay.done
        await asyncio.sleep(600.0)
        assert not live.done
        await live.stop()
        assert live.done
        with pytest.raises(StoppedError):
            await live

    run(main)
