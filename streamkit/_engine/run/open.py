"""``stream.open()``: pulls that outlive a cancelled caller, and a close that happens once."""

from __future__ import annotations

import asyncio
import gc
import sys
from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import suppress
from opcode import opmap
from types import FrameType, TracebackType
from typing import Any, Generic, TypeVar

from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.iterate import finish, iterate
from streamkit._engine.run.leave import combine
from streamkit._engine.run.tasks import Tasks

__all__ = ["OpenStream", "Pulled", "Pulls", "Thrown", "of_statement"]

T = TypeVar("T")

PATIENCE = 0.05
"""Seconds at most between two looks whether a pull has ended, where its end is not announced."""


GIVEN_UP = (
    "this stream has ended: `async for` over it was cancelled while it waited for an item; only the pull of "
    "anext(items) may be cancelled, and goes on"
)


class Pulled(Generic[T]):
    """An iterator whose pulls outlive a cancelled caller, and which is closed once."""

    def __init__(self) -> None:
        self._pulls: Pulls | None = None
        self._home: asyncio.Task[Any] | None = None
        """The task that opened it."""
        self._closer: asyncio.Task[Any] | None = None
        """The task that closes, and what is done when it has."""
        self._closing: asyncio.Future[None] | None = None

    def _open(self, pulls: Pulls) -> None:
        self._pulls = pulls
        self._home = asyncio.current_task() if asyncio._get_running_loop() is not None else None

    async def __anext__(self) -> T:
        item: T = await _Pull(self._running())
        return item

    async def aclose(self) -> None:
        """End the run. A pull that is pending in another task sees the end.

        Called again meanwhile, it waits for the first call. In a callback that the stream awaits for a pull
        it cannot wait for that: the callback is cancelled, and the pull sees the end.
        """
        pulls = self._running()
        task = asyncio.current_task()
        if self._closing is not None:
            if task is not self._closer:
                await asyncio.wait({self._closing})
            return
        if pulls.entered:
            pulls.pace.closing = pulls.ended_by_us
            raise CancelledError(pulls.word)
        loop = asyncio.get_running_loop()
        if task is not self._home and _works_for_a_run(task) and not pulls.pending:
            # the run waits for its tasks: one of them cannot wait for the run, and close it too
            self._closing = self._closer = closing = finish(pulls.items, loop)
            await asyncio.wait({closing})
            return closing.result()
        self._closer, self._closing = task, loop.create_future()
        try:
            await pulls.close()
        finally:
            self._closing.set_result(None)

    @property
    def unharmed(self) -> bool:
        """Whether no pull was cancelled that is to be made up for, or told of."""
        pulls = self._running()
        return pulls.kept is None and not pulls.pace.given_up

    def _running(self) -> Pulls:
        if self._pulls is None:
            raise RuntimeError("enter the stream first: async with stream.open() as items")
        return self._pulls


class OpenStream(Pulled[T]):
    """A running stream, for ``async with stream.open() as items``. Its run has ended when the block has.

    ``anext(items)`` may be cancelled, as `asyncio.wait_for` does: the pull goes on, and the next
    ``anext(items)`` or ``async for`` gets its item. A pull of an ``async for`` that is cancelled ends
    the run.
    """

    def __init__(self, stream: Inlet[T]) -> None:
        super().__init__()
        self._stream = stream

    async def __aenter__(self) -> OpenStream[T]:
        if self._pulls is not None:
            raise RuntimeError("this stream is open already; call open() for each use")
        pace = Pace()
        self._open(Pulls(iterate(self._stream, pace), pace))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except BaseException as late:
            combine(error, late)

    def __aiter__(self) -> AsyncIterator[T]:
        if self.unharmed and of_statement(sys._getframe(1)):  # pyright: ignore[reportPrivateUsage]
            return self.items
        return self

    @property
    def items(self) -> AsyncGenerator[T, None]:
        """The generator, for one who pulls no more after a cancellation."""
        items: AsyncGenerator[T, None] = self._running().items
        return items


_GET_AITER = opmap.get("GET_AITER")


def of_statement(frame: FrameType) -> bool:
    """Whether an ``async for``, or a comprehension, in `frame` asks for an iterator now.

    Nobody else can pull that one, and so nobody does after a cancelled pull: it can be the bare generator,
    which costs nothing. Who calls ``aiter`` has an iterator to poll.
    """
    return frame.f_code.co_code[frame.f_lasti] == _GET_AITER


def _works_for_a_run(task: asyncio.Task[Any] | None) -> bool:
    return task is not None and getattr(task.get_coro(), "cr_code", None) is Tasks._watched.__code__  # pyright: ignore[reportPrivateUsage]


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

    @property
    def pending(self) -> bool:
        """Whether a task waits in a pull, or a pull is kept."""
        return self.items.ag_running and self.items.ag_frame is not None

    @property
    def entered(self) -> bool:
        """Whether this is called within a pull."""
        return self.kept is None and self.pending and self.items.ag_await is None

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
            await Thrown(steps, CancelledError(self.word))

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
                pause = min(PATIENCE, pause * 2 or PATIENCE / 64)


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


class Thrown:
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
