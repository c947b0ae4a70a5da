"""What a stage stops and retires: the task that writes into a lane, and the lane."""

import asyncio
import gc
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from streamkit import (
    BufferStats,
    DropOldest,
    Keep,
    KeepLatest,
    Stream,
    Suspend,
    attached,
    ops,
    stage,
)
from streamkit.testing import run as play
from tests import own
from tests.laws.account import check_sum
from tests.run.staging import Source, check_blamed, notes, outcome, settled, written


class TestRetire:
    @pytest.mark.parametrize("seconds", [0.5, 9.5], ids=["full", "waiting"])
    @pytest.mark.parametrize("clean_up", [0.0, 3.0])
    def test_ends_the_writer_and_waits_for_its_clean_up(self, seconds: float, clean_up: float) -> None:
        source = Source(clean_up=clean_up)

        async def stage(run: Any, _: Any) -> AsyncIterator[float]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1 if seconds < 1 else 9))
            await asyncio.sleep(seconds)
            assert lane.held
            before = run.time()
            await run.retire(lane)
            assert source.closed == 1
            assert channel.lanes == []
            assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
            yield run.time() - before

        assert outcome(stage) == [clean_up]
        assert source.thrown == [GeneratorExit if seconds < 1 else asyncio.CancelledError]

    def test_of_a_writer_that_has_not_begun_reads_nothing(self) -> None:
        source = Source()

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            await run.retire(run.feed(channel, source))
            await run.stop(first := run.feed(channel, source))
            assert first.exhausted
            assert (run._tasks, run._writers) == ({}, {})
            yield source.taken

        assert outcome(stage) == [0]

    def test_of_a_writer_that_another_has_cancelled_before_it_began_leaves_nothing(self) -> None:
        source = Source()

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source)
            (task,) = run._tasks
            task.cancel()
            await run.stop(lane)
            assert lane.exhausted
            assert not await channel.wait()
            assert (run._tasks, run._writers) == ({}, {})
            yield source.taken

        assert outcome(stage) == [0]

    def test_of_a_writer_that_has_ended_only_drops(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, "abc", otherwise=Suspend(9))
            await settled()
            await run.stop(lane)
            assert len(lane.held) == 3
            await run.retire(lane)
            (stats,) = run.stats()
            yield stats.delivered, stats.dropped, await channel.wait()

        assert outcome(stage) == [(0, 3, False)]

    def test_raises_what_the_clean_up_of_the_source_does(self) -> None:
        source = Source(error=OSError("clean-up"))

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1))
            await channel.wait()
            with pytest.raises(OSError, match="clean-up"):
                await run.retire(lane)
            other = run.feed(channel, "a", otherwise=Suspend(1))
            assert await channel.choose(other) is other
            yield other.take()

        assert outcome(stage) == ["a"]

    def test_fails_the_stage_that_does_not_catch_it_and_blames_nobody_but_the_source(self) -> None:
        outer = Stream([1, 2]) | ops.map(partial(asyncio.sleep, 1.5))
        with pytest.raises(OSError, match="clean-up") as caught:
            play(lambda: _collect(outer | own.switch_map(lambda _: Source(error=OSError("clean-up")))))
        assert notes(caught.value) == []

    def test_tells_errors_of_on_drop_and_of_the_clean_up(self) -> None:
        source = Source(error=OSError("clean-up"))

        def on_drop(item: int, reason: str) -> None:
            raise ValueError(item, reason)

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = channel.lane(DropOldest(1, on_drop=on_drop))
            run.pump(source, into=lane)
            await channel.wait()
            await run.retire(lane)
            yield

        with pytest.raises(ValueError, match="closed") as caught:
            outcome(stage)
        assert attached(caught.value) == (source.error,)
        assert source.closed == 1
        check_blamed(caught.value)

    def test_cancellation_of_a_stopped_writer_is_not_handed_to_its_source(self) -> None:
        """As that of a scope inside the source would be: it is closed."""
        source = Source()

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            lane = run.channel().lane(Suspend(1))
            run.pump(source, into=lane)
            await settled()
            await run.stop(lane)
            yield lane.take(), lane.exhausted

        assert outcome(stage) == [(0, True)]
        assert source.thrown == [GeneratorExit]

    def test_leaves_sums_and_no_objects(self) -> None:
        handles: list[Any] = []

        async def main() -> None:
            inner = Stream(range(9)) | ops.buffer(KeepLatest()) | ops.merge([])
            outer = Stream(range(100)) | ops.map(partial(asyncio.sleep, 1.0))
            job = outer | own.switch_map(lambda _: inner) | ops.for_each(lambda _: asyncio.sleep(0.7))
            handles.append(job.start())
            await handles[0]

        play(main)
        found: list[BufferStats] = handles[0].buffers()
        assert len(found) < 12
        for stats in found:
            check_sum(stats)
        assert sum(stats.offered for stats in found) > 300

    def test_keeps_neither_lanes_nor_tasks(self) -> None:
        seen: list[Any] = []

        async def stage(run: Any, _: Any) -> AsyncIterator[int]:
            channel = run.channel()
            for _ in range(100):
                lane = run.feed(channel, Source(), otherwise=Suspend(1))
                assert await channel.choose(lane) is lane
                yield lane.take()
                await run.retire(lane)
                seen.append((len(channel.lanes), len(channel._handing), len(run._tasks), len(run._writers)))
            (stats,) = run.stats()
            assert stats.delivered == 100
            check_sum(stats)

        assert outcome(stage) == [0] * 100
        assert set(seen) == {(0, 0, 0, 0)}

    def test_leaves_no_item_to_the_collector(self) -> None:
        class Item:
            pass

        async def source() -> AsyncIterator[Item]:
            while True:
                yield Item()

        async def stage(run: Any, _: Any) -> AsyncIterator[int]:
            channel = run.channel()
            for _ in range(10):
                lane = run.feed(channel, source, otherwise=Suspend(2))
                await channel.wait()
                await run.retire(lane)
                del lane
            yield sum(isinstance(each, Item) for each in gc.get_objects())

        gc.collect()
        gc.disable()
        try:
            assert outcome(stage) == [0]
        finally:
            gc.enable()


async def _collect(stream: Stream[Any]) -> list[Any]:
    return [item async for item in stream]


class TestStop:
    def test_leaves_what_is_held_and_no_cancellation_that_anyone_sees(self) -> None:
        source = Source()

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(9))
            await asyncio.sleep(1.5)
            await run.stop(lane)
            await run.stop(lane)
            task = asyncio.current_task()
            assert task is not None
            yield [item async for item in channel], task.cancelling(), source.closed

        assert outcome(stage) == [([0, 1], 0, 1)]

    def test_of_a_lane_that_nobody_writes_into_does_nothing(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            await run.stop(run.channel().lane(Suspend(1)))
            yield 1

        assert outcome(stage) == [1]

    def test_twice_at_once_cancels_once(self) -> None:
        source = Source(clean_up=2.0)

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1))
            await channel.wait()
            await asyncio.gather(run.stop(lane), run.stop(lane))
            yield run.time(), source.closed

        assert outcome(stage) == [(2.0, 1)]

    @pytest.mark.parametrize("error", [None, OSError("clean-up")], ids=repr)
    @pytest.mark.parametrize("form", ["stop", "retire"])
    def test_a_consumer_that_is_cancelled_meanwhile_waits_for_the_clean_up(
        self, form: str, error: Exception | None
    ) -> None:
        source = Source(clean_up=5.0, error=error)

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1))
            await channel.wait()
            await getattr(run, form)(lane)
            yield

        async def main() -> None:
            task = asyncio.ensure_future(_collect(Stream([]) | written(stage)))
            await asyncio.sleep(1.0)
            assert not source.closed
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert task.cancelling() == 1
            assert asyncio.get_running_loop().time() == 5.0
            assert source.closed == 1
            assert source.thrown == [GeneratorExit]
            assert attached(caught.value) == (() if error is None else (error,))

        play(main)

    def test_another_writer_may_end_meanwhile(self) -> None:
        async def ends() -> AsyncIterator[int]:
            await asyncio.sleep(1.0)
            yield 7

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, Source(clean_up=2.0), otherwise=Suspend(1))
            other = run.feed(channel, ends, otherwise=Suspend(2))
            await channel.wait()
            await run.stop(lane)
            assert (run._tasks, run._writers) == ({}, {})
            yield run.time(), other.take(), other.exhausted

        assert outcome(stage) == [(2.0, 7, True)]

    def test_by_the_writer_itself_is_refused(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = channel.lane(Suspend(1))

            async def work() -> None:
                await run.stop(lane)

            run.spawn(work, channel, lane)
            await channel.wait()
            yield

        with pytest.raises(RuntimeError, match="cannot stop itself: let its work return") as caught:
            outcome(stage)
        check_blamed(caught.value)


def test_a_task_that_is_spawned_when_intake_is_over_never_begins() -> None:
    begun: list[str] = []

    async def _spawns(run: Any, source: Any) -> AsyncIterator[Any]:
        channel = run.channel()

        async def work() -> None:
            begun.append("work")

        try:
            async for item in run.open(source):
                yield item
        finally:
            run.spawn(work, channel)

    @stage(_spawns)
    def spawns() -> Keep:
        return Keep(spawns)

    async def main() -> None:
        async with (Stream([1, 2]) | spawns()).open() as items:
            assert await anext(items) == 1

    play(main)
    assert begun == []


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_task_ends_the_program_at_once_though_its_reader_is_busy(
    interrupt: type[BaseException],
) -> None:
    ends: list[float] = []

    async def interrupts() -> AsyncIterator[int]:
        await asyncio.sleep(1.0)
        raise interrupt
        yield 0

    async def busy(_: int) -> None:
        await asyncio.sleep(100.0)

    async def main() -> None:
        try:
            await (Stream([1]) | ops.merge(interrupts()) | ops.for_each(busy))
        finally:
            ends.append(asyncio.get_running_loop().time())

    with pytest.raises(interrupt):
        play(main)
    assert ends == [1.0]


def test_a_task_that_was_cancelled_before_it_began_is_no_error_at_the_end() -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        run.spawn(partial(asyncio.sleep, 1.0), run.channel()).cancel()
        yield 1

    assert outcome(stage) == [1]
