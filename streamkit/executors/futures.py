"""Any executor of `concurrent.futures`, or one that is like those: its workers are its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor as AnyExecutor, Future, ThreadPoolExecutor
from typing import Any

from streamkit._core.arguments import callback, whole
from streamkit._core.calls import answering
from streamkit._core.errors import WorkerCrashedError, WorkerError
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown
from streamkit._core.workers import Outcomes, Work
from streamkit.executors.chunks import answered, done_elsewhere
from streamkit.executors.events import Event
from streamkit.executors.functions import Packed, pack_work
from streamkit.executors.hand import Call, Hand, Master, loop_hears
from streamkit.executors.packing import pack
from streamkit.executors.pool import Pool
from streamkit.executors.remote import Setup
from streamkit.executors.terms import Terms, each_argument
from streamkit.executors.threads import error_of

__all__ = ["Executor", "Share"]


_remote: Callable[..., Any] = done_elsewhere


class Share(Hand):
    """A share of what has workers of its own: one chunk at a time, and what is sent ahead."""

    def __init__(self, master: Master, index: int, arguments: Mapping[str, Any]) -> None:
        super().__init__(master, index, arguments)
        self._under_way: dict[Call, Future[Any]] = {}

    def start(self) -> None:
        self.master.loop.call_soon(self.master.prepared, self, 0.0)

    def give(self, call: Call) -> None:
        def done(future: Future[Any]) -> None:
            self._under_way.pop(call, None)
            if future.cancelled() and call.stopped is not None:
                self.master.dropped(self, call)
            else:
                outcomes = self.outcomes(future)
                seconds = outcomes.seconds if isinstance(outcomes, Outcomes) else 0.0
                self.master.done(self, call, outcomes, seconds, 0)
            self._end()

        try:
            future: Future[Any] = self.submitted(call)
        except RuntimeError as error:  # it is shut down, or broken
            future = Future()
            future.set_exception(error)
        self._under_way[call] = future
        future.add_done_callback(lambda found: loop_hears(self.master.loop, done, found))

    @abstractmethod
    def submitted(self, call: Call) -> Future[Any]:
        """What comes of a call, which is given to them."""

    def outcomes(self, future: Future[Any]) -> Any:
        """What a call has ended with: outcomes, or an error."""
        return _outcomes(future)

    def stop(self, call: Call, *, first: bool) -> None:
        self._under_way[call].cancel()

    def close(self) -> None:
        self.ending: bool = True
        self._end()

    def kill(self) -> bool:
        return False

    def leave(self) -> bool:
        self.ending = True
        for future in self._under_way.values():
            future.cancel()
        self._under_way = {}
        self._end()
        return True

    def _end(self) -> None:
        if self.ending and not self._under_way and not self.exited.done():
            self.exited.set_result(None)
            self.master.loop.call_soon(self.master.gone, self, None)  # who told it to close is not done yet


class _ExecutorShare(Share):
    """A share of an executor."""

    def __init__(
        self, master: Master, index: int, arguments: Mapping[str, Any], executor: AnyExecutor
    ) -> None:
        super().__init__(master, index, arguments)
        self._executor = executor

    def submitted(self, call: Call) -> Future[Any]:
        work = call.work
        assert work is not None
        if work.data is None:
            return self._executor.submit(work.work.done, call.payload, ABSENT)
        return self._executor.submit(_remote, work.key, work.data, call.payload)


def _outcomes(future: Future[Any]) -> Any:
    if future.cancelled():
        return WorkerError("the executor has cancelled the call")
    error = error_of(future)
    if isinstance(error, BrokenExecutor):
        broken = WorkerCrashedError(f"the executor is broken: {error}")
        broken.__cause__ = error
        return broken
    if error is not None:
        return error
    found = future.result()
    if isinstance(found, Outcomes):
        return found
    try:
        return answered(found)
    except Exception as failed:
        return failed


class Executor(Pool):
    """The workers of an executor of `concurrent.futures`, or of anything that has its ``submit``.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from streamkit.executors import Executor
    >>> with ThreadPoolExecutor(4) as threads:
    ...     Executor(threads, 4).limit.value
    4

    It is not shut down here. Its workers are its own: its ``initializer`` prepares them, a worker that is
    lost breaks a ``ProcessPoolExecutor`` for good, and a call that is under way cannot be stopped.

    Args:
        executor: what is given the chunks. Nothing is pickled for a ``ThreadPoolExecutor``; others get bytes.
        count: how many chunks it is given at once.
        on_event: called with each `Event`, in the event loop.
    """

    @answering
    def __init__(
        self, executor: AnyExecutor, count: int, *, on_event: Callable[[Event], object] | None = None
    ) -> None:
        if not callable(getattr(executor, "submit", None)):
            raise TypeError(f"executor must be an executor of concurrent.futures, not {shown(executor)}")
        count = whole("count", count, least=1)
        super().__init__(
            Terms(
                setup=Setup(ABSENT, None),
                arguments=each_argument(None, count),
                most=count,
                prefetch=0,
                on_event=None if on_event is None else callback("on_event", on_event, waits=False),
                timeout=float("inf"),
            )
        )
        self._executor = executor
        # a subclass of it may run interpreters of their own, which share nothing
        self._pickles = type(executor) is not ThreadPoolExecutor

    def _recruiter(self, setup: Setup) -> Any:
        def recruit(master: Master, index: int, arguments: Mapping[str, Any]) -> Hand:
            return _ExecutorShare(master, index, arguments, self._executor)

        return recruit

    def _packed(self, work: Work) -> Packed:
        return pack_work(work) if self._pickles else Packed(work)

    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        return pack([*items]) if self._pickles else items

    async def broadcast(self, function: Callable[..., Any]) -> list[Any]:
        """Not there: nobody knows the workers of the executor.

        Raises:
            TypeError: whenever it is called.
        """
        raise TypeError("Executor has no broadcast: nobody knows the workers of the executor")
