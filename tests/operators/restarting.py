"""Sources that fail, for tests of what runs them again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from streamkit import Stream
from streamkit.testing import run

__all__ = ["Flaky", "collect", "collected", "lost"]


class Flaky:
    """A source of which run n gives the n-th of `runs`: its numbers, and then its error, if that has one."""

    def __init__(self, *runs: Any) -> None:
        self.runs = runs
        self.begun: list[float] = []
        self.log: list[str] = []

    async def __call__(self) -> AsyncIterator[Any]:
        self.begun.append(asyncio.get_running_loop().time())
        try:
            for step in self.runs[min(len(self.begun), len(self.runs)) - 1]:
                if isinstance(step, BaseException):
                    raise step
                yield step
        finally:
            await asyncio.sleep(0)
            self.log.append("closed")


def lost(*numbers: int) -> list[Any]:
    return [*numbers, ConnectionError(f"lost after {len(numbers)}")]


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


def collected(source: Any, *operators_: Any) -> Any:
    return run(lambda: collect(Stream(source).pipe(*operators_)))
