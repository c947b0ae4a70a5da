"""A process that is a thread of this one: what becomes of it where it starts late, or the loop has ended."""

import asyncio
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnContext
from typing import Any

import pytest

from streamkit._core.workers import Calls
from streamkit.executors import Processes
from streamkit.executors.serve import Serving
from tests.executors.work import double


class _Process:
    """What `Child` asks of a process. It ends when its socket does."""

    pid = 1

    def __init__(self, connection: Any, before: Callable[[], None]) -> None:
        self._connection = connection.dup()
        self._before = before
        self._thread = threading.Thread(target=self._run)
        self._started = threading.Event()
        self.calls: list[str] = []

    def _run(self) -> None:
        with self._connection:
            Serving(self._connection).run()

    @property
    def exitcode(self) -> int | None:
        return None if self._thread.is_alive() else 0

    def start(self) -> None:
        self._before()
        self._thread.start()
        self._started.set()

    def kill(self) -> None:
        self.calls.append("kill")

    def join(self) -> None:
        assert self._started.wait(10.0)
        self._thread.join(10.0)
        self.calls.append("join")

    def close(self) -> None:
        self.calls.append("close")


class Here(SpawnContext):
    """A context whose processes are threads; `before` is called as each starts."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.made: list[_Process] = []
        self._before = before

    def Process(self, *, target: Any, args: Any, name: str) -> Any:  # type: ignore[override]  # noqa: N802
        self.made.append(_Process(*args, self._before))
        return self.made[-1]


class Door:
    """Processes start when it is opened, with or without an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.came, self.open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.came.set()
        assert self.open.wait(10.0)
        if self._error is not None:
            raise self._error


async def cancelled(opening: asyncio.Future[Any], door: Door) -> None:
    """Cancel what opens a pool while its process starts, which then goes on with that."""
    opening.cancel()
    await asyncio.sleep(0)
    door.open.set()
    async with asyncio.timeout(10.0):
        await asyncio.wait([opening])
    assert opening.cancelled()


def test_it_does_what_a_process_does() -> None:
    context = Here()

    async def main() -> None:
        pool = Processes(2, context=context)
        async with asyncio.timeout(10.0), pool, pool.used(Calls(double)) as send:
            assert await send([1, 2]) == [2, 4]

    asyncio.run(main())
    assert [process.calls for process in context.made] == [["close"], ["close"]]


@pytest.mark.parametrize("error", [None, OSError("no more")])
def test_one_that_starts_when_its_pool_is_closed_already_ends(error: Exception | None) -> None:
    door = Door(error)
    context = Here(door)

    async def main() -> None:
        opening = asyncio.ensure_future(Processes(1, context=context).__aenter__())
        await asyncio.to_thread(door.came.wait, 10.0)
        await cancelled(opening, door)

    asyncio.run(main())
    assert [process.calls for process in context.made] == [[] if error else ["kill", "close"]]


def test_one_that_starts_where_its_loop_watches_no_sockets_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    context = Here(door)

    async def main() -> None:
        def refuses(*_: Any) -> None:
            raise NotImplementedError

        pool = Processes(1, context=context)
        loop = asyncio.get_running_loop()
        opening = asyncio.ensure_future(pool.__aenter__())
        await asyncio.to_thread(door.came.wait, 10.0)
        monkeypatch.setattr(loop, "add_reader", refuses)
        await cancelled(opening, door)

    asyncio.run(main())
    assert [process.calls for process in context.made] == [["kill", "join", "close"]]


def test_work_comes_and_goes_while_it_starts() -> None:
    door = Door()
    context = Here(door)

    async def main() -> None:
        pool = Processes(1, context=context, most=2)
        door.open.set()
        async with asyncio.timeout(10.0), pool:
            door.open.clear()
            door.came.clear()
            adding = asyncio.ensure_future(pool.add_worker())
            await asyncio.to_thread(door.came.wait, 10.0)
            async with pool.used(Calls(double)) as send:
                assert await send([1]) == [2]
            door.open.set()
            assert await adding == 1

    asyncio.run(main())


def test_one_that_starts_when_its_loop_has_ended_ends() -> None:
    door = Door()
    context = Here(door)
    pool = Processes(1, context=context)

    async def enter() -> None:
        pool.enter()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(enter())
    assert door.came.wait(10.0)
    loop.close()
    door.open.set()

    async def main() -> None:
        async with asyncio.timeout(10.0), pool:  # which leaves what the other loop had
            assert len(pool.workers()) == 1

    asyncio.run(main())
    context.made[0].join()
    assert context.made[0].exitcode == 0
