"""Buffers under each strategy, what comes from a thread, and batches within a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from operator import add
from typing import Any

from benchmarks.workload import HAND, OURS, PEERS, Workload
from benchmarks.workloads.sources import numbers
from streamkit import Collect, Conflate, DropOldest, Spill, Stream, Suspend, Unbounded, ops, push

END = object()


async def consumed(queue: Any) -> int:
    total = 0
    while await queue.get() is not END:
        total += 1
    return total


async def through_queue(limit: int, source: Iterable[int] | AsyncIterator[int]) -> int:
    """A task that fills a queue, and the caller that empties it."""
    queue: asyncio.Queue[Any] = asyncio.Queue(limit)

    async def produce() -> None:
        if isinstance(source, AsyncIterator):
            async for item in source:
                await queue.put(item)
        else:
            for item in source:
                await queue.put(item)
        await queue.put(END)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        return await consumed(queue)


def hop(shown: str, make: Callable[[int], Any], goal: float | None) -> Workload:
    """From task to task through a bounded buffer."""
    goals = {64: {HAND: goal}} if goal else {}
    workload = Workload(f"buffer(Suspend(n)) over {shown}", "places", (1, 64, 1_024), goals=goals)

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        return await through_queue(size, make(count))

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        return await (Stream(make(count)) | ops.buffer(Suspend(size)) | ops.count())

    @workload.by("streamable")
    async def _(size: int, count: int) -> Any:
        from streamable import stream

        total = 0
        async for _ in stream(make(count)).buffer(size):
            total += 1
        return total

    @workload.by("streamz")
    async def _(size: int, count: int) -> Any:
        from streamz import Stream

        done, total = asyncio.Event(), 0

        def take(_: int) -> None:
            nonlocal total
            total += 1
            if total == count:
                done.set()

        source = Stream(asynchronous=True)
        source.buffer(size).sink(take)
        async for item in make(count) if shown == "an async generator" else numbers(count):
            await source.emit(item)
        await done.wait()
        return total

    @workload.by("pypeln")
    async def _(size: int, count: int) -> Any:
        from pypeln import task

        return len(await task.map(lambda item: item, make(count), maxsize=size))

    return workload


class Mailbox:
    """By hand for a buffer that is taken from as a whole, or loses: a producer that never waits long."""

    def __init__(self, held: Any, put: Callable[[int], None], limit: int) -> None:
        self.held, self.put, self.limit = held, put, limit
        self.ended = False
        self.more, self.room = asyncio.Event(), asyncio.Event()

    async def fill(self, count: int) -> None:
        for item in range(count):
            self.put(item)
            self.more.set()
            if len(self.held) >= self.limit:
                self.room.clear()
                await self.room.wait()
            elif item % 1_000 == 0:
                await asyncio.sleep(0)
        self.ended = True
        self.more.set()

    async def empty(self) -> list[int]:
        """What is held now; nothing at the end."""
        while not self.held and not self.ended:
            self.more.clear()
            await self.more.wait()
        found = list(self.held)
        self.held.clear()
        self.room.set()
        return found


async def by_mailbox(kind: str, count: int) -> int:
    held: Any = deque(maxlen=64) if kind == "DropOldest" else []

    def fold(item: int) -> None:
        held[:] = [held[0] + item] if held else [item]

    box = Mailbox(held, fold if kind == "Conflate" else held.append, 64 if kind == "Collect" else count + 1)
    last = total = 0
    async with asyncio.TaskGroup() as group:
        group.create_task(box.fill(count))
        while found := await box.empty():
            for item in found:
                last, total = item, total + item
    return last if kind == "DropOldest" else total


STRATEGIES: dict[str, Any] = {
    "Suspend": Suspend(64),
    "Collect": Collect(64),
    "Conflate": Conflate(add),
    "DropOldest": DropOldest(64),
    "Spill": Spill(64),
    "Unbounded": Unbounded(),
}


def hop_under(kind: str, strategy: Any) -> Workload:
    """The same hop under another strategy; what is compared is the sum, or the last item where it loses."""
    workload = Workload(f"buffer({kind})", "places", (64,))

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        buffered = Stream(range(count)) | ops.buffer(strategy)
        if kind == "DropOldest":
            return await (buffered | ops.last())
        return await ((buffered | ops.flatten() if kind == "Collect" else buffered) | ops.fold(add, 0))

    if kind != "Spill":

        @workload.by(HAND)
        async def _(size: int, count: int) -> Any:
            return await by_mailbox(kind, count)

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


def from_thread(shown: str, held: bool, goals: dict[str, float]) -> Workload:
    """Items that a thread offers, held back by 64 places or not at all."""
    workload = Workload(
        f"from a thread, {shown}", "places", (64 if held else 0,), others=("janus",), waits=True
    )
    workload.goals = {workload.sizes[0]: goals} if goals else {}

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        stream, emitter = push(Suspend(size) if held else Unbounded())
        give = emitter.send_blocking if held else emitter.offer

        def produce() -> None:
            for number in range(count):
                give(number)
            emitter.close()

        thread = asyncio.get_running_loop().run_in_executor(None, produce)
        total: int = await (stream | ops.count())
        await thread
        return total

    @workload.by("janus")
    async def _(size: int, count: int) -> Any:
        import janus

        queue: Any = janus.Queue(size)

        def produce() -> None:
            for number in range(count):
                queue.sync_q.put(number)
            queue.sync_q.put(END)

        thread = asyncio.get_running_loop().run_in_executor(None, produce)
        total = await consumed(queue.async_q)
        await thread
        await queue.aclose()
        return total

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Any] = asyncio.Queue(size)

        def produce() -> None:
            for number in [*range(count), END]:
                if held:
                    asyncio.run_coroutine_threadsafe(queue.put(number), loop).result()
                else:
                    loop.call_soon_threadsafe(queue.put_nowait, number)

        thread = loop.run_in_executor(None, produce)
        total = await consumed(queue)
        await thread
        return total

    workload.lacks("nothing for threads", "aiostream", "streamable", "streamz", "aioreactive", "pypeln")
    workload.lacks("no async consumer", "reactivex")
    return workload


batches = Workload("batch_within 1 s", "items in a batch", (10, 100, 1_000))


@batches.by(HAND)
async def _(size: int, count: int) -> Any:
    loop = asyncio.get_running_loop()
    full: deque[list[int]] = deque()
    held: list[int] = []
    more = asyncio.Event()
    ended = False

    def flush() -> None:
        nonlocal held
        if held:
            full.append(held)
            held = []
        more.set()

    async def fill() -> None:
        nonlocal ended
        timer: asyncio.TimerHandle | None = None
        async for item in numbers(count):
            if not held:
                timer = loop.call_later(1.0, flush)
            held.append(item)
            if len(held) == size:
                if timer is not None:
                    timer.cancel()
                flush()
                await asyncio.sleep(0)
        ended = True
        flush()

    out: list[int] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        while full or not ended:
            await more.wait()
            more.clear()
            while full:
                out.append(len(full.popleft()))
    return out


@batches.by(OURS)
async def _(size: int, count: int) -> Any:
    return await (Stream(numbers(count)) | ops.batch_within(size, seconds=1.0) | ops.map(len) | ops.to_list())


@batches.by("reactivex")
async def _(size: int, count: int) -> Any:
    import reactivex
    from reactivex import operators

    batched = operators.buffer_with_time_or_count(1.0, size)
    lengths = reactivex.from_iterable(range(count)).pipe(batched, operators.map(len), operators.to_list())
    return [length for length in lengths.run() if length]


@batches.by("streamable")
async def _(size: int, count: int) -> Any:
    from streamable import stream

    batched = stream(numbers(count)).group(up_to=size, within=timedelta(seconds=1))
    return [length async for length in batched.map(len)]


@batches.by("streamz")
async def _(size: int, count: int) -> Any:
    from streamz import Stream

    out: list[int] = []
    source = Stream(asynchronous=True)
    last = source.partition(size, timeout=1.0)
    last.map(len).sink(out.append)
    async for item in numbers(count):
        await source.emit(item)
    while sum(out) < count:  # noqa: ASYNC110 nothing tells of the last
        await asyncio.sleep(0.01)
    return out


batches.lacks("by count only", "aiostream")

WORKLOADS = (
    hop("a range", range, 0.5),
    hop("an async generator", numbers, None),
    *(hop_under(kind, strategy) for kind, strategy in STRATEGIES.items() if kind != "Suspend"),
    *(pauses(kind, STRATEGIES[kind]) for kind in ("Suspend", "Collect", "Spill")),
    from_thread("unbounded", held=False, goals={"janus": 3}),
    from_thread("held by 64 places", held=True, goals={}),
    batches,
)
