"""A loop that is run by the tasks that feed it: pauses, cancellation, and what callbacks see."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
import contextvars
import gc
import warnings
from typing import Any

import pytest

from streamkit import Stream, attached, ops
from streamkit.testing import VirtualLoop, run
from tests.run.feeding import Seen, asleep, at_once, now, outcome, turn


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


def test_a_reader_lets_others_run_between_items_that_were_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamkit._engine.compile.pace.Pace.due", lambda self: True)
    turns: list[int] = []
    seen: list[int] = []

    def behind(item: int) -> Any:
        seen.append(len(turns))
        asyncio.get_running_loop().call_soon(turns.append, item)
        return None if item else asyncio.sleep(1.0)

    async def main() -> float:
        await (Stream(range(9)) | ops.map(at_once, concurrency=9) | ops.for_each(behind))
        return now()

    assert run(main) == 1.0
    assert seen == [*range(9)]


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

    def test_is_over_at_once_when_it_is_resumed(self) -> None:
        seen: Seen = []

        async def main() -> None:
            async def pausing() -> None:
                handle.pause()
                asyncio.get_running_loop().call_later(0.5, handle.resume)

            def behind(item: float) -> Any:
                seen.append((now(), item))
                return pausing() if item == 1.0 else None

            handle = (
                Stream([1.0, 1.25, 1.75]) | ops.map(asleep, concurrency=3) | ops.for_each(behind)
            ).start()
            await handle

        run(main)
        assert seen == [(1.0, 1.0), (1.5, 1.25), (1.75, 1.75)]

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
