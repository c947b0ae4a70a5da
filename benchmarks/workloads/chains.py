"""Chains of synchronous operators: map, filter, map, and so on, to a list, to a fold and to a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache, reduce
from operator import add
from typing import Any

from benchmarks.workload import HAND, OURS, Goals, Run, Workload
from benchmarks.workloads.sources import add_one, aioreactive_list, iterator, numbers, rx_last
from streamkit import Stream, ops

SIZES = (1, 3, 10, 30)
SOURCES: dict[str, Callable[[int], Any]] = {
    "a range": range,
    "an iterator": iterator,
    "an async generator": numbers,
}


def kept(number: int) -> int:
    return number % 16


def double(number: int) -> int:
    return 2 * number


@lru_cache
def steps(size: int) -> list[tuple[str, Callable[[int], int]]]:
    """What a chain of so many operators does to an item."""
    return [(("map", add_one), ("filter", kept), ("map", double))[number % 3] for number in range(size)]


def piped(stream: Any, size: int, operators: Any) -> Any:
    """The chain, where it is written with ``|``."""
    for operator, function in steps(size):
        stream = stream | getattr(operators, operator)(function)
    return stream


def dotted(stream: Any, size: int) -> Any:
    """The chain, where operators are methods."""
    for operator, function in steps(size):
        stream = getattr(stream, operator)(function)
    return stream


LINES = {
    "list": ("out = []", "out.append(item)", "return out"),
    "fold": ("out = 0", "out = add(out, item)", "return out"),
    "loop": ("", "yield item", ""),
}


@lru_cache
def written(size: int, end: str, source: str, function: str) -> Callable[[Any], Any]:
    """What one would write by hand, with an async or a plain loop in an async or a plain function."""
    first, each, last = LINES[end]
    lines = [f"{function} by_hand(source):", f"    {first}", f"    {source} item in source:"]
    for operator, called in steps(size):
        call = f"{called.__name__}(item)"
        lines.append(f"        if not {call}: continue" if operator == "filter" else f"        item = {call}")
    names: dict[str, Any] = {"add_one": add_one, "kept": kept, "double": double, "add": add}
    exec("\n".join([*lines, f"        {each}", f"    {last}"]), names)
    found: Callable[[Any], Any] = names["by_hand"]
    return found


async def total(items: Any) -> int:
    """Consume by ``async for``."""
    out = 0
    async for item in items:
        out += item
    return out


def contest(source: str, end: str, goals: Goals) -> Workload:
    """A chain over one kind of source, to one kind of end."""
    shown = {"list": "to a list", "fold": "to a fold", "loop": "async for", "plain": "plain for"}[end]
    workload = Workload(
        f"chain over {source}, {shown}",
        "operators",
        SIZES,
        goals={3: goals, 10: goals} if goals else {},
        flat=3 if end == "fold" else None,
    )
    make, awaits = SOURCES[source], source == "an async generator"
    workload.contenders[HAND] = hand(make, end, awaits)
    workload.contenders[OURS] = ours(make, end)
    if end != "plain":
        workload.contenders["aiostream"] = by_aiostream(make, end)
        workload.contenders["aioreactive"] = by_aioreactive(make, end, awaits)
    workload.contenders["streamable"] = by_streamable(make, end, awaits)
    if end == "plain":
        workload.lacks("not for a plain for", "aiostream", "reactivex", "streamz", "aioreactive")
    elif end == "loop":
        workload.lacks("no async for", "reactivex", "streamz")
        workload.contenders["pypeln"] = by_pypeln(make, end)
    else:
        workload.contenders["streamz"] = by_streamz(make, end, awaits)
        workload.contenders["pypeln"] = by_pypeln(make, end)
        if not awaits:
            workload.contenders["reactivex"] = by_reactivex(make, end)
        workload.lacks("no async source", "reactivex")
    if end == "plain":
        workload.contenders["pypeln"] = by_pypeln(make, end)
    return workload


def hand(make: Callable[[int], Any], end: str, awaits: bool) -> Run:
    async def run(size: int, count: int) -> Any:
        loop = "async for" if awaits else "for"
        if end == "plain":
            return sum(written(size, "loop", loop, "def")(make(count)))
        done = written(size, end, loop, "async def")(make(count))
        return await (total(done) if end == "loop" else done)

    return run


def ours(make: Callable[[int], Any], end: str) -> Run:
    async def run(size: int, count: int) -> Any:
        stream = piped(Stream(make(count)), size, ops)
        if end == "plain":
            return sum(stream)
        if end == "loop":
            return await total(stream)
        return await (stream | (ops.to_list() if end == "list" else ops.fold(add, 0)))

    return run


def by_aiostream(make: Callable[[int], Any], end: str) -> Run:
    async def run(size: int, count: int) -> Any:
        from aiostream import pipe, stream

        items = piped(stream.iterate(make(count)), size, pipe)
        if end == "loop":
            async with items.stream() as streamer:
                return await total(streamer)
        return await (items | (pipe.list() if end == "list" else pipe.reduce(add, initializer=0)))

    return run


def by_reactivex(make: Callable[[int], Any], end: str) -> Run:
    async def run(size: int, count: int) -> Any:
        import reactivex
        from reactivex import operators

        chain = [getattr(operators, operator)(function) for operator, function in steps(size)]
        last = operators.to_list() if end == "list" else operators.reduce(add, 0)
        return rx_last(reactivex.from_iterable(make(count)).pipe(*chain, last))

    return run


def by_streamable(make: Callable[[int], Any], end: str, awaits: bool) -> Run:
    async def run(size: int, count: int) -> Any:
        from streamable import stream

        items = dotted(stream(make(count)), size)
        if end == "loop" or (awaits and end == "fold"):
            return await total(items)
        if end == "list":
            return [item async for item in items] if awaits else list(items)
        return sum(items) if end == "plain" else reduce(add, items, 0)

    return run


def by_streamz(make: Callable[[int], Any], end: str, awaits: bool) -> Run:
    async def run(size: int, count: int) -> Any:
        from streamz import Stream

        out: list[int] = []
        source = Stream(asynchronous=True) if awaits else Stream()
        items = dotted(source, size)
        last = items if end == "list" else items.accumulate(add, start=0)
        last.sink(out.append if end == "list" else lambda sum_: out.__setitem__(slice(None), [sum_]))
        if awaits:
            async for item in make(count):
                await source.emit(item)
        else:
            for item in make(count):
                source.emit(item)
        return out if end == "list" else sum(out)

    return run


def by_aioreactive(make: Callable[[int], Any], end: str, awaits: bool) -> Run:
    async def run(size: int, count: int) -> Any:
        import aioreactive

        source = aioreactive.from_async_iterable if awaits else aioreactive.from_iterable
        chain = [getattr(aioreactive, operator)(function) for operator, function in steps(size)]
        items = aioreactive.pipe(source(make(count)), *chain)
        if end == "loop":
            return await total(aioreactive.to_async_iterable(items))
        if end == "list":
            return await aioreactive_list(items)
        return (await aioreactive_list(aioreactive.pipe(items, aioreactive.reduce(add, 0))))[-1]

    return run


def by_pypeln(make: Callable[[int], Any], end: str) -> Run:
    async def run(size: int, count: int) -> Any:
        from pypeln import task

        items: Any = make(count)
        for operator, function in steps(size):
            items = getattr(task, operator)(function, items, maxsize=100)
        if end == "plain":
            return await asyncio.to_thread(sum, items)  # in the thread of a loop it would hang
        if end == "loop":
            return await total(items)
        # with a maxsize, items overtake one another
        return await task.ordered(items) if end == "list" else reduce(add, await items, 0)

    return run


TO_LIST: Goals = {HAND: 1.05, "aiostream": 30, "reactivex": 30, "streamable": 1}
WORKLOADS = (
    contest("a range", "list", TO_LIST),
    contest("an iterator", "list", {**TO_LIST, HAND: 1.10}),
    contest("a range", "fold", {}),
    contest("a range", "plain", {}),
    contest("a range", "loop", {HAND: 1.10, "aiostream": 10}),
    contest("an async generator", "list", {HAND: 1.10, "aiostream": 10, "streamable": 3}),
    contest("an async generator", "fold", {}),
    contest("an async generator", "loop", {HAND: 1.10, "aiostream": 10}),
)
