"""The thread that alone touches the file: in turn, heard once for all, and never left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path
from typing import Any

import pytest

from streamkit.durable import SQLite
from streamkit.durable.sqlite.worker import Worker

SECONDS = 30.0
"""After which a test takes what it waits for for hanging."""


def threads(name: str) -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == name]


def test_the_loop_is_woken_once_for_all_that_is_done_while_it_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        worker = Worker(loop, "under test")
        wakes: list[Any] = []
        wake = loop.call_soon_threadsafe

        def counted(callback: Any, *arguments: Any) -> asyncio.Handle:
            wakes.append(callback)
            return wake(callback, *arguments)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        done: list[int] = []
        ended = threading.Event()
        futures = [loop.run_in_executor(worker, done.append, number) for number in range(5)]
        futures.append(loop.run_in_executor(worker, ended.set))
        assert ended.wait(SECONDS)  # which keeps the loop from hearing of any
        await asyncio.gather(*futures)
        assert done == [*range(5)]
        assert len(wakes) <= 2  # the last may be told when the others were
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(worker, lambda: 1 // 0)
        worker.shutdown()
        assert not threads("under test")

    asyncio.run(main())


def test_who_waits_is_cancelled_when_the_work_is_done() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        worker, go, done = Worker(loop, "under test"), threading.Event(), list[bool]()

        async def wait() -> None:
            await loop.run_in_executor(worker, lambda: done.append(go.wait(SECONDS)))

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        for _ in range(3):
            waiting.cancel()
            await asyncio.sleep(0)
        assert not waiting.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert done == [True]
        worker.shutdown()

    asyncio.run(main())


def test_a_thread_that_nobody_ends_ends_with_its_worker() -> None:
    async def main() -> threading.Thread:
        worker = Worker(asyncio.get_running_loop(), "under test")
        await asyncio.get_running_loop().run_in_executor(worker, int)
        return threads("under test")[0]

    thread = asyncio.run(main())
    gc.collect()
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_a_result_that_comes_when_the_loop_is_closed_is_nobodys() -> None:
    go, entered = threading.Event(), threading.Event()
    kept: list[Worker] = []

    def work() -> None:
        entered.set()
        go.wait(SECONDS)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        kept.append(Worker(loop, "under test"))
        loop.run_in_executor(kept[0], work)
        entered.wait(SECONDS)

    asyncio.run(main())
    go.set()
    kept[0].shutdown()
    assert not threads("under test")


@pytest.mark.parametrize("fsync", [False, True])
def test_a_file_is_made_without_waiting_and_written_with(fsync: bool, tmp_path: Path) -> None:
    inbox = SQLite(tmp_path / "jobs.db", "q", fsync=fsync)

    async def main() -> None:
        for _ in range(2):  # a new file, and one that is there
            async with inbox.connect() as connection:
                sql = connection._database.sql  # pyright: ignore[reportPrivateUsage] - how it waits for the disk
                assert sql.execute("PRAGMA synchronous").fetchone() == (2 if fsync else 1,)
                assert sql.execute("PRAGMA auto_vacuum").fetchone() == (2,)
                assert sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    asyncio.run(main())
