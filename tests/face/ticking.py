"""A source that ticks, and how jobs over it are waited for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any


class Ticking:
    """A source that gives a number each second, and counts what was pulled and closed."""

    def __init__(self, count: int = 100, *, seconds: float = 1.0, closing: float = 0.0) -> None:
        self.count, self.seconds, self.closing = count, seconds, closing
        self.begun = self.pulled = self.closed = 0

    def __repr__(self) -> str:
        return "ticking"

    async def __call__(self) -> AsyncIterator[int]:
        self.begun += 1
        try:
            for number in range(self.count):
                await asyncio.sleep(self.seconds)
                self.pulled += 1
                yield number
        finally:
            await asyncio.sleep(self.closing)
            self.closed += 1


def now() -> float:
    return asyncio.get_running_loop().time()


async def within(seconds: float, awaitable: Awaitable[Any]) -> Any:
    async with asyncio.timeout(seconds):
        return await awaitable
