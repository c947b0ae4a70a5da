"""Clean-up that goes on when the program ends: ``asyncio.run`` cancels then all tasks that it knows.

A task that ends a run is hidden from it. Some task that it knows waits for that one, however often it is
cancelled: the task of whoever reads the run, or one that is made for it. What the clean-up itself cancels, as
a timeout in it does, is cancelled as ever.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Coroutine
from typing import Any

from streamkit._engine.run.own import leave_to_the_run

__all__ = ["Rest", "hide", "kept", "shelter", "sheltered"]


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
    return shelter(loop.create_task(_awaited(work)), loop)


def shelter(task: asyncio.Task[None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    """The same for a `task` that has begun, or will."""
    if task.done():  # an eager task may be
        return task
    hide(task)
    waiter = _ended(task)
    waiter.send(None)  # what has begun is not ended by a cancellation before its first turn
    known = loop.create_task(waiter)
    _unfinished[known] = _begun(_closed_after(task))
    known.add_done_callback(_unfinished.pop)
    return known


class Rest(Coroutine[Any, Any, None]):
    """Clean-up as the coroutine of a task, of which the first step may be taken before that task runs.

    It is taken in the task's name: a timeout or a scope that begins in it belongs to the task. It is no
    coroutine of Python's own, which would warn where the first step was all, and the task never ran.
    """

    def __init__(self, steps: Any) -> None:
        self._steps = steps
        self._ahead: list[Any] = []
        """What the first step waits for; the task is to wait for it."""
        self.begun = self.over = False

    def begin(self, task: asyncio.Task[None], loop: asyncio.AbstractEventLoop) -> None:
        """Take the first step here, in the context of the caller. If it raises, nothing is left to do."""
        caller = asyncio.current_task(loop)
        if caller is not None:
            asyncio.tasks._leave_task(loop, caller)
        asyncio.tasks._enter_task(loop, task)
        try:
            self._ahead.append(self.send(None))
        except StopIteration:
            pass
        finally:
            asyncio.tasks._leave_task(loop, task)
            if caller is not None:
                asyncio.tasks._enter_task(loop, caller)
            self.over = not self._ahead
            if self.over:
                hide(task)
                vars_of: Any = task
                vars_of._log_destroy_pending = False  # it need not run at all

    def send(self, value: Any) -> Any:
        if self._ahead:
            return self._ahead.pop()
        if self.over:
            raise StopIteration
        self.begun = True
        return self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        self._ahead.clear()
        if self.over:
            raise error[0]
        return self._steps.throw(*error)

    def close(self) -> None:
        self._steps.close()

    def __await__(self) -> Any:
        raise NotImplementedError("a task drives this")


async def _awaited(work: Awaitable[None]) -> None:
    await work


_kept: set[asyncio.Task[None]] = set()


def kept(work: Awaitable[None], loop: asyncio.AbstractEventLoop) -> None:
    """Have a task of its own finish `work`, but not beyond the end of the program."""
    task = loop.create_task(_awaited(work))
    _kept.add(task)
    task.add_done_callback(_kept.discard)


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
