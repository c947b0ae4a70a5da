"""What stands in the rota for a ``flat_map``: a lane for each place, and an entrance for the outer source."""

from __future__ import annotations

from types import AsyncGeneratorType
from typing import Any, Protocol

from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.driven import TurnLane, idle
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.plan.link import Link
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.pump import DrivenPump
from streamkit._engine.run.leave import Segment
from streamkit._stages.each import noted

__all__ = ["Entrance", "PlaceLane"]


class Around(Protocol):
    """The places of a ``flat_map``."""

    run: Any
    channel: Any
    link: Link
    ahead: Suspend | None

    async def inner(self, items: list[Any], lane: PlaceLane | None = None) -> None:
        """Read the stream of one item."""
        ...

    def own(self, lane: PlaceLane) -> None:
        """There is something for `lane`."""
        ...

    def full(self) -> bool:
        """Whether no place is free."""
        ...


_ONE = Suspend(1)


class PlaceLane(TurnLane):
    """The lane of a place: what reads an async generator into it is made once for all its streams."""

    __slots__ = ("_loop", "_opened", "_pace", "_part", "_places", "items")
    plain = True
    inline = True
    end = End.DRIVE

    def __init__(self, places: Around) -> None:
        super().__init__(places.channel, places.ahead or _ONE)
        loop = compiled(Kind.ASYNC, (), End.DRIVE)
        assert isinstance(loop, Loop)
        self._places = places
        self.items: list[Any] = []
        """The item whose stream is to be read."""
        self._opened = Opened(Kind.ASYNC, None)
        self._pace = DrivenPump(places.run, self)
        self._part = Segment(loop, (), self._opened, self._pace)
        self._loop = loop.function

    async def streams(self) -> None:
        """Read one stream after the other: what its pump does."""
        while True:
            await self._places.inner(self.items, self)
            await idle

    async def reading(self, source: AsyncGeneratorType[Any, None]) -> None:
        """Read `source`, an async generator, as most inner streams are: there are no operators in it."""
        self._places.own(self)
        opened, pace, part = self._opened, self._pace, self._part
        opened.items = pace.source = source
        opened.close = source.aclose
        part.reads(opened)
        pace.rested()
        try:
            await self._loop(source, part.leave, pace)
        except BaseException as error:
            noted(error, self._places.link)
            raise
        finally:
            opened.items = opened.close = pace.source = None
            pace.handed.clear()


class Entrance(TurnLane):
    """Stands for the outer source in the rota, which gives it a turn when there is a free place."""

    __slots__ = ("_places",)

    def __init__(self, places: Around) -> None:
        super().__init__(places.channel, _ONE)
        self._places = places

    @property
    def comes(self) -> bool:
        return not self._places.full() and self.driver.parked

    def brought(self, before: int) -> None:
        """It holds nothing."""

    def noted(self, size: int) -> None:
        """It holds nothing."""
