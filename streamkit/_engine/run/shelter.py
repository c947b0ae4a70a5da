"""Clean-up that goes on when the program ends: ``asyncio.run`` cancels then all tasks that it knows.

A task that ends a run is hidden from it. Some task that it knows waits for that one, however often it is
cancelled: the task of whoever reads the run, or one that is made for it. What the clean-up itself cancels, as
a timeout in it does, is cancelled as ever.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable
from typing import Any

from streamkit._engine.run.own import leave_to_the_run

__all__ = ["hide", "sheltered"]


def hide(task: asyncio.Task[Any]) -> None:
    """Let ``asyncio.all_tasks`` not list `task`, for which another waits."""
    asyncio.tasks._unregister_task(task)


_unfinished: dict[asyncio.Task[None], AsyncGenerator[None, None]] = {}
"""What waits for hidden tasks; the event loop holds tasks only weakly."""


def sheltered(work: Awaitable[None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    """A task that ends when `work`, which is clean-up, has ended in another. Called where `loop` runs.

    A program that is ending waits for the tasks that it has cancelled, and then for all async generators. So
    one of those waits, too: this may be called when the tasks are cancelled already.
    """
    task = loop.create_task(_awaited(work))
    if task.done():  # an eager task may be
        return task
    hide(task)
    waiter = _ended(task)
    waiter.send(None)  # what has begun is not ended by a cancellation before its first turn
    known = loop.create_task(waiter)
    _unfinished[known] = _begun(_closed_after(task))
    known.add_done_callback(_unfinished.pop)
    return known


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait until `task` has ended; if cancelled meanwhile, however often, pass that on afterwards."""
    cancelled: asyncio.CancelledError | None = None
    turn: Awaitable[Any] = asyncio.sleep(0)
    while True:
        try:
            await turn
        except asyncio.CancelledError as error:
            cancelled = error
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
