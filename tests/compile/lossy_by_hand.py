"""Loops that lose or fold what nobody takes, and beside each the loop that one would have written by hand."""

import asyncio
from collections import deque
from operator import add
from typing import Any

from streamkit import Conflate, DropIncoming, DropOldest, DropYoungest, KeepLatest, Stream, ops
from streamkit._core.strategy import Strategy
from tests.compile.by_hand import Work

LOSSY: list[Strategy] = [DropIncoming(64), DropOldest(64), DropYoungest(64), KeepLatest()]


def lossy_ours(strategy: Strategy) -> Work:
    async def ours(items: int) -> Any:
        return await (Stream(range(items)) | ops.buffer(strategy) | ops.last())

    return ours


async def lossy_by_hand(items: int) -> Any:
    """The last 64, and a count of all: one task alone, which nobody waits for."""
    held: deque[int] = deque(maxlen=64)
    count = 0
    for item in range(items):
        held.append(item)
        count += 1
    await asyncio.sleep(0)
    return held[-1], count


async def folded_ours(items: int) -> Any:
    return await (Stream(range(items)) | ops.buffer(Conflate(add)) | ops.fold(add, 0))


async def folded_by_hand(items: int) -> Any:
    held: list[int] = []
    count = 0
    fold = add
    for item in range(items):
        if held:
            held[0] = fold(held[0], item)
        else:
            held.append(item)
        count += 1
    await asyncio.sleep(0)
    return held[0], count
