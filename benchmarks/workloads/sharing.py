"""Sharing, and broadcasting: one run of a source, read in many tasks, each with a buffer of its own."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import AsyncIterator
from operator import add
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from benchmarks.workloads.sources import add_one, numbers
from streamkit import Stream, Suspend, ops

PLACES = 64
"""Items that each reader holds at most."""


class Reader:
    """A reader by hand: what it holds, and what it waits for."""

    __slots__ = ("held", "waiter")

    def __init__(self) -> None:
        self.held: deque[int] = deque()
        self.waiter: Future[None] | None = None


class Shared:
    """A source that fills bounded buffers, by hand: no reader comes late, none has a strategy, none fails."""

    def __init__(self, source: AsyncIterator[int], size: int) -> None:
        self.source = source
        self.readers = [Reader() for _ in range(size)]
        self.room: Future[None] | None = None
        self.ended = False

    async def fill(self) -> None:
        readers, loop = self.readers, asyncio.get_running_loop()
        async for item in self.source:
            full = False
            for reader in readers:
                held = reader.held
                held.append(item)
                if reader.waiter is not None:
                    reader.waiter.set_result(None)
                    reader.waiter = None
                if len(held) == PLACES:
                    full = True
            if full:
                self.room = loop.create_future()
                await self.room
        self.ended = True
        for reader in readers:
            if reader.waiter is not None:
                reader.waiter.set_result(None)

    async def total(self, reader: Reader) -> int:
        held, total, loop = reader.held, 0, asyncio.get_running_loop()
        while True:
            while held:
                total = add(total, held.popleft())
            if self.ended:
                return total
            if self.room is not None and not any(each.held for each in self.readers):
                self.room.set_result(None)
                self.room = None
            reader.waiter = loop.create_future()
            await reader.waiter


share = Workload("share", "readers", (1, 10, 100), goals={10: {HAND: 2, "aioreactive": 1}}, flat=10)
branches = Workload(
    "broadcast to buffered branches",
    "branches",
    (2, 10, 100),
    goals={10: {HAND: 2, "aioreactive": 1}},
)


@branches.by(HAND)
@share.by(HAND)
async def _(size: int, count: int) -> Any:
    shared = Shared(numbers(count), size)
    _, *totals = await asyncio.gather(shared.fill(), *map(shared.total, shared.readers))
    return totals


@share.by(OURS)
async def _(size: int, count: int) -> Any:
    shared = Stream(numbers(count)) | ops.share(strategy=Suspend(PLACES))
    totals: list[int] = await asyncio.gather(*[shared | ops.fold(add, 0) for _ in range(size)])
    return totals


@branches.by(OURS)
async def _(size: int, count: int) -> Any:
    parts = [ops.buffer(Suspend(PLACES)) | ops.fold(add, 0) for _ in range(size)]
    return list(await (Stream(numbers(count)) | ops.broadcast(*parts)))


@branches.by("aioreactive")
@share.by("aioreactive")
async def _(size: int, count: int) -> Any:
    import aioreactive

    subject: Any = aioreactive.AsyncSubject()
    totals = [aioreactive.AsyncAwaitableObserver() for _ in range(size)]
    for total in totals:
        await aioreactive.pipe(subject, aioreactive.reduce(add, 0)).subscribe_async(total)
    async for item in numbers(count):
        await subject.asend(item)
    await subject.aclose()
    return [await total for total in totals]


for _each in (share, branches):
    _each.lacks("it has no tasks: what reads is called by what emits", "reactivex", "streamz")


def is_odd(number: int) -> bool:
    return number % 2 == 1


partition = Workload("partition, each part to a list", "operators in each", (1,), goals={1: {HAND: 1.1}})


@partition.by(HAND)
async def _(size: int, count: int) -> Any:
    odd: list[int] = []
    even: list[int] = []
    for item in range(count):
        if is_odd(item):
            odd.append(add_one(item))
        else:
            even.append(add_one(item))
    return odd, even


@partition.by(OURS)
async def _(size: int, count: int) -> Any:
    part = ops.map(add_one) | ops.to_list()
    return await (Stream(range(count)) | ops.partition(is_odd, part, part))


@partition.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    found: tuple[list[int], list[int]] = ([], [])
    shared: Any = reactivex.from_iterable(range(count)).pipe(operators.publish())
    for part, into in zip(shared.pipe(operators.partition(is_odd)), found, strict=True):
        part.pipe(operators.map(add_one)).subscribe(into.append)
    shared.connect()
    return found


WORKLOADS = (share, branches, partition)
