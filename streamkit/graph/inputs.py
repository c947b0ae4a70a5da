"""Inputs of nodes that run: lanes one behind the other, as what comes by a new one waits for the old one."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.account import BufferStats, Sums
from streamkit.graph.lanes import Lane, Mark, Port
from streamkit.graph.trials import Trial

__all__ = ["Input"]


class Input:
    """What a node reads by one of its edges, whichever node stands at the other end of it."""

    def __init__(self, trial: Trial | None = None) -> None:
        self.lanes: deque[Lane] = deque()
        """What is read, and then what follows that."""
        self.over: bool = False
        """Whether nothing more is read here."""
        self._trial = trial
        """Of its node, which has begun a moment ago."""
        self._last: Lane | None = None
        self._past = Sums()
        """Of lanes that were read to their end."""
        self.passed: Callable[[Mark], object] = _nobody
        """Called with each mark that comes here."""

    async def items(self) -> AsyncGenerator[Any, None]:
        """What comes by all of its lanes."""
        trial = self._trial
        try:
            while self.lanes:
                lane = self.lanes[0]
                while True:
                    if trial is not None and not trial.over:
                        trial.asks()
                    if lane.marks:
                        lane.pass_marks()
                    item = lane.taken() if lane.items else await lane.take()
                    if item is EMPTY:
                        break
                    if trial is not None:
                        trial.took(item)
                    yield item
                    del item
                self.lanes.popleft()
                self._past.add(lane.stats())
        finally:
            if trial is None or trial.over:  # or else another node may have what is left here
                self.leave()

    def leave(self) -> None:
        """Nobody reads here any more."""
        self.over = True
        while self.lanes:
            lane = self.lanes.popleft()
            lane.abandon()
            self._past.add(lane.stats())

    def add(self, lane: Lane) -> None:
        """Read `lane`, too, behind those that there are."""
        self.lanes.append(lane)
        self._last = lane
        lane.reader = self

    def inherit(self, left: Input, kept: Sequence[Any], port: Port) -> None:
        """Read what a node has left that ended on trial: `kept`, which it had taken, and then its lanes.

        All of that stands behind what it has passed on here by its `port`, and before what is read then.
        """
        lanes = [*left.lanes]
        left.lanes.clear()
        if kept:
            assert left._last is not None
            lanes.insert(0, left._last.again(kept))
        at = max([place + 1 for place, lane in enumerate(self.lanes) if lane.port is port], default=0)
        for lane in reversed(lanes):
            if self.over:
                lane.abandon()
            else:
                self.lanes.insert(at, lane)

    def stats(self) -> list[BufferStats]:
        """What became of the items that were to come here, by the nodes that they came from."""
        found = Sums()
        for stats in (*self._past.stats(), *[lane.stats() for lane in self.lanes]):
            found.add(stats)
        return found.stats()


def _nobody(mark: Mark) -> None:
    """Who hears of a mark that comes to a node which passes none."""
