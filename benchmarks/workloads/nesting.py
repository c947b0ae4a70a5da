"""Nesting: streams that end each other, and streams that are made of what streams have brought."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from benchmarks.workload import HAND, OURS, WITHOUT, Goals, Workload
from benchmarks.workloads.sources import checked, numbers, rx_last
from streamkit import Stream, ops

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


# one after the other ----------------------------------------------------------------------------

ONE: dict[int, Goals] = {size: {HAND: 1.3, "aiostream": 3, "streamable": 1} for size in (10, 100)}
in_turn = Workload(
    "flat_map, one at once, async generators", "items of each", (10, 100), goals=ONE, unit=lambda size: size
)
lists_in_turn = Workload(
    "flat_map, one at once, lists", "items of each", (10, 100), goals=ONE, unit=lambda size: size
)


def lists(size: int) -> Callable[[int], list[int]]:
    """What makes a list of so many items of a number. All contenders call it as it is."""

    def listed(number: int) -> list[int]:
        return [number] * size

    return listed


def generators(size: int) -> Callable[[int], AsyncIterator[int]]:
    """What makes an async generator of so many items of a number."""

    async def generated(number: int) -> AsyncIterator[int]:
        for each in range(number, number + size):
            yield each

    return generated


@in_turn.by(HAND)
async def _(size: int, count: int) -> Any:
    out, make = list[int](), generators(size)
    for number in range(count // size):
        async for item in make(number):
            out.append(item)
    return checked(out)


@lists_in_turn.by(HAND)
async def _(size: int, count: int) -> Any:
    out, make = list[int](), lists(size)
    for number in range(count // size):
        for item in make(number):
            out.append(item)
    return checked(out)


def each_in_turn(
    workload: Workload, making: Callable[[int], Callable[[int], Any]], own: Callable[[int, int], Any]
) -> None:
    """Add everyone who makes a stream of each number, and reads them one after the other.

    RxPY knows no async generators: it has the same items by `own`.
    """

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        nested = ops.flat_map(making(size), concurrency=1)
        return checked(await (Stream(range(count // size)) | nested | ops.to_list()))

    @workload.by("aiostream")
    async def _(size: int, count: int) -> Any:
        from aiostream import pipe, stream

        make = making(size)

        def made(number: int) -> Any:
            return stream.iterate(make(number))

        nested = stream.iterate(range(count // size)) | pipe.concatmap(made, task_limit=1)
        return checked(await (nested | pipe.list()))

    @workload.by("reactivex")
    async def _(size: int, count: int) -> Any:
        import reactivex
        from reactivex import operators

        each = operators.concat_map(lambda number: reactivex.from_iterable(own(size, number)))
        source = reactivex.from_iterable(range(count // size))
        return checked(rx_last(source.pipe(each, operators.to_list())))

    @workload.by("streamable")
    async def _(size: int, count: int) -> Any:
        from streamable import stream

        items = stream(range(count // size)).map(making(size)).flatten()
        return checked([item async for item in items])


each_in_turn(in_turn, generators, lambda size, number: range(number, number + size))
each_in_turn(lists_in_turn, lists, lambda size, number: [number] * size)

concat = Workload(
    "concat of ranges",
    "sources",
    (2, 10, 100),
    goals={size: {HAND: 1.5} for size in (2, 10, 100)},
    unit=lambda size: size,
)


@concat.by(HAND)
async def _(size: int, count: int) -> Any:
    out = list[int]()
    for source in [range(count // size)] * size:
        for item in source:
            out.append(item)
    return checked(out)


@concat.by(OURS)
async def _(size: int, count: int) -> Any:
    first, *others = [range(count // size)] * size
    return checked(await (Stream(first) | ops.concat(*others) | ops.to_list()))


@concat.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    sources = [stream.iterate(range(count // size)) for _ in range(size)]
    return checked(await (stream.chain(*sources) | pipe.list()))


@concat.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    sources = [reactivex.from_iterable(range(count // size)) for _ in range(size)]
    return checked(rx_last(reactivex.concat(*sources).pipe(operators.to_list())))


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


catch = Workload("catch, without a failure", "sources", (1,), goals={1: {WITHOUT: 1.05}}, others=(WITHOUT,))


@catch.by(HAND)
async def _(size: int, count: int) -> Any:
    total = 0
    try:
        async for item in numbers(count):
            total += item
    except Exception:
        total += 1
    return total


@catch.by(OURS)
async def _(size: int, count: int) -> Any:
    return await (Stream(lambda: numbers(count)) | ops.catch(lambda _: [1]) | ops.sum())


catch.contenders[WITHOUT] = retry.contenders[WITHOUT]


@catch.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    caught = operators.catch(reactivex.of(1))
    return rx_last(reactivex.from_iterable(range(count)).pipe(caught, operators.sum()))


WORKLOADS = (expand, in_turn, lists_in_turn, concat, retry, catch)
