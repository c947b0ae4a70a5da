"""Operators that make a stream of each item, and join those."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import callback, whole
from streamkit._core.contract import Contract
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.account import BufferStats, Sums
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Abandoned, Lane
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator, SourceLike
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run

__all__ = ["flat_map"]

A = TypeVar("A")
B = TypeVar("B")

_ONE = Suspend(1)


class _Coming(Channel):
    """A channel whose lanes serve one stream after the other; of those that had to go, the sums stay."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.halt)
        self.places: Lane | None = None
        """Where the outer source writes: it buffers nothing, and has no account."""
        self._gone = Sums()

    def retire(self, lane: Lane) -> None:
        """Take out a lane that is empty, and will stay so."""
        lane.close()
        if not lane.held:  # a gap that stands at the end is no item, and still to be read
            lane.discard([])
        self.lanes.remove(lane)
        self._gone.add(lane.stats())

    def stats(self, operator: str = "") -> list[BufferStats]:
        here = [lane.stats(operator) for lane in self.lanes if lane is not self.places]
        return [*here, *self._gone.stats(operator)]


class _Places(Lane):
    """Where the outer source writes: each item takes a place, until its stream has ended and is delivered."""

    def __init__(
        self, run: Run, channel: _Coming, function: Callable[[Any], Any], concurrency: int, lookahead: int
    ) -> None:
        super().__init__(channel, Suspend(concurrency))
        self.run = run
        self.coming = channel
        self.function = function
        self.concurrency = concurrency
        self.ahead = None if lookahead == 1 else Suspend(lookahead)
        """The buffer that was asked for: the usual lookahead gives way to one at the end of a stream."""
        self.taken = 0
        self.idle: list[Lane] = []
        """Lanes whose stream has ended, and that wait for the next."""
        self.ended = False
        channel.places = self
        channel.adopt(self)

    def full(self) -> bool:
        return self.open and self.taken >= self.concurrency

    def put(self, item: Any) -> bool:
        if self.limit < 0:
            raise Abandoned
        self.taken += 1
        self.run.spawn(partial(self._inner, [item]), self.channel)
        return self.full()

    def close(self) -> None:
        """The outer source has ended: the last stream to end closes this."""
        self.ended = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self.ended and not self.taken:
            for lane in self.idle:
                lane.close()
            super().close()

    async def _inner(self, items: list[Any]) -> None:
        """Open, step and close the stream of one item, in a task of its own; then give its place back."""
        stream = await self._made(items)
        if self.limit < 0:
            raise Abandoned
        stream, strategy = fused(stream, self.ahead)
        lane = self._lane(strategy)
        book = self.run.book and self.run.book.chapter()
        try:
            await self.run.fill(lane, stream, book)
        except Exception as error:
            self._blame(error)
            raise
        del stream
        if lane.held:
            await _empty(lane)
        if self.run.book and book:
            self.run.book.close(book)
        if strategy is self.ahead:
            self.idle.append(lane)
        else:
            self.coming.retire(lane)
        self.taken -= 1
        self.wake()
        self._close_if_done()

    def _lane(self, strategy: Strategy | None) -> Lane:
        """A lane for one stream; where that brings no buffer of its own, one that another has left."""
        if strategy is self.ahead and self.idle:
            return self.idle.pop()
        return self.coming.lane(strategy or _ONE)

    async def _made(self, items: list[Any]) -> Inlet[Any]:
        """The stream of the one item in `items`, of which nothing else is kept."""
        try:
            made = self.function(items.pop())
            observable = hasattr(made, "subscribe")  # RxPY's can be awaited too, for its last item
            return Inlet(made if observable or not isawaitable(made) else await made)
        except Exception as error:
            self._blame(error)
            raise

    def _blame(self, error: Exception) -> None:
        """Note on `error` that it came from here, unless it did so already: in the buffer of a stream, say.

        What stands for an error that would end an iteration is raised in its place.
        """
        link = self.run.link
        if isinstance(error, Abandoned) or f"in {link!r} at {link.place}" in getattr(error, "__notes__", ()):
            return
        blamed = self.run.blame(error)
        if blamed is not error:
            raise blamed from blamed.__cause__


async def _empty(lane: Lane) -> None:
    """Wait until everything in `lane` was taken out, or its reader has left."""
    low, lane.low = lane.low, 0
    while lane.held and lane.limit >= 0:
        lane.writer = get_running_loop().create_future()
        lane.watch()
        try:
            await lane.writer
        finally:
            lane.writer = None
    lane.low = low


def _flat_map(
    run: Run, source: Inlet[Any], *, function: Callable[[Any], Any], concurrency: int, lookahead: int
) -> Channel:
    channel = run.adopt(_Coming(run))
    run.pump(source, into=_Places(run, channel, function, concurrency, lookahead))
    return channel


@overload
def flat_map(
    function: Callable[[A], Awaitable[SourceLike[B]]], *, concurrency: int, lookahead: int = 1
) -> Operator[A, B]: ...
@overload
def flat_map(
    function: Callable[[A], SourceLike[B]], *, concurrency: int, lookahead: int = 1
) -> Operator[A, B]: ...
@stage(
    _flat_map,
    contract=Contract(
        holds="concurrency * (1 + lookahead)",
        lookahead="concurrency * (1 + lookahead)",
        spreads=True,
        ordered="'within each inner stream'",
        result="what the streams that function makes hold",
    ),
)
def flat_map(function: Callable[[Any], Any], *, concurrency: int, lookahead: int = 1) -> Operator[Any, Any]:
    """Pass on the items of the streams that `function` makes of each item, several of them at once.

        items                      --a--b--c--|
        stream of a                  --1--2--3|
        stream of b                     -4-----5|
        stream of c                           --6|
        flat_map(f, concurrency=2) ----1-42--3-56|

    >>> from streamkit import Stream, ops
    >>> list(Stream([3, 2]) | ops.flat_map(range, concurrency=2))
    [0, 0, 1, 1, 2]
    >>> list(Stream(["ab", "cd"]) | ops.flat_map(str.upper, concurrency=1))
    ['A', 'B', 'C', 'D']

    Emits when: an item of an inner stream is there; inner streams that are ready take turns, item by item.
    Waits when: the consumer does: then each inner stream is read `lookahead` items ahead. The source is
        pulled only while a place is free: one of `concurrency`, each taken by an item whose inner stream is
        not over, or has items that were not delivered.
    Completes when: the source and every inner stream have.
    Closes when: it completes, fails, or the consumer leaves: the source and all inner streams at once, each
        in its own task.

    Args:
        function: called with each item; returns a stream, an iterable, an async iterable or a callable that
            makes one, or an awaitable of these. It is called in the task that reads what it returns.
        concurrency: inner streams read at once at most. With 1 they follow each other, in order.
        lookahead: items that each inner stream may be ahead. A ``buffer(strategy)`` at the end of an inner
            stream becomes this.

    Raises:
        TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
        ValueError: `concurrency` or `lookahead` is less than 1.

    An error of the source, of `function` or of an inner stream ends the stream: all others are cancelled,
    and items that are held are delivered first.
    """
    return Operator(
        flat_map,
        function=callback("function", function),
        concurrency=whole("concurrency", concurrency, least=1),
        lookahead=whole("lookahead", lookahead, least=1),
    )
