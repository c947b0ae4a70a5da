"""How many turns of the event loop a run takes, how long others wait for theirs, and how often it looks.

A reader that steps the pumps of ready sources takes few turns, however many items pass; where items take
their time, others run as often as the budget says (law 7). What decides it changes no item, and no order.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from operator import le
from typing import Any, NamedTuple

import pytest

import streamkit
from streamkit import Operator, Stream, Suspend, ops
from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit.testing import run

ITEMS, SOURCES = 96, 6


class Kind(NamedTuple):
    """How the sources behave."""

    cost: int = 0
    """Hundreds of microseconds that an item takes..."""
    after: int = 0
    """... once so many have come."""
    every: int = ITEMS + 1
    """One of so many lets others run before it comes."""


KINDS = {
    "ready": Kind(),
    "slow": Kind(cost=10),
    "tiring": Kind(cost=10, after=60),
    "brisk": Kind(cost=2),
    "waiting": Kind(every=8),
}


class Watch:
    """A clock that items move on, and others who run beside them."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.now = self.looks = 0

    def clock(self) -> float:
        self.looks += 1
        return self.now / 10_000

    async def source(self) -> AsyncIterator[int]:
        for number in range(ITEMS):
            if number >= self.kind.after:
                self.now += self.kind.cost
            if number % self.kind.every == self.kind.every - 1:
                await asyncio.sleep(0)
            yield number

    async def beside(self, items: Stream[Any]) -> tuple[int, int, int, int, int]:
        """Turns, the longest time between two, looks at the clock, items held, and items."""
        times = list[int]()

        async def beat() -> None:
            while True:
                times.append(self.now)
                await asyncio.sleep(0)

        others = asyncio.create_task(beat())
        await asyncio.sleep(0)
        handle = (items | ops.count()).start()
        count = await handle
        others.cancel()
        held = max([each.held_at_most for each in handle.buffers()], default=0)
        longest = max(after - before for before, after in pairwise([*times, self.now]))
        return len(times) - 1, longest, self.looks, held, count


async def same(item: int) -> int:
    return item


async def slowly(item: Any) -> Any:
    """Lets others run for a while."""
    for _ in range(4):
        await asyncio.sleep(0)
    return item


def rare(watch: Watch) -> Stream[int]:
    source: Stream[int] = Stream(watch.source)
    return source | ops.filter(lambda number: number % 32 == 0)


def sources(watch: Watch) -> list[AsyncIterator[int]]:
    return [watch.source() for _ in range(SOURCES)]


def each(step: Operator[int, Any]) -> Stream[Any]:
    return Stream(range(SOURCES)) | step


def pops(channel: Channel, most: int) -> Iterator[Any]:
    """What is there at once, as a reader takes it that asks for one item at a time."""
    item = channel.pop() if most else EMPTY
    return iter(() if item is EMPTY else (item,))


READERS: dict[str, Callable[[Watch], Stream[Any]]] = {
    "zip": lambda watch: streamkit.zip(*sources(watch)),
    "zip, ahead": lambda watch: streamkit.zip(*sources(watch), lookahead=16),
    "flat_map": lambda watch: each(ops.flat_map(lambda _: watch.source(), concurrency=SOURCES)),
    "flat_map, ahead": lambda watch: each(
        ops.flat_map(lambda _: watch.source(), concurrency=SOURCES, lookahead=16)
    ),
    "few places": lambda watch: each(ops.flat_map(lambda _: watch.source(), concurrency=2)),
    "one place": lambda watch: each(ops.concat_map(lambda _: watch.source())),
    "bring little": lambda watch: each(ops.flat_map(lambda _: rare(watch), concurrency=SOURCES)),
    "short streams": lambda watch: (
        Stream(watch.source()) | ops.flat_map(lambda _: Stream(watch.source()) | ops.take(1), concurrency=4)
    ),
    "zip, busy": lambda watch: streamkit.zip(*sources(watch), lookahead=4) | ops.map(slowly),
    "flat_map, busy": lambda watch: (
        each(ops.flat_map(lambda _: watch.source(), concurrency=SOURCES, lookahead=4)) | ops.map(slowly)
    ),
    "bring little, busy": lambda watch: (
        each(ops.flat_map(lambda _: rare(watch), concurrency=SOURCES, lookahead=2)) | ops.map(slowly)
    ),
    "zip of little, busy": lambda watch: (
        streamkit.zip(*[rare(watch) for _ in range(SOURCES)], lookahead=2) | ops.map(slowly)
    ),
    "popped": lambda watch: each(ops.flat_map(lambda _: watch.source(), concurrency=SOURCES)),
    "popped, little": lambda watch: each(ops.flat_map(lambda _: rare(watch), concurrency=2, lookahead=2)),
    "merge": lambda watch: streamkit.merge(*sources(watch)),
    "combine_latest": lambda watch: streamkit.combine_latest(*sources(watch)),
    "merge_sorted": lambda watch: streamkit.merge_sorted(*sources(watch), lookahead=4),
    "buffer": lambda watch: Stream(watch.source()) | ops.buffer(Suspend(8)),
    "workers": lambda watch: Stream(watch.source()) | ops.map(same, concurrency=4),
    "filter": lambda watch: rare(watch),
    "timed batches": lambda watch: Stream(watch.source()) | ops.batch_within(7, seconds=5.0),
    "switch_map": lambda watch: each(ops.switch_map(lambda _: watch.source())),
}
TABLE: dict[str, tuple[int, *tuple[tuple[int, int, int, int], ...]]] = {
    "zip": (96, (4, 0, 36, 1), (112, 120, 840, 1), (35, 320, 260, 1), (23, 72, 132, 1), (40, 0, 60, 1)),
    "zip, ahead": (
        96,
        (4, 0, 52, 16),
        (105, 100, 493, 16),
        (16, 400, 80, 16),
        (20, 124, 109, 16),
        (16, 0, 104, 8),
    ),
    "flat_map": (576, (4, 0, 49, 1), (117, 60, 1501, 1), (40, 320, 488, 1), (25, 60, 243, 1), (40, 0, 83, 1)),
    "flat_map, ahead": (
        576,
        (4, 0, 80, 16),
        (115, 80, 1219, 16),
        (38, 120, 356, 16),
        (24, 66, 239, 16),
        (18, 0, 92, 8),
    ),
    "few places": (
        576,
        (4, 0, 47, 1),
        (117, 60, 1461, 1),
        (30, 290, 240, 1),
        (26, 60, 243, 1),
        (112, 0, 152, 1),
    ),
    "one place": (576, (2, 0, 9, 0), (112, 80, 794, 0), (19, 290, 122, 0), (19, 160, 133, 0), (74, 0, 9, 0)),
    "bring little": (
        18,
        (4, 0, 72, 1),
        (81, 190, 750, 1),
        (16, 360, 122, 1),
        (24, 66, 207, 1),
        (22, 0, 80, 1),
    ),
    "short streams": (
        96,
        (4, 0, 337, 1),
        (30, 120, 527, 1),
        (10, 80, 363, 1),
        (11, 80, 378, 1),
        (41, 0, 380, 1),
    ),
    "zip, busy": (
        96,
        (386, 0, 106, 4),
        (402, 60, 473, 4),
        (389, 120, 213, 4),
        (386, 48, 174, 4),
        (386, 0, 106, 4),
    ),
    "flat_map, busy": (
        576,
        (2306, 0, 646, 4),
        (2307, 80, 2324, 4),
        (2308, 10, 1101, 4),
        (2306, 40, 1054, 4),
        (2306, 0, 646, 4),
    ),
    "bring little, busy": (
        18,
        (74, 0, 94, 2),
        (110, 150, 823, 2),
        (84, 200, 192, 2),
        (81, 72, 224, 2),
        (74, 0, 94, 2),
    ),
    "zip of little, busy": (
        3,
        (14, 0, 47, 2),
        (103, 90, 651, 2),
        (19, 310, 88, 2),
        (24, 64, 161, 2),
        (16, 0, 41, 1),
    ),
    "popped": (576, (4, 0, 620, 1), (109, 70, 1476, 1), (38, 120, 805, 1), (27, 58, 758, 1), (40, 0, 656, 1)),
    "popped, little": (
        18,
        (4, 0, 83, 2),
        (66, 150, 845, 1),
        (20, 360, 146, 2),
        (22, 114, 239, 2),
        (46, 0, 94, 1),
    ),
    "merge": (
        576,
        (196, 0, 704, 1),
        (148, 60, 848, 1),
        (178, 60, 758, 1),
        (196, 12, 800, 1),
        (208, 0, 704, 1),
    ),
    "combine_latest": (
        571,
        (196, 0, 613, 1),
        (198, 60, 775, 1),
        (196, 60, 613, 1),
        (196, 12, 750, 1),
        (208, 0, 613, 1),
    ),
    "merge_sorted": (
        576,
        (64, 0, 217, 4),
        (128, 240, 404, 4),
        (64, 190, 217, 4),
        (73, 48, 288, 4),
        (64, 0, 180, 4),
    ),
    "buffer": (96, (28, 0, 33, 8), (23, 80, 65, 8), (26, 80, 40, 8), (28, 16, 46, 8), (38, 0, 33, 8)),
    "workers": (96, (79, 0, 57, 0), (79, 40, 85, 0), (79, 40, 66, 0), (79, 8, 82, 0), (79, 0, 57, 0)),
    "filter": (3, (2, 0, 6, 0), (19, 60, 131, 0), (4, 260, 18, 0), (5, 56, 32, 0), (14, 0, 6, 0)),
    "timed batches": (14, (4, 0, 8, 7), (22, 60, 120, 7), (5, 360, 11, 7), (8, 58, 23, 7), (16, 0, 8, 7)),
    "switch_map": (
        96,
        (213, 0, 123, 1),
        (206, 10, 175, 1),
        (212, 10, 130, 1),
        (213, 2, 146, 1),
        (225, 0, 123, 1),
    ),
}
"""The items that come; and for each kind of source the turns, the longest time between two, the looks, and
how many items a buffer held at most."""


@pytest.mark.parametrize("name", READERS)
def test_a_run_takes_so_many_turns_and_others_wait_so_long_at_most(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    items, *allowed = TABLE[name]
    if name.startswith("popped"):
        monkeypatch.setattr(Channel, "drained", pops)
    for (kind, source), most in zip(KINDS.items(), allowed, strict=True):
        watch = Watch(source)
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", watch.clock)
        *found, held, count = run(watch.beside(READERS[name](watch)))
        assert (held, count) == (most[3], items), kind
        assert all(map(le, found, most)), f"{kind}: {found} turns, waits and looks are more than {most}"
