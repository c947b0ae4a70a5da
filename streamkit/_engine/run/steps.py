"""Steps: what every reader has that drives pumps: it steps them, and has them read ahead meanwhile.

All that one reader steps has one clock. So others run in time, however many of the sources are slow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop, Handle, sleep
from collections.abc import Sequence
from operator import length_hint
from typing import Any

from streamkit._engine.buffer.driven import LATE, PARKED
from streamkit._engine.run.driver import Driver, back, current, enter
from streamkit._engine.run.pump import Clock

__all__ = ["Steps"]


class Steps(ABC):
    """Steps the pumps of driven lanes for their reader."""

    __slots__ = ("_ended", "_filling", "_loop", "_stopped", "clock", "failed")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self.clock = Clock()
        """When it lets others run, and all pumps that it steps."""
        self._filling: Handle | None = None
        """The call that fills lanes up."""
        self.failed = False
        """Whether a pump has failed that was driven: its task will tell of the error, before others go on."""
        self._stopped = False
        """Whether no pump is driven any more: the reader has left, or something has failed."""
        self._ended = 0
        """How many pumps have ended since others have run: their tasks are there still."""

    def step(self, drivers: Sequence[Driver]) -> int:
        """Step the pumps of `drivers` that are ready, until it is time to let others run.

        Return how many are left for then.
        """
        clock, many, stopped = self.clock, len(drivers), self._stopped
        if many > clock.left or stopped:
            return self._parts(drivers)
        clock.left -= many
        loop, left, rest = self._loop, 0, iter(drivers)
        home = task = current(loop)
        for driver in rest:
            if not driver.ready or driver.stopped():
                continue
            task = driver.task
            enter(loop, task)
            try:
                waiting = driver.there(driver.send, None)
            except BaseException as error:
                self._told(driver, error=error)
            else:
                if waiting is PARKED:
                    continue
                self._told(driver, waiting)
            if clock.late or self._stopped:
                left = 0 if self._stopped else length_hint(rest)
                break
        if task is not home:  # Python 3.12 cannot go from no task back to none
            back(loop, home)
        if not clock.left:
            clock.look()
        return left

    def _parts(self, drivers: Sequence[Driver]) -> int:
        """The same for more than may be stepped before a look at the clock."""
        clock, place, many = self.clock, 0, len(drivers)
        while place < many and not (self._stopped or clock.late):
            part = drivers[place : place + clock.left]
            place += len(part) - self.step(part)
        return 0 if self._stopped else many - place

    def _told(self, driver: Driver, waiting: Any = None, error: BaseException | None = None) -> None:
        """A pump waits now, lets others run, or has ended."""
        self._ended += error is not None
        if driver.told(waiting, error):
            self.failed = self._stopped = True
        if waiting is LATE:
            self.goes_on(driver)

    @abstractmethod
    def goes_on(self, driver: Driver) -> None:
        """Have its pump stepped when others have run."""

    async def rest(self) -> None:
        """Let others run."""
        await sleep(0)
        self.rested()

    def rested(self) -> None:
        """Others have run. Where lanes are filled up in this turn, that has noted it, or will."""
        if self._filling is None:
            self._ended = 0
            self.clock.rested()

    def fill(self) -> None:
        """Have lanes filled up when others run."""
        if self._filling is None and not self._stopped:
            self._filling = self._loop.call_soon(self._fill)

    def _fill(self) -> None:
        """Have pumps read ahead as far as there is room."""
        self._filling = None
        self.rested()

    def stop(self) -> None:
        """The reader has gone, or something has failed: step no pump any more."""
        self._stopped = True
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None
