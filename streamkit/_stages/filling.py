"""Filling one lane with streams that follow each other.

The last of them may end in the operator that owns the lane, as the pages of a ``merge`` or a ``buffer`` that
lead to more pages do. That is joined then, so an item makes one hop, however deep such pages are nested.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.run import Run
from streamkit._stages.sequence import Streams, follows

__all__ = ["Join", "filled", "fills", "widened"]

Join = Callable[[Inlet[Any]], Inlet[Any] | None]
"""Joins the operator at the end of a stream to the one that owns the lane; returns what is to be read then.

None if that cannot be joined.
"""


class _Filling(Streams[Awaitable[None]]):
    """Streams of which each is to be awaited, which reads it into the lane."""

    def __init__(self, run: Run, lane: Lane, first: Inlet[Any], join: Join, blamed: Link | None) -> None:
        super().__init__(run, first)
        self._lane = lane
        self._join = join
        self._blamed_link = blamed

    def _open(self, inlet: Inlet[Any], book: Book | None) -> Awaitable[None]:
        # an operator that may take the errors of the last stream must be told them: that runs by itself
        if self.last and inlet.links and (rest := self._join(inlet)) is not None:
            self._first = rest
            return _nothing()
        return self._run.fill(self._lane, inlet, book, self._blamed_link)


def fills(inlet: Inlet[Any], strategy: Strategy | None) -> bool:
    """Whether `inlet` is made of streams that may be read into a lane of `strategy` one after the other.

    A lane that does not wait may raise errors of its own, which no operator in `inlet` may take.
    """
    return isinstance(strategy, Suspend) and follows(inlet)


async def filled(run: Run, lane: Lane, inlet: Inlet[Any], join: Join, blamed: Link | None = None) -> None:
    """Read `inlet` into `lane`, in the task that calls this; errors of the lane name `blamed`."""
    streams = _Filling(run, lane, inlet, join, blamed)
    del inlet
    await streams.read()


def widened(lane: Lane, inlet: Inlet[Any]) -> Inlet[Any] | None:
    """What stands before the buffer at the end of `inlet`, if `lane` can be that buffer, too."""
    rest, both, _ = fused(inlet, lane.strategy)
    if rest is inlet or not isinstance(both, Suspend):
        return None
    lane.widen(both.capacity - lane.limit)
    lane.account.strategy = both
    return rest


async def _nothing() -> None:
    """An operator was joined; the stream before it follows."""
