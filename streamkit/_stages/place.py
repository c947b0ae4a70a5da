"""What stands in the rota for a ``flat_map``: a lane for each place, and an entrance for the outer source.

And how one inner stream after the other is read into a lane.
"""

from __future__ import annotations

from types import AsyncGeneratorType
from typing import Any, Protocol

from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.driven import TurnLane
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.plan.link import Link
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.driver import DrivenPump
from streamkit._engine.run.leave import Segment
from streamkit._engine.run.pump import Pump
from streamkit._stages.each import noted

__all__ = ["Entrance", "Filler", "PlaceLane"]


class Around(Protocol):
    """The places of a ``flat_map``."""

    run: Any
    channel: Any
    link: Link
    ahead: Suspend | None

    def full(self) -> bool:
        """Whether no place is free."""
        ...


_ONE = Suspend(1)
_TURN = 16
"""Streams that the outer source begins in one turn."""
_MORE = 2
"""The same where as many as `_TURN` are ready: each of those is to have its turn soon."""


class Filler:
    """Reads one async generator after the other into a lane: most inner streams are that, without operators.

    Its loop, and all that this needs, is made once: to make it costs as much as a few items
    (``benchmarks/workloads/flat.py``).
    """

    __slots__ = ("_link", "_loop", "_opened", "_pace", "_part")

    def __init__(self, link: Link, lane: Lane, pace: Pump) -> None:
        loop = compiled(Kind.ASYNC, (), lane.end)
        assert isinstance(loop, Loop)
        self._link = link
        self._opened = Opened(Kind.ASYNC, None)
        self._pace = pace
        self._part = Segment(loop, (), self._opened, pace)
        self._loop = loop.function

    async def read(self, source: AsyncGeneratorType[Any, None]) -> None:
        """Read `source` to its end, and close it; errors name the operator whose function has made it."""
        opened, pace, part = self._opened, self._pace, self._part
        opened.items = pace.source = source
        opened.close = source.aclose
        part.reads(opened)
        pace.rested()
        try:
            await self._loop(source, part.leave, pace)
        except BaseException as error:
            noted(error, self._link)
            raise
        finally:
            opened.items = opened.close = pace.source = None
            pace.handed.clear()


class PlaceLane(TurnLane):
    """The lane of a place. An inner stream that is an async generator is read by what was made for it."""

    __slots__ = ("fill",)
    plain = True
    inline = True
    end = End.DRIVE

    def __init__(self, places: Around) -> None:
        super().__init__(places.channel, places.ahead or _ONE)
        self.fill = Filler(places.link, self, DrivenPump(places.run, self)).read
        """Reads a stream into it that has no operators."""


class Entrance(TurnLane):
    """Stands for the outer source in the rota, which gives it a turn when there is a free place.

    In one turn it begins a few streams, and the rest when these have had theirs: those that are short and
    ready have ended then, and fewer are in flight.
    """

    __slots__ = ("_left", "_places")

    def __init__(self, places: Around) -> None:
        super().__init__(places.channel, _ONE)
        self._places = places
        self._left = _TURN

    def pauses(self) -> bool:
        """A stream has begun; whether others are to have their turns now."""
        self._left -= 1
        if self._left:
            return False
        drives = self.channel.drives
        self._left = _TURN if drives.ready < _TURN else _MORE
        self.again()
        return True

    def again(self) -> None:
        """Have the reader look, or, if that does not read, whoever fills its lanes up."""
        self.begun()
        if not self.mark:
            self.loosen()

    @property
    def comes(self) -> bool:
        return not self._places.full() and self.driver.parked

    def brought(self, before: int) -> None:
        """It holds nothing."""

    def noted(self, size: int) -> None:
        """It holds nothing."""
