"""Interrupts: the signals that end a program, handled in its event loop while it runs."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Interrupts"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """SIGINT and SIGTERM of a program: the first and the second are for `obey`, and a third for the system.

    `obey` is called in the event loop, after each, and sees in `caught` how many there were.
    """

    def __init__(self, obey: Callable[[], None]) -> None:
        self.caught: list[int] = []
        """The numbers of the signals that came."""
        self._obey = obey
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: dict[signal.Signals, Any] = {}

    @contextmanager
    def handled(self) -> Generator[None, None, None]:
        """Handle signals meanwhile. Only the main thread may."""
        try:
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._catch)
            yield
        finally:
            self._restore()

    def begin(self) -> None:
        """The event loop runs, and what signals are for has begun."""
        self._loop = asyncio.get_running_loop()
        self._obey()  # a signal may have come before there was a loop

    def _restore(self) -> None:
        for number, before in self._before.items():  # nothing is taken out: a signal may come meanwhile
            # a handler that Python has not set is not known to it
            signal.signal(number, signal.SIG_DFL if before is None else before)

    def _catch(self, number: int, _: FrameType | None) -> None:
        self.caught.append(number)
        if len(self.caught) > 1:
            self._restore()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._obey)  # as from another thread: that wakes it
