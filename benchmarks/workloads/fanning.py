"""Fanning out: the same items to many folds, and items by key to a count each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache, reduce
from operator import add
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from benchmarks.workloads.sources import add_one, aioreactive_list, rx_last
from streamkit import Stream, ops


@lru_cache
def written(size: int) -> Callable[[Iterable[int]], list[int]]:
    """What one would write by hand: so many calls in one loop."""
    totals = [f"total_{number}" for number in range(size)]
    lines = ["def by_hand(source):", *(f"    {total} = 0" for total in totals), "    for item in source:"]
    lines += [f"        {total} = add({total}, item)" for total in totals]
    names: dict[str, Any] = {"add": add}
    exec("\n".join([*lines, f"    return [{', '.join(totals)}]"]), names)
    found: Callable[[Iterable[int]], list[int]] = names["by_hand"]
    return found


broadcast = Workload("broadcast to folds", "branches", (2, 10, 100), goals={10: {HAND: 2}})


@broadcast.by(HAND)
async def _(size: int, count: int) -> Any:
    return written(size)(range(count))


@broadcast.by(OURS)
async def _(size: int, count: int) -> Any:
    return list(await (Stream(range(count)) | ops.broadcast(*[ops.fold(add, 0) for _ in range(size)])))


@broadcast.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    totals = [0] * size
    shared = reactivex.from_iterable(range(count)).pipe(operators.publish())
    for number in range(size):
        shared.pipe(operators.reduce(add, 0)).subscribe(
            lambda total, number=number: totals.__setitem__(number, total)
        )
    shared.connect()
    return totals


@broadcast.by("streamz")
async def _(size: int, count: int) -> Any:
    from streamz import Stream

    totals = [0] * size
    source = Stream()
    for number in range(size):
        source.accumulate(add, start=0).sink(lambda total, number=number: totals.__setitem__(number, total))
    for item in range(count):
        source.emit(item)
    return totals


@broadcast.by("aioreactive")
async def _(size: int, count: int) -> Any:
    import aioreactive

    subject: Any = aioreactive.AsyncSubject()
    totals = [aioreactive.AsyncAwaitableObserver() for _ in range(size)]
    for total in totals:
        await aioreactive.pipe(subject, aioreactive.reduce(add, 0)).subscribe_async(total)
    for item in range(count):
        await subject.asend(item)
    await subject.aclose()
    return [await total for total in totals]


group_by = Workload(
    "group_by, a count per key",
    "keys",
    (10, 1_000, 10_000, 100_000),
    goals={10_000: {HAND: 1.6, "reactivex": 100}, 100_000: {HAND: 1.6}},
    most=200_000,
    unit=lambda size: size,
    flat=1_000,
)


@group_by.by(HAND)
async def _(size: int, count: int) -> Any:
    def key(number: int) -> int:
        return number % size

    counts: dict[int, int] = defaultdict(int)
    for item in range(count):
        counts[key(item)] += 1
    return [*counts.items()]


@group_by.by(OURS)
async def _(size: int, count: int) -> Any:
    grouped = ops.group_by(lambda number: number % size, ops.count(), max_groups=size)
    return await (Stream(range(count)) | grouped | ops.to_list())


@group_by.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    def counted(group: Any) -> Any:
        return group.pipe(operators.count(), operators.map(lambda total: (group.key, total)))

    grouped = operators.group_by(lambda number: number % size)
    source = reactivex.from_iterable(range(count))
    return rx_last(source.pipe(grouped, operators.flat_map(counted), operators.to_list()))


@group_by.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    groups = stream(range(count)).group(by=lambda number: number % size)
    return list(groups.map(lambda group: (group[0], len(group[1]))))


flatten = Workload("flatten lists of 10", "operators", (1, 2), unit=lambda size: 10**size)


def nested(size: int, count: int) -> Any:
    """Numbers, in lists within so many lists."""
    items: Any = range(count)
    for _ in range(size):
        items = [items[at : at + 10] for at in range(0, len(items), 10)]
    return items


@flatten.by(HAND)
async def _(size: int, count: int) -> Any:
    items = nested(size, count)
    out: list[int] = []
    if size == 1:
        for each in items:
            for item in each:
                out.append(add_one(item))
    else:
        for each in items:
            for inner in each:
                for item in inner:
                    out.append(add_one(item))
    return out


@flatten.by(OURS)
async def _(size: int, count: int) -> Any:
    stream: Any = reduce(lambda stream, _: stream | ops.flatten(), range(size), Stream(nested(size, count)))
    return await (stream | ops.map(add_one) | ops.to_list())


@flatten.by("aiostream")
async def _(size: int, count: int) -> Any:
    from aiostream import pipe, stream

    items: Any = stream.iterate(nested(size, count))
    for _ in range(size):
        items = items | pipe.concatmap(stream.iterate, task_limit=1)
    return await (items | pipe.map(add_one) | pipe.list())


@flatten.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    flat = [operators.flat_map(reactivex.from_iterable)] * size
    source = reactivex.from_iterable(nested(size, count))
    return rx_last(source.pipe(*flat, operators.map(add_one), operators.to_list()))


@flatten.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    items: Any = reduce(lambda items, _: items.flatten(), range(size), stream(nested(size, count)))
    return list(items.map(add_one))


@flatten.by("streamz")
async def _(size: int, count: int) -> Any:
    from streamz import Stream

    out: list[int] = []
    source = Stream()
    reduce(lambda items, _: items.flatten(), range(size), source).map(add_one).sink(out.append)
    for item in nested(size, count):
        source.emit(item)
    return out


@flatten.by("aioreactive")
async def _(size: int, count: int) -> Any:
    import aioreactive

    each = aioreactive.map(aioreactive.from_iterable)
    chain = [each, aioreactive.merge_inner(1)] * size
    source = aioreactive.from_iterable(nested(size, count))
    return await aioreactive_list(aioreactive.pipe(source, *chain, aioreactive.map(add_one)))


@flatten.by("pypeln")
async def _(size: int, count: int) -> Any:
    from pypeln import task

    items: Any = nested(size, count)
    for _ in range(size):
        items = task.flat_map(lambda each: each, items, maxsize=100)
    return await task.ordered(task.map(add_one, items, maxsize=100))


WORKLOADS = (broadcast, group_by, flatten)
