"""Stations: what stays of a worker when its thread or process is replaced: index, arguments and counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from streamkit.executors.events import WorkerInfo
from streamkit.executors.hand import Call, Hand
from streamkit.executors.terms import Terms

__all__ = ["Station"]

QUICK: Final = 0.02
"""Seconds. Where calls take longer, the next one is not given ahead: another worker may be free sooner."""
AHEAD: Final = 0.002
"""Seconds that those take which are given ahead: longer than it takes to hear of one, and send the next."""
_SMOOTH: Final = 0.2
"""How much the last call counts in the mean time of a call."""


class Station:
    """One worker of a pool, and what it has to do now."""

    def __init__(self, index: int, arguments: Mapping[str, Any], terms: Terms) -> None:
        self.index = index
        self.arguments = arguments
        self.hand: Hand | None = None
        self.calls: deque[Call] = deque()
        """In the order in which they are done; the first is under way."""
        self.leaving = False
        """Whether it gets no more calls: its hand is replaced, or it is removed, when it has none."""
        self.removed = False
        self.deaths: int = 0
        """Hands in a row that ended before they were prepared."""
        self.ahead: int = 0
        """How many calls are good to be given to it beside the one that it does."""
        self._terms = terms
        self._given = 0
        """Items that its hand was given."""
        self._mean = float("inf")
        self._info: dict[str, Any] = {
            **dict.fromkeys(("chunks", "items", "crashes", "memory", "peak"), 0),
            "seconds": 0.0,
        }

    @property
    def ready(self) -> bool:
        """Whether it takes calls."""
        return self.hand is not None and self.hand.ready and not self.leaving

    @property
    def used_up(self) -> bool:
        """Whether its hand was given as many items as it may be."""
        most = self._terms.recycle_after
        return most is not None and self._given >= most

    def room(self) -> bool:
        """Whether it takes one more."""
        hand = self.hand  # as `ready`, without a call
        if hand is None or self.leaving or not hand.ready:
            return False
        return len(self.calls) <= self.ahead and not self.used_up

    def give(self, call: Call) -> None:
        """Have `call` done by its hand."""
        call.worker = self.index
        self.calls.append(call)
        self._info["peak"] = max(self._info["peak"], len(self.calls))
        if self.hand is not None and self.hand.ready:
            self._given += len(call.items)
            self.hand.give(call)

    def begin(self) -> None:
        """Its hand is ready: give it what waits here."""
        self.deaths = 0
        assert self.hand is not None
        self._given = sum(len(call.items) for call in self.calls)
        for call in self.calls:
            self.hand.give(call)

    def done(self, call: Call, seconds: float, memory: int) -> None:
        """A call has ended, with or without results."""
        self.calls.remove(call)
        self._info["memory"] = memory
        self._info["seconds"] += seconds
        if call.work is not None:
            self._info["chunks"] += 1
            self._info["items"] += len(call.items)
            mean = self._mean
            self._mean = seconds if mean == float("inf") else mean + _SMOOTH * (seconds - mean)
            self.ahead = _ahead(self._mean, self._terms.prefetch)

    def crashed(self) -> None:
        """Its hand was lost."""
        self._info["crashes"] += 1

    def info(self) -> WorkerInfo:
        """How it is."""
        return WorkerInfo(
            index=self.index,
            arguments=self.arguments,
            ready=self.ready,
            pid=None if self.hand is None else self.hand.pid,
            load=len(self.calls),
            **self._info,
        )


def _ahead(mean: float, prefetch: int) -> int:
    """How many of `prefetch` calls are good to be given ahead, where one takes `mean` seconds."""
    if mean >= QUICK or not prefetch:
        return 0
    return prefetch if mean * prefetch <= AHEAD else max(1, int(AHEAD / mean))
