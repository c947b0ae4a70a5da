"""Sending a chunk until it is known what became of each item, however many workers are lost with it.

A chunk that was lost with its worker is sent again in halves, until the item that kills workers is alone;
and so is one of which an item cannot be read there, or a result here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from streamkit._core.backoff import waits
from streamkit._core.errors import PackingError, WorkerCrashedError
from streamkit._core.on_error import Retry
from streamkit._core.show import shown
from streamkit._core.workers import NoResult, Outcomes
from streamkit.executors.dispatch import Dispatch
from streamkit.executors.events import ChunkSentAgain
from streamkit.executors.functions import Packed
from streamkit.executors.hand import Crash
from streamkit.executors.packing import Unread

__all__ = ["Sending"]


class Sending:
    """The chunks of one run."""

    def __init__(
        self,
        dispatch: Dispatch,
        work: Packed,
        priority: int,
        payload: Callable[[Sequence[Any], Packed], Any],
        on_crash: Retry | None,
    ) -> None:
        self._dispatch = dispatch
        self._work = work
        self._priority = priority
        self._payload = payload
        self._on_crash = on_crash

    async def of(
        self, items: Sequence[Any], killed: int = 0, pauses: Iterator[float] | None = None
    ) -> Outcomes:
        """What became of `items`, with which so many workers were lost already; `pauses` are to come."""
        while True:
            try:
                payload = self._payload(items, self._work)
                return await self._dispatch.call(self._work, items, payload, self._priority)
            except (PackingError, Unread) as error:
                if len(items) == 1:
                    return Outcomes([NoResult(error.error if isinstance(error, Unread) else error, items[0])])
            except Crash as crash:
                killed += 1
                if (failed := await self._given_up(crash, items, killed)) is not None:
                    return failed
                assert self._on_crash is not None
                pauses = pauses or waits(self._on_crash.backoff)
                if pause := next(pauses):
                    await asyncio.sleep(pause)
                if len(items) == 1:
                    continue
            half = len(items) // 2
            first = await self.of(items[:half], killed, pauses)
            second = await self.of(items[half:], killed, pauses)
            return Outcomes([*first, *second], first.seconds + second.seconds)

    async def _given_up(self, crash: Crash, items: Sequence[Any], killed: int) -> Outcomes | None:
        """What there is instead of results, if they are not sent again."""
        again = self._on_crash
        alone = len(items) == 1
        if again is None or (alone and again.attempts is not None and killed >= again.attempts):
            code = await asyncio.shield(crash.hand.exited)
            found = shown(items[0] if alone else [*items])
            how = "was lost" if code is None else f"ended with exit code {code}"
            error = WorkerCrashedError(
                f"worker {crash.worker} {how} at {found}"
                + (f", as {killed - 1} did before" if killed > 1 else ""),
                exit_code=code,
                worker=crash.worker,
            )
            if not alone:
                raise error from None
            return Outcomes([NoResult(error, items[0])])
        self._dispatch.tell_of(
            ChunkSentAgain, worker=crash.worker, chunk=crash.number, items=len(items), killed=killed
        )
        return None
