"""Emitters: the producers' end of a push source, for threads, callbacks and other event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import finalize

from streamkit._core.arguments import seconds
from streamkit._core.errors import EmitterClosedError, RunningLoopError, SourceConsumedError
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.threads import Offered, SharedChannel, Waiter, call_in
from streamkit._engine.compile.key import Kind
from streamkit._engine.compile.pace import LARGEST, Pace
from streamkit._engine.face.mistakes import OF_EMITTERS, attribute
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.run import Run
from streamkit._stages.hold import HoldingChannel, ThreadWaiter

__all__ = ["Emitter", "PushSource"]

T_contra = TypeVar("T_contra", contravariant=True)


class PushSource(Source):
    """The source that emitters fill; its stream can be run once.

    It ends unread when a run that might have read it ends, and when nobody has it any more. The emitter has
    only the channel, and so do the runs that read it.
    """

    __slots__ = ("_by", "_claims", "_ends", "_name", "strategy")

    awaited = True

    def __init__(
        self, channel: SharedChannel, strategy: Strategy, name: str | None = None, by: str = "push"
    ) -> None:
        self.value = channel
        self._by = by
        """The function that users have called for it."""
        self._name = name
        self._consumed = False
        self._claims = 0
        """How many runs may come to read it."""
        self._ends = finalize(self, channel.leave)
        self._ends.atexit = False
        self.strategy: Strategy | None = strategy
        channel.name = repr(self)

    def claim(self) -> None:
        """A run may come to read it."""
        with self.value.lock:
            self._claims += 1

    def disclaim(self) -> None:
        """Such a run has ended. If it was the last, and none has read it, those who fill it are let go."""
        with self.value.lock:
            self._claims -= 1
            if self._claims or self._consumed:
                return
            self._consumed = True
        self._ends()

    def open(self, *, blocking: bool = False) -> Opened:
        channel = self._taken()
        return Opened(Kind.CHANNEL, lambda: channel, None, channel.leave, channel)

    def attached(self, run: Run) -> Source:
        return run.reading(run.adopt(self._taken())).source

    def _taken(self) -> SharedChannel:
        with self.value.lock:
            if self._consumed:
                raise SourceConsumedError(
                    f"{self!r} can be run only once, and was: make another with {self._by}()"
                )
            self._consumed = True
        self._ends.detach()
        channel: SharedChannel = self.value
        return channel.begin()

    @property
    def blocking(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"{self._by}({self.strategy!r}{'' if self._name is None else f', name={self._name!r}'})"


class _AsyncWaiter(Waiter):
    """Waits in an event loop, the reader's or another."""

    def __init__(self, item: Any) -> None:
        super().__init__(item)
        self.free = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        try:
            call_in(self._loop, self.free.set)
        except RuntimeError:  # the loop that waited was closed meanwhile
            return


class Emitter(Generic[T_contra]):
    """The producers' end of a `push` source; any thread may call its methods."""

    __slots__ = ("_channel", "_left", "_pace")

    def __init__(self, channel: HoldingChannel) -> None:
        self._channel = channel
        if asyncio._get_running_loop() is not None:
            channel.home = get_ident()
        self._pace = Pace()
        self._left = 1
        """Items that `send` takes in before it looks whether others should run."""

    def offer(self, item: T_contra) -> Offered:
        """Offer `item` without waiting, and say what became of it.

        Under a strategy that waits, a full buffer answers ``FULL``. So does one under ``Fail``, and the
        stream ends with the error.
        """
        outcome = self._channel.offer(item)
        assert isinstance(outcome, Offered)
        return outcome

    async def send(self, item: T_contra) -> Offered:
        """Offer `item`; under a strategy that waits, wait until there is room. From any event loop.

        Now and then it lets other tasks run, also where there is room.
        If it is cancelled while it waits, the item is refused, unless it was taken in already.

        Raises:
            EmitterClosedError: the stream has ended, or did so because of this item.
        """
        self._left -= 1
        if self._left <= 0:
            await self._breathe()
        outcome = self._channel.offer(item, _AsyncWaiter)
        if isinstance(outcome, _AsyncWaiter):
            waiter = outcome
            try:
                await waiter.free.wait()
            finally:
                self._channel.give_up(waiter)
            assert waiter.outcome is not None
            outcome = waiter.outcome
        return self._open(outcome)

    def send_blocking(self, item: T_contra, timeout: float | None = None) -> Offered:
        """Offer `item`; under a strategy that waits, hold this thread until there is room.

        If the thread of the event loop waits for a lock meanwhile, which this one may own, the item is taken
        in beyond the capacity: the loop never stands still for it. In a signal handler that interrupts
        another call of this thread, it returns ``FULL`` instead.

        Args:
            item: what to offer.
            timeout: seconds to wait at most; no limit if not given.

        Raises:
            RunningLoopError: an event loop runs in this thread, or the stream is read in it.
            TimeoutError: there was no room in time; the item was refused.
            EmitterClosedError: the stream has ended, or did so because of this item.
        """
        limit = None if timeout is None else seconds("timeout", timeout, positive=False)
        self._require_another_thread()
        outcome = self._channel.offer(item, ThreadWaiter)
        if isinstance(outcome, ThreadWaiter):
            waiter = outcome
            try:
                self._channel.hold_thread(waiter, limit)
            finally:
                late = self._channel.give_up(waiter)
            if late:
                raise TimeoutError(f"there was no room for {shown(item)} within {shown(timeout)} s")
            assert waiter.outcome is not None
            outcome = waiter.outcome
        return self._open(outcome)

    def close(self) -> bool:
        """End the stream, after what is held. False if it had ended before."""
        return self._channel.end()

    def fail(self, error: BaseException) -> bool:
        """End the stream with `error`, after what is held. False if it had ended before.

        Raises:
            TypeError: `error` is not an exception.
        """
        if not isinstance(error, BaseException):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"error must be an exception, not {shown(error)}")
        return self._channel.end(error)

    @property
    def closed(self) -> bool:
        """Whether the stream takes no more items: it was closed, has failed, or its consumer has left."""
        return not self._channel.lanes[0].open

    def stats(self) -> BufferStats:
        """What became of the items that were offered, so far."""
        return self._channel.stats()[0]

    def __repr__(self) -> str:
        return f"<Emitter {'closed' if self.closed else 'open'} {self._channel.name}>"

    async def _breathe(self) -> None:
        """Let others run now and then, the reader among them: a strategy that drops never makes it wait."""
        pace = self._pace
        if pace.due() or pace.size == LARGEST:
            await asyncio.sleep(0)
            pace.rested()
        self._left = pace.size

    def _open(self, outcome: Offered | Waiter) -> Offered:
        assert isinstance(outcome, Offered)
        if outcome is Offered.CLOSED or (outcome is Offered.FULL and self.closed):
            raise EmitterClosedError("the stream takes no more items: it was closed, or has failed")
        return outcome

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise attribute(self, name, OF_EMITTERS)

    def _require_another_thread(self) -> None:
        runs: Callable[[], Any] = asyncio._get_running_loop
        if runs() is not None or (self._channel.thread == get_ident() and not self.closed):
            raise RunningLoopError(
                "send_blocking would hold the thread that reads, or another event loop: use await send(item)"
            )
