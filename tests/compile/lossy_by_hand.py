"""Loops that lose, fold or batch, and beside each the loop that one would have written by hand."""

import asyncio
from collections import deque
from operator import add
from typing import Any

from streamkit import Conflate, DropIncoming, DropOldest, DropYoungest, KeepLatest, Stream, ops
from streamkit._core.strategy import Strategy
from tests.compile.by_hand import Work, numbers

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


async def batched_ours(items: int) -> list[int]:
    batches = Stream(lambda: numbers(items)) | ops.batch_within(64, seconds=60.0)
    return await (batches | ops.map(len) | ops.to_list())


async def batched_by_hand(items: int) -> list[int]:
    """In one task, with a clock that is read for each list, and no timer."""
    loop = asyncio.get_running_loop()
    held: list[int] = []
    out: list[int] = []
    due = 0.0
    size = 64
    async for item in numbers(items):
        if not held:
            due = loop.time() + 60.0
        held.append(item)
        if len(held) == size or loop.time() > due:
            out.append(len(held))
            held = []
    return out
