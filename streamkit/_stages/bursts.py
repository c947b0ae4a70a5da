"""Bursts: items that come while the event loop does not turn go into the lanes of all readers at once.

A call per item and lane would cost more than all else. So items are collected as long as every lane has room
for them, and dealt out before any reader that they wake runs. ``benchmarks/workloads/sharing.py`` measures
it, ``tests/compile/test_opcodes_branches.py`` guards it.
"""

from __future__ import annotations

from abc import abstractmethod
from asyncio import AbstractEventLoop
from collections.abc import Sequence
from typing import Any

from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Failing, Target

__all__ = ["Bursts"]


class Bursts(Target):
    """The target of a pump that puts each item into several lanes."""

    def __init__(self, channel: Failing, loop: AbstractEventLoop) -> None:
        super().__init__(channel)
        self._loop = loop
        self.burst: list[Any] = []
        """The items that have come since the event loop has turned."""
        self.left = 0
        """For how many more all lanes have room."""

    @abstractmethod
    def wanted(self) -> Sequence[Lane]:
        """The lanes that get items now; raises Abandoned if nobody will read any more."""

    @abstractmethod
    def dealt(self, burst: list[Any]) -> None:
        """Put all of `burst` into each lane."""

    def put(self, item: Any) -> bool:
        self.burst.append(item)
        self.left -= 1
        return self.left <= 0 and self._filled()

    def _filled(self) -> bool:
        """The first item of a burst has come, or the last for which all lanes have room."""
        lanes = self.wanted()
        if len(self.burst) == 1 and lanes:
            self.left = min([lane.limit - len(lane.held) for lane in lanes]) - 1
            if self.left > 0:
                self._loop.call_soon(self.deal)
                return False
        return self.full()

    def deal(self) -> None:
        """Put what has come into the lane of every reader: once for a burst, before any reader runs."""
        burst, self.burst, self.left = self.burst, [], 0
        if burst:
            self.dealt(burst)
