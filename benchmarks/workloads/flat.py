"""flat_map over ready async generators, beside code by hand that has a task for each of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from benchmarks.workload import HAND, OURS, TASKS, Goals, Workload
from benchmarks.workloads.combining import INNER, SHARE, inner
from benchmarks.workloads.sources import checked
from streamkit import Stream, ops

SIZES = (10, 100, 1_000)


class Places:
    """So many tasks at once, each for one stream, and a reader that is woken once for a burst."""

    def __init__(self, size: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.free = size
        self.open = 1
        self.reader: asyncio.Future[None] | None = None
        self.maker: asyncio.Future[None] | None = None

    def wake(self) -> None:
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    def ended(self) -> None:
        self.free += 1
        self.open -= 1
        if self.maker is not None and not self.maker.done():
            self.maker.set_result(None)
        self.wake()

    async def make(self, count: int, pump: Callable[[int], Any], group: asyncio.TaskGroup) -> None:
        for number in range(count // INNER):
            while not self.free:
                self.maker = self.loop.create_future()
                await self.maker
            self.free -= 1
            self.open += 1
            group.create_task(pump(number))
        self.open -= 1
        self.wake()

    async def wait(self) -> None:
        self.reader = self.loop.create_future()
        await self.reader
        self.reader = None


class Share:
    """What one stream may be ahead."""

    __slots__ = ("held", "writer")

    def __init__(self) -> None:
        self.held = deque[int]()
        self.writer: asyncio.Future[None] | None = None


async def with_tasks(size: int, count: int, room: int) -> list[int]:
    """Bounded, in turn, each stream closed, and its place given back when it was delivered."""
    places, out, queue, low = Places(size), list[int](), deque[Share](), room // 4
    loop = places.loop

    async def pump(number: int) -> None:
        share = Share()
        held = share.held
        async with aclosing(inner(number)) as source:  # type: ignore[type-var]  # pyright: ignore[reportArgumentType] - it is a generator
            async for item in source:
                held.append(item)
                if len(held) == 1:
                    queue.append(share)
                    places.wake()
                if len(held) >= room:
                    share.writer = loop.create_future()
                    await share.writer
        while held:
            share.writer = loop.create_future()
            await share.writer
        places.ended()

    async with asyncio.TaskGroup() as group:
        group.create_task(places.make(count, pump, group))
        while places.open or queue:
            if not queue:
                await places.wait()
            while queue:
                share = queue.popleft()
                held = share.held
                out.append(held.popleft())
                if held:
                    queue.append(share)
                writer = share.writer
                if writer is not None and len(held) <= low:
                    share.writer = None
                    writer.set_result(None)
    return out


async def unbounded(size: int, count: int) -> list[int]:
    """Everything into one deque, as fast as it comes."""
    places, out, held = Places(size), list[int](), deque[int]()

    async def pump(number: int) -> None:
        async for item in inner(number):
            held.append(item)
            if len(held) == 1:
                places.wake()
        places.ended()

    async with asyncio.TaskGroup() as group:
        group.create_task(places.make(count, pump, group))
        while places.open or held:
            if not held:
                await places.wait()
            while held:
                out.append(held.popleft())
    return out


GOALS: Goals = {TASKS: 2, "streamable": 4}
AHEAD: Goals = {HAND: 2.5, "streamable": 4}
flat_map = Workload(
    "flat_map, ready",
    "in flight",
    SIZES,
    goals=dict.fromkeys(SIZES, GOALS),
    others=(TASKS,),
    peers=("streamable",),
    unit=lambda _: INNER,
    same=True,
)
ahead = Workload(
    "flat_map, ready, lookahead 16",
    "in flight",
    SIZES,
    goals=dict.fromkeys(SIZES, AHEAD),
    others=(TASKS,),
    peers=("streamable",),
    unit=lambda _: INNER,
    same=True,
)


@ahead.by(HAND)
@flat_map.by(HAND)
async def _(size: int, count: int) -> Any:
    return checked(await unbounded(size, count))


@flat_map.by(TASKS)
async def _(size: int, count: int) -> Any:
    return checked(await with_tasks(size, count, 1))


@ahead.by(TASKS)
async def _(size: int, count: int) -> Any:
    return checked(await with_tasks(size, count, SHARE))


@flat_map.by(OURS)
async def _(size: int, count: int) -> Any:
    flat = ops.flat_map(inner, concurrency=size)
    return checked(await (Stream(range(count // INNER)) | flat | ops.to_list()))


@ahead.by(OURS)
async def _(size: int, count: int) -> Any:
    flat = ops.flat_map(inner, concurrency=size, lookahead=SHARE)
    return checked(await (Stream(range(count // INNER)) | flat | ops.to_list()))


@ahead.by("streamable")
@flat_map.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    items = stream(range(count // INNER)).map(inner).flatten(concurrency=size)
    return checked([item async for item in items])


WORKLOADS = (flat_map, ahead)
