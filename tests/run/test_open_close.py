"""Closing an open stream from anywhere, polling it, and a plain ``for`` that meets a running loop."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from streamkit import RunningLoopError, Stream, Suspend, attached, ops
from streamkit.testing import FaultySource, VirtualLoop, run
from tests.run.staging import written

CLOSING: dict[str, Callable[[Any], Any]] = {
    "step": lambda callback: ops.map(callback),
    "step before a stage": lambda callback: ops.map(callback) | ops.buffer(Suspend(1)),
    "step behind a stage": lambda callback: ops.buffer(Suspend(1)) | ops.map(callback),
    "worker": lambda callback: ops.map(callback, concurrency=2),
    "inner": lambda callback: ops.flat_map(callback, concurrency=2),
}

PIPES = [ops.map(int), ops.buffer(Suspend(1)), ops.concat([]), ops.timeout(9)]


def slow(seconds: float = 0.1) -> FaultySource[int]:
    """Numbers without end; the clean-up takes a second."""
    return FaultySource(range(10**9), every=seconds, close_seconds=1.0)


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("make", CLOSING.values(), ids=CLOSING)
def test_a_callback_may_close_the_stream_that_calls_it(make: Callable[[Any], Any], by_hand: bool) -> None:
    async def main() -> None:
        source = slow()

        async def closing(number: int) -> list[int]:
            if number == 2:
                await opened.aclose()
            return [number]

        opened = (Stream(source) | make(closing)).open()
        async with asyncio.timeout(60), opened as items:
            if by_hand:
                with pytest.raises(StopAsyncIteration):
                    for _ in range(3):
                        await anext(items)
            else:
                assert len([item async for item in items]) <= 2
        assert source.closed == 1

    run(main)


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("make", CLOSING.values(), ids=CLOSING)
def test_a_callback_may_close_it_where_it_was_interrupted(make: Callable[[Any], Any], by_hand: bool) -> None:
    async def main() -> None:
        source = slow(2.0)

        async def closing(number: int) -> list[int]:
            if number == 2:
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.sleep(9.0), 1.0)
                await opened.aclose()  # the error of the timeout has not left the pull
            return [number]

        async with (Stream(source) | make(closing)).open() as opened:
            if by_hand:
                with pytest.raises(StopAsyncIteration):
                    for _ in range(3):
                        await anext(opened)
            else:
                assert len([item async for item in opened]) <= 2
        assert source.closed == 1

    run(main)


def test_a_worker_that_closes_an_iterator_is_ended_with_it_and_nothing_is_left() -> None:
    source, items = slow(), list[Any]()

    async def closing(number: int) -> int:
        if number == 2:
            await items[0].aclose()
        return number

    async def main() -> Any:
        items.append(aiter(Stream(source) | ops.map(closing, concurrency=3)))
        assert await anext(items[0]) == 0
        await asyncio.sleep(9.0)
        return items[0]._guard.ag_frame

    assert (run(main), source.closed) == (None, 1)


def test_a_pull_that_is_closed_by_a_callback_which_has_swallowed_a_cancellation_sees_the_end() -> None:
    async def main() -> list[int]:
        async def closing(number: int) -> int:
            if number == 2:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(9.0)
                await opened.aclose()
            return number

        async def read() -> list[int]:
            return [item async for item in opened]

        async with (Stream(range(9)) | ops.map(closing)).open() as opened:
            reader = asyncio.ensure_future(read())
            await asyncio.sleep(1.0)
            reader.cancel()
            return await reader

    assert run(main) == [0, 1]


@pytest.mark.parametrize("error", [None, OSError("late")], ids=repr)
def test_a_callback_of_another_stream_may_close_one_and_goes_on(error: Exception | None) -> None:
    source = FaultySource(range(9), close_seconds=1.0, close_error=error)

    async def main() -> list[str]:
        async with Stream(source).open() as items:
            await anext(items)

            async def closing(name: str) -> str:
                try:
                    await items.aclose()
                except OSError as late:
                    assert late is error
                return name

            return await (Stream("ab") | ops.map(closing, concurrency=2) | ops.to_list())

    assert run(main) == ["a", "b"]
    source.check()


@pytest.mark.parametrize("pipe", [ops.map(str), ops.buffer(Suspend(1))], ids=repr)
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_pull_that_is_pending_sees_the_end_when_another_task_closes(pipe: Any, by_hand: bool) -> None:
    async def main() -> None:
        source = slow(60.0)

        async def read() -> None:
            if by_hand:
                with pytest.raises(StopAsyncIteration):
                    await anext(items)
            else:
                async for _ in items:
                    pass

        async with (Stream(source) | pipe).open() as items:
            reading = asyncio.ensure_future(read())
            await asyncio.sleep(1.0)
            await items.aclose()
            await reading
        assert source.closed == 1

    run(main)


def test_a_reader_that_is_cancelled_while_another_task_closes_stays_cancelled() -> None:
    async def main() -> None:
        async def read() -> None:
            async for _ in items:
                pass

        async with Stream(slow(60.0)).open() as items:
            reading = asyncio.ensure_future(read())
            await asyncio.sleep(1.0)
            closing = asyncio.ensure_future(items.aclose())
            await asyncio.sleep(0.5)
            reading.cancel()
            await asyncio.wait([reading])
            assert reading.cancelled()
            await closing

    run(main)


def test_a_close_that_is_given_up_has_ended_the_stream() -> None:
    async def main() -> None:
        source = slow()
        async with Stream(source).open() as items:
            await anext(items)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await items.aclose()
        assert source.visit.closing == 1

    run(main)


@pytest.mark.parametrize("pipe", PIPES, ids=repr)
def test_items_that_come_after_a_pull_was_given_up_are_delivered(pipe: Any) -> None:
    async def main() -> None:
        source = slow(1.0)
        got: list[Any] = []
        async with (Stream(source) | pipe).open() as items:
            while len(got) < 3:
                try:
                    got.append(await asyncio.wait_for(anext(items), 0.3))
                except TimeoutError:
                    continue
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(items), 0.3)
            async for item in items:
                got.append(item)
                break
        assert got == [0, 1, 2, 3]
        assert source.visit.closing == 1

    run(main)


@pytest.mark.parametrize("closing", [True, False])
@pytest.mark.parametrize("pipe", PIPES, ids=repr)
def test_an_iterator_that_is_made_before_the_loop_runs_is_cleaned_up_once(pipe: Any, closing: bool) -> None:
    source = slow()
    made = [aiter(Stream(source) | pipe)]

    async def main() -> None:
        assert await anext(made[0]) == 0
        if closing:
            await made[0].aclose()
        made.clear()
        await asyncio.sleep(60)
        assert source.closed == 1

    run(main)


@pytest.mark.parametrize("pipe", PIPES, ids=repr)
def test_an_iterator_that_is_made_before_the_loop_runs_may_be_closed_unread(pipe: Any) -> None:
    source = slow()
    items = aiter(Stream(source) | pipe)

    async def main() -> None:
        await items.aclose()
        assert await anext(items, None) is None

    run(main)
    assert source.closed == len(source.visits) <= 1


class TestAsGenerator:
    """What `aiter` gives has the methods of an async generator, as callers that expect one need them."""

    def test_nothing_can_be_sent_into_it(self) -> None:
        async def main() -> list[int]:
            items: Any = aiter(Stream(slow()))
            found = [await items.asend(None), await items.asend(None)]
            await items.aclose()
            return found

        assert run(main) == [0, 1]

    @pytest.mark.parametrize(
        "thrown",
        [(LookupError("out"),), (LookupError,), (LookupError, LookupError("out"))],
        ids=["error", "class", "class and error"],
    )
    def test_what_is_thrown_into_it_ends_the_stream_and_comes_out(self, thrown: Any) -> None:
        source = slow()

        async def main() -> None:
            items: Any = aiter(Stream(source))
            await anext(items)
            with pytest.raises(LookupError):
                await items.athrow(*thrown)
            assert source.closed == 1
            assert await anext(items, None) is None

        run(main)

    def test_an_error_of_clean_up_hangs_on_what_was_thrown(self) -> None:
        late, out = OSError("late"), LookupError("out")

        async def main() -> None:
            items: Any = aiter(Stream(FaultySource(range(9), close_error=late)))
            await anext(items)
            with pytest.raises(LookupError) as raised:
                await items.athrow(out)
            assert raised.value is out
            assert attached(out) == (late,)

        run(main)


@pytest.mark.parametrize(("pipe", "held"), [(ops.buffer(Suspend(1)), [1]), (ops.map(abs), [])], ids=str)
def test_a_plain_for_that_is_stepped_where_a_loop_runs_ends_behind_what_it_holds(
    pipe: Any, held: list[int]
) -> None:
    closed: list[bool] = []

    async def source() -> AsyncIterator[int]:
        try:
            for number in range(9):
                await asyncio.sleep(0)
                yield number
        finally:
            closed.append(True)

    items = iter(Stream(source) | pipe)

    async def step(items: Iterator[int]) -> None:
        with pytest.raises(RunningLoopError, match="use async for"):
            next(items)

    assert next(items) == 0
    asyncio.run(step(items))
    found = []
    with pytest.raises(RunningLoopError):
        for item in items:
            found.append(item)
    assert found == held
    assert closed == [True]


@pytest.mark.parametrize("boom", [KeyboardInterrupt(), SystemExit()], ids=repr)
@pytest.mark.parametrize(
    "pipe",
    [
        ops.buffer(Suspend(1)),
        ops.broadcast(ops.buffer(Suspend(1)), ops.map(str)),
        ops.group_by(lambda number: number % 2, ops.buffer(Suspend(1)), max_groups=2),
        ops.merge(range(3)),
    ],
    ids=repr,
)
def test_an_interrupt_in_a_pump_comes_out_of_a_plain_for_as_itself(
    pipe: Any, boom: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupted(number: int) -> int:
        if number == 2:
            raise boom
        return number

    with pytest.raises(type(boom)) as caught:
        list(Stream(range(9)) | ops.map(interrupted) | pipe)
    assert caught.value is boom
    del caught
    boom.__traceback__ = None  # which keeps the tasks that it ended
    gc.collect()
    assert not caplog.records  # of an error that nobody has retrieved


@pytest.mark.parametrize("operator", [ops.take(2), ops.tap(lambda _: None)], ids=repr)
def test_a_stage_may_close_what_it_has_opened_when_it_is_left(operator: Any) -> None:
    log: list[str] = []
    source = slow(0.0)

    async def runs(run: Any, inlet: Any) -> AsyncIterator[int]:
        items = run.open(inlet)
        try:
            async for item in items:
                yield item
        finally:
            await run.close(items)
            log.append(f"closed: {source.closed}")

    async def main() -> None:
        stream = Stream(source) | written(runs, pumps=False) | operator
        async with stream.open() as items:
            async for item in items:
                if item == 1:
                    break
        assert log == [f"closed: {source.closed}"]
        assert source.visit.closing == 1

    run(main)


def test_what_was_opened_is_closed_where_the_program_ends_before_the_first_pull_begins() -> None:
    """Found by the soak: the task that pulls for a bare iterator was cancelled before its first step."""
    inner = Stream(range(3))

    async def read() -> None:
        items = aiter(Stream(lambda: aiter(inner)))
        try:
            await anext(items)
        finally:
            await items.aclose()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        reader = loop.create_task(read())

        def shut_down() -> None:
            for task in asyncio.all_tasks(loop) - {mine}:
                task.cancel()

        mine = asyncio.current_task()
        loop.call_at_step(2, shut_down)
        await asyncio.wait([reader])
        assert reader.cancelled()

    run(main)
