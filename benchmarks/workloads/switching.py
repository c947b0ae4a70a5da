"""Switching: one stream per item, which ends when the next item comes."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future, Task
from collections import deque
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from benchmarks.workloads.sources import checked
from streamkit import Stream, ops

switch_map = Workload(
    "switch_map, a switch per item",
    "streams at once",
    (1,),
    goals={1: {HAND: 2, "aiostream": 1, "reactivex": 1}},
    most=20_000,
)


class Steps:
    """A source whose next item comes when the stream of the one before has given its own."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.had = asyncio.Event()

    async def source(self) -> AsyncGenerator[int, None]:
        for number in range(self.count):
            yield number
            await self.had.wait()
            self.had.clear()

    def seen(self, number: int) -> int:
        self.had.set()
        return number


async def inner(number: int) -> AsyncGenerator[int, None]:
    """One item; then it waits until it is closed."""
    yield number
    await asyncio.get_running_loop().create_future()


def tell(waits: Future[None], _: object) -> None:
    if not waits.done():
        waits.set_result(None)


class Switch:
    """What switches, as one would write it by hand with the same promises.

    A task reads the source, and another each inner stream, which it closes. An inner stream is at most one
    item ahead. What comes after it waits for its clean-up, which no second cancellation cuts short. An error
    ends both tasks, and is raised behind what is held.
    """

    def __init__(
        self,
        source: Callable[[], AsyncGenerator[int, None]],
        make: Callable[[int], AsyncGenerator[int, None]],
    ) -> None:
        self.source, self.make = source, make
        self.held = deque[int]()
        self.room: Future[None] | None = None
        self.reader: Future[None] | None = None
        self.current: Task[None] | None = None
        self.error: Exception | None = None
        self.over = False
        self.loop = asyncio.get_running_loop()

    def wake(self) -> None:
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    def failed(self, error: Exception) -> None:
        if self.error is None:
            self.error = error
        self.wake()

    async def read(self, number: int) -> None:
        held = self.held
        try:
            items = self.make(number)
            try:
                async for item in items:
                    held.append(item)
                    self.wake()
                    while held:
                        self.room = self.loop.create_future()
                        await self.room
            finally:
                await items.aclose()
        except Exception as error:
            self.failed(error)
            self.switching.cancel()

    async def end(self) -> None:
        """End the current inner stream, and wait for that."""
        current, cancelled = self.current, None
        if current is None:
            return
        current.cancel()
        while not current.done():
            ended = self.loop.create_future()
            current.add_done_callback(partial(tell, ended))
            try:
                await ended
            except CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def switch(self) -> None:
        source = self.source()
        try:
            try:
                async for number in source:
                    await self.end()
                    self.held.clear()
                    self.current = self.loop.create_task(self.read(number))
            finally:
                await source.aclose()
            if self.current is not None:
                await asyncio.wait({self.current})
        except Exception as error:
            self.failed(error)
        finally:
            await self.end()
            self.over = True
            self.wake()

    async def items(self) -> AsyncGenerator[int, None]:
        self.switching = self.loop.create_task(self.switch())
        held = self.held
        try:
            while True:
                if held:
                    item = held.popleft()
                    if self.room is not None and not self.room.done():
                        self.room.set_result(None)
                    yield item
                elif self.error is not None:
                    raise self.error
                elif self.over:
                    return
                else:
                    self.reader = self.loop.create_future()
                    await self.reader
        finally:
            self.switching.cancel()
            await asyncio.wait({self.switching})


@switch_map.by(HAND)
async def _(size: int, count: int) -> Any:
    steps, out = Steps(count), list[int]()
    items = Switch(steps.source, inner).items()
    async for item in items:
        out.append(steps.seen(item))
        if len(out) == count:
            break
    await items.aclose()
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


WORKLOADS = (switch_map,)
