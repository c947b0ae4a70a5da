"""One workload: the same job in streamkit, by hand and in each peer, for growing sizes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

OURS, HAND = "streamkit", "by hand"
TASKS = "tasks by hand"
"""Code by hand that promises what we promise, with a task for each source."""
WITHOUT = "without it"
"""The same pipe of streamkit without the operator that the workload is about."""
EVEN = (HAND, WITHOUT)
"""What streamkit is to be as good as, not faster than: they run as many items, in every round."""
PEERS = ("aiostream", "reactivex", "streamable", "streamz", "aioreactive", "pypeln")
APART = ("pypeln",)
"""Peers that start threads and loops of their own: each is measured in another process than the rest."""
NO_OPERATOR = "no such operator"

Run = Callable[[int, int], Awaitable[Any]]
"""Do the job once, for a size and a number of items; what it gives must be the same for all."""
Goals = Mapping[str, float]
"""By contender: at most so many times the cost of it, if it is `EVEN`; else at least so many times faster.

For streamkit itself: at most so many seconds. Where rows are `close`: at most so many seconds an item more.
"""


@dataclass(frozen=True)
class Spent:
    """What a run gives that has looked at the clock itself: what it costs to begin and to end is left out."""

    seconds: float = field(compare=False)
    result: Any


@dataclass
class Workload:
    """What is done, for which sizes, and by whom. Contenders are added by `by` and `lacks`."""

    name: str
    size: str
    """What grows, in words: "sources"."""
    sizes: tuple[int, ...]
    goals: Mapping[int, Goals] = field(default_factory=dict[int, Goals])
    """By size."""
    most: int = 100_000
    """Items in one run; a slow contender runs fewer, for the cost per item is compared."""
    same: bool = False
    """Everyone runs `most` items, where what a run costs before its first is a part of what is compared."""
    unit: Callable[[int], int] = lambda _: 1
    """For a size: items come in multiples of this."""
    item: str = "item"
    collects: bool = False
    """The garbage collector is on, where the garbage is a part of the cost."""
    waits: bool = False
    """It sleeps or uses threads: the clock on the wall counts; otherwise the processor's own does."""
    close: bool = False
    """Some nanoseconds are looked for: the fastest of many short rounds counts, of several processes."""
    peers: tuple[str, ...] = PEERS
    """Who else has a row; nobody, where the code by hand says all."""
    others: tuple[str, ...] = ()
    """Contenders that are measured here only."""
    needs: str = ""
    """A package without which it is left out, and what was measured before is kept."""
    flat: int | None = None
    """The size for which memory is measured while ten million items pass; None for not at all."""
    contenders: dict[str, Run] = field(default_factory=dict[str, Run])
    reasons: dict[str, str] = field(default_factory=dict[str, str])

    def by(self, name: str) -> Callable[[Run], Run]:
        """Decorate how `name` does it."""

        def add(run: Run) -> Run:
            self.contenders[name] = run
            return run

        return add

    def lacks(self, why: str, *names: str) -> None:
        """Say why `names` cannot do it, where that is not for want of an operator."""
        self.reasons.update(dict.fromkeys(names, why))

    @property
    def names(self) -> tuple[str, ...]:
        """Everyone who has a row."""
        return (HAND, OURS, *self.others, *self.peers)

    def reason(self, name: str) -> str | None:
        """Why `name` has no figures; None where it does take part."""
        return None if name in self.contenders else self.reasons.get(name, NO_OPERATOR)

    @property
    def missing(self) -> bool:
        """Whether it cannot be measured here."""
        return bool(self.needs) and find_spec(self.needs) is None

    def fit(self, size: int, count: float) -> int:
        """About `count` items, in whole units: at least one, and no more than `most` has."""
        unit = self.unit(size)
        return unit * max(1, round(min(count, self.most) / unit))
