"""The places of a ``flat_map``: each reads one inner stream at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from streamkit._core.awaiting import is_awaitable, pending
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
    """The target of the outer source. An item takes a place until its stream was delivered to the end."""

    def __init__(
        self, run: Run, channel: Channel, function: Callable[[Any], Any], concurrency: int, lookahead: int
    ) -> None:
        super().__init__(channel)
        self.run = run
        self.out = channel
        self.function = function
        self.concurrency = concurrency
        self.ahead = None if lookahead == 1 else Suspend(lookahead)
        """The buffer that the user asked for; None by default: an inner stream's own buffer decides."""
        self.taken = 0
        self.idle: list[Lane] = []
        """Lanes whose stream has ended; the next stream takes one, so lanes do not pile up."""
        self.ended = False
        self._over = False
        """Whether the channel was told that the last inner stream has ended."""
        channel.join()

    @property
    def _gone(self) -> bool:
        """Whether no more items are taken: the reader has left, or something failed."""
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
        """The outer source has ended; the last inner stream to end closes the lanes."""
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
        stream, strategy, buffer = fused(stream, self.ahead)
        lane = self._lane(strategy)
        book = self.run.book and self.run.book.chapter()
        try:
            await self.run.fill(lane, stream, book, buffer)
        except Exception as error:
            self._blame(error)
            raise
        del stream
        if lane.held:
            await _emptied(lane)
        if self.run.book and book:
            self.run.book.close(book)
        if strategy is self.ahead:
            self.idle.append(lane)
        else:
            lane.close()
            await _emptied(lane)  # the reader must still take a `Gap` at its end
            self.out.retire(lane)
        self.taken -= 1
        self.wake()
        self._close_if_done()

    def _lane(self, strategy: Strategy | None) -> Lane:
        """A lane for one stream: an idle one, unless the stream brings its own buffer."""
        if strategy is self.ahead and self.idle:
            return self.idle.pop()
        return self.out.lane(strategy or _ONE)

    async def _made(self, items: list[Any]) -> Inlet[Any]:
        """Make the inner stream. Pops the item out of `items`, so that no frame keeps it alive."""
        try:
            made = self.function(items.pop())
            # an observable of RxPY is awaitable too, for its last item
            waits = is_awaitable(made) and not hasattr(made, "subscribe")
            return Inlet(await pending(made) if waits else made)
        except Exception as error:
            self._blame(error)
            raise

    def _blame(self, error: Exception) -> None:
        """Note on `error` that this operator raised it; raise the error that replaces a ``StopIteration``."""
        if not isinstance(error, Abandoned):
            blamed = self.run.blame(error)
            if blamed is not error:
                raise blamed from blamed.__cause__


async def _emptied(lane: Lane) -> None:
    """Wait until everything in `lane` was taken out, or its reader has left."""
    while lane.held and lane.limit >= 0:
        try:
            await lane.vacancy()
        finally:
            lane.unwait()
