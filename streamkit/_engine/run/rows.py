"""Rows: a reader of several driven lanes at once, which takes one item of each.

``benchmarks/workloads/rows.py`` measures it, ``tests/compile/test_opcodes_driven.py`` guards it.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, compress, repeat
from operator import length_hint, not_
from typing import Any

from streamkit._engine.buffer.driven import DrivenLane
from streamkit._engine.run.driver import Driver
from streamkit._engine.run.steps import Steps

__all__ = ["RowReader"]

_popleft: Callable[[Any], Any] = deque[Any].popleft


class RowReader(Steps):
    """Reads several driven lanes at once: one item of each makes a row."""

    __slots__ = (
        *("_counted", "_drivers", "_full", "_given", "_helds", "_left", "_order", "_single"),
        *("lanes", "late"),
    )

    def __init__(self, loop: AbstractEventLoop) -> None:
        super().__init__(loop)
        self.lanes: list[DrivenLane] = []
        self._drivers: list[Driver] = []
        self._helds: list[Any] = []
        """What each of them holds."""
        self._given = self._counted = 0
        """Rows that were given, with those that `_left` still counts; and how many the lanes have counted."""
        self._left: Any = iter(())
        self._order: list[Any] = []
        """What the iterator of `rows` goes through, for the first lane."""
        self._full = False
        """Whether a lane is full, until a row is taken."""
        self._single = True
        """Whether each lane holds one item at most."""
        self.late = False
        """Whether pumps can go on that are to bring the next row, when others have run."""

    def reads(self, lane: DrivenLane) -> None:
        """Read this one, too."""
        self.lanes.append(lane)
        self.clock.ahead(lane.limit)
        self._single = self._single and lane.limit == 1
        self._drivers.append(lane.driver)
        self._helds.append(lane.held)
        self.fill()

    def ready(self) -> int:
        """How many whole rows there are, once the pumps were driven whose lanes are empty."""
        helds = self._helds
        if not all(helds):
            empty = [*compress(self._drivers, map(not_, helds))] if any(helds) else self._drivers
            if left := self.step(empty):
                self.late = any(driver.ready for driver in empty[len(empty) - left :])
            if self._single:
                return all(helds)
        return min(map(len, helds))

    def rested(self) -> None:
        self.late = False
        super().rested()

    def row(self) -> tuple[Any, ...]:
        """The next row, which is there."""
        if self._filling is None or self._full:
            self.takes()
        self._given += 1
        return tuple(map(_popleft, self._helds))

    def rows(self, count: int) -> Iterator[tuple[Any, ...]]:
        """The next `count` rows, which are there, with no line of Python for each."""
        if self._filling is None or self._full:
            self.takes()
        self._given += count
        first, *others = self._helds
        self._left = repeat(first, count)
        self._order = [self._left]
        left = [chain.from_iterable(self._order), *[repeat(held, count) for held in others]]
        return zip(*[map(_popleft, each) for each in left], strict=False)

    def takes(self) -> None:
        """Something is taken: have it filled up when others run."""
        for _ in self._taken():
            pass
        self.fill()

    def _taken(self) -> Iterator[Any]:
        """Nothing; and no lane is full from now on."""
        self._full = False
        for lane in self.lanes:
            lane.account.not_full()
        yield from ()

    def watch(self) -> None:
        """A lane is full: have it noted when the next row is taken, also by what `rows` has given."""
        self._full = True
        if many := length_hint(self._left):
            deque(self._left, 0)
            self._left = repeat(self._helds[0], many)
            self._order += (self._taken(), self._left)

    def goes_on(self, driver: Driver) -> None:
        self.late = True
        self.fill()

    def _fill(self) -> None:
        super()._fill()
        room = [lane for lane in self.lanes if lane.driver.ready and len(lane.held) < lane.limit]
        before = [len(lane.held) for lane in room]
        if self.step([lane.driver for lane in room]):
            self.fill()
        for lane, size in zip(room, before, strict=True):
            lane.brought(size)

    def waits(self) -> None:
        """The reader waits: lanes that are full are so from now on."""
        for lane in self.lanes:
            lane.brought(len(lane.held))

    def count(self) -> None:
        """Have the lanes count what was given since the last call."""
        given = self._given - length_hint(self._left)
        for lane in self.lanes:
            lane.gave(given - self._counted)
        self._counted = given
