"""What a pipeline costs before its first item: built, run over nothing, and run for the first time."""

from __future__ import annotations

from itertools import count as counting
from typing import Any

from benchmarks.workload import HAND, OURS, PEERS, Workload
from benchmarks.workloads.chains import dotted, piped, steps, written
from benchmarks.workloads.sources import rx_last
from streamkit import Stream, ops

SIZES = (1, 3, 10, 30)
build = Workload("build a chain", "operators", SIZES, most=10_000, item="pipeline")
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


empty = Workload("run a chain over nothing", "operators", SIZES, most=10_000, item="run")
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
cold = Workload("first run of a new shape", "operators", (5, 10, 30), most=100, item="run")
cold.lacks("compiles nothing", HAND, *PEERS)


@cold.by(OURS)
async def _(size: int, count: int) -> Any:
    for _ in range(count):
        shape = next(SHAPES)
        stream: Any = Stream([])
        for place in range(size):
            stream = stream | KINDS[(shape // 8 ** (place % 7) + place) % 8]()
        await (stream | ops.to_list())


WORKLOADS = (build, empty, cold)
