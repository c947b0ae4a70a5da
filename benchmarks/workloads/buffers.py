"""Bounded buffers, what comes from a thread, and batches within a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from benchmarks.workloads.sources import numbers
from streamkit import Stream, Suspend, Unbounded, ops, push

END = object()


async def consumed(queue: Any) -> int:
    total = 0
    while await queue.get() is not END:
        total += 1
    return total


async def through_queue(limit: int, source: Iterable[int] | AsyncIterator[int]) -> int:
    """A task that fills a queue, and the caller that empties it."""
    queue: asyncio.Queue[Any] = asyncio.Queue(limit)

    async def produce() -> None:
        if isinstance(source, AsyncIterator):
            async for item in source:
                await queue.put(item)
        else:
            for item in source:
                await queue.put(item)
        await queue.put(END)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        return await consumed(queue)


def hop(shown: str, make: Callable[[int], Any], goal: float | None) -> Workload:
    """From task to task through a bounded buffer."""
    goals = {64: {HAND: goal}} if goal else {}
    workload = Workload(f"buffer(Suspend(n)) over {shown}", "places", (1, 64, 1_024), goals=goals)

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        return await through_queue(size, make(count))

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        return await (Stream(make(count)) | ops.buffer(Suspend(size)) | ops.count())

    @workload.by("streamable")
    async def _(size: int, count: int) -> Any:
        from streamable import stream

        total = 0
        async for _ in stream(make(count)).buffer(size):
            total += 1
        return total

    @workload.by("streamz")
    async def _(size: int, count: int) -> Any:
        from streamz import Stream

        done, total = asyncio.Event(), 0

        def take(_: int) -> None:
            nonlocal total
            total += 1
            if total == count:
                done.set()

        source = Stream(asynchronous=True)
        source.buffer(size).sink(take)
        async for item in make(count) if shown == "an async generator" else numbers(count):
            await source.emit(item)
        await done.wait()
        return total

    @workload.by("pypeln")
    async def _(size: int, count: int) -> Any:
        from pypeln import task

        return len(await task.map(lambda item: item, make(count), maxsize=size))

    return workload


def from_thread(shown: str, held: bool, goals: dict[str, float]) -> Workload:
    """Items that a thread offers, held back by 64 places or not at all."""
    workload = Workload(
        f"from a thread, {shown}", "places", (64 if held else 0,), others=("janus",), waits=True
    )
    workload.goals = {workload.sizes[0]: goals} if goals else {}

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        stream, emitter = push(Suspend(size) if held else Unbounded())
        give = emitter.send_blocking if held else emitter.offer

        def produce() -> None:
            for number in range(count):
                give(number)
            emitter.close()

        thread = asyncio.get_running_loop().run_in_executor(None, produce)
        total: int = await (stream | ops.count())
        await thread
        return total

    @workload.by("janus")
    async def _(size: int, count: int) -> Any:
        import janus

        queue: Any = janus.Queue(size)

        def produce() -> None:
            for number in range(count):
                queue.sync_q.put(number)
            queue.sync_q.put(END)

        thread = asyncio.get_running_loop().run_in_executor(None, produce)
        total = await consumed(queue.async_q)
        await thread
        await queue.aclose()
        return total

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Any] = asyncio.Queue(size)

        def produce() -> None:
            for number in [*range(count), END]:
                if held:
                    asyncio.run_coroutine_threadsafe(queue.put(number), loop).result()
                else:
                    loop.call_soon_threadsafe(queue.put_nowait, number)

        thread = loop.run_in_executor(None, produce)
        total = await consumed(queue)
        await thread
        return total

    workload.lacks("nothing for threads", "aiostream", "streamable", "streamz", "aioreactive", "pypeln")
    workload.lacks("no async consumer", "reactivex")
    return workload


batches = Workload(
    "batch_within 1 s",
    "items in a batch",
    (10, 100, 1_000),
    goals={size: {HAND: 1.2, "reactivex": 10, "streamable": 10, "streamz": 10} for size in (10, 100, 1_000)},
)


@batches.by(HAND)
async def _(size: int, count: int) -> Any:
    """A task that reads, so that no pull is cancelled; one timer, armed again when it rings too soon."""
    loop = asyncio.get_running_loop()
    full: deque[list[int]] = deque()
    held: list[int] = []
    more: asyncio.Future[None] | None = None
    ended = False
    since = 0.0
    timer: asyncio.TimerHandle | None = None

    def wake() -> None:
        nonlocal more
        waiting, more = more, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def ring() -> None:
        nonlocal held, timer
        timer = None
        if held and loop.time() < since + 1.0:
            timer = loop.call_at(since + 1.0, ring)
        elif held:
            full.append(held)
            held = []
            wake()

    async def fill() -> None:
        nonlocal ended, held, since, timer
        async for item in numbers(count):
            if not held:
                since = loop.time()
                if timer is None:
                    timer = loop.call_at(since + 1.0, ring)
            held.append(item)
            if len(held) == size:
                full.append(held)
                held = []
                wake()
                await asyncio.sleep(0)
        if held:
            full.append(held)
        ended = True
        wake()

    out: list[int] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        while True:
            while full:
                out.append(len(full.popleft()))
            if ended:
                break
            more = loop.create_future()
            await more
    if timer is not None:
        timer.cancel()
    return out


@batches.by(OURS)
async def _(size: int, count: int) -> Any:
    return await (Stream(numbers(count)) | ops.batch_within(size, seconds=1.0) | ops.map(len) | ops.to_list())


@batches.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    batched = operators.buffer_with_time_or_count(1.0, size)
    lengths = reactivex.from_iterable(range(count)).pipe(batched, operators.map(len), operators.to_list())
    return [length for length in lengths.run() if length]


@batches.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    batched = stream(numbers(count)).group(up_to=size, within=timedelta(seconds=1))
    return [length async for length in batched.map(len)]


@batches.by("streamz")
async def _(size: int, count: int) -> Any:
    from streamz import Stream

    out: list[int] = []
    source = Stream(asynchronous=True)
    last = source.partition(size, timeout=1.0)
    last.map(len).sink(out.append)
    async for item in numbers(count):
        await source.emit(item)
    while sum(out) < count:  # noqa: ASYNC110 nothing tells of the last
        await asyncio.sleep(0.01)
    return out


batches.lacks("by count only", "aiostream")

WORKLOADS = (
    hop("a range", range, 0.5),
    hop("an async generator", numbers, None),
    from_thread("unbounded", held=False, goals={"janus": 3}),
    from_thread("held by 64 places", held=True, goals={}),
    batches,
)
