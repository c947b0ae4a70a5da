"""The clock by which a buffer counts the seconds that it was full."""

from __future__ import annotations

from asyncio import AbstractEventLoop, BaseEventLoop
from collections.abc import Callable
from time import monotonic

__all__ = ["clock_of"]


def clock_of(loop: AbstractEventLoop) -> Callable[[], float]:
    """The time of `loop`; of asyncio's own without the call in between."""
    return monotonic if getattr(type(loop), "time", None) is BaseEventLoop.time else loop.time
