"""Drives: a reader of many lanes steps the pump of each whose turn it is and that has nothing.

It goes on until each pump waits for something that is not there. So ready sources cost no turn of the event
loop, whatever their lookahead. While the reader lets others run, the lanes from which it took something are
filled up, once per turn of the loop, as pumps read ahead that nobody drives.

``benchmarks/workloads/combining.py`` measures it, ``tests/compile/test_opcodes_turns.py`` guards it.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Iterator
from contextvars import Context, copy_context
from operator import length_hint
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.driven import TurnLane
from streamkit._engine.buffer.rounds import took
from streamkit._engine.run.driver import Driver
from streamkit._engine.run.steps import Steps

__all__ = ["Drives"]

_popleft: Any = deque[Any].popleft
_LEAST = 16
"""Pumps that may have ended before others run; or as many as there are, if these are more.

Each has left a task, which then takes its last step.
"""


class Drives(Steps):
    """Steps the pumps of the driven lanes of one channel, for its reader."""

    __slots__ = (
        *("_counted", "_drivers", "_helds", "_lanes", "_left", "_plan", "_reads", "_ready"),
        *("_touched", "context"),
    )

    def __init__(self, loop: AbstractEventLoop) -> None:
        super().__init__(loop)
        self.context: Context = copy_context()
        """That of the reader, or of what has made this for it."""
        self._touched: deque[TurnLane] = deque()
        """Lanes whose pumps may go on when others run."""
        self._lanes: list[Any] = []
        """The lanes of the rounds that are taken; while they stay the same, no item has one looked at."""
        self._helds: list[Any] = []
        """What each of them holds."""
        self._drivers: list[Driver] = []
        self._left: Any = iter(())
        self._plan = self._counted = 0
        """How many items the rounds have, with those that `_left` still counts; and how many were counted."""
        self._reads = False
        """Whether the reader has read since lanes were filled up."""
        self._ready = 0
        """How many lanes had something in the last round, or might have."""

    def idle(self) -> None:
        """The reader waits, and so does not go on reading now."""
        self._reads = False

    @property
    def tired(self) -> bool:
        """Whether others are to run before more pumps are driven."""
        return self.clock.late or self._ended >= max(_LEAST, self._ready)

    def drive(self, lane: TurnLane) -> bool:
        """Step the pump of `lane`, which has nothing; whether it has something now.

        For readers that take one item at a time. One that lets others run does so in its task.
        """
        driver = lane.driver
        if driver.parked and not self._stopped:
            self.step((driver,))
            if self.clock.late and driver.ready and not lane.held:
                driver.told()
        return bool(lane.held)

    def goes_on(self, driver: Driver) -> None:
        lane: Any = driver.lane
        lane.touch()

    def each(self, rota: Any, most: int) -> Iterator[Any]:
        """One item of each lane, then one again; before a round, the pumps of empty lanes are stepped.

        Where the reader lets nobody run in between, there is no line of Python for an item.
        """
        self._reads = True
        while rota.queue and most > 0 and not self.tired:
            lanes, helds = self._round(rota, most)
            if rota.mixed or not rota.alone:
                most -= len(lanes)
                for lane in lanes:
                    item = lane.pop() if lane.held else EMPTY
                    if item is not EMPTY:  # pragma: no branch - only their reader takes items out
                        yield item
                continue
            if lanes is not self._lanes:
                self._takes(lanes, helds)
            if len(lanes) == len(rota.queue):
                many = min(map(len, helds), default=0)
                if many > 1:
                    helds = helds * min(many, 1 + most // len(lanes))
            most -= len(helds)
            self._plan += len(helds) - length_hint(self._left)
            self._left = left = iter(helds)
            yield from map(_popleft, left)
            if most < len(rota.queue):  # a part of a round would change whose turn it is in the next
                return

    def _takes(self, lanes: list[Any], helds: list[Any]) -> None:
        """These are the lanes from now on of which one item each is taken."""
        self.count()
        self._lanes, self._helds, self._drivers = lanes, helds, [lane.driver for lane in lanes]
        self._plan, self._counted, self._left = 0, 0, iter(())

    def renewed(self) -> None:
        """A lane has another driver: look which each has."""
        self._takes([], [])

    def _round(self, rota: Any, most: int) -> tuple[list[Any], list[Any]]:
        """The lanes of the next round, `most` of them, which have something; and what they hold."""
        turn = rota.queue
        self._ready = len(turn)
        some = most < len(turn)
        lanes = [turn.popleft() for _ in range(most)] if some else [*turn]
        if not some:
            turn.clear()
        if lanes == self._lanes:
            lanes, helds = self._lanes, self._helds
        else:
            helds = [lane.held for lane in lanes]
        if not all(helds):
            if not (any(helds) or rota.mixed or lanes is not self._lanes):
                empty, drivers = lanes, self._drivers
            else:
                empty = [lane for lane in lanes if not lane.held and lane.driver is not None]
                drivers = [lane.driver for lane in empty]
            left = self.step(drivers)
            if left or not all(helds):
                later = empty[len(empty) - left :]
                lanes = self._found(turn, lanes, later)
                helds = [lane.held for lane in lanes]
                some = some or left > 0
                turn.extendleft(reversed(later))
        if some:  # the others come first
            turn.extend(lanes)
        else:
            turn.extendleft(reversed(lanes))
        return lanes, helds

    def _found(self, turn: deque[Any], lanes: list[Any], later: list[Any]) -> list[Any]:
        """Those of `lanes` that have something. The pumps of those that come `later` were not stepped.

        Of the others, those that may have something come back into `turn`.
        """
        found: list[Any] = []
        skipped = {*later}
        for lane in lanes:
            if lane.held:
                found.append(lane)
            elif lane in skipped:
                continue
            elif lane.comes and not self._stopped:  # another pump has taken it, or it lets others run
                turn.append(lane)
            else:
                lane.delist()
        return found

    def count(self) -> None:
        """Have the lanes count what was taken of the rounds since the last call."""
        before, self._counted = self._counted, self._plan - length_hint(self._left)
        lanes, size = self._lanes, len(self._lanes)
        each, more = divmod(self._counted - before, size) if size else (0, 0)
        if each:
            took(lanes, each)
        if more:
            took([lanes[number % size] for number in range(self._counted - more, self._counted)], 1)

    def touch(self, lane: TurnLane) -> None:
        """Something was taken out of `lane`, or its pump begins: have it filled up when others run."""
        self._touched.append(lane)
        self.fill()

    def _fill(self) -> None:
        super()._fill()
        touched = self._touched
        if self._reads:  # it may go on reading: look again when it has not, for a turn
            self._reads = False
            self.fill()
            return
        self._touched = deque()
        while touched and not (self.clock.late or self._stopped):
            part = [touched.popleft() for _ in range(min(self.clock.left, len(touched)))]
            before = [len(lane.held) for lane in part]
            for lane in part:
                lane.untouched()
            room = [lane for lane in part if lane.driver.ready and len(lane.held) < lane.limit]
            left = self.step([lane.driver for lane in room])
            for lane, size in zip(part, before, strict=True):
                lane.brought(size)
            for lane in room[len(room) - left :]:
                self.goes_on(lane.driver)
        self._touched.extendleft(reversed(touched))
        if self._touched:
            self.fill()
