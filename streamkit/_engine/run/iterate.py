"""Iterating a stream: ``async for``, and the end of a run whose iterator is dropped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar
from weakref import finalize

from streamkit._engine.compile.key import End
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.followed import Followed
from streamkit._engine.run.gate import Drive
from streamkit._engine.run.own import leave_of, own
from streamkit._engine.run.shelter import sheltered
from streamkit._engine.run.start import Begun, begin, loop_of, require_asyncio, start

__all__ = ["finish", "halting", "is_late", "iterate", "prime", "root"]

T = TypeVar("T")


def iterate(
    stream: Inlet[T], pace: Pace | None = None, begun: Begun | None = None
) -> AsyncGenerator[T, None]:
    """Open the stream as an async generator that ends its run on every exit, also when it is dropped.

    If it was `begun` already, make the generator only.
    """
    require_asyncio()
    if begun is None and stream.source.tracked:
        return prime(_followed(stream))
    if begun is None and is_late(stream):
        return prime(_later(stream))
    pace = pace or Pace()
    items: AsyncGenerator[T, None] = loop_of(*(begun or begin(stream.source, stream.links)), End.USER, pace)
    if pace.source is not None:
        own(pace.source)
    prime(items)
    if any(link.declaration.stage or link.declaration.nests for link in stream.links):
        _root(items)
    return items


def _staged(stream: Inlet[Any]) -> bool:
    return any(link.declaration.stage for link in stream.links)


def is_late(stream: Inlet[Any]) -> bool:
    """Whether it can begin at the first pull only, as no loop runs yet: a stage needs that."""
    return _staged(stream) and asyncio._get_running_loop() is None


async def _later(stream: Inlet[T]) -> AsyncGenerator[Any, None]:
    """Begin at the first pull, for an iterator that is made before the loop runs."""
    yield None
    items = start(stream.source, stream.links, End.STAGE)
    own(items)
    try:
        async for item in items:
            yield item
    finally:
        await items.aclose()


async def _followed(stream: Inlet[T]) -> AsyncGenerator[Any, None]:
    """The items of a tracked source. Each is settled when the next is asked for."""
    yield None
    async with Followed(stream, None) as book:
        items = start(stream.source, stream.links, End.USER, None, book)
        own(items)
        try:
            await anext(items)  # it yields once before it begins
            async for item in items:
                yield item
        finally:
            await items.aclose()


def _root(items: Any) -> None:
    """Keep what the run of `items` consists of, but not `items`, for as long as that lives and is not closed.

    The event loop holds tasks weakly. If all were garbage at once, the collector would throw into each
    coroutine and generator of the run, in any order, before our finaliser could end it.
    """
    leave: Any = leave_of(items)
    leave.__self__.unroot = root(items, leave)


def root(items: Any, parts: Any) -> Callable[[], object]:
    """Keep `parts`, for as long as `items` lives; and no longer than until what this returns is called.

    That is called at the end: `parts` may have come to refer to `items`, which would live for ever then.
    """
    keeper = finalize(items, _forget, parts)
    keeper.atexit = False
    return keeper.detach


def halting(items: Any) -> Callable[[], None] | None:
    """What ends the intake of the stage that `items` reads; None, if it reads none."""
    leave: Any = leave_of(items)
    found: Callable[[], None] | None = leave.__self__.halt
    return found


def _forget(_: object) -> None:
    """What `finalize` keeps until then is kept no longer."""


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
        running = asyncio._get_running_loop()
        loop = self.loop or running  # it may have been made where no loop ran yet
        if loop is None or loop.is_closed():
            _step(items.aclose(), None)
        elif running is loop:
            if self.task is None or asyncio.current_task() is self.task:
                _step(items.aclose(), loop)
            else:
                finish(items, loop)
        else:
            loop.call_soon_threadsafe(finish, items, loop)


def finish(items: AsyncGenerator[Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    """Close `items` in a task of its own, which goes on whoever waits for it."""
    return sheltered(items.aclose(), loop)


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
        sheltered(Drive(steps, waiting=waiting), loop, begun=steps)
