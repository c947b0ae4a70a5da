"""Executors of somebody else: those of `concurrent.futures`, and what is like them."""

import asyncio
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.context import BaseContext
from typing import Any

import pytest

from streamkit import (
    PackingError,
    Stream,
    WorkerCrashedError,
    WorkerError,
    WorkersClosedError,
    executors,
    ops,
)
from streamkit._core.workers import Calls, NoResult
from streamkit.executors import Executor
from tests.executors.door import Door
from tests.executors.work import Unreadable, double, ends, fails_at_three, pid_of


class AtOnce:
    """An executor that does all at once, in the thread that asks; it has what `Executor` asks for only."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        self.calls.append(arguments)
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future


@pytest.fixture
def processes(forkserver: BaseContext) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=forkserver) as executor:
        yield executor


class TestThreads:
    def test_nothing_is_pickled(self) -> None:
        with ThreadPoolExecutor(2) as threads:
            pool = Executor(threads, 2)
            found = list(Stream([1, 2]) | ops.map(lambda number: lambda: number, on=pool))
            assert [each() for each in found] == [1, 2]
            with pytest.raises(ValueError, match="no 3"):
                list(Stream(range(5)) | ops.map(fails_at_three, on=pool, chunk=2))
            assert threads.submit(double, 2).result() == 4, "it is not shut down"

    def test_it_is_given_so_many_chunks_at_once(self) -> None:
        with ThreadPoolExecutor(1) as threads:

            async def main() -> None:
                pool = Executor(threads, 3)
                async with pool, pool.used(Calls(double)) as send:
                    calls = [asyncio.ensure_future(send([number])) for number in range(5)]
                    await asyncio.sleep(0)
                    assert sum(each.load for each in pool.workers()) <= 3
                    calls[4].cancel()
                    with suppress(asyncio.CancelledError):
                        await calls[4]
                    assert [await each for each in calls[:4]] == [[0], [2], [4], [6]]

            asyncio.run(main())

    def test_what_it_has_and_has_not_begun_is_taken_back(self) -> None:
        door = Door()
        with ThreadPoolExecutor(1) as threads:

            async def main() -> None:
                async with Executor(threads, 3) as pool, pool.used(Calls(door)) as send:
                    calls = [asyncio.ensure_future(send([number])) for number in range(3)]
                    await door.entered()
                    calls[1].cancel()
                    await asyncio.wait([calls[1]])
                    assert await pool.halt(0.0) == (0, 2)
                    errors = await asyncio.gather(*calls, return_exceptions=True)
                    assert [*map(type, errors)] == [
                        WorkersClosedError,
                        asyncio.CancelledError,
                        WorkersClosedError,
                    ]
                    door.open.set()

            asyncio.run(main())
        assert door.calls == [0]

    def test_what_it_cancels_itself_is_an_error(self) -> None:
        door = Door()
        with ThreadPoolExecutor(1) as threads:

            async def main() -> None:
                async with Executor(threads, 2).used(Calls(door)) as send:
                    calls = [asyncio.ensure_future(send([number])) for number in range(2)]
                    await door.entered()
                    threads.shutdown(wait=False, cancel_futures=True)
                    door.open.set()
                    assert await calls[0] == [0]
                    with pytest.raises(WorkerError, match="the executor has cancelled the call"):
                        await calls[1]

            asyncio.run(main())

    def test_a_pool_that_a_loop_has_left_open_is_opened_anew(self) -> None:
        with ThreadPoolExecutor(1) as threads:
            pool = Executor(threads, 1)
            loop = asyncio.new_event_loop()
            loop.run_until_complete(pool.__aenter__())
            loop.close()
            assert list(Stream([1]) | ops.map(double, on=pool)) == [2]

    def test_one_that_is_shut_down_is_an_error(self) -> None:
        with ThreadPoolExecutor(1) as threads:
            pass
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            list(Stream([1]) | ops.map(double, on=Executor(threads, 1)))


class TestOthers:
    def test_they_get_bytes_and_give_bytes(self) -> None:
        executor = AtOnce()

        async def main() -> None:
            async with Executor(executor, 1).used(Calls(ends)) as send:  # type: ignore[arg-type]
                good, result, unsent = await send(["good", "result", Unreadable()])
                assert good == "good"
                assert isinstance(result.error, PackingError)
                assert isinstance(unsent.error, LookupError)

        asyncio.run(main())
        assert all(type(each) in (str, bytes) for arguments in executor.calls for each in arguments)

    def test_processes_of_an_executor(self, processes: ProcessPoolExecutor) -> None:
        pool = Executor(processes, 2)
        [pid] = {*(Stream(range(6)) | ops.map(pid_of, on=pool, chunk=2))}
        assert pid != os.getpid()

        async def main() -> None:
            async with pool.used(Calls(fails_at_three)) as send:
                outcomes = await send([1, 3])
                assert outcomes[0] == 1
                assert isinstance(outcomes[1], NoResult)
                assert "in fails_at_three" in str(outcomes[1].error.__cause__)

        asyncio.run(main())
        with pytest.raises(WorkerCrashedError, match="the executor is broken"):
            list(Stream(["_exit"]) | ops.map(ends, on=pool))


class TestArguments:
    def test_a_wrong_one_is_named(self) -> None:
        with pytest.raises(TypeError, match=r"executor must be an executor of concurrent.futures, not 5"):
            Executor(5, 1)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="count must be a whole number of at least 1"):
            Executor(ThreadPoolExecutor(1), 0)

    def test_nobody_knows_its_workers(self) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as threads:
                async with Executor(threads, 1) as pool:
                    with pytest.raises(TypeError, match="nobody knows the workers"):
                        await pool.broadcast(double)

        asyncio.run(main())


@pytest.mark.parametrize(("name", "package"), [("Dask", "dask"), ("Ray", "ray")])
def test_an_engine_that_is_not_installed_says_how_to_get_it(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{name} needs .*: pip install streamkit\[{package}\]"):
        getattr(executors, name)
    assert name not in executors.__all__, "import * must do without it"
