"""What a stage calls, opens and runs as a part of its job: it is awaited, counted and paused with that."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any
from weakref import ref

import pytest

from streamkit import Resume, Stream, Suspend, attached, ops, push
from streamkit._engine.buffer.account import MANY
from streamkit._engine.compile.pace import Pace
from streamkit.testing import run
from tests.run.staging import outcome, written


async def ticks() -> AsyncIterator[int]:
    for number in range(6):
        await asyncio.sleep(1.0)
        yield number


async def soon(item: int) -> int:
    await asyncio.sleep(1.0)
    return -item


@pytest.mark.parametrize(("callback", "result"), [(soon, -3), (lambda item: soon(item), -3), (abs, 3)])
def test_what_a_callback_returns_is_awaited(callback: Any, result: int) -> None:
    async def stage(call: Any, source: Any) -> AsyncIterator[Any]:
        yield await call.call(callback, 3)

    assert outcome(stage) == [result]


def test_branches_are_paused_with_their_job() -> None:
    seen: list[int] = []

    async def note(item: int) -> None:
        await asyncio.sleep(0.25)
        seen.append(item)

    async def main() -> None:
        handle = (Stream(ticks) | ops.broadcast(ops.count(), ops.for_each(note))).start()
        await asyncio.sleep(2.1)
        handle.pause()
        await asyncio.sleep(9.0)
        assert seen == [0]  # the second is on its way
        handle.resume()
        assert await handle == (6, None)

    run(main)
    assert seen == [*range(6)]


def test_the_buffers_of_branches_are_its_jobs() -> None:
    async def main() -> list[tuple[str, int]]:
        branch = ops.map(soon) | ops.buffer(Suspend(3)) | ops.for_each(soon)
        handle = (Stream(range(5)) | ops.broadcast(ops.count(), branch)).start()
        assert await handle == (5, None)
        return [(each.operator.partition("(")[0], each.delivered) for each in handle.buffers()]

    assert ("buffer", 5) in run(main)


def test_a_channel_that_is_read_as_a_stream_is_left_with_that() -> None:
    async def stage(opens: Any, source: Any) -> AsyncIterator[Any]:
        channel = opens.channel()
        opens.feed(channel, source)
        items = opens.open(opens.reading(channel))
        yield await anext(items), channel.left
        await opens.close(items)
        yield channel.left

    assert outcome(stage, ticks) == [(0, False), True]


@pytest.mark.parametrize("streams", [1, 3 * MANY])
def test_the_buffers_of_what_a_stage_opens_are_its_jobs(streams: int) -> None:
    async def stage(opens: Any, source: Any) -> AsyncIterator[Any]:
        for number in range(streams):
            async for item in opens.open(Stream([number, number]) | ops.buffer(Suspend(3))):
                yield item

    async def main() -> list[tuple[str, int, int]]:
        handle = (Stream([]) | written(stage) | ops.count()).start()
        assert await handle == 2 * streams
        return [(each.operator, each.offered, each.delivered) for each in handle.buffers()]

    found = run(main)
    assert {operator for operator, _, _ in found} == {"buffer(Suspend(capacity=3))"}
    assert [sum(column) for column in zip(*[each[1:] for each in found], strict=True)] == [2 * streams] * 2
    assert len(found) <= 2 * MANY


def test_what_a_stage_opens_runs_by_the_pace_that_it_gives() -> None:
    class Looks(Pace):
        __slots__ = ("looks",)

        def due(self) -> bool:
            self.looks += 1
            return super().due()

    async def stage(opens: Any, source: Any) -> AsyncIterator[Any]:
        pace = Looks()
        pace.looks = 0
        async for _ in opens.open(source, pace=pace):
            pass
        yield pace.looks > 0

    assert outcome(stage, range(2_000)) == [True]


@pytest.mark.parametrize("joins", [ops.merge, ops.merge_sorted])
def test_what_was_read_is_freed_without_the_collector(joins: Any) -> None:
    async def main() -> None:
        sources: list[Any] = [ticks() for _ in range(4)]
        known = [ref(each) for each in sources]
        gc.disable()
        try:
            await (Stream(sources.pop()) | joins(sources.pop(), sources.pop(), sources.pop()) | ops.drain())
            assert not any(each() for each in known)
        finally:
            gc.enable()

    run(main)


@pytest.mark.parametrize(
    ("between", "dropped"),
    [(ops.batch(2), 2), (ops.concat([3]), 3)],
    ids=["a loop of its own", "steps between streams that follow"],
)
def test_what_steps_drop_of_a_stream_that_follows_is_counted_with_its_job(between: Any, dropped: int) -> None:
    def fails(item: Any) -> int:
        raise OSError(item)

    async def main() -> int:
        behind = Stream([1, 2]) | ops.map(fails, on_error=Resume()) | between
        behind |= ops.map(fails, on_error=Resume())
        handle = (Stream([]) | ops.concat(behind) | ops.buffer(Suspend(1)) | ops.drain()).start()
        await handle
        return sum(each.dropped for each in handle.buffers())

    assert run(main) == dropped


def test_an_error_ahead_that_nobody_was_told_of_is_attached_to_that_of_a_step() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise OSError("ahead")

    def fails(item: int) -> int:
        raise LookupError(item)

    async def main() -> None:
        async for _ in Stream(source) | ops.buffer(Suspend(4)) | ops.map(soon) | ops.map(fails):
            pass

    with pytest.raises(LookupError) as caught:
        run(main)
    assert [str(each) for each in attached(caught.value)] == ["ahead"]


def test_a_stream_that_nothing_comes_out_of_is_read_to_its_end() -> None:
    taken: list[int] = []

    async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
        async for item in run.open(source):
            yield item
        yield taken

    assert outcome(stage, Stream(range(3)) | ops.tap(taken.append) | ops.ignore_items()) == [[0, 1, 2]]


async def later(item: str) -> str:
    return item


@pytest.mark.parametrize("join", [ops.buffer(Suspend(1)), ops.merge([]), ops.map(later, concurrency=2)])
def test_steps_behind_a_source_that_is_opened_at_once_are_a_part_of_the_stream(join: Any) -> None:
    async def main() -> list[str]:
        stream, emitter = push(Suspend(4))
        emitter.offer(1)
        emitter.close()
        return await (stream | ops.map(str) | join | ops.to_list())

    assert run(main) == ["1"]


def test_what_several_runs_share_one_of_them_opens() -> None:
    async def main() -> list[int]:
        stream, emitter = push(Suspend(4))
        shared = stream | ops.share()
        emitter.offer(1)
        emitter.close()
        return sorted(await (shared | ops.merge(shared) | ops.to_list()))

    assert run(main) == [1, 1]


def test_of_streams_that_a_stage_has_closed_the_job_keeps_one_sum() -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
        for _ in range(3):
            items = run.open(Stream([1, 2]) | ops.buffer(Suspend(2)))
            async for item in items:
                yield item
            await run.close(items)
        await run.retire(run.channel().lane(Suspend(1)))  # of which the job has entered nothing

    async def main() -> list[int]:
        handle = (Stream([]) | written(stage) | ops.drain()).start()
        await handle
        return [stats.delivered for stats in handle.buffers() if stats.operator.startswith("buffer")]

    assert run(main) == [6]
