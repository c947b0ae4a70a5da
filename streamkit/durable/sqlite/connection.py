"""What one run has of the file: a thread, which alone touches it, and the waiting."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from streamkit._core.errors import noted
from streamkit._core.show import told
from streamkit._engine.buffer.clock import wall_clock_of
from streamkit._engine.run.shelter import hide
from streamkit.durable.messages import Depth, Entry, Message
from streamkit.durable.sqlite.claims import Claims
from streamkit.durable.sqlite.database import Database, Locked
from streamkit.durable.sqlite.entries import Queue
from streamkit.durable.sqlite.worker import Worker

__all__ = ["SqliteConnection"]

T = TypeVar("T")

_SOON: Final = 0.001
_SELDOM: Final = 0.02
"""Seconds between two looks at the file while claims wait, at first and after some time."""


class SqliteConnection:
    """One connection, with its thread."""

    trimmed: int = 0

    def __init__(self, path: str, name: str, *, partitions: int, busy: float, fsync: bool) -> None:
        self._database = Database(path, fsync=fsync)
        self._queue = Queue(self._database, name, partitions)
        self._claims = Claims(self._queue)
        self._busy = busy
        self._loop = asyncio.get_running_loop()
        self._now = wall_clock_of(self._loop)
        self._pause = _SOON
        self._thread = Worker(self._loop, f"streamkit {path}")

    async def open(self) -> None:
        try:
            await self._call(self._open, undo=lambda _: self._database.close())
        except BaseException:
            self._thread.shutdown()
            raise

    async def close(self) -> None:
        try:
            await self._call(self._database.close)
        finally:
            self._thread.shutdown()  # it has nothing more to do

    async def append(self, entries: Sequence[Entry]) -> None:
        if entries:
            await self._call(self._queue.append, entries, self._now())

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        until = self._loop.time() + wait
        while True:
            found = await self._call(
                self._claims.claim, group, most, lease, self._now(), undo=lambda got: self._undo(group, got)
            )
            left = until - self._loop.time()
            if found:
                self._pause = _SOON
            if found or left <= 0:
                return found
            await asyncio.sleep(min(self._pause, left))
            self._pause = min(2 * self._pause, _SELDOM)

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        return await self._call(self._queue.acknowledge, group, messages) if messages else ()

    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        if messages:
            until = self._now() + delay if delay else 0.0
            await self._call(self._hand_back, group, messages, until, counted)

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        if not messages:
            return ()
        now = self._now()
        return await self._call(self._claims.renew, group, messages, now + lease, now)

    async def depth(self, group: str) -> Depth:
        return await self._call(self._queue.depth, group, self._now())

    async def forget(self, group: str) -> bool:
        return await self._call(self._queue.forget, group)

    async def purge(self) -> int:
        return await self._call(self._queue.purge)

    def _open(self) -> None:
        self._database.open()
        try:
            self._queue.open()
        except BaseException:
            self._database.close()
            raise

    def _hand_back(self, group: str, messages: Sequence[Message], until: float, counted: bool) -> None:
        self._claims.hand_back(group, messages, until, counted=counted)

    def _undo(self, group: str, messages: Sequence[Message]) -> None:
        if messages:
            self._hand_back(group, messages, 0.0, False)

    async def _call(
        self, work: Callable[..., T], *arguments: Any, undo: Callable[[T], None] | None = None
    ) -> T:
        """Do `work` in the thread, again while others have the lock; undone or done whole if cancelled."""
        begun = self._loop.time()
        while True:
            future = self._loop.run_in_executor(self._thread, work, *arguments)
            try:
                return await future
            except CancelledError as cancelled:
                if undo is not None and not future.exception():
                    undoing = asyncio.ensure_future(self._call(undo, future.result()))
                    if not undoing.done():  # pragma: no branch - an eager task may be
                        hide(undoing)
                    await _finished(undoing)
                    if (failed := undoing.exception()) is not None:  # a lease that is left ends by itself
                        noted(cancelled, f"what it had done could not be undone: {told(failed)}")
                raise
            except Locked as error:
                if self._loop.time() - begun >= self._busy:
                    raise self._database.away(self._busy) from error.__cause__
                await asyncio.sleep(_SELDOM)


async def _finished(future: Future[Any]) -> None:
    """Wait for `future`, however often this is cancelled: what a thread does takes a moment, and ends."""
    while not future.done():
        try:
            await asyncio.wait([future])
        except CancelledError:
            continue
