"""Timers in virtual time: those of one time fire in the order in which they were set."""

import asyncio
import heapq
import math

__all__ = ["Timer", "Timers"]

_SWEEP_AT_LEAST = 128


class Timer(asyncio.TimerHandle):
    """A timer that the loop itself can fire."""

    __slots__ = ("set_at",)

    set_at: float
    """The time at which it was set."""

    def fire(self) -> None:
        if not self.cancelled():
            self._run()


class Timers:
    """The timers that are set, in a heap.

    asyncio's own heap does not do: it does not keep the order of equal times, and it compares times with a
    tolerance, which is inexact and fails for large times.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._set = 0
        self._sweep_at = _SWEEP_AT_LEAST

    def add(self, timer: Timer) -> None:
        self._set += 1
        heapq.heappush(self._heap, (timer.when(), self._set, timer))
        if len(self._heap) >= self._sweep_at:
            self._sweep()

    def next_time(self) -> float:
        """The time of the next timer; infinity if there is none that could ever fire."""
        while self._heap and self._heap[0][2].cancelled():
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def due(self, now: float) -> list[Timer]:
        """Take out the timers whose time has come."""
        found: list[Timer] = []
        while self._heap and self._heap[0][0] <= now:
            timer = heapq.heappop(self._heap)[2]
            if not timer.cancelled():
                found.append(timer)
        return found

    def _sweep(self) -> None:
        """Forget cancelled timers, so that many timeouts that never fired do not fill the memory."""
        self._heap = [entry for entry in self._heap if not entry[2].cancelled()]
        heapq.heapify(self._heap)
        self._sweep_at = 2 * len(self._heap) + _SWEEP_AT_LEAST
