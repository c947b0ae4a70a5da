"""Strategies of push sources, and the check that what each side was told comes out."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import (
    BufferStats,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    Gap,
    KeepLatest,
    Offered,
    Spill,
    Strategy,
    Suspend,
    Unbounded,
)

Drop = Callable[[Any, str], object]
MAKERS: dict[str, Callable[[int, Drop], Strategy]] = {
    "Suspend": lambda capacity, drop: Suspend(capacity),
    "Fail": lambda capacity, drop: Fail(capacity),
    "DropIncoming": lambda capacity, drop: DropIncoming(capacity, on_drop=drop),
    "DropIncoming-gaps": lambda capacity, drop: DropIncoming(capacity, on_drop=drop, gaps=True),
    "DropOldest": lambda capacity, drop: DropOldest(capacity, on_drop=drop),
    "DropOldest-gaps": lambda capacity, drop: DropOldest(capacity, on_drop=drop, gaps=True),
    "DropYoungest": lambda capacity, drop: DropYoungest(capacity, on_drop=drop),
    "DropAll": lambda capacity, drop: DropAll(capacity, on_drop=drop),
    "KeepLatest": lambda capacity, drop: KeepLatest(on_drop=drop),
    "Conflate": lambda capacity, drop: Conflate(lambda waiting, item: waiting + item),
    "Collect": lambda capacity, drop: Collect(capacity),
    "Spill": lambda capacity, drop: Spill(capacity),
    "Unbounded": lambda capacity, drop: Unbounded(),
}
"""Items are tuples of one key: what is folded and what is collected shows which items it is made of."""
REFUSED = (Offered.FULL, Offered.CLOSED)
every_strategy = pytest.mark.parametrize("name", MAKERS)


def keys(items: Any) -> list[Any]:
    """The keys of all items in `items`, in order; gaps have none."""
    if isinstance(items, Gap):
        return []
    if isinstance(items, list):
        return [key for item in items for key in keys(item)]
    return list(items)


def check_sum(stats: BufferStats) -> None:
    parts = stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held
    assert stats.offered == parts, stats
    if stats.strategy is not None and stats.strategy.overflows:
        assert max(stats.held, stats.held_at_most) <= (stats.strategy.limit or 0), stats


def check_told(stats: BufferStats, outcomes: Counter[Offered], dropped: list[Any], got: list[Any]) -> None:
    """What producers, ``on_drop`` and the consumer were told, when all has ended, is what was counted."""
    assert stats.held == 0
    assert stats.offered == outcomes.total()
    assert stats.refused == sum(outcomes[each] for each in REFUSED)
    assert stats.strategy is not None
    assert stats.delivered == len(got if stats.strategy.folds else keys(got))
    if hasattr(stats.strategy, "on_drop"):
        assert stats.dropped == len(dropped)
    if not stats.strategy.drops_incoming:
        assert not outcomes[Offered.DROPPED]


async def turns() -> None:
    """Let everyone in this loop go on until nobody can."""
    for _ in range(8):
        await asyncio.sleep(0)
