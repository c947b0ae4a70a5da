"""Law 7: ready sources take turns, and pipelines whose items are always ready let the event loop breathe."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count, islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from streamkit import Stream, Suspend, ops
from streamkit._engine.compile.pace import BUDGET, LARGEST
from streamkit.testing import VirtualLoop, run
from streamkit.testing.conformance.keeping import drained as consume
from streamkit.testing.conformance.pacing import breathes, taken_at_once
from tests.laws.lab import Case, Sample, play, trying
from tests.samples import SAMPLES

READY = ("ready", "plain")
"""The styles of sources that never wait."""


def iteration() -> int:
    """Which iteration of the event loop this is."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.steps


# Breathing ------------------------------------------------------------------------------------------------


@pytest.mark.spread
@pytest.mark.parametrize("style", READY)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_items_that_are_always_ready_let_the_loop_breathe(sample: Sample, style: str) -> None:
    for kind in sample.kinds:
        with trying(kind):
            breathes(sample, Case(style, kind))


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("source", ["range", "lists", "endless", "returned"])
def test_the_workers_of_a_map_together_take_no_longer_than_one_loop(
    source: str, waits: bool, ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: now[0])
    called: Counter[int] = Counter()

    def work(item: int) -> int:
        now[0] += BUDGET / 10
        called[iteration()] += 1
        return item

    async def later(item: int) -> int:
        return work(item)

    def dropped(item: int) -> Any:
        return later(item)

    sources: dict[str, Any] = {
        "range": Stream(range(2000)),
        "lists": Stream(lambda: iter([[*range(2000)]])) | ops.flatten(),
        "endless": Stream([count()]) | ops.flatten() | ops.take(2000),
        "returned": Stream(lambda: iter([(1, 2)] * 1000))
        | ops.flatten()
        | ops.map(dropped)
        | ops.filter(lambda _: False),
    }
    function = later if waits else work
    job = sources[source] | ops.map(function, concurrency=64, ordered=ordered) | ops.drain()
    run(lambda: consume(job))
    assert sum(called.values()) == 2000
    assert max(called.values()) <= 20


@pytest.mark.parametrize("style", READY)
def test_items_that_take_no_time_do_not_make_it_breathe(style: str) -> None:
    """It is also what the test above would find in a pipeline that never breathes."""
    assert taken_at_once(Sample("map", lambda lab: ops.map(abs_item)), Case(style)) == (61, 60)


def abs_item(item: Any) -> Any:
    return item


SOURCES: dict[str, Callable[[int], Any]] = {
    "range": lambda size: Stream(range(size)),
    "generator": lambda size: Stream(lambda: (number for number in range(size))),
    "async generator": lambda size: Stream(lambda: ready(size)),
    "buffer": lambda size: Stream(range(size)) | ops.buffer(Suspend(64)),
    "merge": lambda size: Stream(lambda: range(size)) | ops.merge([]),
    "merge, in place": lambda size: Stream(range(size)) | ops.merge([]),
    "concat": lambda size: Stream(range(size)) | ops.concat([]),
    "flat_map": lambda size: Stream([size]) | ops.flat_map(range, concurrency=2),
}


async def ready(size: int) -> AsyncIterator[int]:
    for number in range(size):
        yield number


class Clock:
    """A clock that only work moves, and how long each iteration of the loop took by it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.spent: Counter[int] = Counter()
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: self.now)

    def work(self, seconds: float) -> None:
        self.now += seconds
        self.spent[iteration()] += seconds  # type: ignore[assignment]


@pytest.mark.spread
@pytest.mark.parametrize("seconds", [1e-6, 3e-5, 1e-4, 1e-3, 0.02])
@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_the_loop_breathes_every_few_milliseconds_whatever_an_item_costs(
    make: Callable[[int], Any], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    size = max(50, min(20_000, int(10 * BUDGET / seconds)))
    run(lambda: consume(make(size) | ops.for_each(lambda _: clock.work(seconds))))
    assert clock.now == pytest.approx(size * seconds)
    # before it has met the first item that costs something, a loop may have taken four
    assert max(clock.spent.values()) <= 2 * BUDGET + 4 * seconds
    if seconds < BUDGET and make in (SOURCES["range"], SOURCES["generator"]):
        assert len(clock.spent) <= clock.now / BUDGET + 5, "it breathes more often than it has to"


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_items_that_suddenly_cost_more_are_noticed(
    make: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    costs = [1e-6] * 5_000 + [1e-3] * 3_000
    run(lambda: consume(make(len(costs)) | ops.for_each(lambda number: clock.work(costs[number]))))
    assert max(clock.spent.values()) <= LARGEST * 1e-3 + BUDGET
    assert sorted(clock.spent.values())[-3] <= 2 * BUDGET + 1e-3


def test_a_timer_of_somebody_else_runs_while_an_endless_pipeline_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)

    async def main() -> None:
        handle = (Stream(lambda: count()) | ops.for_each(lambda _: clock.work(1e-4))).start()
        for _ in range(5):
            await asyncio.sleep(0)
        await handle.stop()

    run(main)
    assert 0 < clock.now <= 5 * 2 * BUDGET + 1e-3


# Turns ----------------------------------------------------------------------------------------------------


def leads(found: list[int], sources: int) -> Iterator[int]:
    """By how much the source that is ahead leads the one that is behind, after each item."""
    counts = [0] * sources
    for place in found:
        counts[place] += 1
        yield max(counts) - min(counts)


def endless(place: int, style: str) -> Any:
    async def waits_never() -> AsyncIterator[int]:
        while True:
            yield place

    def plain() -> Iterator[int]:
        while True:
            yield place

    return plain if style == "plain" else waits_never


async def first_items(stream: Any, size: int) -> list[Any]:
    found: list[Any] = []
    async with stream.open() as items:
        async for item in items:
            found.append(item)
            if len(found) == size:
                return found
    return found


MANY = st.lists(st.sampled_from(READY), min_size=2, max_size=5)


@pytest.mark.parametrize("busy", [False, True], indirect=True, ids=["idle", "busy"])
@given(styles=MANY, lookahead=st.integers(1, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ready_sources_of_a_merge_take_turns_item_by_item(
    styles: list[str], lookahead: int, busy: bool
) -> None:
    sources = [endless(place, style) for place, style in enumerate(styles)]
    found = run(lambda: first_items(Stream(sources[0]) | ops.merge(*sources[1:], lookahead=lookahead), 60))
    assert max(leads(found, len(styles))) <= 2


@pytest.mark.parametrize("busy", [False, True], indirect=True, ids=["idle", "busy"])
@given(styles=MANY, lookahead=st.integers(1, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ready_streams_of_a_flat_map_take_turns_item_by_item(
    styles: list[str], lookahead: int, busy: bool
) -> None:
    nested = ops.flat_map(
        lambda place: endless(place, styles[place]), concurrency=len(styles), lookahead=lookahead
    )
    found = run(lambda: first_items(Stream(range(len(styles))) | nested, 90))
    begun = max(found.index(place) for place in range(len(styles)))  # they begin one after the other
    assert begun < 30
    assert max(leads(found[begun:], len(styles))) <= 2


@pytest.mark.parametrize("busy", [False, True], indirect=True, ids=["idle", "busy"])
@given(styles=MANY, data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_source_of_a_merge_waits_for_more_than_the_buffers_of_the_others(
    styles: list[str], data: st.DataObject, busy: bool
) -> None:
    sizes = [data.draw(st.integers(1, 9)) for _ in styles]
    streams = [
        Stream(endless(place, style)) | ops.buffer(Suspend(size))
        for place, (style, size) in enumerate(zip(styles, sizes, strict=True))
    ]
    found = run(lambda: first_items(streams[0] | ops.merge(*streams[1:]), 60))
    for place, size in enumerate(sizes):
        places = [number for number, each in enumerate([place, *found, place]) if each == place]
        waits = [after - before - 1 for before, after in zip(places, places[1:], strict=False)]
        assert max(waits) <= 2 * (sum(sizes) - size)


@pytest.mark.parametrize("busy", [False, True], indirect=True, ids=["idle", "busy"])
@pytest.mark.parametrize("style", READY)
def test_a_source_that_is_always_ready_does_not_starve_one_that_waits(style: str, busy: bool) -> None:
    async def slow() -> AsyncIterator[int]:
        for _ in range(10):
            await asyncio.sleep(0)
            yield 1

    found = run(lambda: first_items(Stream(endless(0, style)) | ops.merge(slow), 300))
    assert found.count(1) == 10


@pytest.mark.parametrize("busy", [False, True], indirect=True, ids=["idle", "busy"])
def test_branches_of_a_broadcast_take_turns(busy: bool) -> None:
    branches = [ops.map(lambda _, place=place: place) for place in range(3)]
    found = run(lambda: first_items(Stream(endless(0, "plain")) | ops.broadcast(*branches), 60))
    assert max(leads(found, 3)) <= 2


@pytest.mark.parametrize("busy", [False, True], indirect=True, ids=["idle", "busy"])
def test_two_pipelines_of_one_loop_take_turns(busy: bool) -> None:
    found: list[int] = []

    async def pipeline(place: int) -> None:
        await first_items(
            Stream(endless(place, "plain")) | ops.buffer(Suspend(4)) | ops.tap(found.append), 200
        )

    async def main() -> None:
        await asyncio.gather(pipeline(0), pipeline(1))

    play(main)
    assert max(islice(leads(found, 2), 200)) <= 5
