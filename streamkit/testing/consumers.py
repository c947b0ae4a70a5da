"""Consumers: they stall, leave or raise in the middle of a stream, and note what came of it.

>>> from streamkit import Stream, Suspend, ops
>>> from streamkit.testing import FaultySource, consume, run
>>> source = FaultySource(range(100), every=1.0)
>>> async def main() -> None:
...     seen = await consume(Stream(source) | ops.buffer(Suspend(5)), at=2, stall=60.0)
...     print(len(seen.items), seen.times[:4], seen.error)
>>> run(main)
100 [1.0, 2.0, 62.0, 62.0] None
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from streamkit._core.arguments import Composed, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.errors import attached
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit.testing.sources import as_error

__all__ = ["Consumed", "Leave", "async_iterable", "consume", "late_errors", "opened"]

T = TypeVar("T")


class Leave(Enum):
    """How a consumer leaves a stream before its end.

    >>> from streamkit.testing import Leave
    >>> Leave.CLOSE
    Leave.CLOSE
    """

    CLOSE = "closes the iterator, and waits until that is done"
    BREAK = "breaks out of a bare `async for`: nobody waits for the clean-up"
    CANCEL = "is cancelled, at the next pull that waits"

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Consumed(Generic[T]):
    """What a consumer has seen.

    >>> from streamkit.testing import FaultySource, consume, run
    >>> run(lambda: consume(FaultySource("ab", every=2.0)))
    Consumed(items=['a', 'b'], times=[2.0, 4.0], ended=True, error=None)
    """

    items: list[T] = field(default_factory=list[T])
    """The items, in the order in which they came."""
    times: list[float] = field(default_factory=list[float])
    """When each came: the time of the event loop, in seconds."""
    ended: bool = False
    """Whether the stream came to its end."""
    error: Exception | None = None
    """What came out of the stream, or of its clean-up; the consumer's own error, if it raised that."""


@answering
def consume(
    source: AsyncIterable[T],
    *,
    every: float | None = None,
    at: int | None = None,
    stall: float = 0.0,
    leave: Leave | None = None,
    error: Exception | None = None,
) -> Coroutine[Any, Any, Consumed[T]]:
    """Take the items of `source` as a consumer with faults does; return what it saw, and what it failed with.

    Args:
        source: a stream, or any other async iterable.
        every: seconds that it works on each item. 0.0 waits for one turn of the event loop.
        at: after how many items it does what the following arguments say.
        stall: seconds that it takes nothing there.
        leave: how it leaves there.
        error: what it raises there, before it closes the stream.

    Raises:
        TypeError, ValueError: an argument is wrong, or `at` is given without one that says what to do.

    >>> from streamkit import Stream, ops
    >>> from streamkit.testing import FaultySource, Leave, consume, run
    >>> source = FaultySource("abcd", every=1.0)
    >>> stream = Stream(source) | ops.map(str.upper)
    >>> run(lambda: consume(stream, at=2, leave=Leave.CANCEL)).items
    ['A', 'B']
    >>> source.visit.cancelled, source.visit.closed
    (1, 1)
    """
    return _consumed(async_iterable("source", source), _Plan(every, at, stall, leave, error))


async def _consumed(source: AsyncIterable[T], plan: "_Plan") -> Consumed[T]:
    seen: list[T] = []
    times: list[float] = []
    ended, failure = False, None
    try:
        if plan.leave is Leave.CANCEL:
            ended = await _cancelled(source, plan, seen, times)
        elif plan.leave is Leave.BREAK:
            ended = await plan.take(source, seen, times)
        else:
            async with opened(source) as items:
                ended = await plan.take(items, seen, times)
    except Exception as found:
        failure = found
    return Consumed(seen, times, ended, failure)


class _Plan:
    """What a consumer does, and when."""

    def __init__(
        self, every: float | None, at: int | None, stall: float, leave: Leave | None, error: Exception | None
    ) -> None:
        self.every = None if every is None else seconds("every", every, positive=False)
        self.at = None if at is None else whole("at", at, least=0)
        self.stall = seconds("stall", stall, positive=False)
        if leave is not None and not isinstance(leave, Leave):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"leave must be one of {', '.join(map(str, Leave))}, not {shown(leave)}")
        self.leave = leave
        self.error = error if error is None else as_error("error", error)
        if leave is not None and error is not None:
            raise ValueError(f"a consumer that leaves never raises error={shown(error)}: give one of the two")
        acts = bool(stall) or leave is not None or error is not None
        if acts != (at is not None):
            raise ValueError("at= says when a consumer does what stall=, leave= or error= says: give both")

    async def take(self, source: AsyncIterable[T], seen: list[T], times: list[float]) -> bool:
        """Take items; whether all were taken."""
        if await self._acts(0):
            return False
        async for item in source:
            seen.append(item)
            times.append(asyncio.get_running_loop().time())
            del item
            if self.every is not None:
                await asyncio.sleep(self.every)
            if await self._acts(len(seen)):
                return False
        return True

    async def _acts(self, taken: int) -> bool:
        """Do what is to be done after so many items; whether to leave."""
        if taken != self.at:
            return False
        if self.stall:
            await asyncio.sleep(self.stall)
        if self.error is not None:
            raise self.error
        if self.leave is Leave.CANCEL:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
            return False
        return self.leave is not None


async def _cancelled(source: AsyncIterable[T], plan: _Plan, seen: list[T], times: list[float]) -> bool:
    """Take items in a task that is cancelled; the cancellation of this one is passed on to it."""

    late: list[Exception] = []

    async def taking() -> bool:
        try:
            async with opened(source) as items:
                return await plan.take(items, seen, times)
        except asyncio.CancelledError as error:
            late.extend(late_errors(error))
            raise

    task = asyncio.create_task(taking(), name="consumer")
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    if late:
        raise late[0]
    return False if task.cancelled() else task.result()


def late_errors(cancelled: asyncio.CancelledError) -> list[Exception]:
    """What clean-up raised while a task was `cancelled`: a stream attaches it to the cancellation."""
    return [error for error in attached(cancelled) if isinstance(error, Exception)]


def async_iterable(name: str, value: AsyncIterable[T]) -> AsyncIterable[T]:
    """Return `value` if an ``async for`` can go through it."""
    given: Any = value
    if isinstance(given, Composed):  # an operator is a callable of streams, and gives no items
        raise TypeError(
            f"{name} must be a stream, or an async iterable, not {shown(given)}: "
            f"write Stream({name}) | operator"
        )
    if not isinstance(given, AsyncIterable):
        raise TypeError(f"{name} must be a stream, or an async iterable, not {shown(given)}")
    return value


def opened(source: AsyncIterable[T]) -> AbstractAsyncContextManager[AsyncIterator[T]]:
    """`source` in a block at whose end it is closed: exactly, if it is a stream."""
    if isinstance(source, Stream):
        stream: Stream[T] = source
        return stream.open()
    iterator = aiter(source)
    if hasattr(iterator, "aclose"):
        closable: Any = iterator
        return aclosing(closable)
    return _Open(iterator)


class _Open(AbstractAsyncContextManager[AsyncIterator[T]]):
    """An iterator that has nothing to close."""

    def __init__(self, items: AsyncIterator[T]) -> None:
        self._items = items

    async def __aenter__(self) -> AsyncIterator[T]:
        return self._items

    async def __aexit__(self, *_: object) -> None:
        pass
