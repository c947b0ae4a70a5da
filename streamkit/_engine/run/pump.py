"""Pumps: the pace of a loop that fills a lane, and cancel scopes that fire inside its source."""

from __future__ import annotations

from asyncio import CancelledError
from functools import partial
from typing import Any, Protocol

from streamkit._engine.buffer.driven import DrivenLane, late
from streamkit._engine.buffer.kinds import SpillLane
from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.pace import AGAIN, AHEAD, BUDGET, Pace
from streamkit._engine.plan.link import Link
from streamkit._engine.run.leave import blame

__all__ = ["Clock", "DrivenPump", "Pump"]


MOST = 32
"""Items that pumps bring between two looks at the clock of their reader at most: they may slow down."""


class Owner(Protocol):
    """The part of a `Run` that a pump uses."""

    link: Link

    @property
    def stopping(self) -> bool:
        """Whether it has cancelled the current task itself."""
        ...


class Pump(Pace):
    """The pace of a loop that fills `lane`."""

    __slots__ = ("lane", "run")

    def __init__(self, run: Owner, lane: Target, blamed: Link | None = None) -> None:
        super().__init__()
        self.run = run
        self.lane = lane
        self.out = run.link if blamed is None else blamed
        if isinstance(lane, SpillLane):
            lane.blame = partial(blame, link=self.out)

    @property
    def over(self) -> bool:
        return self.run.stopping

    async def rescue(self, error: CancelledError) -> None:
        """Handle a cancellation that arrived while the loop waited for room, or let others run.

        If the run did not send it, a cancel scope inside the source did.
        """
        self.lane.unwait()
        try:
            if self.run.stopping:
                raise error
            await super().rescue(error)
        finally:
            del error


class Clock(Pace):
    """When a reader lets others run, and all pumps that it steps."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 1
        """How many pumps are stepped before it is looked at; none, where it is time."""
        self.most = MOST
        """How many of them at most."""
        self.late = False
        """Whether it is time: the reader steps no more, until others have run."""

    @property
    def began(self) -> float:
        """When others had run last."""
        return self._started

    @property
    def over(self) -> bool:
        """Whether it is time."""
        return self.late or self.due()

    def ahead(self, items: int) -> None:
        """A pump may bring so many in a step; it looks at the clock by itself after `AHEAD`."""
        self.most = min(self.most, MOST // min(items, AHEAD))

    def look(self) -> None:
        """As many were stepped as may be before that: look whether it is time."""
        if not self.late:
            self.left = min(self.size, self.most)
            if self.due():
                self.tires()

    def tires(self) -> None:
        """It is time."""
        self.late, self.left = True, 0

    def rested(self) -> None:
        super().rested()
        if self.late:
            self.late, self.left = False, min(self.size, self.most)


class DrivenPump(Pump):
    """The pace of the loop of such a pump.

    Whoever drives it lets others run. So it looks at the clock only where it goes on without parking, as one
    does that a filter keeps from bringing anything, or at that of its reader.
    """

    __slots__ = ("parked",)

    def __init__(self, run: Owner, lane: DrivenLane) -> None:
        super().__init__(run, lane)
        self.lane: DrivenLane = lane
        lane.pump = self
        self.parked = False
        """Whether it has parked since it last looked at the clock."""

    @property
    def _clock(self) -> Clock | None:
        """That of the reader, if this steps it now; a task that has waited has its own time."""
        driver = self.lane.driver
        clock: Clock | None = driver.clock if driver.ready else None
        return clock

    def due(self) -> bool:
        clock = self._clock
        if self.parked:
            self.lane.filled()
            self.parked, self.size = False, AGAIN
            self.rested()
            # where nothing is held, its reader looks after this step; and it is this one's turn
            return clock is not None and bool(self.lane.held) and self._looked - clock.began >= BUDGET
        if clock is not None:
            self._started = clock.began
        return super().due()

    def away(self) -> Any:
        return late
