"""A loop that is run by the tasks that feed it: the errors behind it, and callbacks that are awaited."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
import inspect
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import Replace, Resume, Stream, ops
from streamkit.testing import run
from tests.run.feeding import at_once, outcome, raising, turn, turn_raising
from tests.run.staging import notes


def test_a_worker_delivers_in_its_own_task() -> None:
    tasks: list[Any] = []
    job = (
        Stream(range(6))
        | ops.map(turn, concurrency=3)
        | ops.for_each(lambda _: tasks.append(asyncio.current_task()))
    )

    async def main() -> None:
        await job
        assert asyncio.current_task() not in tasks

    run(main)
    assert len(tasks) == 6


def test_behind_a_full_batch_the_loop_may_wait_end_or_fail() -> None:
    """The one who fills the batch runs it."""
    error, seen = ValueError("behind"), list[list[int]]()

    async def numbers() -> AsyncIterator[int]:
        for number in range(6):
            await asyncio.sleep(1.0)
            yield number

    async def noted(batch: list[int]) -> None:
        await asyncio.sleep(0.25)
        seen.append(batch)

    batches = Stream(numbers) | ops.batch_within(2, seconds=9.0)
    assert run(lambda: outcome(batches | ops.for_each(lambda batch: noted(batch)))) is None
    assert seen == [[0, 1], [2, 3], [4, 5]]
    for count in (2, 3):  # also of the last that there is
        assert run(lambda: outcome(batches | ops.take(count) | ops.to_list())) == seen[:count]
    assert run(lambda: outcome(batches | ops.tap(raising(error, [2, 3])) | ops.drain())) is error


class TestErrorsBehind:
    """Of callbacks that run in a worker's task: they come out of the job as they would of one loop."""

    @pytest.mark.parametrize("function", [at_once, turn])
    @pytest.mark.parametrize("kind", [ValueError, RuntimeError])
    @pytest.mark.parametrize("ordered", [True, False])
    def test_the_error_itself_is_raised_and_names_the_operator_and_its_place(
        self, function: Any, ordered: bool, kind: type[Exception]
    ) -> None:
        error = kind("behind")
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
        assert "test_direct_errors.py:" in error.__notes__[0]
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
            chain: list[Any] = [found]
            while type(chain[-1]) is RuntimeError:  # a coroutine makes one of StopIteration by itself
                chain.append(chain[-1].__cause__)
            assert chain[-1] is error
            assert "in tap" in [note.partition("(")[0] for each in chain for note in notes(each)]
            error.__dict__.clear()

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

    @pytest.mark.parametrize(
        ("pipe", "found"),
        [
            (ops.map(str), ["0", "1", "2"]),
            (ops.batch(2), [[0, 1], [2]]),
            (ops.batch(2) | ops.take(1), [[0, 1]]),
        ],
    )
    def test_one_of_the_source_comes_after_what_steps_hold_unless_they_have_ended(
        self, pipe: Any, found: list[Any]
    ) -> None:
        error = ValueError("source")
        seen: list[Any] = []

        async def source() -> AsyncIterator[int]:
            for number in range(3):
                yield number
                await asyncio.sleep(1.0)
            raise error

        job = Stream(source) | ops.map(turn, concurrency=3) | pipe | ops.for_each(seen.append)
        ended = run(lambda: outcome(job))
        assert seen == found
        assert ended is (None if len(found) == 1 else error)


@pytest.mark.parametrize("ordered", [True, False])
def test_one_that_comes_when_the_loop_has_ended_is_not_told(ordered: bool) -> None:
    async def call(item: int) -> int:
        await asyncio.sleep(1.0)
        if item:
            raise OSError
        return item

    async def main() -> int:
        return await (Stream([0, 1]) | ops.map(call, concurrency=2, ordered=ordered) | ops.first())

    assert run(main) == 0


class TestAwaitables:
    def test_a_loop_may_end_when_one_has_come_to_its_result(self) -> None:
        job = (
            Stream(range(30))
            | ops.map(turn, concurrency=4)
            | ops.map(lambda item: turn(item))
            | ops.take(3)
            | ops.to_list()
        )
        assert run(lambda: outcome(job)) == [0, 1, 2]

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


def test_what_a_callback_has_returned_is_closed_where_nobody_comes_to_await_it() -> None:
    """Found by the soak: what ``on_error`` puts around a coroutine was closed, and that was not."""
    begun: list[Any] = []

    async def main(operator: Callable[[Any, Any], Any]) -> None:
        made: list[Any] = []

        async def later(*items: Any) -> None:
            begun.append(items)

        def called(*items: Any) -> Any:
            job.cancel()  # which is called in a worker's task, and its reader is not awake yet
            made.append(later(*items))
            return made[-1]

        def failing(_: Any) -> Any:
            raise KeyError

        async def consume() -> None:
            await (Stream([0]) | ops.map(turn, concurrency=2) | operator(called, failing) | ops.drain())

        job = asyncio.create_task(consume())
        with pytest.raises(asyncio.CancelledError):
            await job
        assert [inspect.getcoroutinestate(each) for each in made] == ["CORO_CLOSED"]

    for operator in (
        lambda called, _: ops.map(called),
        lambda called, _: ops.map(called, on_error=Resume()),
        lambda called, failing: ops.map(failing, on_error=Replace(called)),
        lambda called, failing: ops.map(failing, on_error=Resume(called)),
    ):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            run(lambda: main(operator))
        assert [str(each.message) for each in warned] == []
    assert begun == []
