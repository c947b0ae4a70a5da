"""A loop that is run by the tasks that feed it: its errors, pauses, cancellation, and what callbacks see."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
import contextvars
import gc
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Stream, attached, ops
from streamkit.testing import VirtualLoop, run

Seen = list[tuple[float, Any]]


async def asleep(seconds: float) -> float:
    """A callback that takes as many seconds as its item says."""
    await asyncio.sleep(seconds)
    return seconds


async def turn(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


def at_once(item: Any) -> Any:
    return item


def now() -> float:
    return asyncio.get_running_loop().time()


async def outcome(job: Any) -> Any:
    """What `job` returned or raised."""
    try:
        return await job
    except BaseException as error:
        return error


def raising(error: BaseException, at: Any) -> Callable[[Any], Any]:
    def call(item: Any) -> Any:
        if item == at:
            raise error
        return item

    return call


class TestErrorsBehind:
    """Of callbacks that run in a worker's task: they come out of the job as they would of one loop."""

    @pytest.mark.parametrize("function", [at_once, turn])
    @pytest.mark.parametrize("ordered", [True, False])
    def test_the_error_itself_is_raised_and_names_the_operator_and_its_place(
        self, function: Any, ordered: bool
    ) -> None:
        error = ValueError("behind")
        begun: list[int] = []
        cancelled: list[int] = []

        async def work(item: int) -> int:
            begun.append(item)
            try:
                await asyncio.sleep(9.0 if item > 3 else 0)
            except asyncio.CancelledError:
                cancelled.append(item)
                raise
            return item

        chosen = function if function is at_once else work
        job = (
            Stream(range(9))
            | ops.map(chosen, concurrency=4, ordered=ordered)
            | ops.filter(lambda _: True)
            | ops.tap(raising(error, 2))
            | ops.drain()
        )
        assert run(lambda: outcome(job)) is error
        assert len(error.__notes__) == 1
        assert error.__notes__[0].startswith("in tap(")
        assert "test_feed.py:" in error.__notes__[0]
        assert sorted(cancelled) == [item for item in begun if item > 3]

    @pytest.mark.parametrize("kind", [StopIteration, StopAsyncIteration])
    @pytest.mark.parametrize("function", [at_once, turn])
    def test_what_would_end_an_iterator_is_a_runtime_error(
        self, kind: type[Exception], function: Any
    ) -> None:
        error = kind("behind")
        for behind in (raising(error, 2), lambda item: turn_raising(error, 2)(item)):
            job = Stream(range(9)) | ops.map(function, concurrency=3) | ops.tap(behind) | ops.to_list()
            found = run(lambda: outcome(job))
            assert type(found) is RuntimeError
            cause = found.__cause__
            while type(cause) is RuntimeError:  # a coroutine makes one of StopIteration by itself
                cause = cause.__cause__
            assert cause is error

    @pytest.mark.parametrize("kind", [asyncio.CancelledError, GeneratorExit])
    def test_signals_come_out_as_they_are(self, kind: type[BaseException]) -> None:
        error = kind("behind")
        job = Stream(range(9)) | ops.map(turn, concurrency=3) | ops.for_each(raising(error, 4))
        assert type(run(lambda: outcome(job))) is kind

    def test_a_keyboard_interrupt_ends_all(self) -> None:
        job = Stream(range(9)) | ops.map(turn, concurrency=3) | ops.for_each(raising(KeyboardInterrupt(), 4))
        with pytest.raises(KeyboardInterrupt):
            job.run()

    @pytest.mark.parametrize("function", [at_once, turn])
    def test_of_a_finish(self, function: Any) -> None:
        error = ValueError("finish")
        job = (
            Stream(range(5))
            | ops.map(function, concurrency=3)
            | ops.batch(3)
            | ops.map(raising(error, [3, 4]))
            | ops.to_list()
        )
        assert run(lambda: outcome(job)) is error
        assert error.__notes__[0].startswith("in map(")

    def test_of_a_setup_comes_before_anything_is_read(self) -> None:
        begun: list[int] = []
        job = Stream(range(9)) | ops.map(begun.append, concurrency=3) | ops.take(0) | ops.to_list()
        assert run(lambda: outcome(job)) == []
        assert begun == []

    def test_of_an_awaitable_that_a_callback_returned(self) -> None:
        error = ValueError("awaited")
        job = (
            Stream(range(9))
            | ops.map(turn, concurrency=3)
            | ops.tap(lambda item: turn_raising(error, 4)(item))
            | ops.drain()
        )
        assert run(lambda: outcome(job)) is error
        assert error.__notes__[0].startswith("in tap(")

    @pytest.mark.parametrize("ordered", [True, False])
    def test_no_call_begins_after_it(self, ordered: bool) -> None:
        for at in range(12):
            failed: list[int] = []
            late: list[int] = []

            async def work(item: int) -> int:
                if failed:
                    late.append(item)
                for _ in range(item % 3):
                    await asyncio.sleep(0)
                return item

            def behind(item: int) -> None:
                if item == at:
                    failed.append(item)
                    raise ValueError(item)

            job = Stream(range(20)) | ops.map(work, concurrency=4, ordered=ordered) | ops.for_each(behind)
            assert type(run(lambda: outcome(job))) is ValueError
            assert late == []

    def test_no_call_begins_after_it_in_a_worker_that_let_others_run(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("streamkit._engine.compile.pace.Pace.due", lambda self: True)
        for at in range(12):
            failed: list[int] = []
            late: list[int] = []

            async def work(item: int) -> int:
                late.extend(failed)
                for _ in range(item % 2):
                    await asyncio.sleep(0)
                return item

            def behind(item: int) -> None:
                if item == at:
                    failed.append(item)
                    raise ValueError(item)

            job = Stream(range(40)) | ops.map(work, concurrency=4, ordered=False) | ops.for_each(behind)
            assert type(run(lambda: outcome(job))) is ValueError
            assert late == []


def turn_raising(error: BaseException, at: Any) -> Callable[[Any], Any]:
    async def call(item: Any) -> Any:
        await asyncio.sleep(0)
        return raising(error, at)(item)

    return call


class TestAwaitables:
    @pytest.mark.parametrize("function", [at_once, turn])
    def test_what_callbacks_return_is_awaited_in_order(self, function: Any) -> None:
        seen: list[int] = []

        async def later(item: int) -> int:
            await asyncio.sleep(item % 3)
            seen.append(item)
            return -item

        job = (
            Stream(range(30)) | ops.map(function, concurrency=4) | ops.map(lambda i: later(i)) | ops.to_list()
        )
        assert run(lambda: outcome(job)) == [-item for item in range(30)]
        assert seen == list(range(30))

    def test_it_is_awaited_in_the_task_of_the_job(self) -> None:
        async def main() -> None:
            tasks: set[Any] = set()

            async def later(item: int) -> None:
                async with asyncio.timeout(1.0):
                    await asyncio.sleep(0.5)
                tasks.add(asyncio.current_task())

            await (Stream(range(9)) | ops.map(turn, concurrency=3) | ops.for_each(lambda i: later(i)))
            assert tasks == {asyncio.current_task()}

        run(main)


class TestCancel:
    def test_nothing_that_a_callback_returned_is_left_unawaited(self) -> None:
        async def main(steps: int) -> bool:
            made: list[asyncio.Future[None]] = []

            def behind(item: int) -> Any:
                if item % 2:
                    return turn(item)
                made.append(asyncio.get_running_loop().create_future())
                asyncio.get_running_loop().call_soon(done, made[-1])
                return made[-1]

            job = Stream(range(6)) | ops.map(turn, concurrency=3) | ops.for_each(behind)
            task = asyncio.ensure_future(outcome(job))
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.call_at_step(steps, task.cancel)
            ended = await task
            assert all(future.done() for future in made)
            return isinstance(ended, asyncio.CancelledError)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            steps = 2  # in the first one the task begins
            while run(lambda: main(steps)):
                steps += 1
            gc.collect()
        assert steps > 5
        assert [str(each.message) for each in caught] == []

    @pytest.mark.parametrize("function", [at_once, turn])
    def test_an_error_behind_is_raised_or_hangs_on_the_cancellation(self, function: Any) -> None:
        error: list[ValueError] = []

        async def main(steps: int) -> bool:
            error.clear()

            def behind(item: int) -> None:
                if item == 3:
                    error.append(ValueError(item))
                    raise error[0]

            job = Stream(range(6)) | ops.map(function, concurrency=3) | ops.for_each(behind)
            task = asyncio.ensure_future(outcome(job))
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.call_at_step(steps, task.cancel)
            ended = await task
            if isinstance(ended, asyncio.CancelledError):
                assert not error or attached(ended) == (error[0],)
                return True
            assert ended is error[0]
            return False

        steps = 2  # in the first one the task begins
        while run(lambda: main(steps)):
            steps += 1
        assert steps > 2


def done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class TestPause:
    """Workers that could deliver directly do not, while a job is paused."""

    def test_from_outside(self) -> None:
        seen: Seen = []

        async def main() -> None:
            stream = Stream([1, 1, 1, 2, 3, 4]) | ops.map(asleep, concurrency=3)
            handle = (stream | ops.for_each(lambda item: seen.append((now(), item)))).start()
            await asyncio.sleep(1.5)
            handle.pause()
            await asyncio.sleep(8.5)
            assert seen == [(1.0, 1)] * 3
            handle.resume()
            await handle

        run(main)
        assert seen[3:] == [(10.0, 2), (10.0, 3), (10.0, 4)]

    def test_by_a_callback_that_a_worker_runs(self) -> None:
        seen: Seen = []

        async def main() -> None:
            def note(item: float) -> None:
                seen.append((now(), item))
                if len(seen) == 2:
                    handle.pause()

            handle = (Stream([1, 2, 3, 4, 5]) | ops.map(asleep, concurrency=2) | ops.for_each(note)).start()
            await asyncio.sleep(50.0)
            assert seen == [(1.0, 1), (2.0, 2)]
            handle.resume()
            await handle

        run(main)
        assert [item for _, item in seen] == [1, 2, 3, 4, 5]
        assert all(when >= 50.0 for when, _ in seen[2:])

    def test_by_what_the_reader_itself_runs_just_before_it_waits(self) -> None:
        seen: Seen = []

        async def main() -> None:
            async def pausing() -> None:
                handle.pause()

            def behind(item: float) -> Any:
                return pausing() if item == 1 else asyncio.sleep(0)

            noted = ops.tap(lambda item: seen.append((now(), item)))
            stream = Stream([1, 2, 3, 4]) | ops.map(asleep, concurrency=3) | noted
            handle = (stream | ops.for_each(behind)).start()
            await asyncio.sleep(50.0)
            assert seen == [(1.0, 1)]
            handle.resume()
            await handle

        run(main)
        assert [item for _, item in seen] == [1, 2, 3, 4]

    def test_at_every_step_of_the_loop(self) -> None:
        async def main(steps: int) -> bool:
            seen: Seen = []

            async def work(item: int) -> int:
                for _ in range(item % 4):
                    await asyncio.sleep(0)
                return item

            stream = Stream(range(12)) | ops.map(work, concurrency=3)
            handle = (stream | ops.for_each(lambda item: seen.append((now(), item)))).start()
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            at: list[int] = []

            def pause() -> None:
                handle.pause()
                at.append(len(seen))

            loop.call_at_step(steps, pause)
            await asyncio.sleep(5.0)
            paused = not handle.done
            if paused and steps > 1:  # before its first step there is nothing to hold
                assert len(seen) == at[0]
            handle.resume()
            await handle
            assert [item for _, item in seen] == list(range(12))
            return paused

        steps = 1
        while run(lambda: main(steps)):
            steps += 1
        assert steps > 4

    def test_stop_ends_a_paused_job(self) -> None:
        async def main() -> None:
            stream = Stream(range(1, 9)) | ops.map(asleep, concurrency=3)
            handle = (stream | ops.drain()).start()
            await asyncio.sleep(1.5)
            handle.pause()
            await asyncio.sleep(9.0)
            await handle.stop()
            assert handle.done
            assert all(stats.held == 0 for stats in handle.buffers())

        run(main)


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


class TestContext:
    @pytest.mark.parametrize("function", [at_once, turn])
    def test_callbacks_behind_see_the_variables_of_who_awaits_the_job(self, function: Any) -> None:
        seen: list[str] = []

        async def work(item: int) -> Any:
            VARIABLE.set("worker")
            return function(item) if function is at_once else await function(item)

        async def main() -> None:
            VARIABLE.set("mine")
            stream = Stream(range(30)) | ops.map(work, concurrency=4)
            await (stream | ops.for_each(lambda _: seen.append(VARIABLE.get())))
            assert VARIABLE.get() == "mine"

        run(main)
        assert seen == ["mine"] * 30

    def test_what_one_sets_the_next_one_sees(self) -> None:
        seen: list[str] = []

        def count(item: float) -> None:
            seen.append(VARIABLE.get())
            VARIABLE.set(str(item))

        async def main() -> None:
            await (Stream([0, 0, 1, 2, 2, 3]) | ops.map(asleep, concurrency=3) | ops.for_each(count))

        run(main)
        assert seen == ["unset", "0", "0", "1", "2", "2"]

    def test_timeouts_inside_the_function_work(self) -> None:
        async def work(item: int) -> str:
            try:
                async with asyncio.timeout(1.5):
                    await asyncio.sleep(item)
            except TimeoutError:
                return "late"
            return "in time"

        job = Stream([1, 2, 1, 3, 1]) | ops.map(work, concurrency=2) | ops.to_list()
        assert run(lambda: outcome(job)) == ["in time", "late", "in time", "late", "in time"]
