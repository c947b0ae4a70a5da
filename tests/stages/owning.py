"""What a thread may own while it is held, and how the thread of the event loop may want that."""

import contextlib
import functools
import logging
import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from typing import Any

from tests.patience import comes

__all__ = ["OWNERS", "Owner"]


class Owner:
    """A thing that a thread owns, and others wait for."""

    def __init__(self, hold: AbstractContextManager[Any], take: Callable[[threading.Thread], object]) -> None:
        self.hold = hold
        self.take = take
        """Waits for it, and lets go of it; it is given the thread that owns it."""
        self.owned = threading.Event()

    def hold_until(self, ended: threading.Event) -> None:
        with self.hold:
            self.owned.set()
            comes(ended.wait)


@contextmanager
def after(done: Callable[[], object]) -> Iterator[None]:
    yield
    done()


def locked(kind: Callable[[], Any], take: Callable[[Any], object]) -> Callable[[], Owner]:
    def make() -> Owner:
        lock = kind()
        return Owner(lock, lambda _: take(lock))

    return make


def by_with(lock: Any) -> None:
    with lock:
        pass


def by_acquire(lock: Any) -> None:
    lock.acquire()
    lock.release()


def by_another_name(lock: Any) -> None:
    take = lock.acquire
    take()
    lock.release()


def by_a_stack(lock: Any) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock)


def by_map(lock: Any) -> None:
    list(map(type(lock).acquire, [lock]))
    lock.release()


def by_partial(lock: Any) -> None:
    take = functools.partial(lock.acquire)
    take()
    lock.release()


class Slotted:
    __slots__ = ("take",)

    def __init__(self, lock: Any) -> None:
        self.take = lock.acquire


def by_a_slot(lock: Any) -> None:
    holder = Slotted(lock)
    holder.take()
    lock.release()


def event() -> Owner:
    made = threading.Event()
    return Owner(after(made.set), lambda _: made.wait())


def future() -> Owner:
    made: Future[int] = Future()
    return Owner(after(lambda: made.set_result(1)), lambda _: made.result())


def filled(kind: Callable[[], Any]) -> Callable[[], Owner]:
    def make() -> Owner:
        made = kind()
        return Owner(after(lambda: made.put(1)), lambda _: made.get())

    return make


def handler() -> Owner:
    made, record = logging.StreamHandler(StringIO()), logging.makeLogRecord({"msg": "said"})
    made.acquire()
    made.release()
    assert made.lock is not None
    return Owner(made.lock, lambda _: made.handle(record))


OWNERS: dict[str, Callable[[], Owner]] = {
    "lock by with": locked(threading.Lock, by_with),
    "rlock by with": locked(threading.RLock, by_with),
    "lock by acquire": locked(threading.Lock, by_acquire),
    "rlock by acquire": locked(threading.RLock, by_acquire),
    "condition": locked(threading.Condition, by_with),
    "semaphore": locked(threading.Semaphore, by_with),
    "by another name": locked(threading.Lock, by_another_name),
    "by a stack": locked(threading.RLock, by_a_stack),
    "by map": locked(threading.Lock, by_map),
    "by partial": locked(threading.Lock, by_partial),
    "by a slot": locked(threading.Lock, by_a_slot),
    "lock of processes": locked(multiprocessing.Lock, by_with),
    "event": event,
    "future": future,
    "queue": filled(queue.Queue),
    "simple queue": filled(queue.SimpleQueue),
    "thread that ends": lambda: Owner(contextlib.nullcontext(), lambda thread: thread.join()),
    "handler of logging": handler,
}
