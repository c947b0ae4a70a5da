"""Bugs that asyncio itself or many programs have had, written anew; some need several switches to show."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future, Lock, Queue
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from tests.planted.plant import in_program
from tests.planted.programs.moments import at, nothing

Wait: TypeAlias = Callable[[Coroutine[Any, Any, int], float], Awaitable[int]]


async def _wait_that_returns(work: Coroutine[Any, Any, int], seconds: float) -> int:
    """As `asyncio.wait_for` was up to Python 3.11 (python/cpython issue 86296)."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    except CancelledError:
        if task.done():
            return task.result()
        task.cancel()
        raise
    return task.result()


async def _wait_that_passes_it_on(work: Coroutine[Any, Any, int], seconds: float) -> int:
    async with asyncio.timeout(seconds):
        return await work


@in_program("a swallowed CancelledError", flawed=_wait_that_returns, right=_wait_that_passes_it_on)
async def cancelled_as_it_came(wait: Wait) -> None:
    """A cancellation that comes together with the result is forgotten."""
    numbers = Queue[int]()

    async def worker() -> None:
        while True:
            await wait(numbers.get(), 99.0)

    async def producer() -> None:
        await at(1.0)
        numbers.put_nowait(1)

    task, other = asyncio.create_task(worker()), asyncio.create_task(producer())
    await asyncio.sleep(1.0)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=9.0)
    await other
    task.cancel()
    assert done, "the worker was cancelled, and goes on"


class _Turnstile:
    """A lock. One who is woken, and then cancelled, forgets the others (python/cpython issue 76915)."""

    def __init__(self) -> None:
        self.taken = False
        self.waiting: deque[Future[None]] = deque()

    async def acquire(self) -> None:
        if self.taken:
            turn: Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            try:
                await self.called(turn)
            finally:
                self.waiting.remove(turn)
        self.taken = True

    async def called(self, turn: Future[None]) -> None:
        await turn

    def release(self) -> None:
        self.taken = False
        for turn in self.waiting:
            if not turn.done():
                turn.set_result(None)
                return


class _TurnstileThatCallsTheNext(_Turnstile):
    async def called(self, turn: Future[None]) -> None:
        try:
            await turn
        except CancelledError:
            if not self.taken and turn.done():
                self.release()
            raise


@in_program("a dropped wake-up", flawed=_Turnstile, right=_TurnstileThatCallsTheNext)
async def call_not_passed_on(kind: type[_Turnstile]) -> None:
    """The first in the queue is called, and cancelled before it hears that: nobody else is called."""
    gate = kind()

    async def passes(come: float, leave: float) -> None:
        await at(come)
        await gate.acquire()
        try:
            await at(leave)
        finally:
            gate.release()

    first = asyncio.create_task(passes(0.1, 2.0))
    second = asyncio.create_task(passes(0.2, 3.0))
    third = asyncio.create_task(passes(0.3, 4.0))
    await asyncio.sleep(2.0)
    second.cancel()
    await asyncio.wait({first, second, third})


async def _as_written(one: Lock, other: Lock) -> tuple[Lock, Lock]:
    return one, other


async def _in_one_order(one: Lock, other: Lock) -> tuple[Lock, Lock]:
    return (one, other) if id(one) < id(other) else (other, one)


@in_program("two locks taken in two orders", flawed=_as_written, right=_in_one_order)
async def locks_crossed(order: Callable[[Lock, Lock], Awaitable[tuple[Lock, Lock]]]) -> None:
    """Each has one of two locks, and waits for the other."""
    accounts = Lock(), Lock()

    async def transfer(source: Lock, target: Lock, hops: int) -> None:
        await asyncio.sleep(1.0)
        for _ in range(hops):
            await asyncio.create_task(nothing())
        first, second = await order(source, target)
        async with first:
            await asyncio.create_task(nothing())
            async with second:
                await asyncio.create_task(nothing())

    await asyncio.gather(transfer(*accounts, 0), transfer(*reversed(accounts), 4))


class _Record:
    """A number that is written only if nobody else has since it was read."""

    attempts = 2

    def __init__(self) -> None:
        self.value = self.version = 0

    async def add(self) -> bool:
        for _ in range(self.attempts):
            version, value = self.version, self.value
            await asyncio.create_task(nothing())
            if version == self.version:
                self.version, self.value = version + 1, value + 1
                return True
        return False


class _RecordWithMoreAttempts(_Record):
    attempts = 4


@in_program("an off-by-one bound", flawed=_Record, right=_RecordWithMoreAttempts)
async def conflict_twice(kind: type[_Record]) -> None:
    """One writes while the other has read, and again: two conflicts, and there are only two attempts."""
    record = kind()

    async def writer(count: int, begin: float) -> None:
        for number in range(count):
            await at(begin + number)
            assert await record.add(), "given up after a conflict"

    await asyncio.gather(writer(1, 1.0), _pairs(record))
    assert record.value == 3


async def _pairs(record: _Record) -> None:
    await at(1.0)
    for _ in range(2):
        for _ in range(3):
            await asyncio.create_task(nothing())
        await record.add()


class _Prices:
    """What a shop asks, remembered until it is changed."""

    def __init__(self) -> None:
        self.stored = 1
        self.known: int | None = None
        self.changes = 0

    async def read(self) -> int:
        price = self.stored
        await asyncio.create_task(nothing())
        return price

    async def get(self) -> int:
        if self.known is None:
            self.known = await self.read()
        return self.known

    async def change(self, price: int) -> None:
        self.stored = price
        await asyncio.create_task(nothing())
        self.known = None
        self.changes += 1


class _PricesOfOneChange(_Prices):
    async def get(self) -> int:
        while self.known is None:
            changes = self.changes
            price = await self.read()
            if changes == self.changes and self.stored == price:
                self.known = price
        return self.known


@in_program("check-then-act over an await", flawed=_Prices, right=_PricesOfOneChange)
async def stale_price(kind: type[_Prices]) -> None:
    """A price is read, changed and forgotten, and only then remembered: the old one, for good."""
    prices = kind()

    async def customer() -> None:
        await at(1.0)
        await prices.get()

    async def shop() -> None:
        await asyncio.sleep(1.0)
        for _ in range(4):
            await asyncio.create_task(nothing())
        await prices.change(2)

    await asyncio.gather(shop(), customer())
    assert await prices.get() == 2, "the old price"
