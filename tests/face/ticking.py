"""A source that ticks, and how jobs over it are waited for."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from streamkit.testing import FaultySource


def ticking(count: int = 100, *, seconds: float = 1.0, closing: float = 0.0) -> FaultySource[int]:
    """A source that gives a number each second."""
    return FaultySource(range(count), every=seconds, close_seconds=closing)


def now() -> float:
    return asyncio.get_running_loop().time()


async def within(seconds: float, awaitable: Awaitable[Any]) -> Any:
    async with asyncio.timeout(seconds):
        return await awaitable
