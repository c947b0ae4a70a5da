"""Processes that are lost: killed from outside, by an item, by themselves, again and again."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import pytest

from streamkit import Resume, Retry, Stream, WorkerCrashedError, WorkerError, ops
from streamkit._core.workers import Calls
from streamkit.executors import (
    ChunkSentAgain,
    Event,
    Processes,
    WorkerInfo,
    WorkerLost,
    WorkerPrepared,
    child,
)
from tests.executors.work import (
    babbles,
    ends,
    forks,
    killed_by,
    lasts,
    needs_a_word,
    only_once,
    pid_of,
)


def kill(worker: WorkerInfo) -> None:
    assert worker.pid is not None
    with suppress(ProcessLookupError):
        os.kill(worker.pid, signal.SIGKILL)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not condition():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.002)


class Killer:
    """Kills one of the workers of a pool now and then, from a thread of its own."""

    def __init__(self, pool: Processes, seconds: float) -> None:
        self.kills = 0
        self._ended = threading.Event()
        self._pool = pool
        self._seconds = seconds
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for turn in count():
            if self._ended.wait(self._seconds):
                return
            ready = [each for each in self._pool.workers() if each.ready and each.pid]
            if ready:
                kill(ready[turn % len(ready)])
                self.kills += 1

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


class TestCalls:
    def test_db9_a_lost_worker_costs_its_own_call_which_is_sent_again(self, forkserver: BaseContext) -> None:
        events: list[Event] = []
        pool = Processes(2, context=forkserver, on_event=events.append)

        async def main() -> None:
            async with pool, pool.used(Calls(lasts)) as send:
                calls = [asyncio.ensure_future(send([0.05])) for _ in range(2)]
                await asyncio.sleep(0.01)
                kill(pool.workers()[0])
                assert await asyncio.gather(*calls) == [[0.05], [0.05]]
                assert [each.crashes for each in pool.workers()] == [1, 0]
                await until(lambda: all(each.ready for each in pool.workers()))

        asyncio.run(main())
        [lost] = [each for each in events if isinstance(each, WorkerLost)]
        assert (lost.worker, lost.exit_code) == (0, -signal.SIGKILL)
        [again] = [each for each in events if isinstance(each, ChunkSentAgain)]
        assert (again.worker, again.items, again.killed) == (0, 1, 1)
        assert sum(isinstance(each, WorkerPrepared) for each in events) == 3

    def test_an_idle_worker_that_is_lost_costs_nothing(self, forkserver: BaseContext) -> None:
        async def main() -> None:
            async with (
                Processes(1, context=forkserver, on_crash=None) as pool,
                pool.used(Calls(pid_of)) as send,
            ):
                [pid] = await send([1])
                kill(pool.workers()[0])
                await until(lambda: pool.workers()[0].pid != pid)
                [other] = await send([2])
                assert other != pid

        asyncio.run(main())

    def test_who_leaves_by_himself_is_lost_with_his_exit_code(self, forkserver: BaseContext) -> None:
        pool = Processes(1, context=forkserver, on_crash=None)
        with pytest.raises(WorkerCrashedError, match="worker 0 ended with exit code 4 at '_exit'") as caught:
            list(Stream(["_exit"]) | ops.map(ends, on=pool))
        assert (caught.value.exit_code, caught.value.worker) == (4, 0)

    def test_one_poison_item_in_a_chunk_of_256_loses_itself_with_nine_kills(
        self, forkserver: BaseContext
    ) -> None:
        lost: list[Any] = []
        letters: list[Any] = []
        pool = Processes(1, context=forkserver, on_event=lambda event: lost.append(type(event)))
        resume = Resume(lambda item, error: letters.append((item, error)))
        stream = Stream(range(256)) | ops.map(killed_by, on=pool, chunk=256, on_error=resume)
        assert list(stream) == [number for number in range(256) if number != 13]
        [(item, error)] = letters
        assert (item, error.exit_code) == (13, -signal.SIGKILL)
        assert str(error) == "worker 0 ended with exit code -9 at 13, as 8 did before"
        assert lost.count(WorkerLost) == 9

    def test_a_pipe_is_split_too(self, forkserver: BaseContext) -> None:
        letters: list[Any] = []
        pool = Processes(1, context=forkserver)
        resume = Resume(lambda item, error: letters.append(item))
        pipe = ops.on(pool, ops.map(killed_by) | ops.filter(bool), chunk=4, on_lost=resume)
        assert list(Stream([0, 12, 13, 14]) | pipe) == [12, 14]
        assert letters == [13]

    def test_one_that_is_killed_in_the_middle_of_a_large_result_is_noticed(
        self, forkserver: BaseContext
    ) -> None:
        async def main() -> None:
            pool = Processes(1, context=forkserver, on_crash=Retry(None))
            async with pool, pool.used(Calls(bytes)) as send:
                await send([0])
                for _ in range(3):
                    call = asyncio.ensure_future(send([8_000_000]))
                    await asyncio.sleep(0.01)
                    kill(pool.workers()[0])
                    [found] = await call
                    assert len(found) == 8_000_000

        asyncio.run(main())

    def test_one_whose_child_keeps_its_socket_is_noticed(
        self, forkserver: BaseContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(child, "WATCH", 0.05)

        async def main() -> None:
            pool = Processes(1, context=forkserver, on_crash=None)
            async with pool, pool.used(Calls(forks)) as send:
                [lost] = await send([1.0])
                assert isinstance(lost.error, WorkerCrashedError)

        asyncio.run(main())

    def test_a_result_that_cannot_be_read_is_the_error_of_its_item(self, forkserver: BaseContext) -> None:
        letters: list[tuple[str, str]] = []
        for chunk in 1, 3:
            resume = Resume(lambda item, error: letters.append((item, str(error))))
            pipe = ops.map(ends, on=Processes(1, context=forkserver), chunk=chunk, on_error=resume)
            assert list(Stream(["good", "unreadable", "fine"]) | pipe) == ["good", "fine"]
        said = "what a worker has sent cannot be read here: LookupError: nobody can read this"
        assert letters == [("unreadable", said)] * 2

    def test_one_that_sends_garbage_is_lost(
        self, forkserver: BaseContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(child, "GRACE", 0.05)
        letters: list[Any] = []
        pool = Processes(1, context=forkserver)
        resume = Resume(lambda item, error: letters.append((item, type(error))))
        assert list(Stream(["this", "that"]) | ops.map(babbles, on=pool, on_error=resume)) == []
        assert letters == [("this", WorkerCrashedError), ("that", WorkerCrashedError)]


class TestLoops:
    def test_a_crash_loop_ends_with_an_error_that_names_the_item(
        self, forkserver: BaseContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("streamkit.executors.dispatch.CRASHES", 4)
        pool = Processes(1, context=forkserver, on_crash=Retry(None))
        with pytest.raises(WorkerError, match=r"5 calls in a row have killed their workers.* with \[13\]"):
            list(Stream([13]) | ops.map(killed_by, on=pool))

    def test_a_worker_that_cannot_be_prepared_again_is_an_error(
        self, forkserver: BaseContext, tmp_path: Path
    ) -> None:
        async def main() -> None:
            pool = Processes(
                1, context=forkserver, prepare=only_once, each=[{"path": str(tmp_path / "mark")}]
            )
            async with pool, pool.used(Calls(pid_of)) as send:
                await send([1])
                kill(pool.workers()[0])
                with pytest.raises(FileExistsError):
                    await send([2])

        asyncio.run(main())


class TestSpares:
    def test_a_spare_takes_the_place_of_one_that_is_lost(
        self, forkserver: BaseContext, tmp_path: Path
    ) -> None:
        """The next result waits for no other to be prepared, which none is before it may."""
        path = tmp_path / "prepared"
        ready: list[int] = []

        def hear(event: Event) -> None:
            if isinstance(event, WorkerPrepared):
                ready.append(event.worker)

        async def main() -> None:
            pool = Processes(
                1,
                context=forkserver,
                prepare=needs_a_word,
                each=[{"path": str(path)}],
                spare=1,
                on_event=hear,
            )
            async with pool, pool.used(Calls(pid_of)) as ask:
                [pid] = await ask([0])
                await until(lambda: -1 in ready)
                kill(pool.workers()[0])
                [other] = await ask([0])
                assert other != pid
                assert sorted(ready) == [-1, 0]
                path.with_name(f"{path.name} may").touch()
                assert (pool.workers()[0].index, pool.workers()[0].crashes) == (0, 1)
                await until(lambda: sorted(ready) == [-1, -1, 0])

        asyncio.run(main())


class TestManyKills:
    @pytest.mark.parametrize(
        ("tasks", "method"),
        [
            (200, "forkserver"),
            pytest.param(3000, "spawn", marks=pytest.mark.full),
            pytest.param(3000, "forkserver", marks=pytest.mark.full),
        ],
    )
    def test_a_worker_killed_every_50_ms_loses_no_result(
        self, tasks: int, method: str, forkserver: BaseContext
    ) -> None:
        pool = Processes(4, context=get_context(method), on_crash=Retry(20))
        seconds = [0.002 + number / 1e9 for number in range(tasks)]

        async def main() -> list[float]:
            async with pool:
                with Killer(pool, 0.05) as killer:
                    found = await (Stream(seconds) | ops.map(lasts, on=pool) | ops.to_list())
                assert killer.kills
                return found

        assert asyncio.run(main()) == seconds
