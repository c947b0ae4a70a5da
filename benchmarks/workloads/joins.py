"""Combining by order and by time: merge_sorted and combine_latest, over async generators that are ready."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from heapq import heapify, heappop, heapreplace
from typing import Any

import streamkit
from benchmarks.workload import HAND, OURS, Goals, Workload
from benchmarks.workloads.sources import numbers, rx_last
from streamkit import ops

SHARE = 16
"""How many items of each source may wait."""
EACH = 100
"""A source has at least so many items, so that what is measured is not the opening of sources."""


class Feed:
    """One source with a task and a bounded deque, as one would write it by hand."""

    def __init__(self) -> None:
        self.held: deque[Any] = deque()
        self.over = False
        self.writer: asyncio.Future[None] | None = None
        self.reader: asyncio.Future[None] | None = None

    async def pump(self, source: AsyncIterator[Any]) -> None:
        held, loop = self.held, asyncio.get_running_loop()
        async for item in source:
            held.append(item)
            if self.reader is not None and not self.reader.done():
                self.reader.set_result(None)
            if len(held) == SHARE:
                self.writer = loop.create_future()
                await self.writer
        self.over = True
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    async def ready(self) -> bool:
        """Whether there is an item; waits for one, or the end."""
        while not self.held:
            if self.over:
                return False
            self.reader = asyncio.get_running_loop().create_future()
            await self.reader
            self.reader = None
        return True

    def take(self) -> Any:
        item = self.held.popleft()
        if self.writer is not None and len(self.held) <= SHARE // 4:
            self.writer.set_result(None)
            self.writer = None
        return item


async def turns(count: int, size: int, place: int) -> AsyncIterator[int]:
    """The numbers of source `place` of `size` sources: all of them together are those below `count`."""
    for number in range(place, count, size):
        yield number


def sorted_sources(size: int, count: int) -> list[AsyncIterator[int]]:
    return [turns(count, size, place) for place in range(size)]


merge_sorted = Workload(
    "merge_sorted", "sources", (2, 10, 100, 1_000), goals={100: {HAND: 2}}, same=True, unit=lambda size: size
)


@merge_sorted.by(HAND)
async def _(size: int, count: int) -> Any:
    """``heapq.merge``, written over tasks."""
    out: list[int] = []
    async with asyncio.TaskGroup() as group:
        feeds = [Feed() for _ in range(size)]
        for feed, source in zip(feeds, sorted_sources(size, count), strict=True):
            group.create_task(feed.pump(source))
        heap = [(feed.take(), place) for place, feed in enumerate(feeds) if await feed.ready()]
        heapify(heap)
        while heap:
            item, place = heap[0]
            out.append(item)
            feed = feeds[place]
            if feed.held or await feed.ready():
                heapreplace(heap, (feed.take(), place))
            else:
                heappop(heap)
    return out


@merge_sorted.by(OURS)
async def _(size: int, count: int) -> Any:
    merged = streamkit.merge_sorted(*sorted_sources(size, count), lookahead=SHARE)
    return await (merged | ops.to_list())


LATEST: Goals = {HAND: 2, "aiostream": 1, "reactivex": 1, "streamz": 1}
combine_latest = Workload(
    "combine_latest", "sources", (2, 10), goals={10: LATEST}, unit=lambda size: EACH * size
)


def opened(size: int, count: int) -> list[AsyncIterator[int]]:
    return [numbers(count // size) for _ in range(size)]


class Latest:
    """Pumps that share one deque, each with a share of the room; the reader makes a tuple of each item."""

    def __init__(self, size: int) -> None:
        self.held: deque[tuple[int, Any]] = deque()
        self.room = [SHARE] * size
        self.writers: list[asyncio.Future[None] | None] = [None] * size
        self.reader: asyncio.Future[None] | None = None
        self.open = size

    def wake(self) -> None:
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    async def pump(self, place: int, source: AsyncIterator[Any]) -> None:
        loop, room = asyncio.get_running_loop(), self.room
        async for item in source:
            self.held.append((place, item))
            room[place] -= 1
            if len(self.held) == 1:
                self.wake()
            if not room[place]:
                writer = self.writers[place] = loop.create_future()
                await writer
        self.open -= 1
        self.wake()

    async def read(self) -> tuple[Any, ...]:
        """The last tuple."""
        size = len(self.room)
        latest: list[Any] = [None] * size
        missing = {*range(size)}
        made: tuple[Any, ...] = ()
        while self.open or self.held:
            if not self.held:
                self.reader = asyncio.get_running_loop().create_future()
                await self.reader
            while self.held:
                place, item = self.held.popleft()
                latest[place] = item
                missing.discard(place)
                if not missing:
                    made = tuple(latest)
                self.room[place] += 1
                writer = self.writers[place]
                if writer is not None and self.room[place] == SHARE:
                    self.writers[place] = None
                    writer.set_result(None)
        return made


@combine_latest.by(HAND)
async def _(size: int, count: int) -> Any:
    latest = Latest(size)
    async with asyncio.TaskGroup() as group:
        for place, source in enumerate(opened(size, count)):
            group.create_task(latest.pump(place, source))
        return await latest.read()


@combine_latest.by(OURS)
async def _(size: int, count: int) -> Any:
    return await (streamkit.combine_latest(*opened(size, count), lookahead=SHARE) | ops.last())


@combine_latest.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    latest = stream.ziplatest(*opened(size, count), partial=False)
    return await (latest | pipe.takelast(1))


@combine_latest.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex

    sources = [reactivex.from_iterable(range(count // size)) for _ in range(size)]
    return rx_last(reactivex.combine_latest(*sources))


@combine_latest.by("streamz")
async def _(size: int, count: int) -> Any:
    from streamz import Stream

    out: list[Any] = []
    sources = [Stream() for _ in range(size)]
    Stream.combine_latest(*sources).sink(out.append)
    for number in range(count // size):
        for source in sources:
            source.emit(number)
    return out[-1]


WORKLOADS = (merge_sorted, combine_latest)
