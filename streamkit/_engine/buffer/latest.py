"""Lanes that keep the latest item only, for readers who ask by the clock, and tell nobody of the others.

While such a lane floods, the loop of its pump puts each item into a list of one place, and counts it; where
the reader asks when the last came, it reads the clock as well (`_engine/compile/handing.py`).
``benchmarks/workloads/timers.py`` measures it, ``tests/compile/test_opcodes_timed.py`` guards it.
"""

from __future__ import annotations

from typing import Any

from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.flooding import CellLane, Flood
from streamkit._engine.buffer.target import Reader
from streamkit._engine.compile.key import End

__all__ = ["LatestLane", "StampedLane"]


class LatestLane(CellLane):
    """A lane that holds one item, in whose place the next is put."""

    __slots__ = ()
    plain = True
    end = End.LATEST

    def _overflow(self, item: Any) -> None:
        if self.limit < 0:
            super()._overflow(item)  # which refuses it
        self.taken_in += 1
        self.cell[0] = item
        self.account.lost(1)
        self.flood.on = True

    def stats(self, operator: str = "") -> BufferStats:
        self.account.lost(self.reckoned())
        return super().stats(operator)


class Stamps(Flood):
    """What such a loop counts in, which notes when it has done so."""

    __slots__ = ("stamp",)

    stamp: float
    """When the last item came; nobody asks before."""


class StampedLane(LatestLane):
    """Such a lane that notes when its item came."""

    __slots__ = ()
    plain = True
    end = End.STAMP
    flood: Stamps

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.flood = Stamps()

    def put(self, item: Any) -> bool:
        self.flood.stamp = self.channel.clock()
        return super().put(item)

    @property
    def stamp(self) -> float:
        """When the item came that is held."""
        return self.flood.stamp
