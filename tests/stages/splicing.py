"""Branches of steps, and sources that a broadcast of them is tried with."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from operator import add
from typing import Any

from hypothesis import strategies as st

from streamkit import Stream, Suspend, ops


def odd(number: Any) -> bool:
    return bool(hash(number) % 2)


def pair(item: Any) -> Any:
    return (item, item)


STEPS: list[Any] = [
    ops.map(hash),
    ops.map(pair) | ops.flatten(),
    ops.map(lambda item: (item,)),
    ops.filter(odd),
    ops.batch(2) | ops.map(tuple),
    ops.batch(3) | ops.flatten(),
    ops.enumerate(),
    ops.pairwise(),
    ops.distinct_until_changed(),
    ops.map(hash) | ops.scan(add),
    ops.map(hash) | ops.scan(max, 3),
    ops.skip(1),
    ops.skip_while(odd),
    ops.tap(hash),
]
SINKS: list[Any] = [
    ops.to_list(),
    ops.count(),
    ops.for_each(hash),
    ops.drain(),
    ops.map(hash) | ops.fold(add, 0),
]
steps = st.sampled_from(STEPS)
branches = st.lists(steps, min_size=1, max_size=4)


def joined(operators: list[Any]) -> Any:
    pipe = operators[0]
    for operator in operators[1:]:
        pipe = pipe | operator
    return pipe


@st.composite
def nested(draw: st.DrawFn, depth: int = 2) -> Any:
    """A branch of steps, in which broadcasts may stand; it may be too large to be spliced."""
    pieces = draw(branches)
    if depth and draw(st.booleans()):
        inner = ops.broadcast(*draw(st.lists(nested(depth - 1), min_size=1, max_size=3)))
        pieces.insert(draw(st.integers(0, len(pieces))), inner)
    return joined(pieces)


def spliced(pipe: Any) -> bool:
    return pipe.links[0].declaration.stage is None


def generated(items: Any) -> Any:
    def generate() -> Iterator[Any]:
        yield from items

    return generate


def asynchronous(items: Any) -> Any:
    async def generate() -> AsyncIterator[Any]:
        for item in items:
            yield item

    return generate


def behind_a_channel(items: Any) -> Any:
    return Stream(asynchronous(items)) | ops.buffer(Suspend(2))


def behind_workers(items: Any) -> Any:
    async def same(item: Any) -> Any:
        await asyncio.sleep(0)
        return item

    return Stream(items) | ops.map(same, concurrency=3)


SOURCES: list[Any] = [list, tuple, generated, asynchronous, behind_a_channel, behind_workers]


async def outcome(job: Any) -> Any:
    """What `job` returned or raised."""
    try:
        return await job
    except BaseException as error:
        return error


async def collected(stream: Any) -> list[Any]:
    return [item async for item in stream]
