"""Observables of the tests, and how their streams are run, in virtual time and by threads."""

import asyncio
import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable, Iterator
from threading import get_ident
from time import process_time
from typing import Any

import pytest
import reactivex
from reactivex.disposable import Disposable

import streamkit
from streamkit import Stream, Suspend, ops, rx
from streamkit.testing import run
from tests.laws.lab import Boom
from tests.patience import joined

PATIENCE = 5.0
"""Seconds of this program's own time after which the other threads count as stuck."""


class Halt(BaseException):
    """As KeyboardInterrupt is: no `Exception`."""


class Source:
    """An observable in the test's hand, which keeps no grammar and notes what is done to it."""

    def __init__(self, first: Callable[[Any], object] = lambda observer: None) -> None:
        self.observers: list[Any] = []
        self.subscriptions = 0
        self.disposals: list[int] = []
        """The threads that disposed."""
        self.failing: Exception | None = None
        """What dispose raises."""
        self._first = first
        self.observable: Any = reactivex.create(self._subscribe)

    def _subscribe(self, observer: Any, _: Any = None) -> Disposable:
        self.subscriptions += 1
        self.observers.append(observer)
        self._first(observer)
        return Disposable(lambda: self._dispose(observer))

    def _dispose(self, observer: Any) -> None:
        self.disposals.append(get_ident())
        self.observers.remove(observer)
        if self.failing is not None:
            raise self.failing

    @property
    def observer(self) -> Any:
        (only,) = self.observers
        return only

    def stream(self, strategy: Any = None) -> Stream[Any]:
        return rx.from_observable(self.observable, strategy=strategy or Suspend(8))


async def turns(count: int = 8) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until `condition` holds; the other threads make it so."""
    late = process_time() + PATIENCE  # while other programs keep the machine busy, this stands still
    while not condition():
        assert process_time() < late, "the other threads are stuck"
        await asyncio.to_thread(lambda: None)  # gives the other threads their turn


async def drained(stream: Any, got: list[Any]) -> BaseException | None:
    """Read all of `stream` into `got`; return the error that it ends with."""
    try:
        async for item in stream:
            got.append(item)
    except (Exception, Halt) as error:
        return error
    return None


@contextlib.contextmanager
def threads(*works: Callable[[], object]) -> Iterator[list[threading.Thread]]:
    """Do `works` in threads of their own meanwhile; raise what they raised, or if one is stuck."""
    errors: list[BaseException] = []

    def main(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=main, args=(work,), daemon=True) for work in works]
    for worker in workers:
        worker.start()
    try:
        yield workers
    finally:
        stuck = [worker for worker in workers if not joined(worker)]
    assert not stuck, "a thread is stuck"
    for error in errors:
        raise error


def virtual(test: Callable[..., Any]) -> Any:
    """Run the coroutine of a test in virtual time, woken by other threads too; nothing may be left."""

    @functools.wraps(test)
    def wrapped(*arguments: Any, **named: Any) -> None:
        run(lambda: test(*arguments, **named), threads=True)

    return wrapped


TERMINALS: dict[str, Callable[[Any], object]] = {
    "completed": lambda observer: observer.on_completed(),
    "failed": lambda observer: observer.on_error(Boom("first")),
}
every_terminal = pytest.mark.parametrize("terminal", TERMINALS.values(), ids=TERMINALS)


def behind(stream: Stream[Any]) -> dict[str, Stream[Any]]:
    """`stream`, and what may follow it."""

    async def slow(item: Any) -> Any:
        await asyncio.sleep(0)
        return item

    return {
        "alone": stream,
        "a step": stream | ops.map(lambda item: item),
        "an async step": stream | ops.map(slow),
        "a buffer": stream | ops.buffer(Suspend(2)),
        "a merge": stream | ops.merge([]),
        "first in a merge": streamkit.merge(stream, []),
        "a concurrent map": stream | ops.map(slow, concurrency=3),
        "steps and a buffer": stream | ops.map(slow) | ops.buffer(Suspend(2)) | ops.map(lambda item: item),
        "a timeout": stream | ops.timeout(60.0),
        "two stages": stream | ops.map(slow, concurrency=2) | ops.buffer(Suspend(2)),
    }


CANCELS = ("a concurrent map", "two stages")
"""Those in which an error of the source cancels the call that has the item."""
every_tail = pytest.mark.parametrize("tail", behind(Stream([])))
WHO = contextvars.ContextVar("WHO", default="nobody")
