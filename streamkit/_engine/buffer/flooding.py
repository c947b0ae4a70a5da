"""Lanes that are full as long as their reader takes nothing, whatever comes: they *flood* meanwhile.

While such a lane floods, the loop of its pump does with each item what the strategy says, by itself, and
counts it: no call of ours (`_engine/compile/handing.py`). ``benchmarks/workloads/strategies.py`` measures it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeGuard

from streamkit._core.markers import EMPTY
from streamkit._core.strategy import (
    Conflate,
    DropIncoming,
    DropOldest,
    DropYoungest,
    KeepLatest,
    Lossy,
    Strategy,
)
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Reader
from streamkit._engine.compile.key import End, Mode, mode_of

__all__ = ["CellLane", "Flood", "FoldingLane", "SheddingLane", "floods"]


class Flood:
    """What the loop of a writer looks at, and counts in, while its lane floods."""

    __slots__ = ("count", "on")

    def __init__(self) -> None:
        self.on: bool = False
        self.count: int = 0
        """Items that came so, and are in no other count yet. The writer's own, who adds to it."""


class Flooding(Lane):
    """A lane that floods; its kinds say what becomes of the items."""

    __slots__ = ("flood",)

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.flood = Flood()

    def loosen(self) -> None:
        self.flood.on = False
        super().loosen()

    def refuse(self) -> None:
        self.flood.on = False
        super().refuse()

    def reckoned(self) -> int:
        """How many came while it flooded: they count as taken in now. The caller says what became of them."""
        many, self.flood.count = self.flood.count, 0
        self.taken_in += many
        return many


class SheddingLane(Flooding):
    """A lane that loses items, and tells nobody of them."""

    __slots__ = ("shed",)
    plain = inline = True
    end = End.SHED

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.held, self.shed = _SHEDS[type(strategy)](self.limit)

    def watch(self) -> None:
        super().watch()
        self.flood.on = not self.kept

    def stats(self, operator: str = "") -> BufferStats:
        self.account.lost(self.reckoned())
        return super().stats(operator)


class CellLane(Flooding):
    """A lane that holds one item, in a cell."""

    __slots__ = ("cell",)

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.cell: list[Any] = []
        """What it holds. This is the entry of `held`: it costs less to replace what is in a list."""

    def put(self, item: Any) -> bool:
        if self.held or self.limit < 1:
            return super().put(item)  # it overflows
        self.cell.append(item)
        return super().put(self.cell)

    def pop(self) -> Any:
        super().pop()
        return self.cell.pop()

    def peek(self) -> Any:
        return self.cell[0] if self.cell else EMPTY

    def _bare(self, entry: Any) -> Any:
        return entry.pop()


class FoldingLane(CellLane):
    """A lane that folds what comes while it holds something into that."""

    __slots__ = ("_steady", "fold")
    plain = True
    end = End.FOLD

    def __init__(self, channel: Reader, strategy: Conflate) -> None:
        super().__init__(channel, strategy)
        self.fold: Callable[[Any, Any], Any] = strategy.fold
        self._steady = mode_of(strategy.fold) in (Mode.SYNC, Mode.UNKNOWN)
        """Whether what the first item is folded to says of all of them that they cannot be awaited."""

    def _overflow(self, item: Any) -> None:
        self._overflow_in(self.cell, item)
        self.flood.on = self._steady

    def unfolded(self) -> None:
        """An item came while it floods that could not be folded."""
        self.taken_in += 1
        self.account.unread()

    def stats(self, operator: str = "") -> BufferStats:
        self.account.fold(self.reckoned())
        return super().stats(operator)


Shed = Callable[[Any], object]
"""Called with one item more while the lane is full. In C, for it is all that an item costs."""


def _oldest(limit: int) -> tuple[deque[Any], Shed]:
    held = deque[Any](maxlen=limit)
    return held, held.append


def _incoming(_: int) -> tuple[deque[Any], Shed]:
    return deque[Any](), deque[Any](maxlen=0).append


def _youngest(_: int) -> tuple[deque[Any], Shed]:
    held = deque[Any]()
    return held, partial(held.__setitem__, -1)


_SHEDS: Final[dict[type[Strategy], Callable[[int], tuple[deque[Any], Shed]]]] = {
    DropIncoming: _incoming,
    DropOldest: _oldest,
    DropYoungest: _youngest,
    KeepLatest: _oldest,
}
"""What holds the items, and what is called with one more."""


def floods(strategy: Strategy | None) -> TypeGuard[Strategy]:
    """Whether a lane of `strategy` floods: for each item that finds it full, one is lost or folded.

    Not where somebody is to be told of that.
    """
    kind = type(strategy)
    return kind is Conflate or (
        kind in _SHEDS
        and isinstance(strategy, Lossy)
        and strategy.on_drop is None
        and not strategy.marks_gaps
    )
