"""Drives: a reader of many lanes steps the pump of each whose turn it is and that has nothing.

It goes on until each pump waits for something that is not there. So ready sources cost no turn of the event
loop, whatever their lookahead. While the reader lets others run, the lanes from which it took something are
filled up, once per turn of the loop, as pumps read ahead that nobody drives.

``benchmarks/workloads/combining.py`` measures it, ``tests/compile/test_opcodes_turns.py`` guards it.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, Handle, sleep
from collections import deque
from collections.abc import Iterator
from operator import length_hint
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.driven import PARKED, TurnLane
from streamkit._engine.buffer.rounds import took
from streamkit._engine.run.driver import Driver, back, current, enter

__all__ = ["Drives"]

_popleft: Any = deque[Any].popleft
_LEAST = 16
"""Pumps that may have ended before others run; or as many as there are, if these are more.

Each has left a task, which then takes its last step.
"""


class Drives:
    """Steps the pumps of the driven lanes of one channel, for its reader."""

    __slots__ = (
        *("_counted", "_ended", "_filling", "_lanes", "_left", "_loop", "_plan", "_reads"),
        *("_stopped", "_touched"),
        *("failed", "ready"),
    )

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._touched: list[TurnLane] = []
        """Lanes from which something was taken since others have run."""
        self._lanes: list[Any] = []
        """The lanes of the rounds that are taken."""
        self._left: Any = iter(())
        self._plan = self._counted = 0
        """How many items the rounds have, with those that `_left` still counts; and how many were counted."""
        self._reads = False
        """Whether the reader has read since lanes were filled up."""
        self._filling: Handle | None = None
        """The call that fills them up."""
        self.ready = 0
        """How many lanes had something in the turn that is being taken, or might have."""
        self.failed = False
        """Whether a pump has failed that was driven: its task will tell of the error, before others go on."""
        self._ended = 0
        """How many pumps have ended since others have run: their tasks are there still."""
        self._stopped = False
        """Whether no pump is driven any more: the reader has left, or something has failed."""

    def stop(self) -> None:
        """The reader has gone, or something has failed: step no pump any more."""
        self._stopped = True

    def idle(self) -> None:
        """The reader waits, and so does not go on reading now."""
        self._reads = False

    @property
    def tired(self) -> bool:
        """Whether others are to run before more pumps are driven."""
        return self._ended >= max(_LEAST, self.ready)

    async def rest(self) -> None:
        """Let others run."""
        await sleep(0)
        self._ended = 0

    def drive(self, lane: TurnLane) -> bool:
        """Step the pump of `lane`, which has nothing; whether it has something now."""
        if lane.driver.parked and not self._stopped:
            self._drive(lane.driver)
        return bool(lane.held)

    def _drive(self, driver: Driver) -> None:
        if driver.drive():
            self._failed()

    def _over(self, driver: Driver, error: BaseException) -> None:
        """The pump has ended with `error`."""
        self._ended += 1
        if driver.told(error=error):
            self._failed()

    def _failed(self) -> None:
        self.failed = self._stopped = True

    def rounds(self, rota: Any, most: int) -> Iterator[Any]:
        """Whole rounds: the pump of each lane that has nothing is stepped, then as many are taken of each.

        For a reader that lets nobody run in between: there is no line of Python for an item.
        """
        self._reads = True
        while rota.queue and most > 0 and (self._ended < _LEAST or not self.tired):
            lanes, helds = self._stepped(rota, most)
            most -= self.ready
            if not all(helds):
                yield from self.each(rota, 1)
            elif helds:
                many = min(map(len, helds))
                if many > 1:
                    many = min(many, 1 + max(most, 0) // len(lanes))
                    most -= (many - 1) * len(lanes)
                    helds *= many
                self._lanes, self._plan, self._counted = lanes, len(helds), 0
                self._left = left = iter(helds)
                yield from map(_popleft, left)
                self.count()

    def _stepped(self, rota: Any, most: int) -> tuple[list[Any], list[Any]]:
        """Step the pump of each lane that has nothing; return those that have something, and what these hold.

        One that is not driven is said to hold nothing: it is for `each`. `most` is for `_part`.
        """
        loop, lanes, helds = self._loop, list[Any](), list[Any]()
        home = current(loop)
        turn, rota.queue = rota.queue, deque[Any]()
        self.ready = ready = len(turn)
        if ready > _LEAST:
            turn = _part(turn, rota, most)
        try:
            for lane in turn:
                held = lane.held
                if not held:
                    driver = lane.driver
                    if driver is None or not driver.ready or self._stopped or driver.stopped():
                        lane.delist()
                        continue
                    enter(loop, driver.task)
                    try:
                        waiting = driver.there(driver.send, None)
                    except BaseException as error:
                        self._over(driver, error)
                    else:
                        if waiting is not PARKED:
                            driver.told(waiting)
                    if not held:
                        if lane.comes:  # another pump has taken it
                            rota.queue.append(lane)
                        else:
                            lane.delist()
                        continue
                elif lane.driver is None:
                    held = ()
                lanes.append(lane)
                helds.append(held)
        finally:
            back(loop, home)
        if turn.maxlen:  # it is a part: the others come first
            rota.queue.extend(lanes)
        else:
            rota.queue.extendleft(reversed(lanes))
        return lanes, helds

    def count(self) -> None:
        """Have the lanes count what was taken of the rounds since the last call."""
        before, self._counted = self._counted, self._plan - length_hint(self._left)
        lanes, size = self._lanes, len(self._lanes)
        each, more = divmod(self._counted - before, size) if size else (0, 0)
        if each:
            took(lanes, each)
        if more:
            took([lanes[number % size] for number in range(self._counted - more, self._counted)], 1)

    def each(self, rota: Any, most: int) -> Iterator[Any]:
        """One item of each lane, then one again; the pump of a lane that has none is stepped."""
        loop, self._reads = self._loop, True
        while rota.queue and most > 0 and (self._ended < _LEAST or not self.tired):
            turn, rota.queue = rota.queue, deque[TurnLane]()
            self.ready = ready = len(turn)
            if ready > _LEAST:
                turn = _part(turn, rota, most)
            most -= ready
            again = rota.queue.append
            for lane in turn:
                held = lane.held
                if not held:
                    driver = lane.driver
                    if driver is None or not driver.ready or self._stopped or driver.stopped():
                        lane.delist()
                        continue
                    # written out, as in the rounds: at lookahead 1, a call would be one for each item
                    home = current(loop)
                    enter(loop, driver.task)
                    try:
                        waiting = driver.there(driver.send, None)
                    except BaseException as error:
                        self._over(driver, error)
                    else:
                        if waiting is not PARKED:
                            driver.told(waiting)
                    finally:
                        back(loop, home)
                    if not held:
                        if lane.comes:  # another pump has taken it
                            again(lane)
                        else:
                            lane.delist()
                        continue
                item = lane.pop()
                if held or lane.driver is not None:
                    again(lane)
                else:
                    lane.delist()
                if item is not EMPTY:
                    yield item

    def touch(self, lane: TurnLane) -> None:
        """Something was taken out of `lane`: have it filled up when others run."""
        self._touched.append(lane)
        if self._filling is None:
            self._filling = self._loop.call_soon(self._fill)

    def _fill(self) -> None:
        """Have the lanes filled up that something was taken out of, each as far as there is room."""
        self._filling, self._ended = None, 0
        if self._reads:  # it may go on reading: look again when it has not, for a turn
            self._reads = False
            self._filling = self._loop.call_soon(self._fill)
            return
        touched, self._touched = self._touched, []
        for lane in touched:
            if self._stopped:
                return
            before, driver = len(lane.held), lane.driver
            if before < lane.limit and driver.parked:
                self._drive(driver)
            lane.refilled(before)


def _part(turn: deque[Any], rota: Any, most: int) -> deque[Any]:
    """The lanes of `turn` that are read before the reader looks at the clock; the others come next.

    It asks for as few items as they are slow: a thousand that are slow would hold up the event loop.
    """
    most = max(most, _LEAST)
    if len(turn) <= most:
        return turn
    rota.queue = turn
    return deque([turn.popleft() for _ in range(most)], most)
