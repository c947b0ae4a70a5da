"""Bugs of programs that hand things over: queues, pools, order."""

from __future__ import annotations

import asyncio
from asyncio import Future, Queue, Semaphore, Task
from collections import deque

from tests.planted.plant import in_program
from tests.planted.programs.moments import at, nothing


class _Either:
    """Takes from two queues, whichever has something."""

    def __init__(self, *queues: Queue[str]) -> None:
        self.queues = queues

    async def get(self) -> str:
        getters = [asyncio.create_task(queue.get()) for queue in self.queues]
        done, pending = await asyncio.wait(getters, return_when=asyncio.FIRST_COMPLETED)
        for getter in pending:
            getter.cancel()
        await asyncio.wait(getters)
        return next(getter for getter in getters if getter in done).result()


class _EitherKept(_Either):
    def __init__(self, *queues: Queue[str]) -> None:
        super().__init__(*queues)
        self.getters: list[Task[str]] = []

    async def get(self) -> str:
        if not self.getters:
            self.getters = [asyncio.create_task(queue.get()) for queue in self.queues]
        await asyncio.wait(self.getters, return_when=asyncio.FIRST_COMPLETED)
        number = next(number for number, getter in enumerate(self.getters) if getter.done())
        found = self.getters[number].result()
        self.getters[number] = asyncio.create_task(self.queues[number].get())
        return found


@in_program("a queue get that loses its item when cancelled", flawed=_Either, right=_EitherKept)
async def item_of_other_queue_lost(kind: type[_Either]) -> None:
    """Both queues have something, one item is returned, and the other has left its queue."""
    left, right = Queue[str](), Queue[str]()
    either = kind(left, right)

    async def producer() -> None:
        await asyncio.sleep(1.0)
        left.put_nowait("left")
        await asyncio.create_task(nothing())
        await asyncio.create_task(nothing())
        right.put_nowait("right")

    task = asyncio.create_task(producer())
    found = {await either.get(), await either.get()}
    await task
    for getter in getattr(either, "getters", ()):
        getter.cancel()
    assert found == {"left", "right"}


class _Pool:
    """Connections that are lent, one at a time to each."""

    def __init__(self, size: int) -> None:
        self.free = deque(range(size))
        self.waiting: deque[Future[int]] = deque()

    async def acquire(self) -> int:
        if self.free:
            return self.free.popleft()
        waiter = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        return await self.handed(waiter)

    async def handed(self, waiter: Future[int]) -> int:
        return await waiter

    def release(self, connection: int) -> None:
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self.free.append(connection)


class _PoolPassedOn(_Pool):
    async def handed(self, waiter: Future[int]) -> int:
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release(waiter.result())
            raise


@in_program("an item handed to one who has gone", flawed=_Pool, right=_PoolPassedOn)
async def connection_lost(kind: type[_Pool]) -> None:
    """A connection is handed to a task that is cancelled before it runs: nobody has it then."""
    pool = kind(1)

    async def query(until: float) -> None:
        connection = await pool.acquire()
        try:
            await at(until)
        finally:
            pool.release(connection)

    async def changes_its_mind() -> None:
        waiting = asyncio.create_task(query(2.0))
        await asyncio.sleep(1.0)
        waiting.cancel()
        await asyncio.wait({waiting})

    await asyncio.gather(query(1.0), changes_its_mind())
    await query(3.0)


class _Connections:
    """At most `most` are opened."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.opened: list[int] = []
        self.opening = 0

    async def connect(self) -> int:
        await asyncio.sleep(1.0)
        return 1

    async def add(self) -> None:
        if len(self.opened) < self.most:
            self.opened.append(await self.connect())


class _ConnectionsCountedBefore(_Connections):
    async def add(self) -> None:
        if len(self.opened) + self.opening < self.most:
            self.opening += 1
            try:
                self.opened.append(await self.connect())
            finally:
                self.opening -= 1


@in_program("an off-by-one bound", flawed=_Connections, right=_ConnectionsCountedBefore)
async def one_connection_too_many(kind: type[_Connections]) -> None:
    """Two tasks open the last connection."""
    connections = kind(2)

    async def client(begin: float) -> None:
        await at(begin)
        await connections.add()

    await asyncio.gather(*(client(begin) for begin in (0.0, 1.0, 2.0, 3.0)))
    assert len(connections.opened) == 2, f"{len(connections.opened)} connections of 2"


async def _in_order_of_completion(numbers: range) -> list[int]:
    found: list[int] = []
    places = Semaphore(2)

    async def fetch(number: int) -> None:
        async with places:
            await asyncio.sleep(1.0)
            found.append(number)

    await asyncio.gather(*map(fetch, numbers))
    return found


async def _in_order(numbers: range) -> list[int]:
    places = Semaphore(2)

    async def fetch(number: int) -> int:
        async with places:
            await asyncio.sleep(1.0)
            return number

    return await asyncio.gather(*map(fetch, numbers))


@in_program("order inversion in a concurrent map", flawed=_in_order_of_completion, right=_in_order)
async def order_of_completion(mapped: object) -> None:
    """Results come in the order in which they are there, which is mostly that of the items."""
    assert callable(mapped)
    assert await mapped(range(4)) == [0, 1, 2, 3]


class _Debounce:
    """Emits the latest value when no other has come for a second."""

    def __init__(self) -> None:
        self.emitted: list[str] = []
        self.value = ""
        self.timer: asyncio.TimerHandle | None = None
        self.flushing: Task[None] | None = None

    def push(self, value: str) -> None:
        self.value = value
        if self.timer is not None:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(1.0, self.fire)

    def fire(self) -> None:
        self.flushing = asyncio.create_task(self.flush())

    async def flush(self) -> None:
        self.emitted.append(self.value)


class _DebounceByValue(_Debounce):
    def fire(self) -> None:
        self.flushing = asyncio.create_task(self.flush_one(self.value))

    async def flush_one(self, value: str) -> None:
        self.emitted.append(value)


@in_program("a stale timer that fires after it was re-armed", flawed=_Debounce, right=_DebounceByValue)
async def flushed_twice(kind: type[_Debounce]) -> None:
    """The timer has begun to flush when the next value comes: that is emitted too early, and again."""
    debounce = kind()
    debounce.push("a")
    await asyncio.sleep(1.0)
    debounce.push("b")
    await asyncio.sleep(2.0)
    assert debounce.emitted in (["a", "b"], ["b"]), debounce.emitted
