"""Workers in the event loop: all that an operator asks of workers, in the time that a test keeps."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from streamkit import Limit, Stream
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.workers import Calls, NoResult, Outcomes, Send, Work, Workers
from streamkit._stages.shipping import Through

__all__ = ["InLoop"]


async def done(work: Work, items: Sequence[Any]) -> list[Any]:
    """What `work.outcomes` gives, where callbacks are awaited in the loop that runs."""
    found: list[Any] = []
    try:
        if isinstance(work, Through):
            async with (Stream([*items]) | work.pipe).open() as results:
                async for result in results:
                    found.append(result)
            return found
        assert isinstance(work, Calls)
        for item in items:
            try:
                result = work.function(item)  # type: ignore[operator]
                found.append(await pending(result) if is_awaitable(result) else result)
            except Exception as error:
                found.append(NoResult(error))
    except Exception as error:
        found.append(NoResult(error))
    return found


class InLoop(Workers):
    """Workers that do a chunk in a turn of the event loop."""

    def __init__(self, count: int = 2) -> None:
        self._limit = Limit(count)
        self.users = 0
        self.chunks: list[list[Any]] = []

    @property
    def limit(self) -> Limit:
        return self._limit

    def used(self, work: Work) -> AbstractAsyncContextManager[Send]:
        return _Use(self, work)

    def __eq__(self, other: object) -> bool:
        return type(other) is InLoop and other.limit.most == self.limit.most

    def __hash__(self) -> int:
        return hash(InLoop)


class _Use:
    """Workers, for one run. It is no generator: `contextlib` sets attributes of errors, which some refuse."""

    def __init__(self, workers: InLoop, work: Work) -> None:
        self._workers = workers
        self._work = work

    async def __aenter__(self) -> Send:
        self._workers.users += 1

        async def send(items: Sequence[Any]) -> Outcomes:
            await asyncio.sleep(0)
            return Outcomes(await done(self._work, items), seconds=len(items) / 64)

        return send

    async def __aexit__(self, *_: object) -> None:
        self._workers.users -= 1
