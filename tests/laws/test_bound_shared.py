"""Law 2 where several readers in one pipe share a run: what is before it counts once, their lanes each."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import Collect, DropIncoming, DropOldest, Stream, Suspend, ops
from streamkit.testing import run
from tests.laws.items import Item, items_in
from tests.laws.lab import trying
from tests.laws.test_bound import STALLED, Watched, any_plan, run_built


class Shared(Watched):
    """A lab in which an item is inside until it has left by each way that it can take."""

    ways = 2

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.left = weakref.WeakKeyDictionary[Item, int]()

    def drop(self, item: Any, _: object = None) -> None:
        for each in items_in(item):
            self.left[each] = self.left.get(each, 0) + 1
            if self.left[each] >= self.ways:
                self.alive.discard(each)


class OfThree(Shared):
    ways = 3


class OfFour(Shared):
    ways = 4


def diamond(stream: Any, lab: Any, strategy: Any = None) -> Any:
    shared = stream | ops.share(strategy=strategy or Suspend(2))
    return shared | ops.merge(shared | ops.map(lab.callback(lambda item: item)))


class OfEight(Shared):
    ways = 8


def zipped(stream: Any, lab: Any, *, times: int = 1, way: Any = None) -> Any:
    for _ in range(times):
        shared = stream | ops.share(strategy=Suspend(2))
        stream = shared | ops.zip(shared | (way or ops.map(lab.callback(lambda item: item))))
    return stream


def slow(lab: Any) -> Any:
    return ops.map(lab.callback(lambda item: item), concurrency=3)


def three(lab: Any, join: Any) -> Any:
    shared = Stream(lab.source()) | slow(lab) | ops.buffer(Suspend(2)) | ops.share()
    return shared | join(shared, shared | ops.buffer(Suspend(3)))


CASES: dict[str, tuple[type[Shared], int, int, Callable[[Any], Any]]] = {
    "one diamond": (Shared, 3, 6, lambda lab: diamond(Stream(lab.source()), lab)),
    "two diamonds": (OfFour, 5, 12, lambda lab: diamond(diamond(Stream(lab.source()), lab), lab)),
    "batches": (Shared, 9, 18, lambda lab: diamond(Stream(lab.source()) | ops.batch(3), lab)),
    "collected": (Shared, 8, 16, lambda lab: diamond(Stream(lab.source()), lab, Collect(4))),
    "lossy": (Shared, 5, 8, lambda lab: diamond(Stream(lab.source()), lab, DropOldest(3, on_drop=lab.drop))),
    "merge of three": (OfThree, 8, 13, lambda lab: three(lab, ops.merge)),
    "zip": (Shared, 3, 7, lambda lab: zipped(Stream(lab.source()), lab)),
    "zips of zips": (OfEight, 8, 19, lambda lab: zipped(Stream(lab.source()), lab, times=3)),
    "zips, one way with tasks": (
        OfFour,
        7,
        25,
        lambda lab: zipped(Stream(lab.source()), lab, times=2, way=ops.buffer(Suspend(3)) | slow(lab)),
    ),
    # of pairs that are left out, each is made of two items
    "filtered": (
        OfFour,
        6,
        20,
        lambda lab: zipped(zipped(Stream(lab.source()), lab) | ops.filter(lab.callback(bool)), lab),
    ),
    "zip of three": (OfThree, 7, 14, lambda lab: three(lab, ops.zip)),
}
"""How many ways there are, how many items are found inside, and how many may be.

Lanes that fill alike have the same items, which count in each: so not so many are found.
"""


@pytest.mark.parametrize(("watched", "least", "most", "build"), CASES.values(), ids=CASES)
def test_no_more_is_inside_than_explain_says(
    watched: type[Shared], least: int, most: int, build: Callable[[Any], Any]
) -> None:
    found = 0
    for plan in (*STALLED, *map(any_plan, range(3))):
        with trying(plan):
            inside, bound = run_built(build, plan, watched=watched)
            assert inside <= bound == most, f"{inside} items inside, bound {bound}"
            found = max(found, inside)
    assert found >= least


@pytest.mark.parametrize(
    ("strategy", "found", "bound"),
    # those who wait for each other have the same items; else each has ten of its own
    [(Suspend(2), 11, 22), (Collect(2), 11, 58), (DropIncoming(2), 35, 52), (DropOldest(2), 31, 52)],
    ids=repr,
)
def test_what_is_replayed_to_readers_that_come_late_is_counted(strategy: Any, found: int, bound: int) -> None:
    alive = weakref.WeakSet[Item]()
    inside = list[int]()

    async def source() -> AsyncIterator[Item]:
        for number in range(60):
            await asyncio.sleep(1.0)
            item = Item(number)
            alive.add(item)
            yield item
            del item
            inside.append(len(alive))

    shared = Stream(source) | ops.share(10, strategy=strategy)
    none = ops.filter(lambda _: False)
    stuck = ops.map(lambda _: asyncio.sleep(1000.0)) | none
    late = [shared | ops.delay_start(begin) | stuck for begin in (15.0, 16.0, 40.0)]
    stream: Any = shared | none | ops.merge(*late)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(100.0):
                async for _ in stream:
                    pass

    run(main)
    assert (max(inside), stream.explain().bound) == (found, bound)
