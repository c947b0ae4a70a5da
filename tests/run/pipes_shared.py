"""More of them: of which several readers share one run."""

from __future__ import annotations

import asyncio
from typing import Any

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    KeepLatest,
    Spill,
    Suspend,
    Unbounded,
    ops,
)
from streamkit._core.strategy import Strategy
from streamkit.live import Slot
from tests.run.calling import Calls, Piped, together

STRATEGIES: dict[str, Strategy] = {
    "suspend": Suspend(2),
    "unbounded": Unbounded(),
    "spill": Spill(2),
    "drop oldest": DropOldest(1),
    "drop incoming": DropIncoming(2),
    "drop youngest": DropYoungest(2),
    "drop all": DropAll(2),
    "gaps": DropOldest(2, gaps=True),
    "latest": KeepLatest(),
    "conflate": Conflate(together),
    "collect": Collect(3),
}


def under(strategy: Strategy) -> Piped:
    """A shared stream that a quick reader and a slow one read."""

    def piped(s: Any, c: Calls) -> Any:
        async def late(item: Any) -> Any:
            await asyncio.sleep(1)
            return c.same(item)

        shared = s | ops.map(c.uneven) | ops.share(strategy=strategy, readers=2)
        return shared | ops.merge(shared | ops.map(late)) | ops.for_each(c.put)

    return piped


UNDER: dict[str, Piped] = {name: under(strategy) for name, strategy in STRATEGIES.items()}


def _diamond(s: Any, c: Calls) -> Any:
    shared = s | ops.share(readers=2)
    return shared | ops.zip(shared | ops.map(c.slow, concurrency=2)) | ops.for_each(c.put)


def _one_leaves(s: Any, c: Calls) -> Any:
    shared = s | ops.share(readers=2)
    return shared | ops.merge(shared | ops.map(c.slow) | ops.take(2)) | ops.for_each(c.store)


def _behind_another(s: Any, c: Calls) -> Any:
    first = s | ops.share(2, readers=2)
    second = first | ops.batch(2) | ops.share()
    return first | ops.merge(second | ops.flatten(), second | ops.map(c.slow)) | ops.for_each(c.put)


SHARED: dict[str, Piped] = {
    "one reader": lambda s, c: s | ops.map(c.same) | ops.share() | ops.map(c.slow) | ops.for_each(c.store),
    "loop": lambda s, c: s | ops.share() | ops.map(c.slow),
    "diamond": _diamond,
    "one leaves": _one_leaves,
    "behind another": _behind_another,
    "in a branch": lambda s, c: (
        s | ops.broadcast(ops.map(c.slow), ops.share() | ops.map(c.slow)) | ops.for_each(c.store)
    ),
    "in groups": lambda s, c: (
        s | ops.group_by(c.odd, ops.share(1) | ops.map(c.slow), max_groups=2) | ops.for_each(c.put)
    ),
    "in a slot": lambda s, c: s | Slot(ops.map(c.slow) | ops.share()) | ops.for_each(c.store),
}
