"""Strategies of neighbouring buffers: which fuse, into what, and that it changes nothing."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from operator import add
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    KeepLatest,
    Spill,
    Strategy,
    Stream,
    Suspend,
    Unbounded,
    ops,
)
from streamkit.testing import run
from tests.core.strategies import ALL, fuse, noted

# fusing ------------------------------------------------------------------------------------

# Rows stand before columns in the pipe. S Suspend, F Fail, I DropIncoming, O DropOldest, Y DropYoungest,
# A DropAll, K KeepLatest, C Conflate, L Collect, P Spill, U Unbounded; a dash: two buffers stay two.
FUSED = """
        S3  F3  I3  O3  Y3  A3  K   C   L3  P3  U
    S2  S5  F3  I3  O3  Y3  A3  K   C   -   P3  U
    F2  F5  F3  I3  O3  Y3  A3  K   C   -   P3  U
    I2  I5  F3  I3  O3  Y3  A3  K   C   -   P3  U
    O2  O5  F3  I3  O3  Y3  A3  K   C   -   P3  U
    Y2  Y5  F3  I3  O3  Y3  A3  K   C   -   P3  U
    A2  A5  F3  I3  O3  Y3  A3  K   C   -   P3  U
    K   O4  F3  I3  O3  Y3  A3  K   C   -   P3  U
    C   -   -   -   -   -   -   -   -   -   -   -
    L2  -   -   -   -   -   -   -   -   -   -   -
    P2  P5  F3  I3  O3  Y3  A3  K   C   -   P3  U
    U   U   F3  I3  O3  Y3  A3  K   C   -   P3  U
"""
KINDS: list[Any] = [Suspend, Fail, DropIncoming, DropOldest, DropYoungest, DropAll, KeepLatest]
LETTERS = dict(zip("SFIOYAKCLPU", [*KINDS, lambda: Conflate(add), Collect, Spill, Unbounded], strict=True))


def written(text: str) -> Strategy | None:
    if text == "-":
        return None
    strategy: Strategy = LETTERS[text[0]](*map(int, text[1:]))
    return strategy


def fused_pairs() -> Iterator[Any]:
    header, *rows = [line.split() for line in FUSED.strip().splitlines()]
    for first, *cells in rows:
        for then, expected in zip(header, cells, strict=True):
            yield pytest.param(written(first), written(then), written(expected), id=f"{first}-{then}")


@pytest.mark.spread
@pytest.mark.parametrize(("first", "then", "expected"), [*fused_pairs()])
def test_two_neighbouring_buffers_fuse_as_the_table_says(
    first: Strategy, then: Strategy, expected: Strategy | None
) -> None:
    assert fuse(first, then) == expected


@pytest.mark.spread
@pytest.mark.parametrize(("first", "then", "expected"), [*fused_pairs()])
def test_buffers_that_fuse_are_one_buffer_when_they_run(
    first: Strategy, then: Strategy, expected: Strategy | None
) -> None:
    async def main() -> list[Strategy | None]:
        handle = (Stream([1, 2]) | ops.buffer(first) | ops.buffer(then) | ops.drain()).start()
        await handle
        return [each.strategy for each in handle.buffers()]

    assert sorted(map(repr, run(main))) == sorted(
        map(repr, [first, then] if expected is None else [expected])
    )


def test_a_buffer_that_marks_gaps_fuses_with_none_behind_it() -> None:
    marking = DropOldest(2, gaps=True)
    for then in ALL:
        assert fuse(marking, then) is None
    assert fuse(Suspend(2), marking) == marking


def test_what_was_asked_of_a_lossy_buffer_stays_when_a_waiting_one_adds_its_capacity() -> None:
    assert fuse(DropOldest(2, on_drop=noted), Suspend(3)) == DropOldest(5, on_drop=noted)
    assert fuse(KeepLatest(on_drop=noted), Suspend(3)) == DropOldest(4, on_drop=noted)
    assert fuse(Spill(2, directory="."), Suspend(3)) == Spill(5, directory=".")


@given(
    st.lists(
        st.sampled_from([Suspend(1), Suspend(2), Suspend(5), DropOldest(3), Fail(2), Unbounded()]), min_size=1
    )
)
def test_it_does_not_matter_which_of_several_neighbours_fuse_first(strategies: list[Strategy]) -> None:
    def from_left(left: list[Strategy]) -> Strategy | None:
        joined: Strategy | None = left[0]
        for each in left[1:]:
            joined = None if joined is None else fuse(joined, each)
        return joined

    def from_right(left: list[Strategy]) -> Strategy | None:
        joined: Strategy | None = left[-1]
        for each in reversed(left[:-1]):
            joined = None if joined is None else fuse(each, joined)
        return joined

    assert from_left(strategies) == from_right(strategies)


PAUSES = (0.0, 0.0, 0.0, 0.5, 1.0, 3.0)
LOSSLESS = st.one_of(
    st.builds(Suspend, st.integers(1, 5)), st.builds(Spill, st.integers(1, 5)), st.just(Unbounded())
)


def passed(buffers: list[Any], seed: int, count: int = 20) -> list[int]:
    """What comes out of `buffers` with a random source and a random consumer."""
    pause = random.Random(seed)

    async def source() -> AsyncIterator[int]:
        for number in range(count):
            await asyncio.sleep(pause.choice(PAUSES))
            yield number

    async def main() -> list[int]:
        stream: Any = Stream(source)
        for each in buffers:
            stream = stream | each
        found: list[int] = []
        async with stream.open() as items:
            async for item in items:
                found.append(item)
                await asyncio.sleep(pause.choice(PAUSES))
        return found

    return run(main)


@given(LOSSLESS, LOSSLESS, st.integers(0, 10**6))
def test_fused_lossless_buffers_pass_on_what_the_two_unfused_do(
    first: Strategy, then: Strategy, seed: int
) -> None:
    assert fuse(first, then) is not None
    apart = [ops.buffer(first), ops.tap(lambda _: None), ops.buffer(then)]
    fused = [ops.buffer(first), ops.buffer(then)]
    assert passed(fused, seed) == passed(apart, seed) == [*range(20)]


@given(st.integers(1, 5), st.integers(1, 5))
def test_fused_waiting_buffers_read_as_far_ahead_as_both_did(first: int, then: int) -> None:
    async def main() -> int:
        taken = 0

        async def source() -> AsyncIterator[int]:
            nonlocal taken
            while True:
                taken += 1
                yield taken

        stream = Stream(source) | ops.buffer(Suspend(first)) | ops.buffer(Suspend(then))
        async with stream.open() as items:
            async for _ in items:
                await asyncio.sleep(9.0)
                break
        return taken

    assert first + then <= run(main) <= first + then + 1
