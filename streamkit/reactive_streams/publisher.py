"""Publishers: a stream that any number of subscribers can have, each in a run of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from threading import Lock, get_ident
from typing import Any, Generic, TypeVar

from streamkit._core.errors import StoppedError, attach, attached
from streamkit._core.reactive_streams import UNBOUNDED_DEMAND, Subscriber
from streamkit._engine.face.stream import Stream

__all__ = ["StreamPublisher", "StreamSubscription", "to_publisher"]

T = TypeVar("T")

_running: set[asyncio.Task[None]] = set()
"""The event loop holds tasks only weakly, and a run that waits for demand is held by nobody else."""


def to_publisher(stream: Stream[T], *, loop: asyncio.AbstractEventLoop | None = None) -> StreamPublisher[T]:
    """A Reactive Streams publisher of `stream`: cold, with a run of the stream for each subscriber.

    Each run pulls only what its subscriber has requested, and sends all signals from one task.
    ``request`` and ``cancel`` may be called from any thread. That the stream has ended is learnt by
    pulling, so ``on_complete`` comes with demand for an item more than there are.

    >>> import asyncio
    >>> from streamkit import Stream
    >>> from streamkit.reactive_streams import to_publisher
    >>> class Printer:
    ...     def on_subscribe(self, subscription):
    ...         subscription.request(10)
    ...     def on_next(self, value):
    ...         print(value)
    ...     def on_error(self, exception):
    ...         print("failed:", exception)
    ...     def on_complete(self):
    ...         print("complete")
    >>> async def main():
    ...     publisher = to_publisher(Stream(["a", "b"]))
    ...     publisher.subscribe(Printer())
    ...     await publisher.wait_closed()
    >>> asyncio.run(main())
    a
    b
    complete

    Args:
        stream: what to publish. It may not contain ``None``, which no subscriber accepts (rule 2.13).
        loop: the event loop of the runs; the one that runs where ``subscribe`` is called, if not given.

    Raises:
        TypeError: `stream` is not a stream.
    """
    if not isinstance(stream, Stream):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"stream must be a Stream, not {stream!r}")
    return StreamPublisher(stream, loop)


class StreamPublisher(Generic[T]):
    """What `to_publisher` returns: ``subscribe(subscriber)`` begins a run of the stream."""

    def __init__(
        self,
        stream: Stream[T],
        loop: asyncio.AbstractEventLoop | None = None,
        ahead: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stream = stream
        self._loop = loop
        self._ahead = ahead
        """Whether a run may look for the stream's end before there is demand."""
        self._subscriptions: set[StreamSubscription] = set()

    def subscribe(self, subscriber: Subscriber[T]) -> None:
        """Give `subscriber` a subscription, and, when it requests items, a run of the stream.

        Raises:
            TypeError: `subscriber` is None, or lacks one of the four methods (rule 1.9).
        """
        if not isinstance(subscriber, Subscriber):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"subscriber must be a Subscriber, not {subscriber!r} (rule 1.9)")
        subscription = StreamSubscription(
            self._stream, subscriber, self._loop or _loop_here(), self._ahead, self._subscriptions.discard
        )
        self._subscriptions.add(subscription)
        subscription.begin()

    def nudge(self) -> None:
        """Runs may look for the stream's end now."""
        for subscription in tuple(self._subscriptions):
            subscription.nudge()

    async def wait_closed(self) -> None:
        """Wait, in the event loop of the runs, until each run so far has ended and is cleaned up."""
        for subscription in tuple(self._subscriptions):
            await subscription.wait_closed()

    def __repr__(self) -> str:
        return f"to_publisher({self._stream!r})"


class StreamSubscription:
    """One subscriber's demand, and the run that meets it."""

    def __init__(
        self,
        stream: Stream[Any],
        subscriber: Subscriber[Any],
        loop: asyncio.AbstractEventLoop | None,
        ahead: Callable[[], bool],
        ended: Callable[[StreamSubscription], None],
    ) -> None:
        self._stream: Stream[Any] | None = stream
        self._subscriber: Subscriber[Any] | None = subscriber
        self._loop = loop
        self._ahead = ahead
        self._ended = ended
        self._lock = Lock()
        """Guards what follows, up to the blank line; never held while a signal is sent."""
        self._requested: float = 0
        self._over = False
        """Cancelled, or terminated, which is the same (rule 1.6)."""
        self._refused: Exception | None = None
        """A request that was an error: the run ends with it."""
        self._waiter: asyncio.Future[None] | None = None
        """What the run waits for while there is no demand."""

        self._sent = 0
        self._thread: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._interruptible = False
        """Whether the run is in the stream, and not in its clean-up."""
        self._closed = asyncio.Event()

    # what the subscriber calls ---------------------------------------------------------------

    def request(self, n: int) -> None:
        """Ask for `n` more items. Does nothing once the subscription is cancelled or has ended."""
        with self._lock:
            if self._over or self._refused is not None:
                return
            if _valid(n):
                demand = self._requested - self._sent + n
                self._requested = self._requested + n if demand < UNBOUNDED_DEMAND else float("inf")
                waiter, self._waiter = self._waiter, None
                if waiter is None:
                    return
            else:
                self._refused = ValueError(f"rule 3.9: n must be a whole number of at least 1, not {n!r}")
                waiter = None
        self._tell(_wake, waiter) if waiter is not None else self._tell(self._interrupt)

    def cancel(self) -> None:
        """Ask for no more. The run is closed in its event loop; `wait_closed` waits for that."""
        with self._lock:
            if self._over:
                return
            self._over = True
        self._tell(self._interrupt)

    async def wait_closed(self) -> None:
        """Wait, in the event loop of the run, until it has ended and is cleaned up."""
        await self._closed.wait()

    # how it runs ---------------------------------------------------------------------------

    def begin(self) -> None:
        """Introduce the subscription to the subscriber; the run begins after that has returned."""
        if not self._signal("on_subscribe", self):
            self._release()
        elif self._loop is None:
            self._terminate(
                RuntimeError("no event loop runs in this thread: name one, to_publisher(..., loop=)")
            )
            self._release()
        else:
            try:
                self._loop.call_soon_threadsafe(self._start, self._loop)
            except RuntimeError as closed:
                self._terminate(closed)
                self._release()

    def nudge(self) -> None:
        """Look again at whether to go on without demand."""
        with self._lock:
            waiter, self._waiter = self._waiter, None
        if waiter is not None:
            self._tell(_wake, waiter)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._thread = get_ident()
        self._task = loop.create_task(self._run())
        _running.add(self._task)
        self._task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        _running.discard(task)
        if not self._closed.is_set():  # it never ran: the loop was ended before
            self._conclude(asyncio.CancelledError())
            self._release()

    async def _run(self) -> None:
        """Run the stream for the subscriber; when it is closed, tell how it ended."""
        error: BaseException | None = None
        try:
            if not self._stopping and self._stream is not None:
                async with self._stream.open() as items:
                    await self._forward(aiter(items))
        except BaseException as raised:
            error = raised
        try:
            if error is None or isinstance(error, Exception) or not self._over:
                self._conclude(error)
        finally:
            self._release()
        if error is not None and not isinstance(error, Exception):
            raise error

    async def _forward(self, items: AsyncIterator[Any]) -> None:
        """Pull and send what is requested; returns at the end of the stream, or when told to stop."""
        self._interruptible = True
        pull = items.__anext__
        try:
            while self._clear() or await self._allowed(self._ahead):
                try:
                    item = await pull()
                except StopAsyncIteration:
                    return
                if item is None:
                    raise TypeError("rule 2.13: an item of a publisher may not be None; map it to a value")
                if not (self._clear() or await self._allowed()):
                    return
                self._sent += 1
                if not self._signal("on_next", item):
                    return
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if not self._stopping or task is None or task.uncancel():
                raise
            for late in attached(cancelled):
                self._late(late)
        finally:
            self._interruptible = False

    def _clear(self) -> bool:
        """Whether there is demand; told without the lock, because only this thread makes it less."""
        return self._sent < self._requested and not self._stopping

    async def _allowed(self, ahead: Callable[[], bool] = lambda: False) -> bool:
        """Wait for demand, or for leave to go on without; False if the run is to stop."""
        while True:
            with self._lock:
                if self._over or self._refused is not None:
                    return False
                if self._sent < self._requested or ahead():
                    return True
                waiter = self._waiter = asyncio.get_running_loop().create_future()
            await waiter

    @property
    def _stopping(self) -> bool:
        return self._over or self._refused is not None

    def _interrupt(self) -> None:
        """Cancel what the run waits for, unless it is the run that says so: it looks by itself."""
        task = self._task
        if self._interruptible and task is not None and task is not asyncio.current_task():
            task.cancel()

    def _conclude(self, error: BaseException | None) -> None:
        if self._refused is not None:
            if error is not None:
                attach(self._refused, error)
            error = self._refused
        elif error is not None and not isinstance(error, Exception):
            stopped = StoppedError("the run was cancelled from outside, or its program is ending")
            stopped.__cause__ = error
            error = stopped
        self._terminate(error)

    def _terminate(self, error: BaseException | None) -> None:
        """Send the last signal, unless the subscription was cancelled; then what failed is reported."""
        with self._lock:
            cancelled, self._over = self._over, True
        if not cancelled:
            self._signal("on_complete") if error is None else self._signal("on_error", error)
        elif error is not None:
            self._late(error)

    def _release(self) -> None:
        """Let go of the subscriber (rule 3.13), and of those who wait for the end."""
        self._over = True
        self._stream = self._subscriber = None
        self._closed.set()
        self._ended(self)

    def _signal(self, name: str, *arguments: Any) -> bool:
        """Send one signal; False if the subscriber raised, which cancels its subscription (rule 2.13)."""
        try:
            getattr(self._subscriber, name)(*arguments)
        except Exception as error:
            self._over = True
            self._report(f"rule 2.13: {self._subscriber!r} raised in {name}; it is taken as cancelled", error)
            return False
        return True

    def _late(self, error: BaseException) -> None:
        self._report(
            "a publisher's run failed while it was closed for a subscriber that had cancelled", error
        )

    def _report(self, message: str, error: BaseException) -> None:
        if self._loop is None:
            logging.getLogger("streamkit").error(message, exc_info=error)
        else:
            self._loop.call_exception_handler({"message": message, "exception": error})

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call `function` in the thread of the run: at once where this is it."""
        if get_ident() == self._thread:
            function(*arguments)
        elif self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(function, *arguments)
            except RuntimeError:  # the loop was closed, and has cancelled the run
                return


def _loop_here() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _valid(n: object) -> bool:
    return isinstance(n, int) and n > 0


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
