"""Accounts: what must be true of the numbers of one buffer, worked out by hand."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

import streamkit
from streamkit import BufferStats
from streamkit._engine.buffer.lane import Lane

__all__ = ["Account", "OnDrop", "check_sum", "strategies"]

OnDrop = Callable[[Any, str], None]


def check_sum(stats: BufferStats) -> None:
    accounted = stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held
    assert stats.offered == accounted, stats
    strategy = stats.strategy
    if strategy is None or strategy.overflows:
        limit = 1 if strategy is None else strategy.limit
        assert limit is not None
        assert stats.held <= stats.held_at_most <= limit, stats


def folding(waiting: list[int], item: list[int]) -> list[int]:
    return waiting + item


@dataclass
class Account:
    """What must be true of one lane, worked out by hand."""

    lane: Lane
    held: list[int] = field(default_factory=list)
    offered: int = 0
    delivered: list[int] = field(default_factory=list)
    dropped: list[tuple[int, str]] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)
    """What ``on_drop`` was called with."""
    folded: int = 0
    refused: list[int] = field(default_factory=list)
    missing: int = 0
    """Sum of the gaps that the reader was told of."""
    most: int = 0
    seconds_full: float = 0.0
    folds: list[int] = field(default_factory=list)
    """What was folded into the item that waits."""
    waiter: asyncio.Task[None] | None = None

    def put(self, number: int) -> None:
        """Take in `number` as the table of strategies says."""
        self.offered += 1
        strategy: Any = self.lane.strategy
        if strategy is None or not strategy.overflows or len(self.held) < strategy.limit:
            self.held.append(number)
            self.folds = []
        else:
            self.overflow(type(strategy).__name__, number)
        self.most = max(self.most, len(self.held))

    def overflow(self, strategy: str, number: int) -> None:
        match strategy:
            case "Fail":
                self.refused.append(number)
            case "DropIncoming":
                self.drop([number], "full")
            case "DropOldest" | "KeepLatest":
                self.drop([self.held.pop(0)], "full")
                self.held.append(number)
            case "DropYoungest":
                self.drop([self.held.pop()], "full")
                self.held.append(number)
            case "DropAll":
                self.drop(self.held, "full")
                self.held = [number]
            case "Conflate":
                self.folded += 1
                self.folds.append(number)

    def drop(self, numbers: list[int], reason: str) -> None:
        self.dropped += [(number, reason) for number in numbers]

    def full(self) -> bool:
        limit = 1 if self.lane.strategy is None else self.lane.strategy.limit
        bounded = self.lane.strategy is None or self.lane.strategy.overflows
        return bounded and limit is not None and len(self.held) >= limit


def strategies(*, of_a_lane: bool = True) -> st.SearchStrategy[Callable[[OnDrop | None], Any]]:
    """Every strategy, made with an ``on_drop`` where it takes one; a lane may have none."""

    def lossy(kind: Any) -> Any:
        made = [st.integers(1, 4)] if kind is not streamkit.KeepLatest else []
        return st.builds(
            lambda *capacity, gaps, tells: (
                lambda on_drop: kind(*capacity, gaps=gaps, on_drop=on_drop if tells else None)
            ),
            *made,
            gaps=st.booleans(),
            tells=st.booleans(),
        )

    def plain(kind: Any) -> Any:
        return st.builds(lambda capacity: lambda _: kind(capacity), st.integers(1, 4))

    names = ("DropIncoming", "DropOldest", "DropYoungest", "DropAll", "KeepLatest")
    return st.one_of(
        *[lossy(getattr(streamkit, name)) for name in names],
        *[plain(getattr(streamkit, name)) for name in ("Suspend", "Fail", "Collect", "Spill")],
        st.just(lambda _: streamkit.Conflate(folding)),
        st.just(lambda _: streamkit.Unbounded()),
        *([st.just(lambda _: None)] if of_a_lane else []),
    )
