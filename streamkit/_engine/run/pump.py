"""Pumps: the pace of a loop that fills a lane, and cancel scopes that fire inside its source."""

from __future__ import annotations

from asyncio import CancelledError
from functools import partial
from typing import Protocol

from streamkit._engine.buffer.kinds import SpillLane
from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Link
from streamkit._engine.run.leave import blame

__all__ = ["Pump"]


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
