"""Combining ranges and lists, of which each gives its share of the items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamkit
from benchmarks.workload import HAND, OURS, Goals, Workload
from benchmarks.workloads.sources import checked, rx_last
from streamkit import ops

GOALS: Goals = {HAND: 1.5, "aiostream": 10, "reactivex": 3}
SIZES = (2, 10)
Make = Callable[[int, int], Sequence[Sequence[int]]]


def ranges(size: int, count: int) -> list[range]:
    return [range(count // size) for _ in range(size)]


def lists(size: int, count: int) -> list[list[int]]:
    return [[*each] for each in ranges(size, count)]


def _workload(name: str) -> Workload:
    return Workload(name, "sources", SIZES, goals=dict.fromkeys(SIZES, GOALS), unit=lambda size: size)


def _of_peers(workload: Workload, name: str, make: Make) -> None:
    """What the peers have under this name; those that merge give the items in another order."""
    seen: Any = checked if name == "merge" else list

    @workload.by("aiostream")
    async def _(size: int, count: int) -> Any:
        from aiostream import pipe, stream

        join = {"zip": stream.zip, "merge": stream.merge, "concat": stream.chain}[name]
        return seen(await (join(*map(stream.iterate, make(size, count))) | pipe.list()))

    @workload.by("reactivex")
    async def _(size: int, count: int) -> Any:
        import reactivex
        from reactivex import operators

        sources = [reactivex.from_iterable(each) for each in make(size, count)]
        join = {"zip": reactivex.zip, "merge": reactivex.merge, "concat": reactivex.concat}[name]
        return seen(rx_last(join(*sources).pipe(operators.to_list())))


def zipped(kind: str, make: Make) -> Workload:
    workload = _workload(f"zip of {kind}")

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        out: list[Any] = []
        for row in zip(*make(size, count), strict=False):
            out.append(row)
        return out

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        return await (streamkit.zip(*make(size, count)) | ops.to_list())

    _of_peers(workload, "zip", make)
    return workload


def merged(kind: str, make: Make) -> Workload:
    workload = _workload(f"merge of {kind}")

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        out: list[int] = []
        for row in zip(*make(size, count), strict=True):
            for item in row:
                out.append(item)
        return checked(out)

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        return checked(await (streamkit.merge(*make(size, count)) | ops.to_list()))

    _of_peers(workload, "merge", make)
    return workload


concat = _workload("concat of lists")
_of_peers(concat, "concat", lists)


@concat.by(HAND)
async def _(size: int, count: int) -> Any:
    out: list[int] = []
    for source in lists(size, count):
        for item in source:
            out.append(item)
    return out


@concat.by(OURS)
async def _(size: int, count: int) -> Any:
    return await (streamkit.concat(*lists(size, count)) | ops.to_list())


WORKLOADS = (
    zipped("ranges", ranges),
    zipped("lists", lists),
    merged("ranges", ranges),
    merged("lists", lists),
    concat,
)
