"""What the tests of hubs send and read, and when."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from streamkit import Hub

__all__ = ["closed_at", "later", "slow", "ticks"]


async def ticks(count: int = 99, closed: list[float] | None = None) -> AsyncIterator[int]:
    """A number a second."""
    loop = asyncio.get_running_loop()
    try:
        for number in range(count):
            await asyncio.sleep(1.0)
            yield number
    finally:
        if closed is not None:
            closed.append(loop.time())


def slow(seconds: float) -> Any:
    async def wait(item: Any) -> Any:
        await asyncio.sleep(seconds)
        return item

    return wait


async def later(begin: float, job: Any) -> Any:
    await asyncio.sleep(begin - asyncio.get_running_loop().time())
    return await job


async def closed_at(seconds: float, hub: Hub[Any]) -> None:
    await asyncio.sleep(seconds)
    assert hub.close()
