"""RxPY: what crosses into a stream against the common recipe, and a stream's items to an observer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import reactivex
from ratio import Work, measure
from reactivex.subject import Subject

from streamkit import Stream, Unbounded, ops
from streamkit.interop import rx

N = 200_000


async def emit(subject: Subject[int], *, thread: bool) -> asyncio.Future[None] | None:
    """Emit all from a callback of the loop, or from a thread."""

    def produce() -> None:
        for number in range(N):
            subject.on_next(number)
        subject.on_completed()

    loop = asyncio.get_running_loop()
    if thread:
        return loop.run_in_executor(None, produce)
    loop.call_soon(produce)
    return None


def by_stream(*, thread: bool) -> Work:
    async def by_stream() -> int:
        subject: Subject[int] = Subject()
        stream = rx.from_observable(subject, strategy=Unbounded())
        job = (stream | ops.count()).start()
        await asyncio.sleep(0)  # it subscribes
        ended = await emit(subject, thread=thread)
        total: int = await job
        if ended is not None:
            await ended
        return total

    return by_stream


def by_recipe(*, thread: bool) -> Work:
    """What is found in every thread on the subject: a queue, and one callback of the loop per item."""

    async def by_recipe() -> int:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[int | None] = asyncio.Queue()
        subject: Subject[int] = Subject()

        def tell(item: int | None) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, item)

        subscription = subject.subscribe(tell, None, lambda: tell(None))
        ended = await emit(subject, thread=thread)
        total = 0
        while await queue.get() is not None:
            total += 1
        subscription.dispose()
        if ended is not None:
            await ended
        return total

    return by_recipe


async def numbers() -> AsyncIterator[int]:
    for number in range(N):
        yield number


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


async def to_observer_ours() -> int:
    observable = rx.to_observable(Stream(numbers))
    total = await observed(observable.subscribe)
    await observable.closed()
    return total


async def to_observer_by_hand() -> int:
    tasks: list[asyncio.Task[None]] = []

    def subscribe(observer: Any, _: Any) -> Any:
        async def loop() -> None:
            async for item in numbers():
                observer.on_next(item)
            observer.on_completed()

        tasks.append(asyncio.get_running_loop().create_task(loop()))

    total = await observed(reactivex.create(subscribe).subscribe)
    await tasks[0]
    return total


def test_observable_to_stream() -> None:
    for where, thread, goal in (("the loop's thread", False, 1 / 4), ("a thread", True, 1 / 3)):
        ours, recipe = by_stream(thread=thread), by_recipe(thread=thread)
        workload = f"200,000 from a Subject on {where}, against the recipe"
        # a callback of the loop per item is an object per item that lives until all are emitted
        measure(workload, ours, recipe, goal=goal, rounds=8, collects=True)


def test_stream_to_observer() -> None:
    workload = "a stream to an observer, against async for and on_next"
    measure(workload, to_observer_ours, to_observer_by_hand, goal=1.5, rounds=10)
