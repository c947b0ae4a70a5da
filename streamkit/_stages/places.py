"""Places: how many streams of a ``flat_map`` are read at once, and what comes out of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import Any

from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned, Target
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run

__all__ = ["Places"]

_ONE = Suspend(1)


class Places(Target):
    """Where the outer source writes: each item takes a place, until its stream has ended and is delivered."""

    def __init__(
        self, run: Run, channel: Channel, function: Callable[[Any], Any], concurrency: int, lookahead: int
    ) -> None:
        super().__init__(channel)
        self.run = run
        self.out = channel
        self.function = function
        self.concurrency = concurrency
        self.ahead = None if lookahead == 1 else Suspend(lookahead)
        """The buffer that was asked for: the usual lookahead gives way to one at the end of a stream."""
        self.taken = 0
        self.idle: list[Lane] = []
        """Lanes whose stream has ended, and that wait for the next."""
        self.ended = False
        self._over = False
        """Whether the last inner stream has ended, and the channel knows it."""
        channel.join()

    @property
    def _gone(self) -> bool:
        """Whether nothing is taken any more."""
        return self.channel.left or self.channel.error is not None

    def full(self) -> bool:
        return self.taken >= self.concurrency and not self._gone

    def put(self, item: Any) -> bool:
        if self._gone:
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
            if not self._over:
                self._over = True
                self.channel.closed()

    async def _inner(self, items: list[Any]) -> None:
        """Open, step and close the stream of one item, in a task of its own; then give its place back."""
        stream = await self._made(items)
        if self._gone:
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
            await lane.emptied()
        if self.run.book and book:
            self.run.book.close(book)
        if strategy is self.ahead:
            self.idle.append(lane)
        else:
            lane.close()
            await lane.emptied()  # of a gap that stands at its end
            self.out.retire(lane)
        self.taken -= 1
        self.wake()
        self._close_if_done()

    def _lane(self, strategy: Strategy | None) -> Lane:
        """A lane for one stream; where that brings no buffer of its own, one that another has left."""
        if strategy is self.ahead and self.idle:
            return self.idle.pop()
        return self.out.lane(strategy or _ONE)

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
        """Note on `error` that it came from here; raise what stands for one that would end an iteration."""
        if not isinstance(error, Abandoned):
            blamed = self.run.blame(error)
            if blamed is not error:
                raise blamed from blamed.__cause__
