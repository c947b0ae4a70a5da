"""Nesting: streams that end each other, and streams that are made of what streams have brought."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from benchmarks.workload import HAND, OURS, WITHOUT, Workload
from benchmarks.workloads.sources import checked, numbers, rx_last
from streamkit import Stream, ops

# a switch per item ------------------------------------------------------------------------------

switch_map = Workload("switch_map, a switch per item", "streams at once", (1,), most=20_000)


class Steps:
    """A source whose next item comes when the stream of the one before has given its own."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.had = asyncio.Event()

    async def source(self) -> AsyncIterator[int]:
        for number in range(self.count):
            yield number
            await self.had.wait()
            self.had.clear()

    def seen(self, number: int) -> int:
        self.had.set()
        return number


async def inner(number: int) -> AsyncIterator[int]:
    """One item; then it waits until it is closed."""
    yield number
    await asyncio.get_running_loop().create_future()


@switch_map.by(HAND)
async def _(size: int, count: int) -> Any:
    steps, loop = Steps(count), asyncio.get_running_loop()
    held: deque[int] = deque()
    reader: asyncio.Future[None] | None = None

    async def read(number: int) -> None:
        items = inner(number)
        try:
            async for item in items:
                held.append(item)
                if reader is not None and not reader.done():
                    reader.set_result(None)
        finally:
            await items.aclose()

    async def switch() -> None:
        current: asyncio.Task[None] | None = None
        try:
            async for number in steps.source():
                if current is not None:
                    current.cancel()
                    with suppress(asyncio.CancelledError):
                        await current
                    held.clear()
                current = loop.create_task(read(number))
            await loop.create_future()
        finally:
            if current is not None:
                current.cancel()
                with suppress(asyncio.CancelledError):
                    await current

    switching, out = loop.create_task(switch()), list[int]()
    while len(out) < count:
        if not held:
            reader = loop.create_future()
            await reader
        out.append(steps.seen(held.popleft()))
    switching.cancel()
    with suppress(asyncio.CancelledError):
        await switching
    return checked(out)


@switch_map.by(OURS)
async def _(size: int, count: int) -> Any:
    steps = Steps(count)
    pipe = ops.switch_map(inner) | ops.map(steps.seen) | ops.take(count)
    return checked(await (Stream(steps.source) | pipe | ops.to_list()))


@switch_map.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    steps = Steps(count)
    switched = stream.iterate(steps.source()) | pipe.switchmap(inner) | pipe.map(steps.seen)
    return checked(await (switched | pipe.take(count) | pipe.list()))


@switch_map.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators
    from reactivex.subject import Subject

    out: list[int] = []
    subject: Subject[int] = Subject()
    inside = operators.switch_map(lambda number: reactivex.concat(reactivex.of(number), reactivex.never()))
    subscribed = subject.pipe(inside).subscribe(out.append)
    for number in range(count):
        subject.on_next(number)
    subscribed.dispose()
    return checked(out)


# a crawl ----------------------------------------------------------------------------------------

expand = Workload("expand, a tree of two branches", "places", (1, 10, 100), most=20_000)


async def branches(number: int, count: int) -> list[int]:
    await asyncio.sleep(0)
    return [each for each in (2 * number, 2 * number + 1) if each <= count]


@expand.by(HAND)
async def _(size: int, count: int) -> Any:
    out, frontier, idle = [1], deque([1]), list[asyncio.Future[None]]()
    loop, busy = asyncio.get_running_loop(), 0

    async def work() -> None:
        nonlocal busy
        while True:
            while frontier:
                busy += 1
                found = await branches(frontier.popleft(), count)
                busy -= 1
                out.extend(found)
                frontier.extend(found)
                while found and idle:
                    idle.pop().set_result(None)
            if not busy:
                while idle:
                    idle.pop().set_result(None)
                return
            idle.append(waiting := loop.create_future())
            await waiting

    async with asyncio.TaskGroup() as group:
        for _ in range(size):
            group.create_task(work())
    return checked(out)


@expand.by(OURS)
async def _(size: int, count: int) -> Any:
    crawl = ops.expand(lambda number: branches(number, count), concurrency=size, lookahead=16)
    return checked(await (Stream([1]) | crawl | ops.to_list()))


@expand.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    def now(number: int) -> Any:
        return reactivex.from_iterable([each for each in (2 * number, 2 * number + 1) if each <= count])

    return checked(rx_last(reactivex.of(1).pipe(operators.expand(now), operators.to_list())))


# no failure ---------------------------------------------------------------------------------------

retry = Workload("retry, without a failure", "sources", (1,), goals={1: {WITHOUT: 1.05}}, others=(WITHOUT,))


@retry.by(HAND)
async def _(size: int, count: int) -> Any:
    """The loop that one would write: begin anew where the source fails."""
    total = 0
    for attempt in range(3):
        try:
            async for item in numbers(count):
                total += item
            return total
        except Exception:
            if attempt == 2:
                raise
    return total


@retry.by(OURS)
async def _(size: int, count: int) -> Any:
    return await (Stream(lambda: numbers(count)) | ops.retry(3) | ops.sum())


@retry.by(WITHOUT)
async def _(size: int, count: int) -> Any:
    return await (Stream(lambda: numbers(count)) | ops.sum())


@retry.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    return rx_last(reactivex.from_iterable(range(count)).pipe(operators.retry(3), operators.sum()))


WORKLOADS = (switch_map, expand, retry)
