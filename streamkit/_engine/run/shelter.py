"""Clean-up that goes on when the program ends: ``asyncio.run`` cancels then all tasks that it knows.

A task that ends a run is hidden from it. Some task that it knows waits for that one, however often it is
cancelled: the task of whoever reads the run, or one that is made for it. What the clean-up itself cancels, as
a timeout in it does, is cancelled as ever.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from types import MethodType
from typing import Any

from streamkit._engine.run.own import leave_to_the_run

__all__ = ["hide", "sheltered"]


def hide(task: asyncio.Task[Any]) -> None:
    """Let ``asyncio.all_tasks`` not list `task`, for which another waits."""
    asyncio.tasks._unregister_task(task)


_AWAITS = ("ag_await", "cr_await", "gi_yieldfrom")
"""Attributes that say what something waits for."""

_unfinished: dict[asyncio.Task[None], AsyncGenerator[None, None]] = {}
"""What waits for hidden tasks; the event loop holds tasks only weakly."""


def sheltered(
    work: Awaitable[None],
    loop: asyncio.AbstractEventLoop,
    *,
    begun: Any = None,
    told: Callable[[], None] | None = None,
) -> asyncio.Task[None]:
    """A task that ends when `work`, which is clean-up, has ended in another. Called where `loop` runs.

    If its steps have `begun` already, in the task that calls this, timeouts in them are the new task's now.
    Work that first waits for something is `told` when the program ends, so that it need not wait any longer.

    A program that is ending waits for the tasks that it has cancelled, and then for all async generators. So
    one of those waits, too: this may be called when the tasks are cancelled already.
    """
    task = loop.create_task(_awaited(work))
    if task.done():  # an eager task may be
        return task  # pragma: no cover - Python 3.12 on
    hide(task)
    for timeout in _timeouts(begun):
        timeout._task = task
    waiter = _ended(task, told)
    waiter.send(None)  # what has begun is not ended by a cancellation before its first turn
    known = loop.create_task(waiter)
    _unfinished[known] = _begun(_closed_after(task))
    known.add_done_callback(_unfinished.pop)
    return known


def _timeouts(awaitable: Any) -> Iterator[Any]:
    """Those in which `awaitable` waits: each cancels the task in which it was entered."""
    caller = asyncio.current_task()
    while awaitable is not None and not asyncio.isfuture(awaitable):
        held = gc.get_referents(awaitable)
        for each in held:
            found = (
                each.__self__ if isinstance(each, MethodType) else each
            )  # `async with` holds its ``__aexit__``
            if isinstance(found, asyncio.Timeout) and getattr(found, "_task", None) is caller:
                yield found
        names = [name for name in _AWAITS if hasattr(awaitable, name)]
        if names:
            awaitable = getattr(awaitable, names[0])
        else:  # the step of an async generator has no attribute for that
            awaitable = next((each for each in held if any(hasattr(each, name) for name in _AWAITS)), None)


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def _ended(task: asyncio.Task[None], told: Callable[[], None] | None) -> None:
    """Wait until `task` has ended; if cancelled meanwhile, however often, pass that on afterwards."""
    cancelled: asyncio.CancelledError | None = None
    turn: Awaitable[Any] = asyncio.sleep(0)
    while True:
        try:
            await turn
        except asyncio.CancelledError as error:
            cancelled = error
            if told is not None:
                told()
        if task.done():
            break
        turn = asyncio.wait({task})
    if cancelled is not None:
        raise cancelled
    task.result()


def _begun(until: AsyncGenerator[None, None]) -> AsyncGenerator[None, None]:
    """Have the loop close `until` when it ends, and not when it is dropped."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(hooks.firstiter, leave_to_the_run)
    try:
        until.__anext__().__await__().send(None)
    except StopIteration:
        pass
    finally:
        sys.set_asyncgen_hooks(*hooks)
    return until


async def _closed_after(task: asyncio.Task[None]) -> AsyncGenerator[None, None]:
    try:
        yield None
    finally:
        if not task.done():
            await asyncio.wait({task})
