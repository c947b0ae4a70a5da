"""What stands in the rota for a ``flat_map``: a lane for each place, and an entrance for the outer source."""

from __future__ import annotations

from functools import partial
from types import AsyncGeneratorType
from typing import Any, Protocol

from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.driven import TurnLane, idle
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.plan.link import Link
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.leave import Segment
from streamkit._engine.run.pump import DrivenPump
from streamkit._stages.each import asked, noted

__all__ = ["Entrance", "PlaceLane"]


class Around(Protocol):
    """The places of a ``flat_map``."""

    run: Any
    channel: Any
    link: Link
    ahead: Suspend | None
    idle: list[Any]

    @property
    def gone(self) -> bool:
        """Whether no more items are taken."""
        ...

    def begins(self) -> None:
        """A stream is made, in the task that reads it."""
        ...

    async def made(self, found: Any, lane: PlaceLane | None = None) -> None:
        """Read the stream that the function has returned, into `lane`; then give its place back."""
        ...

    def given_back(self) -> None:
        """A place is free again."""
        ...

    def full(self) -> bool:
        """Whether no place is free."""
        ...


_ONE = Suspend(1)


class _Nothing:
    """Awaited where there is nothing to wait for."""

    __slots__ = ()
    __await__ = staticmethod(partial(iter, ()))


_NOTHING: Any = _Nothing()


class PlaceLane(TurnLane):
    """The lane of a place: what reads an async generator into it is made once for all its streams."""

    __slots__ = ("_loop", "_opened", "_pace", "_part", "items", "places")
    plain = True
    inline = True
    end = End.DRIVE

    def __init__(self, places: Around) -> None:
        super().__init__(places.channel, places.ahead or _ONE)
        loop = compiled(Kind.ASYNC, (), End.DRIVE)
        assert isinstance(loop, Loop)
        self.places = places
        """Those to which the item belongs: streams in streams share lanes."""
        self.items: list[Any] = []
        """The item whose stream is to be read."""
        self._opened = Opened(Kind.ASYNC, None)
        self._pace = DrivenPump(places.run, self)
        self._part = Segment(loop, (), self._opened, self._pace)
        self._loop = loop.function

    async def streams(self) -> None:
        """Read one stream after the other: what its pump does.

        Most are async generators: there are no operators in them to look for.
        """
        items = self.items
        kind: Any = AsyncGeneratorType
        while True:
            places = self.places
            places.begins()
            found: Any = asked(places.link, items)
            if type(found) is kind and not places.gone:
                self._reads(found)
                try:
                    await self._loop(found, self._leave, self._pace)
                except BaseException as error:
                    noted(error, places.link)
                    raise
                finally:
                    self._over()
                del found
                while self.held and self.limit >= 0:
                    await self.parking
                places.idle.append(self)
                places.given_back()
            else:
                held = [found]
                del found
                await places.made(held.pop(), self)
            await idle

    def _reads(self, source: Any) -> None:
        """Read `source` from now on."""
        self.joins()
        opened, pace = self._opened, self._pace
        opened.items = pace.source = source
        opened.close = source.aclose
        self._part.reads(opened)
        pace.rested()

    def _leave(self, error: BaseException | None = None) -> Any:
        """Close the source; one that has ended is closed."""
        if error is None and self._pace.source.ag_frame is None:
            return _NOTHING
        return self._part.leave(error)

    def _over(self) -> None:
        """Nothing of the stream is kept."""
        opened, pace = self._opened, self._pace
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
