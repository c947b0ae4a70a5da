"""Stepping an awaitable by hand: to hold a job while its gate is closed, or to finish one that has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from types import coroutine
from typing import Any, TypeAlias, cast

__all__ = ["Drive", "driven"]

_Waits: TypeAlias = Generator[Any, None, None]


async def driven(work: Callable[[], Awaitable[Any]], gate: asyncio.Event) -> Any:
    """The result of what `work` makes, which is held while the gate is closed.

    It is made when it may begin: it opens what it reads, and leaves that only if it has begun.
    """
    if not gate.is_set():
        await _passed(gate)
    return await Drive(work().__await__(), gate=gate)


@coroutine
def _passed(gate: asyncio.Event) -> _Waits:
    """Wait while the gate is closed."""
    while not gate.is_set() and not _cancelling():
        yield from gate.wait().__await__()


class Drive:
    """Steps another awaitable's iterator, `steps`, and yields to the event loop what that yields.

    If `steps` has begun already, `waiting` is what it last yielded. While `gate` is closed, `steps` is not
    resumed. The gate is checked only when the event loop resumes the task, so it costs nothing per item.
    A task that is being cancelled passes a closed gate: otherwise it could not end.
    """

    def __init__(self, steps: Any, *, waiting: Any = None, gate: asyncio.Event | None = None) -> None:
        self._steps = steps
        self._waiting = waiting
        self._gate = gate

    def __await__(self) -> Generator[Any, Any, Any]:
        steps, waiting = self._steps, self._waiting
        begun = waiting is not None
        try:
            while True:
                try:
                    value = (yield waiting) if begun else None
                    if self._gate is not None:
                        yield from cast("_Waits", _passed(self._gate))
                except GeneratorExit:
                    if hasattr(steps, "close"):  # the collector may have done so before
                        steps.close()
                    raise
                except BaseException as error:
                    waiting = steps.throw(error)
                else:
                    waiting = steps.send(value)
                begun = True
        except StopIteration as end:
            return end.value


def _cancelling() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
