"""Hops: a pipe is cut into two, which live in one process or in several, and meet in a carrier.

What is before the hop is a job of its own: it stores its items in the carrier. What is behind it begins with
a reader of the carrier. Where both are run as one, the ledger of the reader runs the first job beside itself,
and ends it when the run ends.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Task
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol, cast

from streamkit._core.arguments import Composed
from streamkit._core.delivery import Delivery, Ledger
from streamkit._core.errors import raise_first
from streamkit._core.show import shown
from streamkit._core.value import Value
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Pipe, Sink, SourceLike, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.tracked import Tracked

__all__ = ["Hop", "HopSource", "Store"]


class Store(Protocol):
    """What a hop goes through: a carrier of `streamkit.durable`."""

    @property
    def writer(self) -> Callable[..., Sink[Any, int]]: ...

    @property
    def reader(self) -> Callable[..., Stream[Any]]: ...


class _Feeding(Ledger, Protocol):
    def fail(self, error: BaseException) -> None:
        """End the stream with `error`, when what is ready was handed out."""
        ...


class HopSource(Tracked):
    """The source of what is behind a hop: the reader, with the job that stores what is before it."""

    __slots__ = ("_carrier", "before", "reader")

    def __init__(
        self, carrier: Store, before: Job[int], reader: Stream[Any], options: Mapping[str, Any]
    ) -> None:
        source = cast("Tracked", reader.source)
        make = cast("Callable[[], _Feeding]", source.value)
        super().__init__("through", (before,), lambda: _Both(before, make()), source.most, **options)
        self._carrier = carrier
        self.before = before
        self.reader = reader

    @property
    def beside(self) -> tuple[Any, ...]:
        # a job shows nobody of what it is made, but the engine
        return (Inlet[Any](self.before._source, self.before._links),)  # pyright: ignore[reportPrivateUsage]

    def __repr__(self) -> str:
        return f"through({self._carrier!r}, group={self._options['group']!r})"


class _Both:
    """The ledger of the reader, and beside it the job that stores."""

    def __init__(self, before: Job[int], ledger: _Feeding) -> None:
        self._before = before
        self._ledger = ledger
        self._task: Task[None] | None = None

    async def open(self) -> None:
        await self._ledger.open()

    def deliveries(self) -> AsyncIterator[tuple[Delivery, Any]]:
        if self._task is None:
            self._task = asyncio.create_task(self._store())
        return self._ledger.deliveries()

    def closed(self, delivery: Delivery) -> None:
        self._ledger.closed(delivery)

    async def close(self, error: BaseException | None = None) -> None:
        errors: list[BaseException] = []
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            while not task.done():
                try:
                    await asyncio.wait([task])
                except CancelledError as cancelled:
                    errors.append(cancelled)
        try:
            await self._ledger.close(error)
        except BaseException as late:
            errors.append(late)
        raise_first(errors)

    async def _store(self) -> None:
        """Whoever waits for items is told of an error; when all is stored, the reader goes on."""
        try:
            await self._before
        except Exception as error:
            self._ledger.fail(error)


class Hop(Value, Composed):
    """What `through` returns; pipes before and behind it may be joined to it before there is a stream."""

    carrier: Store
    writing: Mapping[str, Any]
    reading: Mapping[str, Any]
    before: Any
    after: Any

    def __init__(self, carrier: Store, writing: Mapping[str, Any], reading: Mapping[str, Any]) -> None:
        self._made_of(carrier=carrier, writing=writing, reading=reading, before=None, after=None)

    def __call__(self, stream: Stream[Any]) -> Stream[Any]:
        before = stream if self.before is None else stream | self.before
        job: Job[int] = Job(
            before, self.carrier.writer(**self.writing).links
        )  # run by the reader's run, or cut
        reader = self.carrier.reader(**self.reading)
        behind: Stream[Any] = Stream(HopSource(self.carrier, job, reader, self.reading))
        joined: Stream[Any] = (
            behind if self.after is None else behind | self.after
        )  # a job, if that is a sink
        return joined

    def __ror__(self, left: SourceLike[Any]) -> Any:
        if isinstance(left, Pipe):
            return self.but(before=left if self.before is None else left | self.before)
        given: Any = left
        stream: Stream[Any] = given if isinstance(left, Stream) else Stream(given)
        return self(stream)

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, Composed):
            return NotImplemented
        return self.but(after=other if self.after is None else self.after | other)

    def __repr__(self) -> str:
        said = [f"{name}={shown(value)}" for name, value in {**self.writing, **self.reading}.items()]
        hop = f"through({', '.join([repr(self.carrier), *said])})"
        return " | ".join(
            repr(each) if each is not self else hop
            for each in (self.before, self, self.after)
            if each is not None
        )
