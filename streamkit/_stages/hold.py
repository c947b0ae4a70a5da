"""Threads that are held while a buffer is full, and the locks they own.

A thread that fills a buffer is held wherever it is: inside RxPY, where it owns the lock of a ``merge``, or
inside a ``with lock`` of the program's own. If the event loop wants that lock, the loop stands still, and
with it the reader that would make room. Then the thread goes on, beyond the capacity, until the loop has
the lock.
"""

from __future__ import annotations

from threading import Event, get_ident
from time import monotonic
from typing import Any

from streamkit._core.errors import BufferOverflowError
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.threads import Offered, SharedChannel, Waiter
from streamkit._stages.locks import lock_awaited

__all__ = ["HoldingChannel", "ThreadWaiter"]

_CURE = (
    "the event loop waits for a lock that the thread which fills the buffer never lets go: let that thread "
    "let go of it before it waits, keep the loop from taking it, or choose a strategy that drops"
)

_BEAT = 0.01
"""After how many seconds a thread that is held looks whether the loop's thread waits for a lock."""
_LONG = 0.5
"""The same for one that owns no lock: it looks whether the loop was closed."""
_LOOKS = 3
"""How often in a row it must wait at the same place: on a busy machine, it may just not have run."""
_MOMENT = 0.000_001
"""The same while it does: just so long that the loop's thread runs, if it has got the lock."""
_BEYOND = 100_000
"""How many items are taken in beyond the capacity at most, while the loop's thread waits for a lock."""


class ThreadWaiter(Waiter):
    """Waits in a thread that has no event loop."""

    holds = True

    def __init__(self, item: Any) -> None:
        super().__init__(item)
        self.free: Event = Event()

    def wake(self) -> None:
        self.free.set()


class HoldingChannel(SharedChannel):
    """A channel that holds threads, but none whose locks the event loop needs to go on."""

    def __init__(self, strategy: Strategy) -> None:
        super().__init__(strategy)
        self.home: int | None = None
        """The thread whose loop is to read, as far as is known before it begins."""
        self._jam: tuple[int, int] | None = None
        """Where the loop's thread waits for a lock, as a thread that is held has seen."""

    def hold_thread(self, waiter: ThreadWaiter, timeout: float | None = None) -> None:
        """Hold this thread until `waiter` has an outcome, or `timeout` is over.

        It has one, too, if the loop waits for a lock, which this thread may own, or was closed.
        """
        end = None if timeout is None else monotonic() + timeout
        seen, times, pause = self._jam, _LOOKS, _MOMENT if self._jam else _BEAT
        while not waiter.free.wait(pause if end is None else min(pause, max(end - monotonic(), 0.0))):
            if end is not None and monotonic() >= end:
                return
            self._forsaken()
            awaited = lock_awaited(self._reading())
            times = times + 1 if awaited == seen else 1
            self._jam = awaited if times >= _LOOKS else None
            if self._jam is not None:
                self.let_in(waiter)
            seen, pause = awaited, _BEAT

    def fill(self, item: Any) -> Offered:
        """Put `item` in, from a thread of ours: it waits for room, as it owns no lock of the program's."""
        outcome = self.offer(item, ThreadWaiter)
        if isinstance(outcome, ThreadWaiter):
            waiter = outcome
            while not waiter.free.wait(_LONG):
                self._forsaken()
            assert waiter.outcome is not None
            return waiter.outcome
        assert isinstance(outcome, Offered)
        return outcome

    def _reading(self) -> int | None:
        thread = self.home if self.thread is None else self.thread
        return None if thread == get_ident() else thread

    def _forsaken(self) -> None:
        """If the loop was closed while the stream was open, nobody will make room."""
        if self.loop is not None and self.loop.is_closed():
            with self.lock:
                self.desert()
                self._abandon()
            self.released()

    def let_in(self, waiter: Waiter) -> bool:
        """Take in the item of `waiter` although there is no room, so that its thread can go on.

        False if that was not to be done: it has an outcome, or so many were taken in that the stream fails.
        """
        lane, meanwhile = self._lane, self._meanwhile
        with self.lock:
            self._settle()
            waits = waiter.outcome is None
            full = waits and len(lane.held) >= lane.limit + _BEYOND
            if waits and not full:
                self._waiters.remove(waiter)
                beyond = max(len(lane.held) + 1 - lane.limit, 0)
                lane.widen(beyond)
                meanwhile.putting = True
                waiter.outcome = self._put(waiter.item)
                meanwhile.putting = False
                lane.widen(-beyond)
                self._ease()
                waiter.wake()
        if full:
            self.overflow(f"{lane.strategy!r} was offered more than it holds, and {_CURE}")
        self.released()
        return waits and not full

    def overflow(self, message: str) -> None:
        """End the stream, as it cannot hold what was offered."""
        self.end(BufferOverflowError(message))
