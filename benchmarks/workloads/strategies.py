"""Buffers under each strategy that does not only wait.

By hand is what one writes who knows that both tasks are in one loop: the producer looks at what is held,
wakes the consumer where that waits, and lets it run every so often. It counts nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from operator import add
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.workload import HAND, OURS, PEERS, Goals, Workload
from streamkit import (
    Collect,
    Conflate,
    DropIncoming,
    DropOldest,
    KeepLatest,
    Spill,
    Stream,
    Suspend,
    Unbounded,
    ops,
)

SIZE = 64
BREATH = 1_024
"""Items after which a producer that need not wait lets others run."""


class Bell:
    """One consumer that waits, and who wakes it."""

    def __init__(self) -> None:
        self.waiting: asyncio.Future[None] | None = None
        self.ended = False

    def ring(self) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def end(self) -> None:
        self.ended = True
        self.ring()

    async def wait(self) -> None:
        self.waiting = asyncio.get_running_loop().create_future()
        await self.waiting


async def dropping(size: int, count: int, *, incoming: bool) -> Any:
    """The last item that gets through."""
    held: deque[int] = deque(maxlen=size)
    bell = Bell()

    async def keep_old() -> None:
        left = BREATH
        for item in range(count):
            if len(held) < size:
                held.append(item)
                if bell.waiting is not None:
                    bell.ring()
            left -= 1
            if not left:
                left = BREATH
                await asyncio.sleep(0)
        bell.end()

    async def keep_new() -> None:
        left = BREATH
        for item in range(count):
            held.append(item)
            if bell.waiting is not None:
                bell.ring()
            left -= 1
            if not left:
                left = BREATH
                await asyncio.sleep(0)
        bell.end()

    last = None
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_old() if incoming else keep_new())
        while True:
            while held:
                last = held.popleft()
            if bell.ended:
                return last
            await bell.wait()


async def folding(fold: Callable[[int, int], int], count: int) -> int:
    held: list[int] = []
    bell = Bell()

    async def fill() -> None:
        left = BREATH
        for item in range(count):
            if held:
                held[0] = fold(held[0], item)
            else:
                held.append(item)
                bell.ring()
            left -= 1
            if not left:
                left = BREATH
                await asyncio.sleep(0)
        bell.end()

    total = 0
    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        while True:
            if held:
                total += held.pop()
            elif bell.ended:
                return total
            else:
                await bell.wait()


async def collecting(limit: int, count: int) -> int:
    """How many items come in lists."""
    held: list[int] = []
    more, room = Bell(), Bell()

    async def fill() -> None:
        for item in range(count):
            if not held:
                more.ring()
            held.append(item)
            if len(held) >= limit:
                await room.wait()
        more.end()

    total = 0
    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        while True:
            if held:
                found = held[:]
                held.clear()
                room.ring()
                total += len(found)
            elif more.ended:
                return total
            else:
                await more.wait()


async def growing(count: int) -> int:
    held: deque[int] = deque()
    bell = Bell()

    async def fill() -> None:
        left = BREATH
        for item in range(count):
            held.append(item)
            if bell.waiting is not None:
                bell.ring()
            left -= 1
            if not left:
                left = BREATH
                await asyncio.sleep(0)
        bell.end()

    total = 0
    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        while True:
            while held:
                total += held.popleft()
            if bell.ended:
                return total
            await bell.wait()


STRATEGIES: dict[str, Any] = {
    "Suspend": Suspend(SIZE),
    "Collect": Collect(SIZE),
    "Conflate": Conflate(add),
    "DropIncoming": DropIncoming(SIZE),
    "DropOldest": DropOldest(SIZE),
    "KeepLatest": KeepLatest(),
    "Spill": Spill(SIZE),
    "Unbounded": Unbounded(),
}
BY_HAND: dict[str, Callable[[int], Any]] = {
    "Collect": lambda count: collecting(SIZE, count),
    "Conflate": lambda count: folding(add, count),
    "DropIncoming": lambda count: dropping(SIZE, count, incoming=True),
    "DropOldest": lambda count: dropping(SIZE, count, incoming=False),
    "KeepLatest": lambda count: dropping(1, count, incoming=False),
    "Unbounded": growing,
}
LAST = ("DropOldest", "KeepLatest")
"""What comes last is the same, whatever was lost before."""
GOALS: dict[str, float] = {
    **dict.fromkeys(("DropIncoming", "DropOldest", "KeepLatest"), 1.8),
    **dict.fromkeys(("Conflate", "Collect"), 1.3),
}
SPILL = 2e-6
"""Seconds that an item may take which goes to disk."""
ON_DISK = "persist-queue"
"""A queue on disk, as one finds it on PyPI."""


def same(kind: str, found: Any) -> Any:
    """What both must come to; which of the incoming items are dropped depends on when others run."""
    return None if kind == "DropIncoming" else found


def hop_under(kind: str, strategy: Any) -> Workload:
    """From task to task, where the consumer is as fast as it can be and the producer never waits for it."""
    goals: dict[int, Goals] = {SIZE: {HAND: GOALS[kind]}} if kind in GOALS else {}
    spills = kind == "Spill"
    if spills:
        goals = {SIZE: {OURS: SPILL, ON_DISK: 1}}
    workload = Workload(
        f"buffer({kind})", "places", (SIZE,), goals=goals, others=(ON_DISK,) if spills else ()
    )

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        buffered = Stream(range(count)) | ops.buffer(strategy)
        if kind in (*LAST, "DropIncoming"):
            return same(kind, await (buffered | ops.last()))
        if kind == "Collect":
            return await (buffered | ops.fold(lambda total, found: total + len(found), 0))
        return await (buffered | ops.fold(add, 0))

    if kind in BY_HAND:

        @workload.by(HAND)
        async def _(size: int, count: int) -> Any:
            return same(kind, await BY_HAND[kind](count))

    if spills:

        @workload.by(ON_DISK)
        async def _(size: int, count: int) -> Any:
            import persistqueue

            with TemporaryDirectory() as path:
                queue = persistqueue.Queue(path, chunksize=count, autosave=False)  # as fast as it can be
                for item in range(count):
                    queue.put(item)
                return sum([queue.get() for _ in range(count)])

    workload.lacks("nothing to hand", HAND)
    return workload


def pauses(kind: str, strategy: Any) -> Workload:
    """Before a consumer that lets the producer run far ahead, every so often."""
    workload = Workload(f"buffer({kind}), a consumer that pauses", "places", (64,), flat=64)

    def pausing(take: Callable[[Any], int]) -> Callable[[Any], Any]:
        turn = total = 0

        async def consume(items: Any) -> int:
            nonlocal turn, total
            turn += 1
            total += take(items)
            if turn % 64 == 0:
                await asyncio.sleep(0)
            return total

        return consume

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        consume = pausing(len if kind == "Collect" else lambda _: 1)
        return await (Stream(range(count)) | ops.buffer(strategy) | ops.map(consume) | ops.last())

    workload.lacks("not measured here", HAND, *PEERS)
    return workload


WORKLOADS = (
    *(hop_under(kind, strategy) for kind, strategy in STRATEGIES.items() if kind != "Suspend"),
    *(pauses(kind, STRATEGIES[kind]) for kind in ("Suspend", "Collect", "Spill")),
)
