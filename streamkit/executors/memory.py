"""The most memory that this process has needed so far."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Final

__all__ = ["Peak", "is_measured", "measure"]

_EVERY: Final = 0.1
"""Seconds from one look to the next: each takes as long as 20 small calls, and none misses a peak."""


def _by_linux() -> int:
    """Of this program alone; what `getrusage` says, a process takes over from the one that has started it."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def measure() -> Callable[[], int] | None:
    """What says it on this system; None if nothing does."""
    if sys.platform == "linux":
        return _by_linux
    try:
        from resource import RUSAGE_SELF, getrusage  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return lambda: getrusage(RUSAGE_SELF).ru_maxrss * unit


_look = measure()


def is_measured() -> bool:
    """Whether it can be known on this system."""
    return _look is not None


class Peak:
    """The most memory that was needed, as of the last look."""

    def __init__(self) -> None:
        self._bytes = 0
        self._again = 0.0

    def bytes(self) -> int:
        """In bytes; 0 where it cannot be known."""
        now = perf_counter()
        if _look is not None and now >= self._again:
            self._again = now + _EVERY
            self._bytes = _look()
        return self._bytes
