"""Iterating a stream: ``async for``, ``open()``, and the end of a run whose iterator is dropped."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from types import TracebackType
from typing import Any, Generic, TypeVar

from streamkit._engine.compile.key import End
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.gate import Drive
from streamkit._engine.run.leave import combine
from streamkit._engine.run.start import start

__all__ = ["OpenStream", "iterate", "prime"]

T = TypeVar("T")


def iterate(stream: Inlet[T]) -> AsyncGenerator[T, None]:
    """Open the stream as an async generator that ends its run on every exit, also when it is dropped."""
    return prime(start(stream.source, stream.links, End.USER))


def prime(items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Give `items` our finaliser instead of the event loop's.

    Python reads the finaliser hook at the first step of an async generator, and keeps it for that generator.
    So the hook is swapped while `items` is stepped once, to its first ``yield``.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(hooks.firstiter, _Finaliser())
    try:
        items.__anext__().__await__().send(None)
    except StopIteration:
        pass
    finally:
        sys.set_asyncgen_hooks(*hooks)
    return items


class _Finaliser:
    """Ends the run of a dropped iterator, for example after a ``break``, where Python awaits nothing.

    If the iterating task drops it, the clean-up begins at once, and a new task of the loop finishes what
    waits. If another task, another thread or the collector drops it, that new task does all of it.
    """

    __slots__ = ("loop", "task")

    def __init__(self) -> None:
        try:
            self.loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
            self.task = asyncio.current_task()
        except RuntimeError:
            self.loop = self.task = None

    def __call__(self, items: AsyncGenerator[Any, None]) -> None:
        loop = self.loop
        if loop is None or loop.is_closed():
            _step(items.aclose(), None)
        elif asyncio._get_running_loop() is loop:
            if asyncio.current_task() is self.task:
                _step(items.aclose(), loop)
            else:
                _finish(items, loop)
        else:
            loop.call_soon_threadsafe(_finish, items, loop)


_unfinished: set[asyncio.Task[None]] = set()
"""Tasks that finish the clean-up of dropped iterators; the event loop holds tasks only weakly."""


def _finish(items: AsyncGenerator[Any, None], loop: asyncio.AbstractEventLoop) -> None:
    _keep(loop.create_task(_awaited(items.aclose())))


def _keep(task: asyncio.Task[None]) -> None:
    _unfinished.add(task)
    task.add_done_callback(_unfinished.discard)


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _step(closing: Any, loop: asyncio.AbstractEventLoop | None) -> None:
    steps = closing.__await__()
    try:
        waiting = steps.send(None)
    except StopIteration:
        return
    except BaseException as error:
        if loop is None:
            raise
        loop.call_exception_handler({"message": "clean-up of a dropped stream failed", "exception": error})
        return
    if loop is None:
        steps.close()  # without a loop, what it waits for can never happen
    else:
        _keep(loop.create_task(_awaited(Drive(steps, waiting=waiting))))


class OpenStream(Generic[T]):
    """A running stream, for ``async with stream.open() as items``. Its run has ended when the block has."""

    def __init__(self, stream: Inlet[T]) -> None:
        self._stream = stream
        self._items: AsyncGenerator[T, None] | None = None

    async def __aenter__(self) -> OpenStream[T]:
        if self._items is not None:
            raise RuntimeError("this stream is open already; call open() for each use")
        self._items = iterate(self._stream)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except BaseException as late:
            combine(error, late)

    def __aiter__(self) -> AsyncIterator[T]:
        return self._running()

    def __anext__(self) -> Awaitable[T]:
        return self._running().__anext__()

    async def aclose(self) -> None:
        """End the run. A pull that is pending in another task is cancelled, and sees the end."""
        items: Any = self._running()
        while items.ag_running:
            waiting = _innermost(items)
            if waiting is not None:
                waiting.cancel()
            await asyncio.sleep(0)
        await items.aclose()

    def _running(self) -> AsyncGenerator[T, None]:
        if self._items is None:
            raise RuntimeError("enter the stream first: async with stream.open() as items")
        return self._items


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
