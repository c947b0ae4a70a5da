"""Workers in the event loop: all that an operator asks of workers, in the time that a test keeps."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from streamkit import Limit
from streamkit._core.workers import Outcomes, Send, Work, Workers

__all__ = ["InLoop"]


class InLoop(Workers):
    """Workers that do a chunk in a turn of the event loop."""

    def __init__(self, count: int = 2) -> None:
        self._limit = Limit(count)
        self.users = 0
        self.chunks: list[list[Any]] = []

    @property
    def limit(self) -> Limit:
        return self._limit

    @asynccontextmanager
    async def used(self, work: Work) -> AsyncIterator[Send]:
        async def send(items: Sequence[Any]) -> Outcomes:
            await asyncio.sleep(0)
            outcomes = work.done(items)
            return Outcomes(outcomes, seconds=0.01 * len(items))

        self.users += 1
        try:
            yield send
        finally:
            self.users -= 1

    def __eq__(self, other: object) -> bool:
        return type(other) is InLoop and other.limit.most == self.limit.most

    def __hash__(self) -> int:
        return hash(InLoop)
