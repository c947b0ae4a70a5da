"""The counts of lanes whose pumps are driven: many rounds of the same lanes are counted together."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import streamkit
from streamkit import Stream, Suspend, ops
from streamkit._engine.compile import pace
from streamkit.testing import run


@pytest.mark.parametrize("lengths", [[5] * 4, [1, 7, 3, 0, 12, 2], [40, 40, 1, 1, 1]])
@pytest.mark.parametrize("pauses", [False, True])
@pytest.mark.parametrize("lookahead", [1, 3])
@pytest.mark.parametrize("every", [1, 5])
def test_they_are_those_of_the_moment_when_a_callback_looks(
    every: int, lookahead: int, pauses: bool, lengths: list[int]
) -> None:
    async def inner(length: int) -> AsyncIterator[int]:
        for number in range(length):
            if pauses and number % 3 == 2:
                await asyncio.sleep(1.0)
            yield number

    async def main() -> None:
        came = 0

        def look(_: int) -> None:
            nonlocal came
            came += 1
            if came % every:
                return
            stats = handle.buffers()
            assert sum(each.delivered for each in stats) == came
            assert all(each.offered == each.delivered + each.held for each in stats)
            assert all(each.held_at_most <= lookahead for each in stats)

        flat = ops.flat_map(inner, concurrency=3, lookahead=lookahead)
        handle = (Stream(lengths) | flat | ops.for_each(look)).start()
        await handle
        assert came == sum(lengths) == sum(each.delivered for each in handle.buffers())

    run(main)


@pytest.mark.parametrize("taken", [1, 4, 7, 11])
def test_what_was_taken_counts_where_the_reader_leaves_in_a_round(taken: int) -> None:
    async def inner(start: int) -> AsyncIterator[int]:
        for number in range(start, start + 10):
            yield number

    async def main() -> None:
        flat = ops.flat_map(inner, concurrency=3)
        handle = (Stream(range(9)) | flat | ops.take(taken) | ops.to_list()).start()
        assert len(await handle) == taken
        assert sum(each.delivered for each in handle.buffers()) == taken

    run(main)


def test_what_a_stream_brings_after_another_has_failed_counts_as_refused() -> None:
    async def late() -> AsyncIterator[int]:
        yield 1
        try:
            await asyncio.sleep(9.0)
        except asyncio.CancelledError:
            yield 2

    async def fails() -> AsyncIterator[int]:
        await asyncio.sleep(1.0)
        yield 3
        raise LookupError

    async def main() -> None:
        flat = ops.flat_map(lambda inner: inner(), concurrency=2)
        handle = (Stream([late, fails]) | flat | ops.to_list()).start()
        with pytest.raises(LookupError):
            await handle
        found = [(each.offered, each.delivered, each.refused) for each in handle.buffers()]
        assert found == [(2, 1, 1), (1, 1, 0)]

    run(main)


async def numbers(count: int = 40) -> AsyncIterator[int]:
    for number in range(count):
        yield number


READ: dict[str, tuple[int, Any]] = {
    "zip": (2, lambda: streamkit.zip(numbers(), numbers(30))),
    "zip, far ahead": (2, lambda: streamkit.zip(numbers(), numbers(30), lookahead=9)),
    "merge": (1, lambda: streamkit.merge(numbers(), numbers(30))),
    "merge_sorted": (1, lambda: streamkit.merge_sorted(numbers(), numbers(30))),
    "interleave": (1, lambda: streamkit.interleave(numbers(), numbers(30))),
    "buffer": (1, lambda: Stream(numbers) | ops.buffer(Suspend(7))),
}


@pytest.mark.parametrize("name", READ)
def test_so_they_are_of_all_that_read_several_at_once(name: str) -> None:
    each, made = READ[name]
    seen = list[int]()

    async def main() -> None:
        def look(_: Any) -> None:
            stats = handle.buffers()
            seen.append(sum(each.delivered for each in stats))
            assert all(each.offered == each.delivered + each.held for each in stats)

        handle = (made() | ops.for_each(look)).start()
        await handle

    run(main)
    assert seen == [*range(each, each * len(seen) + 1, each)]
    assert len(seen) >= 30


@pytest.mark.parametrize("far", [1, 2, 5])
def test_pumps_that_are_not_stepped_in_time_go_on_later(far: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the reader waits, lanes are filled up; after `far` items, all that time is over."""
    now, looked = 100.0, 0

    async def inner(start: int) -> AsyncIterator[int]:
        nonlocal now, looked
        begun.append(asyncio.get_running_loop().time())
        for number in range(start, start + 6):
            looked += 1
            now += 10.0 if looked % far == 0 else 0.0
            yield number

    async def slow(number: int) -> None:
        await asyncio.sleep(1.0)
        found.append(number)

    found, begun = list[int](), list[float]()
    monkeypatch.setattr(pace, "BUDGET", 1.0)
    monkeypatch.setattr(pace, "perf_counter", lambda: now)
    flat = ops.flat_map(inner, concurrency=5, lookahead=3)
    run(lambda: Stream(range(0, 500, 100)) | flat | ops.for_each(slow))
    for start in range(0, 500, 100):
        assert [each for each in found if start <= each < start + 100] == [*range(start, start + 6)]
    assert found[:5] == [0, 100, 200, 300, 400]
    assert begun == [begun[0]] * 5  # all, while the first item is awaited


@pytest.mark.parametrize("lookahead", [1, 4])
def test_each_has_its_turn_however_few_items_are_asked_for_at_once(
    lookahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader begins with one, and asks for more where they cost nothing."""
    monkeypatch.setattr(pace, "perf_counter", lambda: 0.0)

    async def inner(number: int) -> AsyncIterator[int]:
        for _ in range(5):
            yield number

    flat = ops.flat_map(inner, concurrency=6, lookahead=lookahead)
    assert run(lambda: Stream(range(6)) | flat | ops.to_list()) == [*range(6)] * 5
