"""Leaving a run whose callbacks and sources do not heed cancellation, or fail meanwhile."""

import asyncio
import gc
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from streamkit import Failed, OnFull, StoppedError, Stream, Suspend, attached, merge, ops
from streamkit._engine.run.leave import combine
from streamkit._engine.run.run import Run
from streamkit.testing import run


async def ticks() -> AsyncIterator[int]:
    for number in itertools.count():
        await asyncio.sleep(0.1)
        yield number


async def same(item: Any) -> Any:
    return item


async def heedless(item: Any) -> Any:
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(99.0)
    return item


async def started_and_stopped(job: Any) -> None:
    handle = job.start()
    await asyncio.sleep(0.55)
    await handle.stop()
    with suppress(StoppedError, ValueError):
        await handle
    assert asyncio.get_running_loop().time() < 1.0


class TestHeedless:
    @pytest.mark.parametrize(
        "job",
        [
            Stream(ticks) | ops.broadcast(ops.for_each(heedless), ops.drain()),
            Stream(ticks) | ops.broadcast(ops.buffer(Suspend(3)) | ops.for_each(heedless), ops.drain()),
            Stream(ticks) | ops.group_by(bool, ops.for_each(heedless), max_groups=2) | ops.drain(),
            Stream(ticks) | ops.group_by(bool, ops.tap(heedless) | ops.skip(9), max_groups=2) | ops.drain(),
        ],
        ids=repr,
    )
    def test_a_branch_that_goes_on_reads_nothing_more(self, job: Any) -> None:
        run(lambda: started_and_stopped(job))

    def test_a_group_that_goes_on_reads_nothing_more_after_an_error_of_another(self) -> None:
        async def callback(item: int) -> None:
            if item == 3:
                raise ValueError(item)
            await heedless(item)

        async def main() -> None:
            await (
                Stream(ticks)
                | ops.group_by(lambda number: number, ops.for_each(callback), max_groups=9)
                | ops.drain()
            )

        with pytest.raises(ValueError, match="3"):
            run(main)

    @pytest.mark.parametrize("fails", [False, True])
    @pytest.mark.parametrize("on_full", [OnFull.FAIL, OnFull.EVICT])
    def test_a_source_that_goes_on_begins_no_groups(self, on_full: OnFull, fails: bool) -> None:
        pulled: list[int] = []
        begun: list[int] = []

        async def source() -> AsyncIterator[int]:
            for number in range(9):
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.1)
                pulled.append(number)
                yield number

        async def callback(item: int) -> int:
            begun.append(item)
            if fails and item == 4:
                raise ValueError(item)
            return item

        async def main() -> None:
            groups: Any = ops.group_by(lambda n: n, ops.map(callback), max_groups=9, on_full=on_full)
            await started_and_stopped(Stream(source) | groups | ops.drain())

        run(main)
        assert len(pulled) == 6
        assert begun == [0, 1, 2, 3, 4]

    def test_a_call_of_an_ordered_map_that_goes_on_does_not_wait_for_its_turn(self) -> None:
        async def callback(item: int) -> int:
            if item == 0:
                await asyncio.sleep(99.0)
            return await heedless(item) if item < 3 else item

        run(lambda: started_and_stopped(Stream(range(9)) | ops.map(callback, concurrency=4) | ops.drain()))

    def test_a_call_that_cleans_up_after_somebody_else_has_cancelled_it_is_not_cancelled_again(self) -> None:
        async def call(_: int) -> None:
            try:
                await asyncio.sleep(9.0)
            finally:
                await asyncio.sleep(5.0)
                log.append("cleaned up")

        async def main() -> None:
            work = asyncio.ensure_future(as_awaited(Stream([0]) | ops.for_each(call, concurrency=2)))
            await asyncio.sleep(1.0)
            for task in asyncio.all_tasks() - {asyncio.current_task(), work}:
                task.cancel()
            await asyncio.sleep(1.0)
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

        log: list[str] = []
        run(main)
        assert log == ["cleaned up"]


def test_a_job_that_is_stopped_while_a_source_cleans_up_goes_on_to_behind_that() -> None:
    async def source() -> AsyncIterator[int]:
        try:
            yield 0
        finally:
            await asyncio.sleep(2.0)
            log.append("cleaned up")
        await asyncio.sleep(99.0)

    async def main() -> None:
        handle = (Stream(source) | ops.drain()).start()
        await asyncio.sleep(0.5)
        await handle.stop()
        assert 2.0 <= asyncio.get_running_loop().time() < 4.0

    log: list[str] = []
    run(main)
    assert log == ["cleaned up"]


async def as_awaited(job: Any) -> Any:
    return await job


class TestIterators:
    def test_of_channels_are_closed_when_the_tasks_have_ended_before(self) -> None:
        async def later(item: Any) -> Any:
            await asyncio.sleep(1.0)  # then every task of the operator has ended, and it holds an item
            return item

        async def main() -> list[Any]:
            groups = ops.group_by(str, ops.for_each(same), max_groups=2)
            return await (Stream([1, 2]) | groups | ops.tap(later) | ops.take(1) | ops.to_list())

        assert len(run(main)) == 1


@pytest.mark.parametrize("pipe", [ops.buffer(Suspend(1)), ops.merge([])], ids=repr)
def test_leaving_while_a_scope_of_the_source_is_about_to_end_does_not_wait_for_what_comes_after(
    pipe: Any,
) -> None:
    async def source() -> AsyncIterator[int]:
        yield 0
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                try:
                    await asyncio.sleep(99.0)
                finally:
                    await asyncio.sleep(1.0)
        await asyncio.sleep(99.0)

    async def main() -> None:
        async with (Stream(source) | pipe).open() as items:
            assert await anext(items) == 0
            await asyncio.sleep(1.5)
        # the clean-up in the scope goes on until 2.0; the sleep behind it is cancelled soon after
        assert 2.0 <= asyncio.get_running_loop().time() < 2.6

    run(main)


class TestErrors:
    @pytest.mark.parametrize("pipe", [None, ops.map(same, concurrency=2) | ops.tap(same)], ids=repr)
    def test_leaving_a_stage_that_cleans_up_after_an_error_raises_nothing(self, pipe: Any) -> None:
        async def bad() -> AsyncIterator[int]:
            yield 0
            await asyncio.sleep(0.1)
            raise ValueError("read ahead")

        async def slow() -> AsyncIterator[int]:
            yield 1
            try:
                await asyncio.sleep(99.0)
            finally:
                await asyncio.sleep(1.0)

        async def main() -> list[int]:
            sibling = Stream(slow) if pipe is None else Stream(slow) | pipe
            async with (merge(bad, sibling) | ops.buffer(Suspend(5))).open() as items:
                found = [await anext(items), await anext(items)]
                await asyncio.sleep(0.5)
                return found

        assert run(main) == [0, 1]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks_that_have_ended_are_not_kept() -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
        handle = (Stream(ticks) | ops.flat_map(lambda _: (), concurrency=2) | ops.drain()).start()
        await asyncio.sleep(10.0)
        runs = [each for each in gc.get_objects() if isinstance(each, Run) and each.book is not None]
        # the pump's, and one of each place, whose streams follow each other in it
        assert [1 <= len(each._tasks) <= 1 + 2 for each in runs] == [True]
        await handle.stop()

    run(main)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("read", [aiter, lambda stream: stream.open()], ids=["aiter", "open"])
def test_a_loop_that_was_closed_with_a_run_in_it_is_told_of_nothing(
    read: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Asyncio itself logs a task that was destroyed; nothing of ours is raised by the collector."""
    loop, kept = asyncio.new_event_loop(), list[Any]()

    async def first() -> None:
        kept.append(read(Stream(ticks) | ops.take(9)))
        if hasattr(kept[0], "__aenter__"):
            kept.append(await kept[0].__aenter__())
        await anext(kept[-1])

    loop.run_until_complete(first())
    loop.close()
    kept.clear()
    gc.collect()
    assert not [record for record in caplog.records if "destroyed" not in record.message]


def test_all_that_fails_in_the_clean_up_after_a_generator_exit_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The loop was closed while the job was pending: the collector ends the pump, and what it has opened."""
    unraised: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: unraised.append(found.exc_value))

    def dirty(name: str, inner: Any) -> Any:
        async def source() -> AsyncIterator[str]:
            try:
                yield name
            finally:
                raise OSError(name)

        return Stream(source) | ops.flat_map(lambda _: inner, concurrency=1)

    waits = Stream([1]) | ops.map(lambda _: asyncio.sleep(99.0))
    pages = dirty("outermost", dirty("middle", dirty("innermost", waits)))
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: None)  # of tasks that were pending

    async def begun() -> None:
        (pages | ops.concat([]) | ops.buffer(Suspend(3)) | ops.drain()).start()
        await asyncio.sleep(0.01)

    loop.run_until_complete(begun())
    loop.close()
    del loop
    gc.collect()
    (first,) = [error for error in unraised if isinstance(error, OSError)]
    assert str(first) == "innermost"
    assert [str(late) for late in attached(first)] == ["middle", "outermost"]


WAITING: dict[str, Any] = {
    "a source": Stream(ticks) | ops.take(9),
    "a callback": Stream(ticks) | ops.map(heedless),
    "workers": Stream(ticks) | ops.map(heedless, concurrency=2),
    "a buffer": Stream(ticks) | ops.buffer(Suspend(2)),
    "merge": merge(ticks, ticks),
    "zip": Stream(ticks) | ops.zip(ticks),
    "concat": Stream(ticks) | ops.concat(ticks) | ops.buffer(Suspend(2)),
    "flat_map in turn": Stream([1]) | ops.flat_map(lambda _: ticks(), concurrency=1),
    "flat_map": Stream([1]) | ops.flat_map(lambda _: ticks(), concurrency=2),
    "groups": Stream(ticks) | ops.group_by(bool, ops.tap(heedless), max_groups=2),
    "branches": Stream(ticks) | ops.broadcast(ops.map(heedless), ops.skip(9)),
    "a timer": Stream(ticks) | ops.batch_within(9, seconds=9.0),
}


def test_a_loop_that_was_closed_with_a_job_in_it_is_told_of_tasks_that_were_pending_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: told.append((found.exc_value, found.object)))

    async def begun(job: Any) -> None:
        job.start()
        for _ in range(5):
            await asyncio.sleep(0)

    for name, stream in WAITING.items():
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["message"]))
        loop.run_until_complete(begun(stream | ops.drain()))
        loop.close()
        del loop
        gc.collect()
        assert {*map(str, told)} == {"Task was destroyed but it is pending!"}, f"{name}: {told}"
        told.clear()


def test_of_what_clean_up_raises_a_cancellation_comes_first() -> None:
    for first in (None, KeyError("first")):
        for swapped in (False, True):
            cancelled, other = asyncio.CancelledError("late"), ValueError("late")
            with pytest.raises(asyncio.CancelledError) as caught:
                combine(first, *((other, cancelled) if swapped else (cancelled, other)))
            assert caught.value is cancelled
            assert other in attached(cancelled)


def test_an_error_behind_one_that_a_step_has_made_an_item_of_is_raised_as_it_is() -> None:
    async def one() -> AsyncIterator[int]:
        raise OSError("early")
        yield 1

    def raises(item: Any) -> Any:
        raise KeyError("late") if isinstance(item, Failed) else ValueError(item)

    with pytest.raises(KeyError) as caught:
        run(Stream(one) | ops.materialize() | ops.map(raises) | ops.drain())
    assert attached(caught.value) == ()


async def fails_to_close() -> AsyncIterator[int]:
    try:
        yield 1
        yield 2
    finally:
        raise OSError("closing")


def test_a_cancellation_in_a_clean_up_comes_before_errors_of_the_same() -> None:
    async def main() -> bool:
        async def read() -> None:
            async with (Stream(fails_to_close) | ops.on_close(lambda: asyncio.sleep(9.0))).open() as items:
                async for _ in items:
                    break

        reading = asyncio.create_task(read())
        await asyncio.sleep(1.0)
        reading.cancel()
        await asyncio.wait([reading])
        return reading.cancelled()

    assert run(main)


def test_who_goes_on_after_an_error_is_told_what_failed_when_streams_inside_were_closed() -> None:
    told = list[tuple[str, ...]]()

    def raises(item: int) -> int:
        raise LookupError(item)

    def goes_on(error: Exception) -> list[str]:
        told.append((str(error), *map(str, attached(error))))
        return ["after"]

    failing = Stream([1]) | ops.concat_map(lambda _: fails_to_close()) | ops.map(raises)
    assert run(lambda: failing | ops.catch(goes_on) | ops.to_list()) == ["after"]
    assert told == [("1", "closing")]


def test_an_error_of_a_step_has_with_it_what_the_stage_before_was_not_asked_for_yet() -> None:
    async def failing() -> AsyncIterator[int]:
        await asyncio.sleep(1.0)
        raise OSError("behind")
        yield 0

    async def fails(_: int) -> None:
        await asyncio.sleep(2.0)
        raise LookupError("first")

    with pytest.raises(LookupError, match="first") as caught:
        run(lambda: merge([1], failing()) | ops.map(fails) | ops.drain())
    assert [str(error) for error in attached(caught.value)] == ["behind"]
