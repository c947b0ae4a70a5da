"""Pulls that can be given up: of an asynchronous source that may wait long when nothing more is wanted."""

from __future__ import annotations

from asyncio import CancelledError, Task, current_task, get_running_loop
from contextlib import suppress
from typing import Any

from streamkit._engine.run.ending import is_cleaning_up

__all__ = ["Pulls"]


class Pulls:
    """An asynchronous iterator that ends when it is told to, also while its source waits.

    It cancels that pull as ``asyncio.timeout`` does, and takes the cancellation back. What else is asked of
    the iterator, its source answers: an error can be thrown into a generator.
    """

    __slots__ = ("__weakref__", "_count", "_cut", "_enough", "_items", "_loop", "_next", "_task", "_waits")

    def __init__(self, items: Any) -> None:
        self._items = items
        self._next = items.__anext__
        self._loop = get_running_loop()
        self._enough = self._cut = self._waits = False
        self._count = 0
        """How often the task had been cancelled when its pull was."""
        self._task: Task[Any] | None = None
        """In which the source is stepped."""

    def finish(self) -> None:
        """End, and give up the pull that waits, but of a source that closes by itself; from any thread."""
        self._enough = True
        with suppress(RuntimeError):  # its loop was closed
            self._loop.call_soon_threadsafe(self._give_up)

    def _give_up(self) -> None:
        if self._waits and self._task is not None and not self._cut and not is_cleaning_up(self._task):
            self._cut = True
            self._count = self._task.cancelling()
            self._task.cancel()

    def __aiter__(self) -> Pulls:
        return self

    async def __anext__(self) -> Any:
        if self._enough:
            raise StopAsyncIteration
        if self._task is None:  # a source is stepped in one task
            self._task = current_task()
        self._waits = True
        try:
            item = await self._next()
        except BaseException as error:
            self._waits = False
            if self._cut and self._taken_back() and isinstance(error, CancelledError):
                raise StopAsyncIteration from None
            raise
        self._waits = False
        if self._cut:
            self._taken_back()
        return item

    def _taken_back(self) -> bool:
        """Take back the cancellation of a pull that was given up; whether the task has no other."""
        self._cut = False
        assert self._task is not None
        return self._task.uncancel() <= self._count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._items, name)
