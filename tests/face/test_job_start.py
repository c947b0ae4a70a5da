"""Jobs and their handles: await, run and start; for buffers() see test_account."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from operator import add
from typing import Any

import pytest

from streamkit import RunningLoopError, StoppedError, Stream, Suspend, attached, ops
from streamkit.testing import run
from tests.face.ticking import now, ticking, within


class TestJob:
    def test_each_await_is_a_new_run(self) -> None:
        source = ticking(3)
        job = Stream(source) | ops.to_list()

        async def main() -> None:
            assert await job == [0, 1, 2]
            assert await job == [0, 1, 2]
            assert await asyncio.gather(within(9.0, job), within(9.0, job)) == [[0, 1, 2]] * 2
            assert source.closed == 4

        run(main)

    def test_nothing_begins_before_it_is_awaited(self) -> None:
        async def main() -> None:
            source = ticking()
            job = Stream(source) | ops.drain()
            await asyncio.sleep(9.0)
            assert (source.given, repr(job)) == (0, f"Job({Stream(source).source!r} | drain())")

        run(main)

    def test_runs_where_no_loop_runs(self) -> None:
        assert (Stream(ticking(3, seconds=0.0)) | ops.fold(add, 0)).run() == 3

    def test_runs_where_trio_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "trio", raising=False)
        for source in ([1, 2], iter([1, 2])):
            assert (Stream(source) | ops.to_list()).run() == [1, 2]

    def test_run_inside_a_loop_says_what_to_write(self) -> None:
        async def main() -> None:
            with pytest.raises(RunningLoopError, match="use await job"):
                (Stream([1]) | ops.drain()).run()

        run(main)

    @pytest.mark.parametrize(
        "operator",
        [
            ops.buffer(Suspend(1)),
            ops.take(1),
        ],
        ids=repr,
    )
    def test_start_needs_a_running_loop(self, operator: Any) -> None:
        with pytest.raises(
            RuntimeError, match=r"no running event loop for job\.start\(\): .* write job\.run\(\)$"
        ):
            (Stream([1]) | operator | ops.drain()).start()

    def test_cancelling_closes_the_source_first(self) -> None:
        async def main() -> None:
            source = ticking(closing=5.0)
            with pytest.raises(TimeoutError):
                await within(2.5, Stream(source) | ops.buffer(Suspend(2)) | ops.drain())
            assert (now(), source.closed) == (7.5, 1)

        run(main)

    @pytest.mark.parametrize(
        "last",
        [ops.to_list, lambda: ops.broadcast(ops.buffer(Suspend(1)) | ops.to_list())],
        ids=["step", "stage"],
    )
    def test_a_second_error_hangs_on_the_first(self, last: Callable[[], Any]) -> None:
        async def dirty() -> AsyncIterator[int]:
            try:
                yield 1
                yield 0
            finally:
                raise OSError("clean-up")

        with pytest.raises(ZeroDivisionError) as caught:
            (Stream(dirty) | ops.map(lambda number: 1 // number) | last()).run()
        assert [str(error) for error in attached(caught.value)] == ["clean-up"]


def test_tasks_that_are_handed_one_job_have_a_run_each() -> None:
    async def main() -> None:
        job: Any = Stream(ticking(3)) | ops.to_list()
        tasks = [asyncio.get_running_loop().create_task(job) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        assert await asyncio.gather(*tasks[1:]) == [[0, 1, 2]] * 2
        assert tasks[0].cancelled()
        assert await asyncio.get_running_loop().create_task(job) == [0, 1, 2]

    run(main)


def test_an_error_that_no_task_throws_in_is_itself() -> None:
    async def main() -> None:
        job: Any = Stream([1]) | ops.to_list()
        over = asyncio.get_running_loop().create_future()

        def calls() -> None:
            with pytest.raises(ZeroDivisionError):
                job.throw(ZeroDivisionError())
            over.set_result(None)

        asyncio.get_running_loop().call_soon(calls)
        await over

    run(main)


class TestStart:
    def test_runs_beside_the_caller_and_gives_the_result(self) -> None:
        async def main() -> None:
            handle = (Stream(ticking(3)) | ops.to_list()).start()
            assert not handle.done
            await asyncio.sleep(10.0)
            assert handle.done
            assert await handle == [0, 1, 2]
            assert await handle == [0, 1, 2]
            assert now() == 10.0

        run(main)

    def test_an_error_comes_out_of_each_await(self) -> None:
        async def main() -> None:
            handle = (Stream([0]) | ops.map(lambda number: 1 // number) | ops.drain()).start()
            for _ in range(2):
                with pytest.raises(ZeroDivisionError):
                    await handle
            assert handle.done

        run(main)

    def test_has_a_name(self) -> None:
        async def main() -> None:
            names: list[str] = []

            def note(_: int) -> None:
                task = asyncio.current_task()
                assert task is not None
                names.append(task.get_name())

            await (Stream([1]) | ops.for_each(note)).start(name="import of stars")
            await (Stream([1]) | ops.for_each(note)).start()
            assert names == ["import of stars", "Job(list | for_each(note))"]

        run(main)

    def test_says_how_it_is(self) -> None:
        async def main() -> None:
            handle = (Stream(ticking(2)) | ops.drain()).start(name="ticks")
            assert repr(handle) == "<Handle running ticks>"
            handle.pause()
            assert repr(handle) == "<Handle paused ticks>"
            handle.resume()
            await handle
            assert repr(handle) == "<Handle done ticks>"

        run(main)

    def test_cancelling_who_awaits_it_cancels_it(self) -> None:
        async def main() -> None:
            source = ticking()
            handle = (Stream(source) | ops.drain()).start()
            with pytest.raises(TimeoutError):
                await within(2.5, handle)
            assert (handle.done, source.closed) == (True, 1)
            with pytest.raises(asyncio.CancelledError):
                await handle

        run(main)


class TestPause:
    @pytest.mark.parametrize("pauses_at_once", [True, False])
    def test_holds_stages_that_begin_while_paused(self, pauses_at_once: bool) -> None:
        async def source() -> AsyncIterator[int]:
            for number in range(40):
                await asyncio.sleep(1.0)
                yield number

        async def call(item: int) -> int:
            await asyncio.sleep(0.5)
            return item

        async def main() -> None:
            for groups in (False, True):
                seen: list[int] = []
                pipe: Any = ops.map(call, concurrency=4) | ops.for_each(seen.append)
                if groups:
                    pipe = ops.group_by(lambda n: n // 4, pipe, max_groups=20, idle=99.0) | ops.drain()
                handle = (Stream(source) | pipe).start()
                if not pauses_at_once:
                    await asyncio.sleep(10.2)
                handle.pause()
                await asyncio.sleep(1.0)
                before = len(seen)
                await asyncio.sleep(60.0)
                assert len(seen) - before <= 4  # of the calls that were under way
                handle.resume()
                await handle
                assert len(seen) == 40

        run(main)

    def test_a_job_that_is_cancelled_while_it_is_held_before_its_first_step_ends(self) -> None:
        async def main() -> None:
            handle = (Stream([1]) | ops.drain()).start()
            handle.pause()
            await asyncio.sleep(1.0)
            await handle.stop()
            with pytest.raises(StoppedError):
                await handle

        run(main)
