"""Subscriptions: the run of a stream for one subscriber, from ``on_subscribe`` to the last signal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from streamkit._core.errors import StoppedError, attach, attached
from streamkit._core.reactive_streams import Subscriber
from streamkit._core.show import shown
from streamkit._engine.compile.pace import ENDED
from streamkit._engine.face.stream import Stream
from streamkit._engine.run.ending import interrupt
from streamkit.reactive_streams.demand import Demand, wake
from streamkit.reactive_streams.signals import Signals

__all__ = ["StreamSubscription"]

_running: set[asyncio.Task[None]] = set()
"""Keeps the tasks alive: to a run that waits for demand, the event loop has only a weak reference."""


class StreamSubscription:
    """What a subscriber of `to_publisher` gets in ``on_subscribe``: it requests items, or cancels."""

    def __init__(
        self,
        stream: Stream[Any],
        subscriber: Subscriber[Any],
        loop: asyncio.AbstractEventLoop | None,
        ahead: Callable[[], bool],
        ended: Callable[[StreamSubscription], None],
    ) -> None:
        self._stream: Stream[Any] | None = stream
        self._demand = Demand()
        self._signals = Signals(subscriber, loop)
        self._loop = loop
        self._ahead = ahead
        self._ended = ended
        self._task: asyncio.Task[None] | None = None
        self._interruptible = False
        """Whether the run is in the stream, and not in its clean-up."""
        self._closed = asyncio.Event()

    # what the subscriber calls, in any thread ----------------------------------------------------

    def request(self, n: int) -> None:
        """Ask for `n` more items. Does nothing once the subscription is cancelled or has ended."""
        if not _valid(n):
            error = ValueError(f"rule 3.9: n must be a whole number of at least 1, not {shown(n)}")
            if self._demand.refuse(error):
                self._tell(self._interrupt)
        elif (waiter := self._demand.add(n)) is not None:
            self._tell(wake, waiter)

    def cancel(self) -> None:
        """Ask for no more. The run is closed in its event loop; `wait_closed` waits for that."""
        if self._demand.end():
            self._tell(self._interrupt)

    async def wait_closed(self) -> None:
        """Wait, in the event loop of the run, until it has ended and is cleaned up."""
        await self._closed.wait()

    # how it begins -------------------------------------------------------------------------------

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
        """Let the run ask again whether it may go on without demand."""
        if (waiter := self._demand.look_again()) is not None:
            self._tell(wake, waiter)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._task = loop.create_task(self._run())
        _running.add(self._task)
        self._task.add_done_callback(self._finished)

    # the run, in its event loop ------------------------------------------------------------------

    async def _run(self) -> None:
        """Run the stream for the subscriber; when it is closed, tell how it ended."""
        error: BaseException | None = None
        try:
            if not self._demand.stopping and self._stream is not None:
                async with self._stream.open() as items:
                    await self._forward(items.items)
        except BaseException as raised:
            error = raised
        try:
            if error is None or isinstance(error, Exception) or not self._demand.over:
                self._conclude(error)
        finally:
            self._release()
        if error is not None and not isinstance(error, Exception):
            raise error

    async def _forward(self, items: AsyncIterator[Any]) -> None:
        """Pull and send what is requested; returns at the end of the stream, or when told to stop."""
        self._interruptible = True
        pull, demand, send = items.__anext__, self._demand, self._signals.send
        try:
            while not demand.met() or await demand.wait(self._ahead):
                try:
                    item = await pull()
                except StopAsyncIteration:
                    return
                if item is None:
                    raise TypeError("rule 2.13: an item of a publisher may not be None; map it to a value")
                if demand.met() and not await demand.wait():
                    return
                demand.sent += 1
                if not send("on_next", item):
                    demand.end()
                    return
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if ENDED not in cancelled.args or task is None or task.uncancel():
                raise  # the cancellation came from outside
            for late in attached(cancelled):
                self._signals.late(late)
        finally:
            self._interruptible = False

    def _interrupt(self) -> None:
        """Cancel what the run waits for. Within a signal there is nothing to cancel: the run looks next."""
        task = self._task
        if self._interruptible and task is not None and task is not asyncio.current_task():
            interrupt(task)

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call `function` in the loop of the run; if that runs here, at once."""
        if self._loop is not None and asyncio._get_running_loop() is self._loop:
            function(*arguments)
        elif self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(function, *arguments)
            except RuntimeError:  # the loop was closed, and has cancelled the run
                return

    # how it ends ---------------------------------------------------------------------------------

    def _finished(self, task: asyncio.Task[None]) -> None:
        _running.discard(task)
        if not self._closed.is_set():  # it never ran: the loop was ended before
            if not self._demand.over:
                self._conclude(asyncio.CancelledError())
            self._release()

    def _conclude(self, error: BaseException | None) -> None:
        """Terminate with the error of an invalid request if there is one, and with `error` otherwise."""
        if (refused := self._demand.refused) is not None:
            if error is not None:
                attach(refused, error)
            error = refused
        elif error is not None and not isinstance(error, Exception):
            stopped = StoppedError("the run was cancelled from outside, or its program is ending")
            stopped.__cause__ = error
            error = stopped
        self._terminate(error)

    def _terminate(self, error: BaseException | None) -> None:
        """Send the last signal. If the subscription was cancelled, report the error instead."""
        if self._demand.end():
            self._signal("on_complete") if error is None else self._signal("on_error", error)
        elif error is not None:
            self._signals.late(error)

    def _release(self) -> None:
        """Drop the stream and the subscriber (rule 3.13), and wake those who wait for the end."""
        self._demand.end()
        self._signals.release()
        self._stream = None
        self._closed.set()
        self._ended(self)

    def _signal(self, name: str, *arguments: Any) -> bool:
        """Send one signal. If the subscriber raises, the subscription has ended."""
        sent = self._signals.send(name, *arguments)
        if not sent:
            self._demand.end()
        return sent


def _valid(n: object) -> bool:
    return isinstance(n, int) and n > 0
