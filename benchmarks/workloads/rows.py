"""zip, over async generators whose items are ready."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import streamkit
from benchmarks.workload import HAND, OURS, TASKS, Goals, Workload
from benchmarks.workloads.sources import numbers, rx_last
from streamkit import ops

EACH = 100
"""A source has at least so many items, so that what is measured is not the opening of sources."""
SHARE = 16
"""How many items of each source may wait, in the second workload."""
SIZES = (2, 10, 100)


def opened(size: int, count: int) -> list[AsyncIterator[int]]:
    return [numbers(count // size) for _ in range(size)]


class Reader:
    """A task for each source, which fills a deque of its own, as one would write it by hand."""

    def __init__(self, size: int, room: int) -> None:
        self.held = [deque[int]() for _ in range(size)]
        self.writers: list[asyncio.Future[None] | None] = [None] * size
        self.over = [False] * size
        self.room = room
        self.reader: asyncio.Future[None] | None = None

    def wake(self) -> None:
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    async def pump(self, place: int, source: AsyncIterator[int]) -> None:
        loop, held, room = asyncio.get_running_loop(), self.held[place], self.room
        async for item in source:
            held.append(item)
            if len(held) == 1:
                self.wake()
            if len(held) == room:
                writer = self.writers[place] = loop.create_future()
                await writer
        self.over[place] = True
        self.wake()

    async def read(self) -> list[int]:
        """The sums of the rows, until a source has ended."""
        out: list[int] = []
        held, writers, low = self.held, self.writers, self.room // 4
        while True:
            while not all(held):
                if any(over and not items for over, items in zip(self.over, held, strict=True)):
                    return out
                self.reader = asyncio.get_running_loop().create_future()
                await self.reader
                self.reader = None
            out.append(sum([items.popleft() for items in held]))
            for place, writer in enumerate(writers):
                if writer is not None and len(held[place]) <= low:
                    writer.set_result(None)
                    writers[place] = None


async def with_tasks(size: int, count: int, room: int) -> list[int]:
    reader = Reader(size, room)
    async with asyncio.TaskGroup() as group:
        for place, source in enumerate(opened(size, count)):
            group.create_task(reader.pump(place, source))
        return await reader.read()


GOALS: Goals = {HAND: 6, TASKS: 2.5, "aiostream": 1, "reactivex": 1, "streamz": 1}
AHEAD: Goals = {HAND: 2}
zip_ = Workload(
    "zip",
    "sources",
    SIZES,
    goals=dict.fromkeys(SIZES, GOALS),
    others=(TASKS,),
    unit=lambda size: EACH * size,
)
ahead = Workload(
    "zip, lookahead 16",
    "sources",
    SIZES,
    goals=dict.fromkeys(SIZES, AHEAD),
    others=(TASKS,),
    peers=(),
    unit=lambda size: EACH * size,
)


@ahead.by(HAND)
@zip_.by(HAND)
async def _(size: int, count: int) -> Any:
    out: list[int] = []
    sources = opened(size, count)
    try:
        while True:
            out.append(sum([await anext(source) for source in sources]))
    except StopAsyncIteration:
        return out


@zip_.by(OURS)
async def _(size: int, count: int) -> Any:
    return await (streamkit.zip(*opened(size, count)) | ops.map(sum) | ops.to_list())


@zip_.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    return await (stream.zip(*opened(size, count)) | pipe.map(sum) | pipe.list())


@zip_.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    sources = [reactivex.from_iterable(range(count // size)) for _ in range(size)]
    return rx_last(reactivex.zip(*sources).pipe(operators.map(sum), operators.to_list()))


@zip_.by("streamz")
async def _(size: int, count: int) -> Any:
    from streamz import Stream

    out: list[int] = []
    sources = [Stream() for _ in range(size)]
    Stream.zip(*sources).map(sum).sink(out.append)
    for number in range(count // size):
        for source in sources:
            source.emit(number)
    return out


@zip_.by(TASKS)
async def _(size: int, count: int) -> Any:
    return await with_tasks(size, count, 1)


@ahead.by(TASKS)
async def _(size: int, count: int) -> Any:
    return await with_tasks(size, count, SHARE)


@ahead.by(OURS)
async def _(size: int, count: int) -> Any:
    return await (streamkit.zip(*opened(size, count), lookahead=SHARE) | ops.map(sum) | ops.to_list())


WORKLOADS = (zip_, ahead)
