"""Pulls of a generator that several ``async for`` share: one may be cancelled, or closed by another task."""

from __future__ import annotations

import asyncio
import gc
import sys
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from types import FrameType
from typing import Any

from streamkit._engine.compile.pace import Pace

__all__ = ["Pulls"]

_FIRST, _LONGEST = 0.05 / 64, 0.05
"""Seconds before the first look whether a pull has ended that nobody tells of; at most before others."""

GIVEN_UP = (
    "this stream has ended: `async for` over it was cancelled while it waited for an item; where pulls may "
    "be cancelled, make each by anext(items)"
)


class Pulls:
    """The pulls of one iterator: the one that is kept because its caller was cancelled, and how they end."""

    def __init__(self, items: AsyncGenerator[Any, None], pace: Pace) -> None:
        self.items: Any = items
        self.pace = pace
        self.kept: tuple[Any, Any] | None = None
        """The steps of a pull that nobody awaits, and what it waits for."""
        self.word = object()
        """Tells our cancellation from any other."""
        self._ended: asyncio.Future[None] | None = None

    async def pull(self) -> Any:
        return await _Pull(self)

    @property
    def unharmed(self) -> bool:
        """Whether no pull was cancelled that is to be made up for, or told of."""
        return self.kept is None and not self.pace.given_up

    @property
    def pending(self) -> bool:
        """Whether a task waits in a pull, or a pull is kept."""
        return self.items.ag_running and self.items.ag_frame is not None

    @property
    def entered(self) -> bool:
        """Whether this is called within a pull.

        The stack tells: where an error was thrown into a generator, its ``ag_await`` stands while it runs.
        """
        items: FrameType | None = self.items.ag_frame
        frame: FrameType | None = sys._getframe()  # pyright: ignore[reportPrivateUsage]
        while frame is not None and frame is not items:
            frame = frame.f_back
        return frame is not None

    def ended_by_us(self, error: BaseException) -> bool:
        """Whether `error` ends a pull because of `close`; no cancellation of the pulling task is lost."""
        task = asyncio.current_task()
        ended = isinstance(error, CancelledError) and (
            self.word in error.args or task is None or not task.cancelling()
        )
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        return ended

    async def close(self) -> None:
        """End the pull that is pending, and close the iterator."""
        self.pace.closing = self.ended_by_us
        if self.kept is not None:
            await self._throw()
        elif self.pending:
            await self._interrupt()
        await self.items.aclose()

    async def _throw(self) -> None:
        """End the kept pull here."""
        assert self.kept is not None
        (steps, _), self.kept = self.kept, None
        with suppress(StopAsyncIteration):
            await _Thrown(steps, CancelledError(self.word))

    async def _interrupt(self) -> None:
        """Cancel what the pull of another task waits for, once, and wait until it has ended."""
        self._ended = asyncio.get_running_loop().create_future()
        asked, pause = False, 0.0
        while self.pending:
            waiting = None if asked else _innermost(self.items)
            if waiting is not None:  # a second time would interrupt the clean-up
                asked = waiting.cancel(self.word)
            await asyncio.wait({self._ended}, timeout=pause)
            if asked:
                pause = min(_LONGEST, pause * 2 or _FIRST)


class _Pull:
    """One ``anext()``: if its caller is cancelled, it is kept for the next.

    A cancelled task cancels the future that it waits for. So it is given one of our own instead.
    """

    def __init__(self, pulls: Pulls) -> None:
        self._pulls = pulls

    def __await__(self) -> Generator[Any, Any, Any]:
        pulls = self._pulls
        try:
            if pulls.kept is not None:
                (steps, waiting), pulls.kept = pulls.kept, None
                if waiting is None:  # it let others run, and they have
                    waiting = steps.send(None)
            else:
                if pulls.pace.given_up:
                    raise RuntimeError(GIVEN_UP)
                steps = pulls.items.__anext__().__await__()
                waiting = steps.send(None)
            while True:
                try:
                    if waiting is None:
                        yield
                    elif not waiting.done():
                        yield from _stood_in(waiting)
                except BaseException as error:
                    if not pulls.pace.closing:
                        pulls.kept = steps, waiting
                        raise
                    waiting = steps.throw(error)
                else:
                    waiting = steps.send(None)
        except StopIteration as end:
            return end.value


class _Thrown:
    """Throws an error into the steps of an awaitable, and awaits what it does then."""

    def __init__(self, steps: Any, error: BaseException) -> None:
        self._steps = steps
        self._error = error

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            waiting = self._steps.throw(self._error)
            while True:
                try:
                    value = yield waiting
                except BaseException as error:
                    waiting = self._steps.throw(error)
                else:
                    waiting = self._steps.send(value)
        except StopIteration as end:
            return end.value


def _stood_in(waiting: asyncio.Future[Any]) -> Generator[Any, Any, None]:
    """Wait for a future that is done when `waiting` is, and can be cancelled without it."""
    stand_in: asyncio.Future[None] = waiting.get_loop().create_future()

    def pass_on(_: object) -> None:
        if not stand_in.done():
            stand_in.set_result(None)

    waiting._asyncio_future_blocking = False  # we await it in place of the task that was to see this flag
    waiting.add_done_callback(pass_on)
    try:
        yield from stand_in.__await__()
    finally:
        waiting.remove_done_callback(pass_on)  # it may be polled for long


def _innermost(awaitable: Any) -> asyncio.Future[Any] | None:
    """The future at the bottom of what a suspended async generator awaits; None if there is none."""
    while awaitable is not None and not asyncio.isfuture(awaitable):
        for name in ("ag_await", "cr_await", "gi_yieldfrom"):
            if hasattr(awaitable, name):
                awaitable = getattr(awaitable, name)
                break
        else:
            # the iterator of a future and the step of an async generator have no attribute for their owner
            inner = [each for each in gc.get_referents(awaitable) if _is_awaitable(each)]
            awaitable = inner[0] if inner else None
    return awaitable


def _is_awaitable(value: object) -> bool:
    return asyncio.isfuture(value) or hasattr(value, "ag_await") or hasattr(value, "cr_await")
