"""RxPY: what crosses into a stream against the common recipe, and a stream's items to an observer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import reactivex
from reactivex.subject import Subject

from benchmarks.workload import HAND, OURS, PEERS, Goals, Workload
from benchmarks.workloads.sources import numbers
from streamkit import Stream, Unbounded, ops, rx

NO_BRIDGE = "no bridge to RxPY"


async def emit(subject: Subject[int], count: int, *, thread: bool) -> asyncio.Future[None] | None:
    """Emit all from a callback of the loop, or from a thread."""

    def produce() -> None:
        for number in range(count):
            subject.on_next(number)
        subject.on_completed()

    loop = asyncio.get_running_loop()
    if thread:
        return loop.run_in_executor(None, produce)
    loop.call_soon(produce)
    return None


def into_stream(where: str, thread: bool, goals: Goals) -> Workload:
    """By hand is what is found in every thread on the subject: a queue, and a callback of the loop per item.

    That is an object per item which lives until all are emitted, so the collector is on.
    """
    workload = Workload(
        f"a Subject on {where} to a stream",
        "sources",
        (1,),
        {1: goals} if goals else {},
        collects=True,
        waits=thread,
    )

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        subject: Subject[int] = Subject()
        job = (rx.from_observable(subject, strategy=Unbounded()) | ops.count()).start()
        await asyncio.sleep(0)  # it subscribes
        ended = await emit(subject, count, thread=thread)
        total = await job
        if ended is not None:
            await ended
        return total

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[int | None] = asyncio.Queue()
        subject: Subject[int] = Subject()

        def tell(item: int | None) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, item)

        subscription = subject.subscribe(tell, None, lambda: tell(None))
        ended = await emit(subject, count, thread=thread)
        total = 0
        while await queue.get() is not None:
            total += 1
        subscription.dispose()
        if ended is not None:
            await ended
        return total

    workload.lacks(NO_BRIDGE, *PEERS)
    workload.lacks("it is the source", "reactivex")
    return workload


queued = Workload("a Subject to a stream, or to a queue of its loop", "sources", (1,), {1: {HAND: 1.1}})
queued.lacks(NO_BRIDGE, *PEERS)
queued.lacks("it is the source", "reactivex")


@queued.by(OURS)
async def _(size: int, count: int) -> Any:
    subject: Subject[int] = Subject()
    task = asyncio.ensure_future(rx.from_observable(subject, strategy=Unbounded()) | ops.count())
    await asyncio.sleep(0)  # it subscribes
    await emit(subject, count, thread=False)
    return await task


@queued.by(HAND)
async def _(size: int, count: int) -> Any:
    """The cheapest that there is, for what is emitted in the thread of the loop only."""
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    subject: Subject[int] = Subject()
    subscription = subject.subscribe(queue.put_nowait, None, lambda: queue.put_nowait(None))
    await emit(subject, count, thread=False)
    total = 0
    while await queue.get() is not None:
        total += 1
    subscription.dispose()
    return total


async def observed(subscribe: Callable[..., Any]) -> int:
    """How many items an observer gets."""
    done = asyncio.Event()
    total = 0

    def on_next(_: int) -> None:
        nonlocal total
        total += 1

    subscribe(on_next, None, done.set)
    await done.wait()
    return total


to_observer = Workload("a stream to an observer", "observers", (1,), {1: {HAND: 1.5}})
to_observer.lacks(NO_BRIDGE, *PEERS)
to_observer.lacks("it is the observer", "reactivex")


@to_observer.by(OURS)
async def _(size: int, count: int) -> Any:
    observable = rx.to_observable(Stream(numbers(count)))
    total = await observed(observable.subscribe)
    await observable.closed()
    return total


@to_observer.by(HAND)
async def _(size: int, count: int) -> Any:
    tasks: list[asyncio.Task[None]] = []

    def subscribe(observer: Any, _: Any) -> Any:
        async def loop() -> None:
            async for item in numbers(count):
                observer.on_next(item)
            observer.on_completed()

        tasks.append(asyncio.get_running_loop().create_task(loop()))

    total = await observed(reactivex.create(subscribe).subscribe)
    await tasks[0]
    return total


WORKLOADS = (
    # its goal is that of `queued`: the least that can be written takes more than a quarter of this
    into_stream("the loop's thread", False, {}),
    into_stream("another thread", True, {HAND: 1 / 3}),
    queued,
    to_observer,
)
