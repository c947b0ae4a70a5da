"""Demand: what a subscriber has asked for, what was sent of it, and whether its subscription has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Lock

from streamkit._core.reactive_streams import UNBOUNDED_DEMAND

__all__ = ["Demand", "wake"]


class Demand:
    """The demand of one subscription. A subscriber changes it from any thread; one run meets it.

    The lock is never held while a signal is sent, because a subscriber may request more from within one.
    """

    def __init__(self) -> None:
        self.sent: int = 0
        """How many items were sent; only the run counts them."""
        self.over: bool = False
        """Whether the subscription was cancelled or terminated; both mean the same (rule 1.6)."""
        self.refused: Exception | None = None
        """The error of an invalid request; the run ends with it."""
        self._lock = Lock()
        self._requested: float = 0
        self._waiter: asyncio.Future[None] | None = None
        """What the run waits for while there is no demand."""

    # what the subscriber changes, from any thread ---------------------------------------------

    def add(self, n: int) -> asyncio.Future[None] | None:
        """Count `n` more items as requested. The caller wakes what is returned, in the thread of the run."""
        with self._lock:
            if self.stopping:
                return None
            demand = self._requested - self.sent + n
            self._requested = self._requested + n if demand < UNBOUNDED_DEMAND else float("inf")
            return self._take_waiter()

    def refuse(self, error: Exception) -> bool:
        """Let the run end with `error`; False if it is already told to stop."""
        with self._lock:
            if self.stopping:
                return False
            self.refused = error
            return True

    def end(self) -> bool:
        """End the subscription; False if it has ended before."""
        with self._lock:
            before, self.over = self.over, True
        return not before

    # what the run asks --------------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """Whether the run is to stop."""
        return self.over or self.refused is not None

    def met(self) -> bool:
        """Whether nothing may be sent. It takes no lock: only the thread of the run makes demand smaller."""
        return self.sent >= self._requested or self.over or self.refused is not None

    async def wait(self, ahead: Callable[[], bool] = lambda: False) -> bool:
        """Wait for demand, or until `ahead` allows to go on without it; False if the run is to stop."""
        while True:
            with self._lock:
                if self.stopping:
                    return False
                if self.sent < self._requested or ahead():
                    return True
                waiter = self._waiter = asyncio.get_running_loop().create_future()
            await waiter

    def look_again(self) -> asyncio.Future[None] | None:
        """Let the run ask `ahead` again. The caller wakes what is returned, in the thread of the run."""
        with self._lock:
            return self._take_waiter()

    def _take_waiter(self) -> asyncio.Future[None] | None:
        waiter, self._waiter = self._waiter, None
        return waiter


def wake(waiter: asyncio.Future[None]) -> None:
    """Wake a run that waits for demand; it may have been cancelled meanwhile."""
    if not waiter.done():
        waiter.set_result(None)
