"""Slots, between two changes: beside the same pipe with their contents written in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from time import process_time
from typing import Any

from benchmarks.workload import HAND, OURS, WITHOUT, Spent, Workload
from benchmarks.workloads.sources import add_one
from streamkit import Stream, ops
from streamkit.live import Slot

__all__ = ["WORKLOADS"]

MOST = 10e-9
"""Seconds an item that a slot may cost."""
WARM = 2_048
"""Items before a change, and behind it, that do not count: slices have their full size then."""

Change = Callable[[], Coroutine[Any, Any, object]]


class Numbers:
    """A source of `count` numbers, before and behind which it looks at the clock; more come before them."""

    def __init__(self, count: int, change: Change | None) -> None:
        self._count = count
        self._change = change
        self._looked: list[float] = []

    async def waiting(self) -> AsyncIterator[int]:
        for number in range(1, WARM):
            yield number
        if self._change is not None:
            await self._change()
        for number in range(1, WARM):
            yield number
        self._looked.append(process_time())
        for number in range(self._count):
            yield number
        self._looked.append(process_time())

    def plain(self) -> Iterator[int]:
        yield from range(1, WARM)
        if self._change is not None:
            with suppress(StopIteration):  # it waits for nothing
                self._change().send(None)
        yield from range(1, WARM)
        self._looked.append(process_time())
        yield from range(self._count)
        self._looked.append(process_time())

    async def spent(self, result: Awaitable[Any]) -> Spent:
        """What comes of reading it, and how long that took."""
        found = await result
        begun, ended = self._looked
        return Spent(ended - begun, found)


def slot(name: str, source: Callable[[Numbers], Any]) -> Workload:
    """A slot among steps that has been changed so often; the sizes say how often."""
    workload = Workload(
        f"slot, {name}",
        "changes before",
        (0, 1),
        goals={size: {WITHOUT: MOST} for size in (0, 1)},
        others=(WITHOUT,),
        peers=(),
        close=True,
    )

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        hole = Slot(ops.map(add_one))
        items = Numbers(count, (lambda: hole.replace(ops.map(add_one))) if size else None)
        pipe = Stream(source(items)) | ops.filter(bool) | hole | ops.map(add_one)
        return await items.spent(pipe | ops.sum())

    @workload.by(WITHOUT)
    async def _(size: int, count: int) -> Any:
        items = Numbers(count, None)
        pipe = Stream(source(items)) | ops.filter(bool) | ops.map(add_one) | ops.map(add_one)
        return await items.spent(pipe | ops.sum())

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        items = Numbers(count, None)
        return await items.spent(by_hand(source(items)))

    return workload


async def by_hand(items: Any) -> int:
    total = 0
    if isinstance(items, AsyncIterator):
        async for item in items:
            if item:
                total += add_one(add_one(item))
    else:
        for item in items:
            if item:
                total += add_one(add_one(item))
    return total


WORKLOADS = (slot("async source", Numbers.waiting), slot("iterator", Numbers.plain))
