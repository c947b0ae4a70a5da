"""Streams as observables: `to_observable`."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import AbstractEventLoop, CancelledError
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from reactivex import Observable, abc
from reactivex.scheduler.eventloop import AsyncIOScheduler

from streamkit._core.calls import answering
from streamkit._core.errors import attached
from streamkit._core.show import shown
from streamkit._engine.compile.key import End
from streamkit._engine.compile.pace import Pace
from streamkit._engine.face.stream import SourceLike, Stream
from streamkit._engine.run.ending import interrupt
from streamkit._engine.run.own import closed
from streamkit._engine.run.shelter import sheltered
from streamkit._engine.run.start import Begun, begin, loop_of
from streamkit.sinks.effects import for_each

__all__ = ["StreamObservable", "to_observable"]

T = TypeVar("T")


class _Disposed(BaseException):
    """Ends a run whose observer was disposed. It is caught here, and nobody sees it."""


class _Subscription(abc.DisposableBase):
    """One run of a stream, for one observer.

    The stream is opened within ``subscribe``, so that a hot observable in it loses nothing, and read after
    that has returned.
    """

    def __init__(self, stream: Stream[Any], observer: abc.ObserverBase[Any], loop: AbstractEventLoop) -> None:
        self.ended: Future[None] = Future()
        """Done when the run has ended and is cleaned up."""
        self._stream = stream
        self._observer = observer
        self._loop = loop
        self._disposed = False
        self._ending = False
        """Whether the run is ending by itself, so that a cancellation would only interrupt its clean-up."""
        self._failed: BaseException | None = None
        self._begun: Begun | None = None
        self._unopened: Exception | None = None
        """Why the stream could not be opened."""
        self._task: asyncio.Task[None] | None = None
        if asyncio._get_running_loop() is loop:
            self._open()
            loop.call_soon(self._start)  # a task that is eager would call the observer now
        else:
            loop.call_soon_threadsafe(self._start)

    def _open(self) -> None:
        try:
            self._begun = begin(self._stream.source, (*self._stream.links, *for_each(self._next).links))
        except Exception as error:
            self._unopened = error

    def _start(self) -> None:
        if self._begun is None and not self._disposed:
            self._open()
        self._task = self._loop.create_task(self._run())
        self._task.add_done_callback(self._over)

    def _over(self, _: object) -> None:
        if self._begun is None:
            self.ended.set_result(None)
        else:  # its task was cancelled before its first step, and what was opened is open
            self._disposed = True
            sheltered(self._run(), self._loop).add_done_callback(self._over)

    def _next(self, item: Any) -> None:
        try:
            self._observer.on_next(item)
        except BaseException as error:
            self._failed = error
            raise
        if self._disposed:
            self._ending = True
            raise _Disposed

    async def _forward(self) -> None:
        """Send the items; on every exit, the stream is closed."""
        if self._unopened is not None:
            raise self._unopened
        begun, self._begun = self._begun, None
        if begun is None:  # it was disposed before
            return  # pragma: no cover - but where tasks are eager: others are cancelled before they begin
        if self._disposed:
            opened, links, relays = begun
            await closed(loop_of(opened, links[:-1], relays, End.STAGE, Pace()))  # without the `for_each`
        else:
            await loop_of(*begun, End.RESULT, Pace())

    async def _run(self) -> None:
        try:
            await self._forward()
        except _Disposed as end:
            self._report_clean_up(end)
        except CancelledError as end:
            if self._disposed:
                self._report_clean_up(end)
            elif self._task is not None and self._task.cancelling():
                raise
            else:  # the stream raised it; nobody cancelled this task
                self._tell(self._observer.on_error, end)
        except Exception as error:
            if self._disposed or self._failed is not None:
                self._report(error)
            else:
                self._tell(self._observer.on_error, error)
        else:
            if not self._disposed:
                self._tell(self._observer.on_completed)

    def _tell(self, signal: Callable[..., None], *arguments: Any) -> None:
        try:
            signal(*arguments)
        except Exception as error:
            self._report(error)

    def _report_clean_up(self, end: BaseException) -> None:
        for error in attached(end):
            if not isinstance(error, (_Disposed, CancelledError)):
                self._report(error)

    def _report(self, error: BaseException) -> None:
        """Report an error that the observer cannot be told: it raised it itself, or was disposed before."""
        self._loop.call_exception_handler(
            {"message": f"error in or behind an observer of {self._stream!r}", "exception": error}
        )

    def dispose(self) -> None:
        """End the run, from any thread."""
        self._disposed = True
        if asyncio._get_running_loop() is self._loop:
            self._cancel()
        else:
            with contextlib.suppress(RuntimeError):  # the loop was closed, and has ended the run
                self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        task = self._task
        if not (task is None or task.done() or self._ending or task is asyncio.current_task()):
            interrupt(task)


class StreamObservable(Observable[T]):
    """A stream as a cold observable: see `to_observable`."""

    def __init__(self, stream: Stream[T], scheduler: AsyncIOScheduler | None) -> None:
        super().__init__()
        self._stream = stream
        self._scheduler = scheduler
        self._subscriptions: set[_Subscription] = set()

    def _subscribe_core(
        self, observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        subscription = _Subscription(self._stream, observer, self._loop(scheduler))
        with self.lock:
            self._subscriptions.add(subscription)
        subscription.ended.add_done_callback(lambda _: self._ended(subscription))
        return subscription

    def _ended(self, subscription: _Subscription) -> None:
        with self.lock:
            self._subscriptions.discard(subscription)

    def _loop(self, scheduler: abc.SchedulerBase | None) -> AbstractEventLoop:
        for each in (self._scheduler, scheduler):
            if isinstance(each, AsyncIOScheduler):
                loop: AbstractEventLoop = each._loop  # pyright: ignore[reportPrivateUsage]
                return loop
        running = asyncio._get_running_loop()
        if running is None:
            raise RuntimeError(
                "no event loop runs in this thread: subscribe where one does, or use "
                "to_observable(stream, scheduler=AsyncIOThreadSafeScheduler(loop))"
            )
        return running

    async def closed(self) -> None:
        """Wait until each run so far has ended and is cleaned up."""
        with self.lock:
            ended = [asyncio.wrap_future(each.ended) for each in self._subscriptions]
        if ended:
            await asyncio.wait(ended)


@answering
def to_observable(stream: SourceLike[T], *, scheduler: AsyncIOScheduler | None = None) -> StreamObservable[T]:
    """`stream` as a cold observable: each subscription is a run of its own.

        stream      --a--b--c--|
        observable  --a--b--c--|

    >>> import asyncio
    >>> from streamkit import Stream, rx
    >>> async def main():
    ...     observable = rx.to_observable(Stream([1, 2, 3]))
    ...     observable.subscribe(print)
    ...     await observable.closed()
    >>> asyncio.run(main())
    1
    2
    3

    The stream is opened before ``subscribe`` returns, or, if that is called in another thread, at the next
    turn of the loop. Observers are called after that, one item after the other, in the run's task.
    ``dispose()``, from any thread,
    cancels the run; ``await observable.closed()`` waits until it is cleaned up. An error that an observer
    raises ends its run and goes to the event loop's exception handler.

    Args:
        stream: a stream, or what one can be made of.
        scheduler: an asyncio scheduler, whose loop runs the stream; if not given, the loop that runs
            where ``subscribe`` is called.

    Raises:
        TypeError: `stream` is no source, or `scheduler` no asyncio scheduler.
        RuntimeError: (when subscribed) no scheduler was given, and no event loop runs in this thread.
    """
    if scheduler is not None and not isinstance(scheduler, AsyncIOScheduler):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"scheduler must be an asyncio scheduler of RxPY, not {shown(scheduler)}")
    return StreamObservable(Stream(stream), scheduler)
