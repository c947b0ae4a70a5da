"""What mypy and pyright infer of operators that a signal steers; run by pytest too."""

import asyncio
from collections.abc import AsyncIterator
from typing import assert_type

from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


async def later() -> str:
    return "now"


async def signals() -> AsyncIterator[str]:
    yield "now"


def test_signals_of_every_kind() -> None:
    stop = asyncio.Event()
    assert_type(NUMBERS | ops.take_until(stop), Stream[int])
    assert_type(NUMBERS | ops.take_until(stop.wait), Stream[int])
    assert_type(NUMBERS | ops.take_until(later), Stream[int])
    assert_type(NUMBERS | ops.take_until(signals), Stream[int])
    assert_type(NUMBERS | ops.skip_until(["now"]), Stream[int])
    assert_type(NUMBERS | ops.skip_until(NUMBERS), Stream[int])
    assert_type(NUMBERS | ops.skip_until(asyncio.Event), Stream[int])
