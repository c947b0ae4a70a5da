"""Pace: timeouts of a source's own that fire while its item waits downstream (PEP 789), and what comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import run

LONG = 9.0


async def ends() -> AsyncIterator[Any]:
    """Its timeout ends it."""
    try:
        async with asyncio.timeout(5.0):
            for number in range(9):
                yield number
    except TimeoutError:
        return


async def goes_on() -> AsyncIterator[Any]:
    """Three timeouts, one inside the other, of which each lets it go on."""
    try:
        async with asyncio.timeout(3.0):
            try:
                async with asyncio.timeout(2.0):
                    try:
                        async with asyncio.timeout(1.0):
                            for number in range(9):
                                yield number
                    except TimeoutError:
                        yield "one"
            except TimeoutError:
                yield "two"
    except TimeoutError:
        yield "three"


SOURCES: dict[str, tuple[Callable[[], AsyncIterator[Any]], list[Any]]] = {
    "ends": (ends, [0, 1]),
    "goes on": (goes_on, [0, 1, "one", "three"]),
}
"""Sources, and what comes of them through a buffer of one item, whose reader has the first in hand for long.

Of timeouts that fire while another is told to the source already, one is told: it is the outermost."""


def slow(source: Any, *pipe: Any) -> list[Any]:
    """What a reader gets that waits behind the first item, until all timeouts have fired."""
    found: list[Any] = []

    async def main() -> None:
        async for item in Stream(source).pipe(*pipe, ops.buffer(Suspend(1))):
            if not found:
                await asyncio.sleep(LONG)
            found.append(item)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(main)
    return found


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("pipe", [(), (ops.map(lambda item: item),)], ids=["alone", "behind a step"])
def test_what_was_pulled_is_kept_and_the_source_goes_on_behind_it(name: str, pipe: tuple[Any, ...]) -> None:
    source, expected = SOURCES[name]
    assert slow(source, *pipe) == expected


def test_a_stream_in_turn_that_a_timeout_before_it_cancels_says_what_to_write() -> None:
    async def source() -> AsyncIterator[Any]:
        try:
            async with asyncio.timeout(2.0):
                yield 1
        except TimeoutError:
            yield 2

    async def three(item: int) -> AsyncIterator[int]:
        for _ in range(3):
            yield item

    with pytest.raises(
        RuntimeError, match="a cancel scope of the source has cancelled the callback"
    ) as caught:
        slow(source, ops.flat_map(three, concurrency=1))
    assert "put a buffer before the callback" in str(caught.value)
    assert caught.value.__cause__ is None
    assert slow(source, ops.flat_map(lambda item: [item] * 3, concurrency=1)) == [1, 1, 1, 2, 2, 2]
    buffered = ops.buffer(Suspend(4)), ops.flat_map(three, concurrency=1)
    assert slow(source, *buffered) == [1, 1, 1]  # it is left before its time is over
