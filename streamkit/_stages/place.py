"""What stands in the rota for a ``flat_map``: a lane for each place, and an entrance for the outer source."""

from __future__ import annotations

from collections import deque
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
    idle: deque[Any]

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

    __slots__ = ("_loop", "_run", "pace")

    def __init__(self, lane: Lane, pace: Pump) -> None:
        loop = compiled(Kind.ASYNC, (), lane.end)
        assert isinstance(loop, Loop)
        self._loop, self._run = loop, loop.function
        self.pace: Any = pace

    async def read(self, source: AsyncGeneratorType[Any, None], link: Link) -> None:
        """Read `source` to its end, and close it; errors name the operator whose function has made it."""
        try:
            await self.begun(source)
        except BaseException as error:
            noted(error, link)
            raise
        finally:
            self.over()

    def begun(self, source: AsyncGeneratorType[Any, None]) -> Any:
        """What reads `source` to its end, and closes it, when it is awaited; `over` is called then.

        For a pump that is stepped for each item: a coroutine around it would be resumed each time.
        """
        pace = self.pace
        pace.source = source
        pace.rested()
        return self._run(source, self._leave, pace)

    def over(self) -> None:
        """It has ended: nothing of the stream is kept."""
        if self.pace.handed:
            self.pace.handed.clear()

    def _leave(self, error: BaseException | None = None) -> Any:
        """Close the source, once; one that has ended is closed."""
        pace = self.pace
        source: Any = pace.source
        pace.source = None
        if source is None or (error is None and source.ag_frame is None):
            return _NOTHING
        opened = Opened(Kind.ASYNC, source, source.aclose)
        return Segment(self._loop, (), opened, pace).leave(error)


class PlaceLane(TurnLane):
    """The lane of a place. Most inner streams are read by what was made for it."""

    __slots__ = ("_filler", "items", "places")
    plain = True
    inline = True
    end = End.DRIVE

    def __init__(self, places: Around) -> None:
        super().__init__(places.channel, places.ahead or _ONE)
        self.places = places
        """Those to which the item belongs: streams in streams share lanes."""
        self.items: list[Any] = []
        """The item whose stream is to be read."""
        self._filler: Filler | None = None
        """Reads async generators, once there was one."""

    async def streams(self) -> None:
        """Read one stream after the other: what its pump does."""
        items, filler = self.items, self._filler
        kind: Any = AsyncGeneratorType
        if filler is not None:  # another has filled it last, or nobody
            self.pump = filler.pace
        while True:
            places = self.places
            places.begins()
            found: Any = asked(places.link, items)
            held = [found]
            if type(found) is kind and not places.gone:
                del found
                self.joins()
                if filler is None:
                    filler = self._filler = Filler(self, DrivenPump(places.run, self))
                try:
                    await filler.begun(held.pop())
                except BaseException as error:
                    noted(error, places.link)
                    raise
                finally:
                    filler.over()
                while self.held and self.limit >= 0:
                    self.noted(len(self.held))
                    await self.parking
                places.idle.append(self)
                places.given_back()
            else:
                del found
                await places.made(held.pop(), self)
                if filler is not None:
                    self.pump = filler.pace
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
