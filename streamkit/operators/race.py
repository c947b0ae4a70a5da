"""The operator of which one source wins."""

from __future__ import annotations

from typing import Any, TypeVar

from streamkit._core.contract import Contract
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import SourceLike
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.inputs import fed, streams

__all__ = ["race"]

B = TypeVar("B")


class _Contest(Channel):
    """A channel whose lanes race: the first that gets an item, or ends, cuts off the others.

    That is done where it happens, and not by the reader: until that is awake, a loser might have failed.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run.halt)
        self._run = run
        self.decided: bool = False
        """Whether a lane has won."""

    def enlist(self, lane: Lane) -> None:
        super().enlist(lane)
        self._wins(lane)

    def closed(self) -> None:
        super().closed()
        if not self.decided:
            self._wins(next(lane for lane in self.lanes if not lane.open))

    def _wins(self, winner: Lane) -> None:
        if self.decided:
            return
        self.decided = True
        for lane in [lane for lane in self.lanes if lane is not winner]:
            self._run.cut(lane)


def _race(run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...]) -> Channel:
    channel = run.adopt(_Contest(run))
    fed(run, channel, (source, *sources))
    return channel


@stage(
    _race,
    joins=True,
    pairs=followed_anyway,
    contract=Contract(holds="1", lookahead="1", per_source=True, chooses=True, keeps="True"),
)
def race(*sources: SourceLike[B]) -> Joined[B]:
    """Pass on the items of the source that is the first to do something, this stream or one of `sources`.

        items   -----a--b--|
        source  --1-----2-----3--|
        race    --1-----2-----3--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.race([1, 2]))
    ['a', 'b']

    The first to emit, to end or to fail has won; the others are cancelled then, and cleaned up. Of several in
    the same turn of the event loop, it is the one that came first, which is the one that stands first where
    all are ready. An item that a loser had ready is lost. It is ``amb`` of RxPY, for any number of sources.

    Emits when: the winner does.
    Waits when: no source has done anything yet, or the consumer does; the winner is read one item ahead.
    Completes when: the winner does: a source that ends at once, without an item, wins.
    Closes when: a source has won: the others, at once, each in its own task. Their clean-up does not hold up
        the items; the end waits for it, and raises what it raises. The winner when it ends, or the consumer
        leaves.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.

    Raises:
        TypeError: a source is none of these.
    """
    return Joined(race, sources=streams("race", sources))
