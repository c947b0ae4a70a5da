"""Pulls that can be given up: of an asynchronous source that may wait long when nothing more is wanted."""

from __future__ import annotations

from asyncio import CancelledError, Task, TimerHandle, current_task, get_running_loop
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from streamkit._engine.run.ending import is_cleaning_up

__all__ = ["Pulls"]

_SOON = 0.001
_LATER = 1.0
"""Seconds until a pull that was let alone is looked at again: twice as long each time, up to a second."""


class Pulls:
    """An asynchronous iterator that ends when it is told to, also while its source waits.

    It cancels that pull as ``asyncio.timeout`` does, and takes the cancellation back. What else is asked of
    the iterator, its source answers.
    """

    __slots__ = (
        "__weakref__", "_count", "_cut", "_enough", "_items", "_look", "_loop", "_next", "_task", "_waits"
    )  # fmt: skip

    def __init__(self, items: Any) -> None:
        self._items = items
        self._next = items.__anext__
        self._loop = get_running_loop()
        self._enough = self._cut = self._waits = False
        self._count = 0
        """How often the task had been cancelled when it began the pull."""
        self._look: TimerHandle | None = None
        """Looks again whether the pull can be given up."""
        self._task: Task[Any] | None = None
        """In which the source is stepped."""

    def finish(self) -> None:
        """End, and give up the pull that waits, but of a source that closes by itself; from any thread."""
        self._enough = True
        with suppress(RuntimeError):  # its loop was closed
            self._loop.call_soon_threadsafe(self._give_up, _SOON)

    def _give_up(self, again: float) -> None:
        if not self._waits or self._task is None or self._cut:
            return
        if self._look is not None:
            self._look.cancel()
        if self._task.cancelling() > self._count or is_cleaning_up(self._task):
            # somebody else has cancelled it, or what the source itself reads is being closed: it may go on
            self._look = self._loop.call_later(again, self._give_up, min(2 * again, _LATER))
        else:
            self._cut = True
            self._task.cancel()

    def __aiter__(self) -> Pulls:
        return self

    def __anext__(self) -> Awaitable[Any]:
        return self._step(self._next)

    async def _step(self, step: Callable[..., Awaitable[Any]], *thrown: Any) -> Any:
        """Pull; or hand the source the cancellation that a scope of its own has asked for."""
        if self._enough:
            if not thrown:
                raise StopAsyncIteration
            self._loop.call_soon(self._give_up, _SOON)
        if self._task is None:  # a source is stepped in one task
            self._task = current_task()
            assert self._task is not None
        self._count = self._task.cancelling() - len(thrown)
        self._waits = True
        try:
            item = await step(*thrown)
        except BaseException as error:
            self._waits = False
            if self._enough and self._taken_back() and isinstance(error, CancelledError):
                raise StopAsyncIteration from None
            raise
        self._waits = False
        if self._enough:
            self._taken_back()
        return item

    def _taken_back(self) -> bool:
        """Take back the cancellation of a pull that was given up; whether the task has no other."""
        if self._look is not None:
            self._look.cancel()
        if not self._cut:
            return False
        self._cut = False
        assert self._task is not None
        return self._task.uncancel() <= self._count

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._items, name)
        return partial(self._step, found) if name == "athrow" else found
