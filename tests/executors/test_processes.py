"""Processes: what they do, what cannot be sent to them, and that nothing of them is left."""

import asyncio
import gc
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import pytest

from streamkit import (
    PackingError,
    PreparationError,
    Resume,
    Retry,
    Stream,
    WorkerError,
    WorkersClosedError,
    ops,
)
from streamkit._core.workers import Calls, NoResult
from streamkit.executors import Event, Processes, RemoteTraceback, WorkerLost, functions, station
from tests.executors.work import (
    Model,
    Unreadable,
    double,
    ends,
    grows,
    lasts,
    leaves,
    not_prepared,
    opened,
    pid_of,
)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def gone(pid: int) -> None:
    async with asyncio.timeout(10.0):
        while is_alive(pid):  # noqa: ASYNC110 - it is no child of this process
            await asyncio.sleep(0.005)


@contextmanager
def over(descriptor: int, other: int) -> Iterator[None]:
    """What is written to `descriptor` goes to `other`, also from processes that start meanwhile."""
    kept = os.dup(descriptor)
    os.dup2(other, descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


def errors_of(outcomes: list[Any]) -> list[Any]:
    return [each.error if isinstance(each, NoResult) else each for each in outcomes]


class TestWork:
    def test_db1_db2_prepared_once_with_arguments_of_their_own(self) -> None:
        """With spawn, which is the default."""
        pool = Processes(2, prepare=Model, each=[{"name": "a"}, {"name": "b"}])

        async def main() -> list[Any]:
            async with pool:
                await pool.broadcast(Model.reload)
                return await (Stream(range(20)) | ops.map(on=pool, chunk=3) | ops.to_list())

        found = asyncio.run(main())
        assert [item for _, _, item in found] == [*range(20)]
        assert {(name, version) for name, version, _ in found} <= {("a", 2), ("b", 2)}

    def test_a_pipe_is_shipped_and_a_pool_that_is_not_open_is_opened(self, forkserver: BaseContext) -> None:
        pool = Processes(2, context=forkserver)
        pipe = ops.on(pool, ops.map(double) | ops.filter(bool), chunk=4)
        assert list(Stream(range(10)) | pipe) == [*range(2, 20, 2)]
        assert pool.workers() == ()

    def test_what_cannot_come_back_is_an_error_of_its_item(self, forkserver: BaseContext) -> None:
        async def main() -> None:
            async with Processes(1, context=forkserver) as pool, pool.used(Calls(ends)) as send:
                ways = ["result", "error", "exit", "memory", "good"]
                result, error, told, memory, good = errors_of(await send(ways))
                assert isinstance(result, PackingError)
                assert "the result <function ends.<locals>.<lambda>" in str(result)
                assert isinstance(error, WorkerError)
                assert str(error) == "Stubborn: a and 2"
                assert "in ends\n    raise Stubborn" in str(error.__cause__)
                assert isinstance(told, WorkerError)
                assert "told to end by SystemExit(3)" in str(told)
                assert isinstance(memory, MemoryError)
                assert isinstance(memory.__cause__, RemoteTraceback)
                assert good == "good"
                [kept] = await send(["kept"])
                assert kept == "kept"

        asyncio.run(main())

    def test_what_cannot_be_sent_is_an_error_of_its_item(self, forkserver: BaseContext) -> None:
        async def main() -> None:
            async with Processes(1, context=forkserver) as pool, pool.used(Calls(pid_of)) as send:
                one, unsent, unread, two = await send([1, lambda: None, Unreadable(), 2])
                assert one == two == pool.workers()[0].pid
                assert isinstance(unsent.error, PackingError)
                assert isinstance(unread.error, LookupError)
                assert isinstance(unread.item, Unreadable)

        asyncio.run(main())

    def test_a_lambda_is_sent_where_cloudpickle_is_installed(
        self, forkserver: BaseContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pool = Processes(1, context=forkserver)
        read: list[int] = []
        stream = Stream([1, 2]) | ops.tap(read.append) | ops.map(lambda number: number + 1, on=pool, chunk=2)
        assert list(stream) == [2, 3]
        read.clear()
        monkeypatch.setattr(functions, "by_value", None)
        with pytest.raises(
            PackingError, match=r"the function <lambda> cannot.*install streamkit\[cloudpickle\]"
        ):
            list(stream)
        assert read == []

    def test_large_items_and_results_go_both_ways_at_once(self, forkserver: BaseContext) -> None:
        big = b"x" * 3_000_000

        async def main() -> None:
            async with Processes(1, context=forkserver) as pool, pool.used(Calls(bytes)) as send:
                await send([b""])
                found = await asyncio.gather(*[send([big]) for _ in range(4)])
                assert all(each == [big] for each in found)

        asyncio.run(main())


class TestPreparing:
    @pytest.mark.parametrize(
        ("how", "timeout", "error", "words"),
        [
            ("raises", 30.0, OSError, "no such device"),
            ("exits", 30.0, PreparationError, "3 times in a row before .* exit code 1: .* if __name__ =="),
            ("hangs", 0.5, PreparationError, "not prepared within 0.5 s"),
            ("returns", 30.0, PreparationError, "can be called with an item, not 5"),
        ],
    )
    def test_what_cannot_be_prepared_is_an_error(
        self, how: str, timeout: float, error: type[Exception], words: str, forkserver: BaseContext
    ) -> None:
        pool = Processes(
            1, prepare=not_prepared, each=[{"how": how}], prepare_timeout=timeout, context=forkserver
        )
        with pytest.raises(error, match=words) as caught:
            list(Stream([1]) | ops.map(on=pool))
        if how == "raises":
            assert caught.value.__notes__[0] == "when worker 0 was prepared: not_prepared(how='raises')"

    def test_what_was_prepared_is_closed(self, forkserver: BaseContext, tmp_path: Path) -> None:
        path = tmp_path / "notes"
        pool = Processes(1, prepare=opened, each=[{"path": str(path)}], recycle_after=2, context=forkserver)
        assert list(Stream([1, 2, 3]) | ops.map(on=pool)) == [2, 4, 6]
        assert path.read_text().split() == ["opened", "closed"] * 2

    def test_workers_that_grow_past_their_limit_of_memory_are_replaced_and_nothing_is_lost(
        self, forkserver: BaseContext
    ) -> None:
        """Each call keeps 8 MB, up to the limit, which is 30 MB more than what a worker needs at first."""
        size, count = 8_000_000, 20

        async def main() -> None:
            async with Processes(1, context=forkserver) as pool:
                await (Stream([0]) | ops.for_each(grows, on=pool))
                begun = pool.workers()[0].memory
            events: list[Event] = []
            limit = begun + 30_000_000
            pool = Processes(2, memory_limit=limit, on_event=events.append, context=forkserver)
            async with pool:
                found = await (Stream([size] * count) | ops.map(grows, on=pool) | ops.to_list())
                assert all(each.crashes == 0 for each in pool.workers())
            kept = {pid: max(much for each, much in found if each == pid) for pid, _ in found}
            assert len(found) == count
            assert sum(kept.values()) == count * size, "each call was made once"
            assert len(kept) > 2
            # the peak is looked at ten times a second, so three calls may come between
            assert max(kept.values()) <= 30_000_000 + 4 * size
            assert not any(isinstance(event, WorkerLost) for event in events), "closed, not killed"

        asyncio.run(main())


class TestEnd:
    def test_cancelled_work_is_stopped_and_its_worker_is_back(self, forkserver: BaseContext) -> None:
        async def main() -> None:
            pool = Processes(1, context=forkserver)
            async with pool, pool.used(Calls(lasts)) as send, pool.used(Calls(pid_of)) as ask:
                [pid] = await ask([0])
                slow = asyncio.ensure_future(send([60.0]))
                other = asyncio.ensure_future(ask([0]))
                await asyncio.sleep(0.01)
                slow.cancel()
                with suppress(asyncio.CancelledError):
                    await slow
                assert slow.cancelled()
                assert not is_alive(pid), "whoever has cancelled it need not wait"
                [new] = await other
                assert new != pid
                assert pool.workers()[0].crashes == 0

        asyncio.run(main())

    def test_a_call_that_has_not_begun_is_taken_out_of_the_process(
        self, forkserver: BaseContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(station, "QUICK", 1e9)

        async def main() -> None:
            async with Processes(1, context=forkserver) as pool, pool.used(Calls(lasts)) as send:
                await send([0.0])
                slow, ahead = (asyncio.ensure_future(send([seconds])) for seconds in (0.3, 60.0))
                await asyncio.sleep(0.01)
                assert pool.workers()[0].load == 2
                ahead.cancel()
                assert await slow == [0.3]
                with suppress(asyncio.CancelledError):
                    await ahead
                assert await send([0.0]) == [0.0]
                assert pool.workers()[0].items == 3

        asyncio.run(main())

    @pytest.mark.parametrize("seconds", [0.0, 0.005, 0.05])
    def test_whoever_is_cancelled_while_it_opens_leaves_nothing(
        self, seconds: float, forkserver: BaseContext
    ) -> None:
        async def main() -> None:
            pool = Processes(2, context=forkserver, prepare=Model, each=[{"seconds": 5.0}] * 2, spare=1)
            opening = asyncio.ensure_future(pool.__aenter__())
            await asyncio.sleep(seconds)
            opening.cancel()
            with suppress(asyncio.CancelledError):
                await opening
                await pool.__aexit__(None, None, None)  # it was fast
            assert pool.workers() == ()

        before = {each.pid for each in multiprocessing.active_children()}
        asyncio.run(main())
        assert {each.pid for each in multiprocessing.active_children()} <= before

    def test_a_program_that_ends_takes_them_along_in_any_order(self, forkserver: BaseContext) -> None:
        pool = Processes(2, context=forkserver)
        pids: list[int | None] = []

        async def work() -> None:
            await (Stream([30.0] * 5) | ops.map(lasts, on=pool) | ops.drain())

        async def main() -> None:
            working = asyncio.ensure_future(work())
            while not any(each.load for each in pool.workers()):  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.005)
            pids.extend(each.pid for each in pool.workers())
            assert not working.done()

        asyncio.run(main())
        assert not any(pid and is_alive(pid) for pid in pids)

    def test_halt_kills_what_is_not_done_in_time(self, forkserver: BaseContext) -> None:
        async def main() -> None:
            async with Processes(1, context=forkserver) as pool, pool.used(Calls(lasts)) as send:
                [info] = pool.workers()
                call = asyncio.ensure_future(send([60.0]))
                await asyncio.sleep(0.01)
                assert await pool.halt(0.01) == (60.0,)
                assert info.pid
                assert not is_alive(info.pid)
                with pytest.raises(WorkersClosedError):
                    await call

        asyncio.run(main())

    def test_a_loop_that_watches_no_sockets_is_an_error(self, forkserver: BaseContext) -> None:
        class Blind(asyncio.SelectorEventLoop):
            def add_reader(self, *_: Any) -> None:
                raise NotImplementedError("as on Windows")

        async def main() -> None:
            async with Processes(1, context=forkserver):
                raise AssertionError("unreached")

        with (
            asyncio.Runner(loop_factory=Blind) as runner,
            pytest.raises(NotImplementedError, match="Windows"),
        ):
            runner.run(main())

    def test_a_loop_that_ends_early_leaves_no_process(self, forkserver: BaseContext) -> None:
        loop = asyncio.new_event_loop()
        pool = Processes(1, context=forkserver)
        loop.run_until_complete(pool.__aenter__())
        pid = pool.workers()[0].pid
        assert pid is not None
        loop.close()
        del pool
        gc.collect()
        asyncio.run(gone(pid))

    def test_one_that_ends_leaves_as_a_program_does(self, tmp_path: Path) -> None:
        """With spawn: on a fork server, `multiprocessing` lets no process call what `atexit` has."""
        printed = tmp_path / "printed"
        with printed.open("w") as file, over(1, file.fileno()), over(2, file.fileno()):

            async def main() -> None:
                async with Processes(1) as pool, pool.used(Calls(leaves)) as send:
                    assert await send([str(tmp_path)]) == [3]  # this file, the open one and the folder
                    assert pool._staff is not None
                    [hand] = pool._staff._hands
                assert await hand.exited == 0

            asyncio.run(main())
        assert {each.name for each in tmp_path.iterdir()} == {"printed", "open", "hook", "thread"}
        assert (tmp_path / "open").read_text() == "written to the end"
        assert printed.read_text() == "printed", "and nothing else is said"

    @pytest.mark.parametrize("end", ["kill", "exit"])
    def test_workers_end_with_their_parent(self, end: str, tmp_path: Path) -> None:
        script = tmp_path / "parent.py"
        script.write_text(PARENT.replace("END", end))
        with subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.getcwd()},
        ) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            if end == "kill":
                parent.kill()
            parent.wait(20.0)
        asyncio.run(gone(pid))


PARENT = """
import asyncio, sys, time
from streamkit._core.workers import Calls
from streamkit.executors import Processes

async def main():
    pool = Processes(1)
    await pool.__aenter__()
    asyncio.ensure_future(pool.used(Calls(time.sleep)).__aenter__())
    async with pool.used(Calls(time.sleep)) as send:
        asyncio.ensure_future(send([60.0]))
        await asyncio.sleep(0.01)
        print(pool.workers()[0].pid, flush=True)
        if "END" == "exit":
            sys.exit()
        await asyncio.sleep(60.0)

if __name__ == "__main__":
    asyncio.run(main())
"""


class TestArguments:
    @pytest.mark.parametrize(
        ("make", "error", "words"),
        [
            (lambda: Processes(1, spare=-1), ValueError, "spare must be a whole number of at least 0"),
            (lambda: Processes(1, on_crash=2), TypeError, r"on_crash must be Retry\(...\) or None, not 2"),  # type: ignore[arg-type]
            (lambda: Processes(1, on_crash=Retry(2, then=Resume())), ValueError, "attempts and backoff only"),
            (lambda: Processes(1, recycle_after=0), ValueError, "recycle_after must be a whole number"),
            (lambda: Processes(1, context=multiprocessing.get_context("fork")), ValueError, "may hang"),
            (lambda: Processes(1, context="spawn"), TypeError, "context must be that of"),  # type: ignore[arg-type]
        ],
    )
    def test_a_wrong_one_is_named(self, make: Callable[[], Any], error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            make()

    def test_a_pipe_shows_it(self) -> None:
        pool = Processes(2, prepare=Model)
        assert "on=Processes(2, prepare=Model)" in str((Stream([1]) | ops.map(on=pool)).explain())
