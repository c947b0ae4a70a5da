"""A source whose pump is driven lets other tasks run, as law 7 says; and what its buffer counts."""

import asyncio
from collections.abc import AsyncIterator

import pytest

import streamkit
from streamkit import Stream, ops
from streamkit.testing import run


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


@pytest.mark.parametrize("case", ["filtered", "ahead"])
def test_others_get_their_turn_however_long_a_source_works_for_an_item(
    monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    now = 0.0
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: now)

    async def slow(count: int) -> AsyncIterator[int]:
        nonlocal now
        for number in range(count):
            now += 0.001
            yield number

    async def main() -> float:
        gaps: list[float] = []

        async def beat() -> None:
            while True:
                before = now
                await asyncio.sleep(0)
                gaps.append(now - before)

        rare = Stream(slow(400)) | ops.filter(lambda number: number % 200 == 0)
        pipes = {
            "filtered": streamkit.zip(rare, numbers(9)),
            "ahead": streamkit.zip(slow(200), numbers(200), lookahead=200),
        }
        beside = asyncio.create_task(beat())
        await asyncio.sleep(0)
        await (pipes[case] | ops.drain())
        beside.cancel()
        return max(gaps)

    assert run(main) < 0.02


@pytest.mark.parametrize("cost", [0.0002, 0.001])
def test_others_get_their_turn_among_very_many_streams_whose_items_take_their_time(
    monkeypatch: pytest.MonkeyPatch, cost: float
) -> None:
    now = 0.0
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: now)

    async def slow(name: int) -> AsyncIterator[int]:
        nonlocal now
        for _ in range(100):
            now += cost
            yield name

    async def main() -> tuple[float, list[int]]:
        gaps, came = list[float](), list[int]()

        async def beat() -> None:
            while True:
                before = now
                await asyncio.sleep(0)
                gaps.append(now - before)

        beside = asyncio.create_task(beat())
        await asyncio.sleep(0)
        await (Stream(range(90)) | ops.flat_map(slow, concurrency=90) | ops.for_each(came.append))
        beside.cancel()
        return max(gaps), came

    gap, came = run(main)
    assert gap < max(0.01, 32 * cost)
    assert [came.count(name) for name in range(90)] == [100] * 90
    window = came[4500:5400]  # all have begun, and none has ended
    assert [window.count(name) for name in range(90)] == [10] * 90


def test_buffers_count_what_passes() -> None:
    async def main() -> list[tuple[int, int, int, int]]:
        handle = (streamkit.zip(lambda: numbers(7), lambda: numbers(5), lookahead=2) | ops.drain()).start()
        await handle
        return [(each.offered, each.delivered, each.dropped, each.held_at_most) for each in handle.buffers()]

    assert run(main) == [(7, 5, 2, 2), (5, 5, 0, 2)]


def test_and_how_full_they_were() -> None:
    async def slow() -> AsyncIterator[int]:
        for number in range(5):
            await asyncio.sleep(1.0)
            yield number

    async def main() -> list[tuple[int, float]]:
        handle = (streamkit.zip(slow, lambda: numbers(9), lookahead=3) | ops.drain()).start()
        await handle
        return [(each.held_at_most, each.seconds_full) for each in handle.buffers()]

    (most, seconds), (_, full) = run(main)
    assert (most, seconds) == (1, 0.0)
    assert full >= 4.0


def test_a_slow_reader_of_very_many_streams_has_a_few_lanes() -> None:
    """One that is idle stands in the queue until the reader looks: it is taken there, not another made."""

    async def inner(number: int) -> AsyncIterator[int]:
        await asyncio.sleep(1.0)
        if number == 0:
            yield number

    async def main() -> int:
        flat = Stream(range(100)) | ops.flat_map(inner, concurrency=2)
        handle = (flat | ops.for_each(lambda _: asyncio.sleep(1000.0))).start()
        await handle
        return len(handle.buffers())

    assert run(main) <= 4


@pytest.mark.parametrize("first", ["waits", "list", "short", "long"])
def test_how_much_a_place_of_flat_map_has_held_is_counted_whatever_it_read_before(first: str) -> None:
    async def waits() -> AsyncIterator[int]:
        await asyncio.sleep(1.0)
        yield 0

    streams = {"waits": waits, "list": lambda: [0], "short": lambda: numbers(2), "long": lambda: numbers(9)}

    def inner(number: int) -> object:
        return streams[first]() if number == 0 else numbers(3)

    async def main() -> list[int]:
        handle = (Stream(range(2)) | ops.flat_map(inner, concurrency=2, lookahead=4) | ops.drain()).start()
        await handle
        return [each.held_at_most for each in handle.buffers()]

    assert sorted(run(main)) == sorted([{"waits": 1, "list": 1, "short": 2, "long": 4}[first], 3])
