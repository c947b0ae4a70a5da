"""Strategies of a push source with what becomes of items, and how its threads and runs are waited for."""

import asyncio
import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from operator import add
from typing import Any

import pytest

from streamkit import (
    BufferStats,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    EmitterClosedError,
    Fail,
    KeepLatest,
    Offered,
    Spill,
    Strategy,
    Suspend,
    Unbounded,
    ops,
)
from streamkit.testing import run
from tests.patience import joined

ACCEPTED, DROPPED, FULL, CLOSED = Offered
OUTCOMES: list[tuple[Strategy, list[Offered], list[Any]]] = [
    (Suspend(2), [ACCEPTED, ACCEPTED, FULL], [1, 2]),
    (Collect(2), [ACCEPTED, ACCEPTED, FULL], [[1, 2]]),
    (Fail(2), [ACCEPTED, ACCEPTED, FULL], [1, 2]),
    (DropIncoming(2), [ACCEPTED, ACCEPTED, DROPPED], [1, 2]),
    (DropOldest(2), [ACCEPTED, ACCEPTED, ACCEPTED], [2, 3]),
    (DropYoungest(2), [ACCEPTED, ACCEPTED, ACCEPTED], [1, 3]),
    (DropAll(2), [ACCEPTED, ACCEPTED, ACCEPTED], [3]),
    (KeepLatest(), [ACCEPTED, ACCEPTED, ACCEPTED], [3]),
    (Conflate(add), [ACCEPTED, ACCEPTED, ACCEPTED], [6]),
    (Spill(2), [ACCEPTED, ACCEPTED, ACCEPTED], [1, 2, 3]),
    (Unbounded(), [ACCEPTED, ACCEPTED, ACCEPTED], [1, 2, 3]),
]
every_strategy = pytest.mark.parametrize(
    "strategy", [each[0] for each in OUTCOMES], ids=lambda strategy: type(strategy).__name__
)


async def turns(count: int = 8) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def check_sum(stats: BufferStats) -> None:
    assert stats.offered == stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held, stats


async def drained(stream: Any, got: list[Any]) -> BaseException | None:
    """Read all of `stream` into `got`; return the error that it ends with."""
    try:
        async for item in stream:
            got.append(item)
    except Exception as error:
        return error
    return None


@contextlib.contextmanager
def thread(work: Callable[[], object]) -> Iterator[threading.Thread]:
    """Do `work` in another thread meanwhile, and raise what it raised."""
    errors: list[BaseException] = []

    def main() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    worker = threading.Thread(target=main)
    worker.start()
    try:
        yield worker
    finally:
        ended = joined(worker)
    assert ended, "the other thread is stuck"
    for error in errors:
        raise error


def rest() -> None:
    """Stand still for a moment, so that another thread gets as far as it can; which waits for no thread."""
    time.sleep(0.01)


def in_thread(work: Callable[[], object]) -> None:
    """Do `work` in another thread now; this one is busy meanwhile."""
    with thread(work):
        pass


def refused(send: Callable[[], object]) -> Callable[[], None]:
    """`send`, which must find the stream closed."""

    def work() -> None:
        with pytest.raises(EmitterClosedError):
            send()

    return work


def virtual(test: Callable[..., Any]) -> Any:
    """Run the coroutine of a test in virtual time, woken by other threads too; nothing may be left."""

    @functools.wraps(test)
    def wrapped(*arguments: Any, **named: Any) -> None:
        run(lambda: test(*arguments, **named), threads=True)

    return wrapped


async def by_block(stream: Any) -> None:
    async with stream.open():
        pass


@contextlib.contextmanager
def deserted(stream: Any, before: Callable[[], object] = lambda: None) -> Iterator[None]:
    """While a task whose event loop was closed reads `stream`; `before` is called just before that."""

    async def read() -> None:
        await (stream | ops.drain())

    loop = asyncio.new_event_loop()
    task = loop.create_task(read())
    loop.run_until_complete(turns())
    before()
    loop.close()
    try:
        yield
    finally:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        coroutine: Any = task.get_coro()
        coroutine.close()
