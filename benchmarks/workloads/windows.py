"""Windows: a count for each window and key, with many keys; by number of items, and by event time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from streamkit import Stream, Tumbling, ops

LENGTH = 10
"""Items of a window by number; of a key in a window by time."""


by_count = Workload(
    f"window of {LENGTH} items by key",
    "keys",
    (1, 1_000, 10_000),
    goals={10_000: {HAND: 2, "reactivex": 50}},
    most=200_000,
    unit=lambda size: size * LENGTH,
    flat=1_000,
)


@by_count.by(HAND)
async def _(size: int, count: int) -> Any:
    def key(number: int) -> int:
        return number % size

    counts: dict[int, int] = defaultdict(int)
    found = 0
    for item in range(count):
        name = key(item)
        counts[name] += 1
        if counts[name] == LENGTH:
            counts[name] = 0
            found += 1
    return found


@by_count.by(OURS)
async def _(size: int, count: int) -> Any:
    windows = ops.window(Tumbling(count=LENGTH), ops.count())
    grouped = ops.group_by(lambda number: number % size, windows, max_groups=size)
    return await (Stream(range(count)) | grouped | ops.count())


@by_count.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    found: list[int] = []
    reactivex.from_iterable(range(count)).pipe(
        operators.group_by(lambda number: number % size),
        operators.flat_map(
            lambda group: group.pipe(
                operators.window_with_count(LENGTH),
                operators.flat_map(lambda window: window.pipe(operators.count())),
                operators.filter(bool),
            )
        ),
    ).subscribe(lambda total: found.append(total))
    return len(found)


by_time = Workload(
    "window by event time, a count per key",
    "keys",
    (1, 1_000, 10_000),
    goals={10_000: {HAND: 2}},
    most=200_000,
    unit=lambda size: size * LENGTH,
    flat=1_000,
)


@by_time.by(HAND)
async def _(size: int, count: int) -> Any:
    """With a watermark and late items; but for both, the times would have to be in order."""
    seconds, lateness = float(size * LENGTH), 5.0

    def key(number: int) -> int:
        return number % size

    def timestamp(number: int) -> float:
        return float(number)

    windows: dict[float, dict[int, int]] = {}
    found = late = 0
    latest = -1.0
    for item in range(count):
        stamp = timestamp(item)
        if stamp > latest:
            latest = stamp
            for start in [start for start in windows if start + seconds + lateness <= latest]:
                found += len(windows.pop(start))
        start = stamp // seconds * seconds
        if start + seconds + lateness <= latest:
            late += 1
            continue
        counts = windows.get(start)
        if counts is None:
            counts = windows[start] = defaultdict(int)
        counts[key(item)] += 1
    return found + sum(map(len, windows.values()))


@by_time.by(OURS)
async def _(size: int, count: int) -> Any:
    keys = ops.group_by(lambda number: number % size, ops.count(), max_groups=size)
    late: list[int] = []
    windows = ops.window(
        Tumbling(seconds=size * LENGTH),
        keys,
        timestamp=lambda number: float(number),
        lateness=5.0,
        on_late=late.append,
    )
    return await (Stream(range(count)) | windows | ops.count())


by_time_of_key = Workload(
    "window by event time in each group",
    "keys",
    (1, 1_000, 10_000),
    goals={10_000: {HAND: 8}},
    most=200_000,
    unit=lambda size: size * LENGTH,
    flat=1_000,
)


@by_time_of_key.by(HAND)
async def _(size: int, count: int) -> Any:
    """Each key has a watermark of its own, and one window that is open."""
    seconds = float(size * LENGTH)

    def key(number: int) -> int:
        return number % size

    def timestamp(number: int) -> float:
        return float(number)

    ends: dict[int, float] = {}
    counts: dict[int, int] = {}
    found = late = 0
    for item in range(count):
        name, stamp = key(item), timestamp(item)
        end = ends.get(name)
        if end is None or stamp >= end:
            found += end is not None
            ends[name] = stamp // seconds * seconds + seconds
            counts[name] = 0
        elif stamp < end - seconds:
            late += 1
            continue
        counts[name] += 1
    return found + len(counts)


@by_time_of_key.by(OURS)
async def _(size: int, count: int) -> Any:
    late: list[int] = []
    windows = ops.window(
        Tumbling(seconds=size * LENGTH),
        ops.count(),
        timestamp=lambda number: float(number),
        on_late=late.append,
    )
    grouped = ops.group_by(lambda number: number % size, windows, max_groups=size)
    return await (Stream(range(count)) | grouped | ops.count())


WORKLOADS = (by_count, by_time, by_time_of_key)
