"""Combining: merge and flat_map, both over async generators whose items are ready."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import streamkit
from benchmarks.workload import HAND, OURS, Goals, Workload
from benchmarks.workloads.sources import aioreactive_list, checked, numbers, rx_last
from streamkit import Stream, ops

SHARE = 16
"""How many items of each source may wait."""


class Funnel:
    """Pumps into one deque, as one would write it by hand: the reader is woken once per burst."""

    def __init__(self) -> None:
        self.held: deque[tuple[list[Any], Any]] = deque()
        """With each item the share of its source: what is left of it, and whom to wake."""
        self.open = 0
        self.reader: asyncio.Future[None] | None = None

    def wake(self) -> None:
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    async def pump(self, source: AsyncIterator[Any]) -> None:
        room: list[Any] = [SHARE, None]
        held, loop = self.held, asyncio.get_running_loop()
        async for item in source:
            held.append((room, item))
            room[0] -= 1
            if len(held) == 1:
                self.wake()
            if not room[0]:
                room[1] = loop.create_future()
                await room[1]
        self.open -= 1
        self.wake()

    async def pump_all(self, functions: Iterable[Any], make: Callable[[Any], AsyncIterator[Any]]) -> None:
        """One worker of several, which takes one source after the other."""
        for item in functions:
            self.open += 1
            await self.pump(make(item))
        self.open -= 1
        self.wake()

    async def read(self) -> list[Any]:
        """Everything, until all pumps have ended."""
        out: list[Any] = []
        held, loop = self.held, asyncio.get_running_loop()
        while self.open or held:
            if not held:
                self.reader = loop.create_future()
                await self.reader
            while held:
                room, item = held.popleft()
                out.append(item)
                room[0] += 1
                if room[0] == SHARE and room[1] is not None:
                    room[1].set_result(None)
                    room[1] = None
        return out


def opened(size: int, count: int) -> list[AsyncIterator[int]]:
    return [numbers(count // size) for _ in range(size)]


GOALS: Goals = {HAND: 1.5, "aiostream": 12, "reactivex": 3}
ENDS: dict[int, Goals] = {2: {HAND: 1.3}, 10_000: {HAND: 1.4}}
"""The fewest sources, and the most: there a burst is short, and here a source has few items."""
merge = Workload(
    "merge",
    "sources",
    (2, 10, 100, 1_000, 10_000),
    goals={10: GOALS, 1_000: GOALS, **ENDS},
    same=True,
    unit=lambda size: size,
)


@merge.by(HAND)
async def _(size: int, count: int) -> Any:
    funnel = Funnel()
    funnel.open = size
    async with asyncio.TaskGroup() as group:
        for source in opened(size, count):
            group.create_task(funnel.pump(source))
        return checked(await funnel.read())


@merge.by(OURS)
async def _(size: int, count: int) -> Any:
    return checked(await (streamkit.merge(*opened(size, count), lookahead=SHARE) | ops.to_list()))


@merge.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    return checked(await (stream.merge(*opened(size, count)) | pipe.list()))


@merge.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    sources = [reactivex.from_iterable(range(count // size)) for _ in range(size)]
    return checked(rx_last(reactivex.merge(*sources).pipe(operators.to_list())))


@merge.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    items = stream(opened(size, count)).flatten(concurrency=size)
    return checked([item async for item in items])


@merge.by("streamz")
async def _(size: int, count: int) -> Any:
    from streamz import Stream

    out: list[int] = []
    sources = [Stream() for _ in range(size)]
    Stream.union(*sources).sink(out.append)
    for number in range(count // size):
        for source in sources:
            source.emit(number)
    return checked(out)


@merge.by("aioreactive")
async def _(size: int, count: int) -> Any:
    import aioreactive

    sources = [aioreactive.from_async_iterable(source) for source in opened(size, count)]
    return checked(await aioreactive_list(aioreactive.merge_seq(sources)))


@merge.by("pypeln")
async def _(size: int, count: int) -> Any:
    from pypeln import task

    return checked(await task.concat(opened(size, count), maxsize=SHARE))


INNER = 10
"""Items of each inner stream."""
flat_map = Workload(
    "flat_map, streams of 10", "in flight", (1, 10, 100, 1_000), unit=lambda size: INNER * size
)


def inner(number: int) -> AsyncIterator[int]:
    return numbers(INNER, number)


@flat_map.by(HAND)
async def _(size: int, count: int) -> Any:
    funnel = Funnel()
    funnel.open = size
    outer = iter(range(count // INNER))
    async with asyncio.TaskGroup() as group:
        for _ in range(size):
            group.create_task(funnel.pump_all(outer, inner))
        return checked(await funnel.read())


@flat_map.by(OURS)
async def _(size: int, count: int) -> Any:
    flat = ops.flat_map(inner, concurrency=size, lookahead=SHARE)
    return checked(await (Stream(range(count // INNER)) | flat | ops.to_list()))


@flat_map.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    flat = pipe.flatmap(inner, task_limit=size)
    return checked(await (stream.iterate(range(count // INNER)) | flat | pipe.list()))


@flat_map.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    each = operators.map(lambda number: reactivex.from_iterable(range(number, number + INNER)))
    merged = operators.merge(max_concurrent=size)
    source = reactivex.from_iterable(range(count // INNER))
    return checked(rx_last(source.pipe(each, merged, operators.to_list())))


@flat_map.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    items = stream(range(count // INNER)).map(inner).flatten(concurrency=size)
    return checked([item async for item in items])


flat_map.lacks("flattens lists only", "streamz")


@flat_map.by("aioreactive")
async def _(size: int, count: int) -> Any:
    import aioreactive

    chain = [
        aioreactive.map(lambda number: aioreactive.from_async_iterable(inner(number))),
        aioreactive.merge_inner(size),
    ]
    source = aioreactive.from_iterable(range(count // INNER))
    return checked(await aioreactive_list(aioreactive.pipe(source, *chain)))


@flat_map.by("pypeln")
async def _(size: int, count: int) -> Any:
    from pypeln import task

    return checked(await task.flat_map(inner, range(count // INNER), workers=size, maxsize=size))


WORKLOADS = (merge, flat_map)
