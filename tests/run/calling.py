"""The callbacks of the pipes that are put behind a durable source, and a run of such a pipe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from streamkit import Gap, Output, Stream, Suspend, ops
from tests.run.ledger import MANY, Trial

Out = Callable[[Any], None]
Piped = Callable[[Stream[Any], "Calls"], Any]


class Calls:
    """The callbacks of a pipe: one of their calls may fail."""

    def __init__(self, out: Out, failing: int = 0) -> None:
        self._out = out
        self.failing = failing
        """Which call fails; none, if it is 0."""
        self.many = 0

    def same(self, item: Any) -> Any:
        self.many += 1
        if self.many == self.failing:
            raise ValueError("the call that is to fail")
        return item

    def odd(self, item: Any) -> bool:
        return bool(self.same(item) % 2)

    def twice(self, item: Any) -> list[Any]:
        return [self.same(item), item]

    async def slow(self, item: Any) -> Any:
        await asyncio.sleep(0)
        return self.same(item)

    async def uneven(self, item: Any) -> Any:
        for _ in range(3 if item % 2 else 1):
            await asyncio.sleep(0)
        return self.same(item)

    async def stream(self, item: Any) -> AsyncIterator[Any]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield self.same(item)

    def buffered(self, item: Any) -> Any:
        return Stream([item, self.same(item), item]) | ops.buffer(Suspend(2))

    def fails(self, item: Any) -> Any:
        if self.same(item) == MANY + 3:
            raise KeyError(item)
        return item

    def tagged(self, item: Any) -> Any:
        return Output[Any]("odd" if self.odd(item) else "even")(item)

    def stamp(self, item: Any) -> float:
        self.heavy(item)
        return float(item)

    def apart(self, item: Any) -> float:
        return float(self.same(item) - (4 if item == MANY + 4 else 0))

    def heavy(self, item: Any) -> float:
        self.same(item)
        if item == MANY + 4:
            raise KeyError("it has no weight")
        return item % 2 + 1

    def dropped(self, item: Any, reason: str) -> None:
        assert item >= MANY
        assert reason in ("full", "closed")

    async def seen(self, item: Any) -> Any:
        return item if isinstance(item, Gap) else await self.late(item)

    async def late(self, item: Any) -> Any:
        await asyncio.sleep(1 if item % 3 else 0)
        return self.same(item)

    async def store(self, item: Any) -> None:
        self.same(item)
        await asyncio.sleep(0)
        self._out(item)

    def put(self, item: Any) -> None:
        self.same(item)
        self._out(item)


async def items_of(stream: Any, out: Out) -> None:
    """Take what comes out of a stream by a loop of one's own."""
    async for item in stream:
        out(item)
        await asyncio.sleep(0)


def work(piped: Piped, trial: Trial, stream: Stream[Any], failing: int = 0) -> tuple[Any, Calls]:
    """A run of the pipe over `stream`, whose callbacks tell `trial`; and these."""
    calls = Calls(trial.out, failing)
    made = piped(stream, calls)
    waits: Awaitable[Any] = items_of(made, trial.out) if isinstance(made, Stream) else made
    return waits, calls


def together(one: Any, other: Any) -> list[Any]:
    """What is folded of two items."""
    return [*(one if isinstance(one, list) else [one]), other]


async def slowly(items: list[int]) -> AsyncIterator[int]:
    """Items of another source, which nothing acknowledges."""
    for item in items:
        await asyncio.sleep(0)
        yield item
