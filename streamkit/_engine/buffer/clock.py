"""Clocks: that by which a buffer counts the seconds that it was full, and the one on the wall."""

from __future__ import annotations

import time
from asyncio import AbstractEventLoop, BaseEventLoop
from collections.abc import Callable
from time import monotonic

__all__ = ["clock_of", "wall_clock_of"]


def clock_of(loop: AbstractEventLoop) -> Callable[[], float]:
    """The time of `loop`; of asyncio's own without the call in between."""
    return monotonic if getattr(type(loop), "time", None) is BaseEventLoop.time else loop.time


def wall_clock_of(loop: AbstractEventLoop) -> Callable[[], float]:
    """The seconds since the year 1970 in UTC; a loop whose time is virtual has a ``wall_time`` of its own."""
    own: Callable[[], float] | None = getattr(loop, "wall_time", None)
    return time.time if own is None else own
