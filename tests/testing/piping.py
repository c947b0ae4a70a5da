"""Pipes of the catalogue that the faulty sources and consumers of `streamkit.testing` are tried with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamkit import Stream, Suspend, Tumbling, ops
from streamkit.testing import FaultySource

__all__ = ["ITEMS", "LONG", "OTHERS", "PIPES", "Pipe", "numbers_in"]

ITEMS = range(6)
OTHERS = range(100, 106)
LONG = 1000.0
"""Seconds after which a test gives up a pipe whose source hangs."""


async def turn(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


async def slow(item: Any) -> Any:
    await asyncio.sleep(0.5)
    return item


def same(item: Any) -> Any:
    return item


def twice(stream: Any) -> Any:
    return stream | ops.merge(stream)


def numbers_in(value: Any) -> list[int]:
    """The numbers in an item, which may be a tuple or a list of them."""
    return [value] if isinstance(value, int) else [number for each in value for number in numbers_in(each)]


@dataclass(frozen=True)
class Pipe:
    """One pipe over a source, some with a second source beside it."""

    name: str
    make: Callable[[Stream[Any], Any], Any]
    lossless: bool = True
    """Whether all that its source gave comes out before the error of that source."""
    copies: int = 1
    """How often each item comes out."""
    chooses: bool = False
    """Whether it leaves items out, or repeats them, by what it does."""
    catches: bool = False
    """Whether it goes on after an error of its source, or need not come to it."""
    joins: bool = False
    """Whether there is a second source beside it."""

    def over(self, source: FaultySource[int], other: FaultySource[int]) -> Any:
        return self.make(Stream(source), other)

    def __repr__(self) -> str:
        return self.name


PIPES = [
    Pipe("steps", lambda main, _: main | ops.map(same) | ops.filter(lambda _: True)),
    Pipe("merge", lambda main, other: main | ops.merge(other), joins=True),
    Pipe("zip", lambda main, other: main | ops.zip(other), lossless=False, joins=True),
    Pipe("buffer", lambda main, _: main | ops.buffer(Suspend(3))),
    Pipe("map", lambda main, _: main | ops.map(slow, concurrency=3), lossless=False),
    Pipe("map-unordered", lambda main, _: main | ops.map(turn, concurrency=3, ordered=False), lossless=False),
    Pipe("flat_map", lambda main, _: main | ops.flat_map(lambda item: [item], concurrency=2), lossless=False),
    Pipe(
        "flat_map-other",
        lambda main, other: main | ops.flat_map(lambda _: other, concurrency=2),
        lossless=False,
        chooses=True,
        joins=True,
    ),
    Pipe("concat", lambda main, other: main | ops.concat(other), joins=True),
    Pipe("broadcast", lambda main, _: main | ops.broadcast(ops.map(same), ops.map(turn)), copies=2),
    Pipe(
        "broadcast-buffer",
        lambda main, _: main | ops.broadcast(ops.buffer(Suspend(2)) | ops.map(slow), ops.map(same)),
        copies=2,
    ),
    Pipe("share", lambda main, _: main | ops.share()),
    Pipe(
        "share-twice",
        lambda main, _: twice(main | ops.share()),
        lossless=False,
        chooses=True,
    ),
    Pipe("retry", lambda main, _: main | ops.retry(attempts=2), chooses=True, catches=True),
    Pipe("catch", lambda main, other: main | ops.catch(lambda _: other), catches=True, joins=True),
    Pipe(
        "window",
        lambda main, _: main | ops.window(Tumbling(count=2), ops.to_list()) | ops.map(lambda found: found[1]),
        lossless=False,
    ),
    Pipe("timeout", lambda main, _: main | ops.timeout(50.0)),
    Pipe(
        "switch_map",
        lambda main, other: main | ops.switch_map(lambda _: other),
        lossless=False,
        chooses=True,
        joins=True,
    ),
    Pipe(
        "combine_latest",
        lambda main, other: main | ops.combine_latest(other),
        lossless=False,
        chooses=True,
        joins=True,
    ),
    Pipe("batch_within", lambda main, _: main | ops.batch_within(2, seconds=3.0)),
    Pipe("throttle", lambda main, _: main | ops.throttle(2.0)),
    Pipe("delay", lambda main, _: main | ops.delay(2.5)),
    Pipe("race", lambda main, other: main | ops.race(other), chooses=True, catches=True, joins=True),
    Pipe(
        "group_by",
        lambda main, _: main | ops.group_by(lambda n: n % 2, ops.map(turn), max_groups=2),
        lossless=False,
        chooses=True,
    ),
]
