"""Threads: workers in this process. They share its memory, and nothing is pickled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Any, Final

from streamkit._core.calls import answering
from streamkit._core.workers import Outcomes, Work, error_told
from streamkit.executors.events import Event
from streamkit.executors.functions import Packed
from streamkit.executors.hand import Call, Hand, Master, loop_hears
from streamkit.executors.pool import Pool
from streamkit.executors.remote import Hooks, Place, Setup, Worker
from streamkit.executors.terms import terms

__all__ = ["Threads", "error_of"]

_PREPARE: Final = 300.0


class _ThreadHand(Hand):
    """One thread: that of an executor with one."""

    def __init__(self, master: Master, index: int, arguments: Mapping[str, Any], place: Place) -> None:
        super().__init__(master, index, arguments)
        self._place = place
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"streamkit worker {index}")
        self._under_way: dict[Call, Future[Any]] = {}

    def start(self) -> None:
        begun = perf_counter()

        def prepared(future: Future[None]) -> None:
            if self.ending:
                return
            error = error_of(future)
            if error is None:
                self.master.prepared(self, perf_counter() - begun)
            else:
                self.master.unprepared(self, error)

        self._submit(prepared, self._place.prepare)

    def give(self, call: Call) -> None:
        def done(future: Future[Any]) -> None:
            self._under_way.pop(call, None)
            if future.cancelled():
                self.master.dropped(self, call)
                return
            seconds, outcomes = 0.0, error_of(future)
            if outcomes is None:
                outcomes = future.result()
                seconds = outcomes.seconds if isinstance(outcomes, Outcomes) else 0.0
            self.master.done(self, call, outcomes, seconds, 0)

        if call.work is None:
            self._under_way[call] = self._submit(done, self._place.tell, call.payload)
        else:
            self._under_way[call] = self._submit(done, self._place.done, call.work.work, call.payload)

    def stop(self, call: Call, *, first: bool) -> None:
        """Take it out if it has not begun; nothing can stop a thread, so whoever waits does so to its end."""
        self._under_way[call].cancel()

    def close(self) -> None:
        if not self.ending:
            self.ending = True

            def closed(future: Future[None]) -> None:
                if not future.cancelled():  # as it is where it was left
                    self._executor.shutdown()  # its thread has nothing more to do
                    self._gone(error_of(future))

            self._submit(closed, self._place.close)

    def kill(self) -> bool:
        return False

    def leave(self) -> bool:
        self.ending = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._gone(None)
        return True

    def abandon(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _gone(self, error: Exception | None) -> None:
        if not self.exited.done():
            self.exited.set_result(None)
            self.master.gone(self, error)

    def _submit(
        self, then: Callable[[Future[Any]], None], function: Callable[..., Any], *arguments: Any
    ) -> Future[Any]:
        try:
            future: Future[Any] = self._executor.submit(function, *arguments)
        except RuntimeError as error:  # the program ends, and has ended this thread
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda found: loop_hears(self.master.loop, then, found))
        return future


def error_of(future: Future[Any]) -> Exception | None:
    """What went wrong; as an Exception, also where a thread was told to end."""
    error = future.exception()
    return None if error is None else error_told(error)


class Threads(Pool):
    """Workers that are threads of this process.

    >>> from streamkit import Stream, ops
    >>> from streamkit.executors import Threads
    >>> pool = Threads(4)
    >>> pool.limit.most
    8

    Args:
        count: how many.
        prepare: called once in each, with its arguments of `each`. What it returns is called with each item
            where ``on=`` is given without a function. At the end its ``close`` is called, or it is left if it
            is a context manager.
        each: the arguments for `prepare`, a mapping for each worker.
        hooks: what is called around it all.
        most: as many workers as there may be, with ``add_worker``; by default, `count`.
        prefetch: chunks that a worker may have beside the one that it works at. Only where chunks take less
            than 20 ms, which then follow each other without a pause.
        on_event: called with each `Event`, in the event loop.
        prepare_timeout: seconds that preparing a worker may take, and closing it.
    """

    @answering
    def __init__(
        self,
        count: int,
        *,
        prepare: Callable[..., Any] | None = None,
        each: Sequence[Mapping[str, Any]] | None = None,
        hooks: Hooks | None = None,
        most: int | None = None,
        prefetch: int = 1,
        on_event: Callable[[Event], object] | None = None,
        prepare_timeout: float = _PREPARE,
    ) -> None:
        super().__init__(terms(count, prepare, each, hooks, most, prefetch, on_event, prepare_timeout))

    def _recruiter(self, setup: Setup) -> Any:
        shared: dict[Any, Any] = {}
        siblings: list[Worker] = []

        def recruit(master: Master, index: int, arguments: Mapping[str, Any]) -> Hand:
            worker = Worker(index, arguments, shared, siblings)
            siblings.append(worker)
            return _ThreadHand(master, index, arguments, Place(worker, setup))

        return recruit

    def _packed(self, work: Work) -> Packed:
        return Packed(work)

    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        return items
