"""Slots, between two changes: beside the same pipe with their contents written in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from benchmarks.workload import HAND, OURS, WITHOUT, Workload
from benchmarks.workloads.sources import add_one, iterator, numbers
from streamkit import Stream, ops
from streamkit.live import Slot

__all__ = ["WORKLOADS"]


def slot(name: str, source: Callable[[int], Any], goal: float) -> Workload:
    """A slot among steps that has been changed so often; the sizes say how often."""
    workload = Workload(
        f"slot, {name}",
        "changes before",
        (0, 1),
        goals={size: {WITHOUT: goal} for size in (0, 1)},
        others=(WITHOUT,),
        peers=(),
    )

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        hole = Slot(ops.map(add_one))
        pipe = Stream(source(count)) | ops.filter(bool) | hole | ops.map(add_one)
        if not size:
            return await (pipe | ops.sum())
        job = (pipe | ops.sum()).start()
        await asyncio.sleep(0)  # it begins
        for _ in range(size):
            await hole.replace(ops.map(add_one))
        return await job

    @workload.by(WITHOUT)
    async def _(size: int, count: int) -> Any:
        return await (
            Stream(source(count)) | ops.filter(bool) | ops.map(add_one) | ops.map(add_one) | ops.sum()
        )

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        total = 0
        if source is numbers:
            async for item in numbers(count):
                if item:
                    total += add_one(add_one(item))
        else:
            for item in source(count):
                if item:
                    total += add_one(add_one(item))
        return total

    return workload


WORKLOADS = (slot("async source", numbers, 1.08), slot("iterator", iterator, 1.08))
