"""Sources and consumers with a pace, and what is counted where they do not keep up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from streamkit import BufferStats, StoppedError, ops
from streamkit.testing import run
from tests.marbles import Source

NO_TIE = 1 / 1024
"""Added to what a consumer takes, so that it never asks in the turn in which an item comes."""

OFF_BEAT = 1 + 1 / 1024
"""Seconds that never end in the turn in which an item comes, where those come at eighths of a second."""


def consumed(stream: Any, busy: Callable[[int], float]) -> tuple[list[Any], BufferStats, Exception | None]:
    """What a job got whose consumer is `busy` so long after the n-th item, its buffer's counts, its error."""
    got: list[Any] = []

    async def consume(item: Any) -> None:
        got.append(item)
        await asyncio.sleep(busy(len(got) - 1))

    async def main() -> tuple[list[Any], BufferStats, Exception | None]:
        handle = (stream | ops.for_each(consume)).start()
        try:
            await handle
        except Exception as error:
            return got, handle.buffers()[0], error
        return got, handle.buffers()[0], None

    return run(main)


def stopped(stream: Any, seconds: float) -> BufferStats:
    """The counts of the stream's first buffer, when its consumer never came back and was stopped."""

    async def main() -> BufferStats:
        handle = (stream | ops.for_each(lambda _: asyncio.sleep(9e9))).start()
        await asyncio.sleep(seconds)
        await handle.stop()
        with pytest.raises(StoppedError):
            await handle
        return handle.buffers()[0]

    return run(main)


def balanced(stats: BufferStats) -> bool:
    out = stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held
    return stats.offered == out


MANY = 10_000
"""So many that no test comes to the end, and few enough for one that fails because it does."""
Dropped = list[tuple[Any, str]]
GAPS = st.lists(st.integers(1, 4).map(float), max_size=14)
BUSY = st.lists(st.integers(0, 9).map(lambda seconds: seconds + NO_TIE), min_size=15, max_size=15)


def gapped(gaps: list[float], ends: float = 0.0) -> Source:
    """A source of numbers, each so many seconds after the one before, and the end after the last."""

    async def source() -> AsyncIterator[int]:
        for number, gap in enumerate(gaps):
            await asyncio.sleep(gap)
            yield number
        if ends:
            await asyncio.sleep(ends)

    return source


def still() -> str:
    """What a `keep_alive` sends."""
    return "f"
