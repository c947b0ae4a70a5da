"""A thread that does what it is given, in turn. It wakes the event loop once for all that is done."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias
from weakref import finalize

from streamkit.executors.hand import loop_hears

__all__ = ["Worker"]

Work: TypeAlias = "tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]"


class Doing(Future[Any]):
    """Work that a thread has begun ends by itself: a task that awaits it is cancelled when it is done."""

    def cancel(self, msg: Any = None) -> bool:
        return False


class Worker(Executor):
    """For ``loop.run_in_executor``, and quicker: a future of the loop is all that a call takes.

    That of the standard library makes a second one, with a lock and a condition, and wakes the loop for each.
    """

    def __init__(self, loop: AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        # a daemon: if the loop was closed before its runs had ended, the thread does not keep the process
        self._thread = Thread(target=_work, args=(self._queue, _Done(loop)), name=name, daemon=True)
        self._thread.start()
        self._end = finalize(self, self._queue.put, None)

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        """A future of the loop, which ``run_in_executor`` returns as it is. Called in the loop."""
        future = Doing(loop=self._loop)
        self._queue.put((future, partial(work, **named) if named else work, arguments))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the thread, when all that it was given is done."""
        self._end()
        if wait:
            self._thread.join()


class _Done:
    """What is done, until the loop hears of it."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._done: deque[tuple[Future[Any], Any, BaseException | None]] = deque()
        self._called = False

    def add(self, future: Future[Any], result: Any, error: BaseException | None) -> None:
        """Called in the thread."""
        self._done.append((future, result, error))
        if not self._called:
            self._called = True
            loop_hears(self._loop, self._tell)

    def _tell(self) -> None:
        self._called = False  # first: what is added from now on calls again
        while self._done:
            future, result, error = self._done.popleft()
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


def _work(queue: SimpleQueue[Work | None], done: _Done) -> None:
    while (given := queue.get()) is not None:
        future, work, arguments = given
        result, error = None, None
        try:
            result = work(*arguments)
        except BaseException as raised:
            error = raised
        done.add(future, result, error)
        del given, future, work, arguments, result, error  # nothing is pinned while more is waited for
