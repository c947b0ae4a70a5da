"""A server that is away: calls are made again, with longer and longer pauses, for as long as the carrier says."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from streamkit._core.backoff import Backoff
from streamkit._core.errors import CarrierError
from streamkit._core.show import told

__all__ = ["Patience", "unless_cancelled"]

T = TypeVar("T")

_PAUSES: Final = Backoff(0.02, most=1.0, jitter=0.5)
_GRACE: Final = 1.0
"""Seconds that a call which was cancelled may go on, so that what it did on the server can be undone."""


class Patience:
    """How long calls to one server are tried again, and how many had to be."""

    def __init__(self, server: object, seconds: float) -> None:
        self.seconds = seconds
        self.retries = 0
        self._server = server

    async def call(self, call: Callable[[], Awaitable[T]], away: Callable[[Exception], bool]) -> T:
        """What `call()` gives. If it fails because the server is `away`, it is made again.

        Raises `CarrierError`, with the last error as its cause, when the server stays away for too long.
        """
        loop = asyncio.get_running_loop()
        until: float | None = None
        pauses = iter(_PAUSES)
        while True:
            try:
                return await call()
            except Exception as error:
                if not away(error):
                    raise
                now = loop.time()
                until = until or now + self.seconds
                if now >= until:
                    raise CarrierError(
                        f"{self._server!r} has not answered for {self.seconds:g} s: {told(error)}"
                    ) from error
            self.retries += 1
            await asyncio.sleep(min(next(pauses), max(0.0, until - now)))


async def unless_cancelled(call: Coroutine[Any, Any, T], undo: Callable[[T], Awaitable[object]]) -> T:
    """What `call` gives. If this is cancelled before it has come here, what the server did is undone."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except CancelledError:
        try:
            await asyncio.wait([task], timeout=_GRACE)
        finally:
            if not task.done():
                task.cancel()
        if task.done() and not task.cancelled() and task.exception() is None:
            await undo(task.result())
        raise
