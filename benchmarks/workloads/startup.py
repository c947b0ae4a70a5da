"""What a pipeline costs before its first item: built, run over nothing, and run for the first time."""

from __future__ import annotations

from asyncio import gather, sleep
from collections.abc import Callable
from itertools import count as counting
from typing import Any

from benchmarks.workload import HAND, OURS, PEERS, Workload
from benchmarks.workloads.chains import dotted, double, kept, piped, steps, written
from benchmarks.workloads.sources import rx_last
from streamkit import Stream, ops

SIZES = (1, 3, 10, 30)
BUILDING, COMPILING = 1.2e-6, 0.1e-3
"""Seconds that an operator may cost: to be put into a pipe, and in the first run of a new shape."""
build = Workload(
    "build a chain",
    "operators",
    SIZES,
    {size: {OURS: size * BUILDING} for size in (10, 30)},
    most=10_000,
    item="pipeline",
)
build.lacks("nothing to build", HAND)
build.lacks("not measured here", "streamz", "aioreactive", "pypeln")


@build.by(OURS)
async def _(size: int, count: int) -> Any:
    for _ in range(count):  # no sink: a job that is dropped and was never awaited warns
        piped(Stream([]), size, ops)


@build.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    for _ in range(count):
        piped(stream.iterate([]), size, pipe) | pipe.list()


@build.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    for _ in range(count):
        chain = [getattr(operators, operator)(function) for operator, function in steps(size)]
        reactivex.from_iterable([]).pipe(*chain, operators.to_list())


@build.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    for _ in range(count):
        dotted(stream([]), size)


QUICKEST = {"aiostream": 1, "reactivex": 1, "streamable": 1}
empty = Workload(
    "run a chain over nothing",
    "operators",
    SIZES,
    {3: QUICKEST, 10: QUICKEST},
    most=10_000,
    item="run",
)
empty.lacks("not measured here", "streamz", "aioreactive", "pypeln")


@empty.by(HAND)
async def _(size: int, count: int) -> Any:
    for _ in range(count):
        await written(size, "list", "for", "async def")([])


@empty.by(OURS)
async def _(size: int, count: int) -> Any:
    for _ in range(count):
        await (piped(Stream([]), size, ops) | ops.to_list())


@empty.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    for _ in range(count):
        await (piped(stream.iterate([]), size, pipe) | pipe.list())


@empty.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    for _ in range(count):
        chain = [getattr(operators, operator)(function) for operator, function in steps(size)]
        rx_last(reactivex.from_iterable([]).pipe(*chain, operators.to_list()))


@empty.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    for _ in range(count):
        list(dotted(stream([]), size))


SHAPES = counting()
KINDS = (
    lambda: ops.map(str),
    lambda: ops.filter(None.__eq__),
    ops.enumerate,
    ops.pairwise,
    lambda: ops.tap(str),
    lambda: ops.skip_while(str),
    lambda: ops.take(1),
    lambda: ops.skip(1),
)
cold = Workload(
    "first run of a new shape",
    "operators",
    (5, 10, 30),
    {size: {OURS: size * COMPILING} for size in (5, 10, 30)},
    most=100,
    item="run",
)
cold.lacks("compiles nothing", HAND, *PEERS)


@cold.by(OURS)
async def _(size: int, count: int) -> Any:
    for _ in range(count):
        shape = next(SHAPES)
        stream: Any = Stream([])
        for place in range(size):
            stream = stream | KINDS[(shape // 8 ** (place % 7) + place) % 8]()
        await (stream | ops.to_list())


SMALL = 10
many = Workload(
    "small pipelines at once",
    "pipelines",
    (1_000, 10_000),
    {10_000: {HAND: 1.3, "aiostream": 1, "streamable": 1}},
    10_000,
    unit=lambda size: size,
    item="pipeline",
)
many.lacks("not measured here", "reactivex", "streamz", "aioreactive", "pypeln")


async def tick(number: int) -> int:
    await sleep(0)
    return number


async def small() -> list[int]:
    """Three operators over ten items, with an ``await`` for each, by hand."""
    out: list[int] = []
    for number in range(SMALL):
        found = await tick(number)
        if not kept(found):
            continue
        out.append(double(found))
    return out


async def together(size: int, count: int, make: Callable[[], Any]) -> None:
    for _ in range(max(1, count // size)):
        await gather(*[make() for _ in range(size)])


@many.by(HAND)
async def _(size: int, count: int) -> Any:
    await together(size, count, small)


@many.by(OURS)
async def _(size: int, count: int) -> Any:
    def make() -> Any:
        stream = Stream(range(SMALL)) | ops.map(tick) | ops.filter(kept) | ops.map(double)
        return stream | ops.to_list()

    await together(size, count, make)


@many.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    def make() -> Any:
        # its types know no function that returns an awaitable of the same type
        chain = stream.iterate(range(SMALL)) | pipe.map(tick, task_limit=1)
        return chain | pipe.filter(kept) | pipe.map(double) | pipe.list()

    async def one() -> Any:
        return await make()

    await together(size, count, one)


@many.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    async def one() -> Any:
        return [item async for item in stream(range(SMALL)).map(tick).filter(kept).map(double)]

    await together(size, count, one)


WORKLOADS = (build, empty, cold, many)
