"""Async callbacks: one at a time, and many in flight, in order and not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any

from benchmarks.workload import HAND, OURS, Goals, Workload
from benchmarks.workloads.sources import aioreactive_list, checked
from streamkit import Stream, ops

Function = Callable[[int], Awaitable[int]]


async def ready(number: int) -> int:
    return number + 1


async def one_tick(number: int) -> int:
    await asyncio.sleep(0)
    return number + 1


async def sleeping(number: int) -> int:
    await asyncio.sleep(0.001)
    return number + 1


@lru_cache
def awaiting(size: int) -> Callable[[Function, Iterable[int]], Awaitable[list[int]]]:
    """What one would write by hand: no loop over the operators."""
    call = "await function(" * size + "item" + ")" * size
    names: dict[str, Any] = {}
    loop = f"    out = []\n    for item in source:\n        out.append({call})\n    return out"
    exec(f"async def by_hand(function, source):\n{loop}", names)
    found: Callable[[Function, Iterable[int]], Awaitable[list[int]]] = names["by_hand"]
    return found


def one_at_a_time(shown: str, function: Function) -> Workload:
    """Chains of async maps, each of which takes one item at a time."""
    workload = Workload(f"async map one at a time, {shown}", "operators", (1, 3))

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        return await awaiting(size)(function, range(count))

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        stream: Any = Stream(range(count))
        for _ in range(size):
            stream = stream | ops.map(function)
        return await (stream | ops.to_list())

    @workload.by("aiostream")
    async def _(size: int, count: int) -> Any:
        from aiostream import pipe, stream

        items: Any = stream.iterate(range(count))
        for _ in range(size):
            items = items | pipe.map(function, task_limit=1)
        return await (items | pipe.list())

    @workload.by("reactivex")
    async def _(size: int, count: int) -> Any:
        return await rx_mapped(function, range(count), size, 1)

    @workload.by("streamable")
    async def _(size: int, count: int) -> Any:
        from streamable import stream

        items: Any = stream(range(count))
        for _ in range(size):
            items = items.map(function)
        return [item async for item in items]

    @workload.by("streamz")
    async def _(size: int, count: int) -> Any:
        return await streamz_mapped(function, count, size, 1)

    @workload.by("aioreactive")
    async def _(size: int, count: int) -> Any:
        import aioreactive

        chain = [aioreactive.map_async(function)] * size
        return await aioreactive_list(aioreactive.pipe(aioreactive.from_iterable(range(count)), *chain))

    @workload.by("pypeln")
    async def _(size: int, count: int) -> Any:
        from pypeln import task

        items: Any = range(count)
        for _ in range(size):
            items = task.map(function, items, workers=1, maxsize=1)
        return await task.ordered(items)

    return workload


async def rx_mapped(function: Function, source: Any, size: int, concurrency: int) -> Any:
    """Async callbacks in RxPY: futures, of which so many are subscribed to at once."""
    import reactivex
    from reactivex import operators

    def future(item: int) -> Any:
        return reactivex.defer(lambda _: reactivex.from_future(asyncio.ensure_future(function(item))))

    chain = [operators.map(future), operators.merge(max_concurrent=concurrency)] * size
    items = reactivex.from_iterable(source).pipe(*chain, operators.to_list())
    return await items


async def streamz_mapped(function: Function, count: int, size: int, concurrency: int) -> Any:
    """Emit all, and wait for the last to come out."""
    from streamz import Stream

    out: list[int] = []
    done = asyncio.Event()

    def take(item: int) -> None:
        out.append(item)
        if len(out) == count:
            done.set()

    source = items = Stream(asynchronous=True)
    for _ in range(size):
        items = items.map_async(function, parallelism=concurrency)
    items.sink(take)
    for item in range(count):
        await source.emit(item)
    await done.wait()
    return out


def in_flight(shown: str, function: Function, ordered: bool, goals: Goals) -> Workload:
    """Many callbacks at once."""
    name = f"concurrent map, {shown}, {'ordered' if ordered else 'unordered'}"
    by_size: dict[int, Goals] = {64: goals} if goals else {}
    if function is one_tick:
        by_size[1_000] = {HAND: goals[HAND]}
    workload = Workload(name, "in flight", (1, 8, 64, 1_000), goals=by_size, unit=lambda size: size)
    workload.waits = function is sleeping
    result = list if ordered else checked

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        items, numbered = iter(range(count)), enumerate(range(count))
        out: list[int] = [0] * count if ordered else []

        async def work() -> None:
            for item in items:
                out.append(await function(item))

        async def work_in_order() -> None:
            for number, item in numbered:
                out[number] = await function(item)

        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(work_in_order() if ordered else work())
        return result(out)

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        mapped = ops.map(function, concurrency=size, ordered=ordered)
        return result(await (Stream(range(count)) | mapped | ops.to_list()))

    @workload.by("aiostream")
    async def _(size: int, count: int) -> Any:
        from aiostream import pipe, stream

        mapped = pipe.map(function, ordered=ordered, task_limit=size)
        return result(await (stream.iterate(range(count)) | mapped | pipe.list()))

    @workload.by("streamable")
    async def _(size: int, count: int) -> Any:
        from streamable import stream

        items = stream(range(count)).map(function, concurrency=size, as_completed=not ordered)
        return result([item async for item in items])

    @workload.by("pypeln")
    async def _(size: int, count: int) -> Any:
        from pypeln import task

        items = task.map(function, range(count), workers=size, maxsize=size)
        return result(await (task.ordered(items) if ordered else items))

    if ordered:
        workload.lacks("out of order only", "reactivex", "aioreactive")
        workload.contenders["streamz"] = lambda size, count: streamz_mapped(function, count, 1, size)
    else:
        workload.lacks("in order only", "streamz")

        @workload.by("reactivex")
        async def _(size: int, count: int) -> Any:
            return result(await rx_mapped(function, range(count), 1, size))

        @workload.by("aioreactive")
        async def _(size: int, count: int) -> Any:
            import aioreactive

            chain = [
                aioreactive.map(lambda item: aioreactive.from_async(function(item))),
                aioreactive.merge_inner(size),
            ]
            source = aioreactive.from_iterable(range(count))
            return result(await aioreactive_list(aioreactive.pipe(source, *chain)))

    return workload


ONE_TICK: Goals = {HAND: 1.3, "aiostream": 35, "streamable": 3}
READY: Goals = {HAND: 2, "aiostream": 80, "streamable": 8}
WORKLOADS = (
    one_at_a_time("ready at once", ready),
    one_at_a_time("one tick each", one_tick),
    *(in_flight("ready at once", ready, ordered, READY) for ordered in (False, True)),
    *(in_flight("one tick each", one_tick, ordered, ONE_TICK) for ordered in (False, True)),
    *(in_flight("asleep for 1 ms", sleeping, ordered, {}) for ordered in (False, True)),
)
