"""Operators that mind the clock, where nothing is late: what it costs that something could be.

By hand is one loop, in the task that reads, which keeps a deadline; and one timer, which arms itself again
where it rings too soon. It buffers nothing, and promises less: its source has no task of its own, so that one
who leaves while it waits cannot say that it is let go of.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from time import monotonic
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from benchmarks.workloads.sources import numbers, rx_last
from streamkit import Keep, Stream, ops

LONG = 60.0
"""Seconds: nothing takes so long."""
OFTEN, BURST = 1e9, 1_000
"""Items in a second that may pass, and at once: more than there are."""


class Timer:
    """One timer: rings when `due`, which may be put off at any time."""

    def __init__(self, late: Callable[[], None]) -> None:
        self.late = late
        self.due = monotonic() + LONG
        self.handle: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        self.handle = asyncio.get_running_loop().call_at(self.due, self.ring)

    def ring(self) -> None:
        self.handle = None
        if monotonic() < self.due:
            self.arm()
        else:
            self.late()

    def cancel(self) -> None:
        if self.handle is not None:
            self.handle.cancel()


def quiet(name: str, goal: float | None, operator: Callable[[], Any]) -> Workload:
    """A workload of one size: `operator` between a ready async generator and a sum."""
    goals = {1: {HAND: goal}} if goal is not None else {}
    workload = Workload(f"{name}, nothing late", "source", (1,), goals=goals)

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        return await (Stream(numbers(count)) | operator() | ops.sum())

    return workload


def rx_summed(count: int, operator: Callable[[Any, Any], Any]) -> Any:
    """Of RxPY, with the timers of the event loop: its own have a thread each, which goes on sleeping."""
    import reactivex
    from reactivex import operators
    from reactivex.scheduler.eventloop import AsyncIOScheduler

    made = operator(operators, AsyncIOScheduler(asyncio.get_running_loop()))
    return rx_last(reactivex.from_iterable(range(count)).pipe(made, operators.sum()))


timeout = quiet("timeout", 1.5, lambda: ops.timeout(LONG))


@timeout.by(HAND)
async def _(size: int, count: int) -> int:
    task = asyncio.current_task()
    assert task is not None
    timer, total = Timer(task.cancel), 0
    timer.arm()
    try:
        async for item in numbers(count):
            total += item
            timer.due = monotonic() + LONG
    finally:
        timer.cancel()
    return total


@timeout.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    return await (stream.iterate(numbers(count)) | pipe.timeout(LONG) | pipe.reduce(lambda a, b: a + b))


@timeout.by("reactivex")
async def _(size: int, count: int) -> Any:
    return rx_summed(count, lambda operators, scheduler: operators.timeout(LONG, scheduler=scheduler))


async def looped(stream: AsyncIterator[int] | Stream[int]) -> int:
    total = 0
    async for item in stream:
        total += item
    return total


pulled = Workload("timeout read by async for, nothing late", "source", (1,))


@pulled.by(OURS)
async def _(size: int, count: int) -> int:
    return await looped(Stream(numbers(count)) | ops.timeout(LONG))


async def limited(source: AsyncIterator[int]) -> AsyncIterator[int]:
    """A generator that keeps a deadline for the task that reads it."""
    task = asyncio.current_task()
    assert task is not None
    timer = Timer(task.cancel)
    timer.arm()
    try:
        async for item in source:
            yield item
            timer.due = monotonic() + LONG
    finally:
        timer.cancel()


@pulled.by(HAND)
async def _(size: int, count: int) -> int:
    return await looped(limited(numbers(count)))


@pulled.by("aiostream")
async def _(size: int, count: int) -> int:
    from aiostream import pipe, stream

    async with (stream.iterate(numbers(count)) | pipe.timeout(LONG)).stream() as items:
        return await looped(items)


alive = quiet("keep_alive", 1.5, lambda: ops.keep_alive(LONG, function=int))


@alive.by(HAND)
async def _(size: int, count: int) -> int:
    total = 0

    def still() -> None:
        nonlocal total
        total += 0
        timer.due = monotonic() + LONG
        timer.arm()

    timer = Timer(still)
    timer.arm()
    try:
        async for item in numbers(count):
            total += item
            timer.due = monotonic() + LONG
    finally:
        timer.cancel()
    return total


throttle = quiet("throttle", 1.5, lambda: ops.throttle(OFTEN, burst=BURST))


@throttle.by(HAND)
async def _(size: int, count: int) -> int:
    total, apart, ahead = 0, 1 / OFTEN, (BURST - 1) / OFTEN
    full = 0.0
    """When there are as many tokens as may be; each item puts that off."""
    async for item in numbers(count):
        now = monotonic()
        if now >= full:
            full = now + apart
        else:
            if full - now > ahead:
                await asyncio.sleep(full - now - ahead)
            full += apart
        total += item
    return total


@throttle.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    return await (stream.iterate(numbers(count)) | pipe.spaceout(1 / OFTEN) | pipe.reduce(lambda a, b: a + b))


@throttle.by("streamable")
async def _(size: int, count: int) -> int:
    from streamable import stream

    slowed = stream(numbers(count)).throttle(int(OFTEN), per=timedelta(seconds=1))
    return await looped(aiter(slowed))


def last_only(name: str, goal: float, operator: Callable[[], Keep]) -> Workload:
    """Such a workload whose only item is the last."""
    return quiet(name, goal, operator)


debounce = last_only("debounce", 1.5, lambda: ops.debounce(LONG))


@debounce.by(HAND)
async def _(size: int, count: int) -> int:
    total = latest = 0

    def passes() -> None:
        nonlocal total, latest
        total, latest = total + latest, 0

    timer = Timer(passes)
    try:
        async for item in numbers(count):
            latest = item
            timer.due = monotonic() + LONG
            if timer.handle is None:
                timer.arm()
    finally:
        timer.cancel()
    return total + latest


@debounce.by("reactivex")
async def _(size: int, count: int) -> Any:
    return rx_summed(count, lambda operators, scheduler: operators.debounce(LONG, scheduler=scheduler))


sample = last_only("sample", 1.5, lambda: ops.sample(LONG))


@sample.by(HAND)
async def _(size: int, count: int) -> int:
    total = latest = 0

    def passes() -> None:
        nonlocal total, latest
        total, latest = total + latest, 0
        timer.due += LONG
        timer.arm()

    timer = Timer(passes)
    timer.arm()
    try:
        async for item in numbers(count):
            latest = item
    finally:
        timer.cancel()
    return total + latest


sample.lacks("the last item waits for the end of its period", "reactivex")

WORKLOADS = (timeout, pulled, alive, throttle, debounce, sample)
