"""A source that is shared, and readers of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from streamkit import ops

__all__ = ["Ticks", "read"]


class Ticks:
    """A number a second, from 0 on; it notes when and in which task it was opened, pulled and closed."""

    def __init__(self, count: int = 100, *, error: Exception | None = None, closing: float = 0.0) -> None:
        self.count = count
        self.error = error
        self.closing = closing
        self.opened: list[float] = []
        self.closed: list[float] = []
        self.pulled = 0
        self.tasks: set[Any] = set()

    async def __call__(self) -> AsyncIterator[int]:
        loop = asyncio.get_running_loop()
        self.opened.append(loop.time())
        try:
            for number in range(self.count):
                self.tasks.add(asyncio.current_task())
                await asyncio.sleep(1.0)
                self.pulled += 1
                yield number
            if self.error is not None:
                raise self.error
        finally:
            self.tasks.add(asyncio.current_task())
            await asyncio.sleep(self.closing)
            self.closed.append(loop.time())


async def read(stream: Any, *, begin: float = 0.0, count: int | None = None) -> list[Any]:
    """What comes out of `stream` from `begin` on; `count` items at most."""
    await asyncio.sleep(begin - asyncio.get_running_loop().time())
    limited = stream if count is None else stream | ops.take(count)
    found: list[Any] = await (limited | ops.to_list())
    return found
