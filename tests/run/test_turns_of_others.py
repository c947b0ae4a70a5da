"""How many turns of the event loop a run takes, how long others wait for theirs, and how often it looks.

A reader that steps the pumps of ready sources takes few turns, however many items pass; where items take
their time, others run as often as the budget says (law 7). What decides it changes no item, and no order.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from operator import le
from typing import Any, NamedTuple

import pytest

import streamkit
from streamkit import Operator, Stream, Suspend, ops
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

    async def beside(self, items: Stream[Any]) -> tuple[int, int, int, int]:
        """Turns, the longest time between two, looks at the clock, and items."""
        times = list[int]()

        async def beat() -> None:
            while True:
                times.append(self.now)
                await asyncio.sleep(0)

        others = asyncio.create_task(beat())
        await asyncio.sleep(0)
        count = await (items | ops.count())
        others.cancel()
        longest = max(after - before for before, after in pairwise([*times, self.now]))
        return len(times) - 1, longest, self.looks, count


async def same(item: int) -> int:
    return item


def rare(watch: Watch) -> Stream[int]:
    source: Stream[int] = Stream(watch.source)
    return source | ops.filter(lambda number: number % 32 == 0)


def sources(watch: Watch) -> list[AsyncIterator[int]]:
    return [watch.source() for _ in range(SOURCES)]


def each(step: Operator[int, Any]) -> Stream[Any]:
    return Stream(range(SOURCES)) | step


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
    "merge": lambda watch: streamkit.merge(*sources(watch)),
    "combine_latest": lambda watch: streamkit.combine_latest(*sources(watch)),
    "merge_sorted": lambda watch: streamkit.merge_sorted(*sources(watch), lookahead=4),
    "buffer": lambda watch: Stream(watch.source()) | ops.buffer(Suspend(8)),
    "workers": lambda watch: Stream(watch.source()) | ops.map(same, concurrency=4),
    "filter": lambda watch: rare(watch),
    "timed batches": lambda watch: Stream(watch.source()) | ops.batch_within(7, seconds=5.0),
    "switch_map": lambda watch: each(ops.switch_map(lambda _: watch.source())),
}
TABLE: dict[str, tuple[int, *tuple[tuple[int, int, int], ...]]] = {
    "zip": (96, (2, 0, 36), (110, 120, 840), (33, 320, 260), (21, 72, 132), (38, 0, 60)),
    "zip, ahead": (96, (2, 0, 52), (103, 100, 493), (14, 400, 79), (18, 124, 109), (14, 0, 104)),
    "flat_map": (576, (2, 0, 49), (115, 60, 1501), (38, 320, 488), (23, 60, 243), (38, 0, 83)),
    "flat_map, ahead": (576, (2, 0, 80), (113, 80, 1219), (36, 120, 356), (22, 66, 239), (16, 0, 92)),
    "few places": (576, (2, 0, 47), (115, 60, 1461), (28, 290, 240), (24, 60, 243), (110, 0, 152)),
    "one place": (576, (0, 0, 8), (110, 80, 793), (17, 290, 121), (17, 160, 132), (72, 0, 9)),
    "bring little": (18, (2, 0, 72), (79, 190, 750), (14, 360, 122), (22, 66, 207), (20, 0, 80)),
    "short streams": (96, (2, 0, 337), (28, 120, 527), (8, 80, 363), (9, 80, 378), (39, 0, 380)),
    "merge": (576, (194, 0, 704), (146, 60, 848), (176, 60, 758), (194, 12, 800), (206, 0, 704)),
    "combine_latest": (571, (194, 0, 613), (196, 60, 775), (194, 60, 613), (194, 12, 750), (206, 0, 613)),
    "merge_sorted": (576, (62, 0, 217), (126, 240, 404), (62, 190, 217), (71, 48, 287), (62, 0, 180)),
    "buffer": (96, (26, 0, 33), (21, 80, 64), (24, 80, 40), (26, 16, 46), (36, 0, 33)),
    "workers": (96, (77, 0, 57), (77, 40, 85), (77, 40, 66), (77, 8, 82), (77, 0, 57)),
    "filter": (3, (0, 0, 5), (17, 60, 130), (2, 260, 17), (3, 56, 31), (12, 0, 6)),
    "timed batches": (14, (2, 0, 8), (20, 60, 119), (3, 360, 10), (6, 58, 22), (14, 0, 8)),
    "switch_map": (96, (211, 0, 123), (204, 10, 175), (210, 10, 130), (211, 2, 146), (223, 0, 123)),
}
"""The items that come; and for each kind of source the turns, the longest time between two, and the looks."""


@pytest.mark.parametrize("name", READERS)
def test_a_run_takes_so_many_turns_and_others_wait_so_long_at_most(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    items, *allowed = TABLE[name]
    for (kind, source), most in zip(KINDS.items(), allowed, strict=True):
        watch = Watch(source)
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", watch.clock)
        *found, count = run(watch.beside(READERS[name](watch)))
        assert count == items, kind
        assert all(map(le, found, most)), f"{kind}: {found} turns, waits and looks are more than {most}"
