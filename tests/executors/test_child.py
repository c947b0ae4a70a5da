"""Processes that do not start, do not end, hide, or are lost when nobody expects it."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.context import BaseContext, SpawnContext
from pathlib import Path
from typing import Any

import pytest

from streamkit import PackingError, Retry, Stream, WorkerCrashedError, WorkerError, ops
from streamkit._core.workers import Calls
from streamkit.executors import (
    Event,
    Processes,
    WorkerAdded,
    WorkerPrepared,
    WorkerRemoved,
    child,
    processes,
    station,
)
from tests.executors.work import Model, SlowToClose, hides, killed_by, lasts, not_prepared, only_once, pid_of


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not condition():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.002)


def kill(pid: int | None) -> None:
    assert pid is not None
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_one_that_cannot_be_started_is_an_error() -> None:
    class Full(SpawnContext):
        def Process(self, *_: Any, **__: Any) -> Any:  # type: ignore[override]  # noqa: N802
            raise OSError("too many processes")

    async def main() -> None:
        with pytest.raises(OSError, match="too many processes"):
            async with Processes(2, context=Full()):
                raise AssertionError("unreached")

    asyncio.run(main())


def test_one_that_does_not_close_in_time_is_killed(forkserver: BaseContext) -> None:
    async def main() -> None:
        pool = Processes(1, context=forkserver, prepare=SlowToClose)
        with pytest.raises(WorkerError, match=r"worker 0 was not closed within 0.1 s"):
            async with pool:
                assert pool._staff is not None  # a busy machine may need longer to start it
                pool._staff._terms = pool._terms.but(timeout=0.1)

    asyncio.run(main())


def test_one_that_hides_is_killed(forkserver: BaseContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "GRACE", 0.05)

    async def main() -> None:
        async with Processes(1, context=forkserver, on_crash=None) as pool, pool.used(Calls(hides)) as send:
            [lost] = await send([60.0])
            assert isinstance(lost.error, WorkerCrashedError)
            assert lost.error.exit_code == -signal.SIGKILL

    asyncio.run(main())


def test_a_spare_that_is_lost_is_replaced(forkserver: BaseContext) -> None:
    spares = 0

    def hear(event: object) -> None:
        nonlocal spares
        spares += isinstance(event, WorkerPrepared) and event.worker == -1

    async def main() -> None:
        before = {each.pid for each in multiprocessing.active_children()}
        async with Processes(1, context=forkserver, spare=1, on_event=hear) as pool:
            await until(lambda: spares == 1)
            [info] = pool.workers()
            [spare] = {each.pid for each in multiprocessing.active_children()} - before - {info.pid}
            kill(spare)
            await until(lambda: spares == 2)
            assert pool.workers()[0].crashes == 0

    asyncio.run(main())


def test_one_that_is_lost_at_a_broadcast_is_an_error(forkserver: BaseContext) -> None:
    async def main() -> None:
        pool = Processes(2, context=forkserver, prepare=Model)
        async with pool:
            with pytest.raises(WorkerCrashedError, match="was lost before it had answered"):
                await pool.broadcast(leave)
            assert await pool.broadcast(Model.reload) == [" 2", " 2"]

    asyncio.run(main())


def leave(model: Model) -> None:
    os._exit(1)


def test_what_was_given_ahead_goes_elsewhere_and_counts_as_no_crash(
    forkserver: BaseContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station, "QUICK", 1e9)
    monkeypatch.setattr(station, "AHEAD", 1e9)

    async def main() -> None:
        pool = Processes(1, context=forkserver, on_crash=Retry(2, 0.01), prefetch=2)
        async with pool, pool.used(Calls(lasts)) as send:
            await send([0.0])
            calls = [asyncio.ensure_future(send([seconds])) for seconds in (0.3, 0.0, 0.001)]
            told = asyncio.ensure_future(pool.broadcast(os.getpid))
            await until(lambda: pool.workers()[0].load == 4)
            calls[2].cancel()
            pid = pool.workers()[0].pid
            kill(pid)
            assert await calls[0] == [0.3]
            assert await calls[1] == [0.0]
            assert await told != [pid]

    asyncio.run(main())


def test_after_a_crash_loop_nothing_waits(forkserver: BaseContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamkit.executors.dispatch.CRASHES", 1)

    async def main() -> None:
        pool = Processes(1, context=forkserver, on_crash=Retry(None))
        async with pool, pool.used(Calls(killed_by)) as send:
            calls = [asyncio.ensure_future(send([13])) for _ in range(3)]
            found = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(each, WorkerError) for each in found)
            with pytest.raises(WorkerError, match="in a row"):
                await pool.broadcast(pid_of)

    asyncio.run(main())


def test_memory_that_cannot_be_measured_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "is_measured", lambda: False)
    with pytest.raises(ValueError, match="this system does not say"):
        Processes(1, memory_limit=1)


def test_one_that_cannot_be_added_costs_nothing(forkserver: BaseContext) -> None:
    """Neither one whose arguments cannot be sent, nor one that cannot be prepared."""
    events: list[Event] = []

    async def main() -> None:
        pool = Processes(
            1,
            prepare=not_prepared,
            each=[{"how": "hangs not"}],
            most=2,
            context=forkserver,
            on_event=events.append,
        )
        async with pool:
            with pytest.raises(PackingError, match=r"prepare=not_prepared with \{'how': <unlocked"):
                await pool.add_worker(how=threading.Lock())
            with pytest.raises(OSError, match="no such device"):
                await pool.add_worker(how="raises")
            await until(lambda: any(isinstance(each, WorkerRemoved) for each in events))
            assert len(pool.workers()) == 1
            assert await pool.broadcast(abs) == [5]
            assert await (Stream([-1]) | ops.map(abs, on=pool) | ops.single()) == 1

    asyncio.run(main())
    assert sum(isinstance(each, WorkerAdded) for each in events) == 3


def test_arguments_that_cannot_be_sent_leave_nothing(forkserver: BaseContext) -> None:
    events: list[Event] = []
    each: list[dict[str, Any]] = [{"name": "a"}, {"name": threading.Lock()}]
    pool = Processes(2, prepare=Model, each=each, context=forkserver, on_event=events.append)

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(PackingError, match=r"prepare=Model with \{'name': <unlocked"):
                async with asyncio.timeout(10.0), pool:
                    raise AssertionError("unreached")
            assert pool.workers() == ()

    asyncio.run(main())
    assert sum(isinstance(each, WorkerRemoved) for each in events) == 2


def test_no_more_are_started_where_one_cannot_be_prepared_again(
    forkserver: BaseContext, tmp_path: Path
) -> None:
    events: list[Event] = []
    each = [{"path": str(tmp_path / "mark")}]
    pool = Processes(1, prepare=only_once, each=each, context=forkserver, on_event=events.append)

    async def main() -> None:
        async with pool:
            kill(pool.workers()[0].pid)
            await until(lambda: sum(isinstance(each, WorkerRemoved) for each in events) == 2)
            assert sum(isinstance(each, WorkerAdded) for each in events) == 2

    asyncio.run(main())
