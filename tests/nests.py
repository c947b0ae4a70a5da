"""Streams inside of streams, and what is noted of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count, repeat
from typing import Any

__all__ = ["Counted", "Inner", "endless", "first_items", "letters"]


def letters(**streams: Any) -> Callable[[str], Any]:
    """The function that makes of the item "a" the stream given as `a`."""
    return lambda item: streams[item]


def endless(place: int, style: str) -> Any:
    async def waits_never() -> AsyncIterator[int]:
        while True:
            yield place

    return waits_never if style == "async" else lambda: repeat(place)


async def first_items(stream: Any, size: int) -> list[Any]:
    async with stream.open() as items:
        return [await anext(items) for _ in range(size)]


class Counted:
    """A source that counts how many items it gave."""

    pulled = 0

    async def __call__(self) -> AsyncIterator[int]:
        for number in count():
            self.pulled += 1
            yield number


class Inner:
    """Streams of `items` that wait a second for each, and note when they were opened and closed."""

    def __init__(self, *items: Any, closing: float = 0.0) -> None:
        self.items = items
        self.closing = closing
        self.opened: list[float] = []
        self.closed: list[float] = []
        self.tasks: list[set[Any]] = []

    def __call__(self, item: Any) -> Any:
        return lambda: self.stream(item)

    async def stream(self, item: Any) -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()
        tasks = {asyncio.current_task()}
        self.tasks.append(tasks)
        self.opened.append(loop.time())
        try:
            for each in self.items:
                await asyncio.sleep(1.0)
                tasks.add(asyncio.current_task())
                yield f"{item}{each}"
        finally:
            try:
                await asyncio.sleep(self.closing)
            finally:  # a clean-up at the stream's own end may be interrupted
                tasks.add(asyncio.current_task())
                self.closed.append(loop.time())
