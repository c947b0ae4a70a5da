"""Lanes that keep the latest item only, for readers who ask by the clock, and tell nobody of the others.

While such a lane floods, the loop of its pump puts each item into a list of one place, and counts it; where
the reader asks when the last came, it reads the clock as well (`_engine/compile/handing.py`).
``benchmarks/workloads/timers.py`` measures it, ``tests/compile/test_opcodes_timed.py`` guards it.
"""

from __future__ import annotations

from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.flooding import Flood, Flooding
from streamkit._engine.buffer.target import Reader
from streamkit._engine.compile.key import End

__all__ = ["LatestLane", "StampedLane"]


class LatestLane(Flooding):
    """A lane that holds one item, in whose place the next is put."""

    __slots__ = ("cell",)
    plain = True
    end = End.LATEST

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.cell: list[Any] = []
        """What it holds. This is the entry of `held`: it costs less to replace what is in a list."""

    def put(self, item: Any) -> bool:
        if not self.held and self.limit > 0:
            self.cell.append(item)
            return super().put(self.cell)
        return super().put(item)  # it overflows

    def _overflow(self, item: Any) -> None:
        if self.limit < 0:
            super()._overflow(item)  # which refuses it
        self.taken_in += 1
        self.cell[0] = item
        self.account.lost(1)
        self.flood.on = True

    def pop(self) -> Any:
        super().pop()
        return self.cell.pop()

    def peek(self) -> Any:
        return self.cell[0] if self.cell else EMPTY

    def _bare(self, entry: Any) -> Any:
        return entry.pop()

    def stats(self, operator: str = "") -> BufferStats:
        self.account.lost(self.reckoned())
        return super().stats(operator)


class Stamps(Flood):
    """What such a loop counts in, which notes when it has done so."""

    __slots__ = ("stamp",)

    def __init__(self) -> None:
        super().__init__()
        self.stamp: float = 0.0
        """When the last item came."""


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
