"""Driving an awaitable by hand: from where it stands, and only while a gate is open."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

__all__ = ["Drive"]


class Drive:
    """An awaitable that steps `steps` (the iterator of another awaitable) and waits where that waits.

    If it was stepped once before, `waiting` is what it waits for. While `gate` is closed it is held
    where it waited, at no cost per item: a closed gate is met only when the event loop wakes it. A task
    that is being cancelled is not held: it is to end.
    """

    def __init__(self, steps: Any, *, waiting: Any = None, gate: asyncio.Event | None = None) -> None:
        self._steps = steps
        self._waiting = waiting
        self._gate = gate

    def __await__(self) -> Generator[Any, Any, Any]:
        steps, gate, waiting = self._steps, self._gate, self._waiting
        try:
            if waiting is None:
                waiting = steps.send(None)
            while True:
                try:
                    value = yield waiting
                    while gate is not None and not gate.is_set() and not _cancelling():
                        yield from gate.wait().__await__()
                except BaseException as error:
                    waiting = steps.throw(error)
                else:
                    waiting = steps.send(value)
        except StopIteration as end:
            return end.value


def _cancelling() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
