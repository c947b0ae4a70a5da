"""What stands in the rota for a ``flat_map``: a lane for each place, and an entrance for the outer source."""

from __future__ import annotations

from functools import partial
from types import AsyncGeneratorType
from typing import Any, Protocol

from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.driven import TurnLane, idle
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.plan.link import Link
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.leave import Segment
from streamkit._engine.run.pump import DrivenPump, Pump
from streamkit._stages.each import asked, noted

__all__ = ["Entrance", "Filler", "PlaceLane"]


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


class Filler:
    """Reads one async generator after the other into a lane: most inner streams are that, without operators.

    Its loop, and all that this needs, is made once: to make it costs as much as a few items
    (``benchmarks/workloads/flat.py``).
    """

    __slots__ = ("_loop", "_pace", "_run")

    def __init__(self, lane: Lane, pace: Pump) -> None:
        loop = compiled(Kind.ASYNC, (), lane.end)
        assert isinstance(loop, Loop)
        self._loop, self._run = loop, loop.function
        self._pace = pace

    async def read(self, source: AsyncGeneratorType[Any, None], link: Link) -> None:
        """Read `source` to its end, and close it; errors name the operator whose function has made it."""
        pace = self._pace
        pace.source = source
        pace.rested()
        try:
            await self._run(source, self._leave, pace)
        except BaseException as error:
            noted(error, link)
            raise
        finally:
            if pace.handed:  # nothing of the stream is kept
                pace.handed.clear()

    def _leave(self, error: BaseException | None = None) -> Any:
        """Close the source, once; one that has ended is closed."""
        pace = self._pace
        source: Any = pace.source
        pace.source = None
        if source is None or (error is None and source.ag_frame is None):
            return _NOTHING
        opened = Opened(Kind.ASYNC, source, source.aclose)
        return Segment(self._loop, (), opened, pace).leave(error)


class PlaceLane(TurnLane):
    """The lane of a place. Most inner streams are read by what was made for it."""

    __slots__ = ("_read", "items", "places")
    plain = True
    inline = True
    end = End.DRIVE

    def __init__(self, places: Around) -> None:
        super().__init__(places.channel, places.ahead or _ONE)
        self.places = places
        """Those to which the item belongs: streams in streams share lanes."""
        self.items: list[Any] = []
        """The item whose stream is to be read."""
        self._read: Any = None
        """Reads an async generator, once there was one: by the loop of a `Filler`."""

    async def streams(self) -> None:
        """Read one stream after the other: what its pump does."""
        items, read = self.items, self._read
        kind: Any = AsyncGeneratorType
        while True:
            places = self.places
            places.begins()
            found: Any = asked(places.link, items)
            held = [found]
            if type(found) is kind and not places.gone:
                del found
                self.joins()
                if read is None:
                    read = self._read = Filler(self, DrivenPump(places.run, self)).read
                await read(held.pop(), places.link)
                while self.held and self.limit >= 0:
                    await self.parking
                places.idle.append(self)
                places.given_back()
            else:
                del found
                await places.made(held.pop(), self)
            await idle


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
