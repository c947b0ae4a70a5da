"""Clean-up that goes on when the program ends: ``asyncio.run`` cancels then all tasks that it knows.

A task that ends a run is hidden from it. Some task that it knows waits for that one, however often it is
cancelled: the task of whoever reads the run, or one that is made for it. What the clean-up itself cancels, as
a timeout in it does, is cancelled as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

__all__ = ["hide", "sheltered"]


def hide(task: asyncio.Task[Any]) -> None:
    """Let ``asyncio.all_tasks`` not list `task`, for which another waits."""
    asyncio.tasks._unregister_task(task)


_unfinished: set[asyncio.Task[None]] = set()
"""Those that wait for hidden tasks; the event loop holds tasks only weakly."""


def sheltered(work: Awaitable[None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    """A task that ends when `work`, which is clean-up, has ended in another."""
    task = loop.create_task(_awaited(work))
    if task.done():  # an eager task may be
        return task
    hide(task)
    waiter = _ended(task)
    waiter.send(None)  # what has begun is not ended by a cancellation before its first turn
    known = loop.create_task(waiter)
    _unfinished.add(known)
    known.add_done_callback(_unfinished.discard)
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
