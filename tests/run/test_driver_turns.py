"""A source whose pump is driven lets other tasks run, as law 7 says."""

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
