"""Buffers: a hop from task to task, a burst from a thread, and memory while ten million items pass."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from operator import add
from pathlib import Path
from typing import Any

import pytest
from ratio import NOTES, Work, measure

from streamkit import Collect, Conflate, DropOldest, Spill, Stream, Suspend, Unbounded, ops, push

N = 100_000


async def numbers() -> AsyncIterator[int]:
    for number in range(N):
        yield number


async def consumed(queue: asyncio.Queue[int | None]) -> int:
    total = 0
    while await queue.get() is not None:
        total += 1
    return total


async def hop_ours() -> int:
    return await (Stream(range(N)) | ops.buffer(Suspend(64)) | ops.count())


async def hop_by_queue() -> int:
    queue: asyncio.Queue[int | None] = asyncio.Queue(64)

    async def produce() -> None:
        for number in range(N):
            await queue.put(number)
        await queue.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        return await consumed(queue)


async def async_hop_ours() -> int:
    return await (Stream(numbers) | ops.buffer(Suspend(64)) | ops.count())


async def async_hop_by_queue() -> int:
    queue: asyncio.Queue[int | None] = asyncio.Queue(64)

    async def produce() -> None:
        async for number in numbers():
            await queue.put(number)
        await queue.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        return await consumed(queue)


async def burst_ours() -> int:
    stream, emitter = push(Unbounded())

    def produce() -> None:
        for number in range(N):
            emitter.offer(number)
        emitter.close()

    thread = asyncio.get_running_loop().run_in_executor(None, produce)
    total: int = await (stream | ops.count())
    await thread
    return total


async def held_ours() -> int:
    stream, emitter = push(Suspend(64))

    def produce() -> None:
        for number in range(N):
            emitter.send_blocking(number)
        emitter.close()

    thread = asyncio.get_running_loop().run_in_executor(None, produce)
    total: int = await (stream | ops.count())
    await thread
    return total


def by_janus(limit: int) -> Work:
    janus = pytest.importorskip("janus")

    async def burst_by_janus() -> int:
        queue = janus.Queue(limit)

        def produce() -> None:
            for number in range(N):
                queue.sync_q.put(number)
            queue.sync_q.put(None)

        thread = asyncio.get_running_loop().run_in_executor(None, produce)
        total = await consumed(queue.async_q)
        await thread
        await queue.aclose()
        return total

    return burst_by_janus


def test_a_hop_from_task_to_task() -> None:
    measure("a hop through Suspend(64), against asyncio.Queue(64)", hop_ours, hop_by_queue, goal=0.5)
    measure("the same, from an async generator", async_hop_ours, async_hop_by_queue, goal=None)


def test_a_burst_from_a_thread() -> None:
    measure("100,000 offers from a thread, against janus", burst_ours, by_janus(0), goal=1 / 3, rounds=10)
    measure("held by Suspend(64), against janus(64)", held_ours, by_janus(64), goal=None, rounds=6)


@pytest.mark.parametrize(
    "strategy",
    [Collect(64), Conflate(add), DropOldest(64), Spill(64), Unbounded()],
    ids=lambda strategy: type(strategy).__name__,
)
def test_a_hop_under_each_strategy(strategy: Any) -> None:
    async def ours() -> None:
        await (Stream(range(N)) | ops.buffer(strategy) | ops.drain())

    async def suspended() -> None:
        await (Stream(range(N)) | ops.buffer(Suspend(64)) | ops.drain())

    measure(f"a hop through {strategy!r}, against Suspend(64)", ours, suspended, goal=None, rounds=5)


MEMORY = Path(__file__).with_name("memory.py")


@pytest.mark.parametrize("strategy", ["Suspend(64)", "Collect(64)", "Spill(64)"])
def test_memory_stays_flat(strategy: str) -> None:
    peaks: list[float] = []
    for count in (100_000, 1_000_000, 10_000_000):
        told = subprocess.run(
            [sys.executable, str(MEMORY), strategy, str(count)], capture_output=True, text=True, check=True
        )
        peaks.append(float(told.stdout))
    shown = ", ".join(f"{peak:.1f}" for peak in peaks)
    NOTES.append(f"peak MiB over {strategy} and a slow consumer, for 0.1, 1 and 10 million items: {shown}")
    assert peaks[-1] < 1.25 * peaks[0] + 4
