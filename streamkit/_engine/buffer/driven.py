"""Driven lanes: their reader runs the pump itself when it lacks an item, with no turn of the event loop.

The pump of such a lane parks where the lane is full, and its reader steps it (``run.driver``). Whoever steps
it looks at what it has brought after each step, and not at each item.
"""

from __future__ import annotations

from asyncio import Future
from functools import partial
from typing import ClassVar, Protocol

from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Reader
from streamkit._engine.compile.key import End

__all__ = ["PARKED", "DrivenLane"]

PARKED = object()
"""What a pump yields to whoever steps it, where its lane is full."""


class Parks(Protocol):
    """What steps the pump of a lane."""

    park: Future[None] | None
    """What the task waits for while its pump is parked, and nobody steps it."""


class Parking:
    """Awaited where a pump parks: yields PARKED once. In C, as a pump may park after each item."""

    __slots__ = ()
    __await__ = staticmethod(partial(iter, (PARKED,)))


class Parked(Protocol):
    """What the loop of the pump of a lane notes."""

    parked: bool
    """Whether it has parked since it last looked at the clock."""


class DrivenLane(Lane):
    """A lane whose pump parks where it is full."""

    __slots__ = ("_capacity", "driver", "pump")
    plain = True
    inline = True
    end = End.DRIVE
    parking: ClassVar = Parking()

    def __init__(self, channel: Reader, strategy: Strategy, driver: Parks) -> None:
        super().__init__(channel, strategy)
        self._capacity = self.limit
        self.driver: Parks = driver
        self.pump: Parked | None = None
        self.listed = True  # so its pump may append

    # the writer ----------------------------------------------------------------------------

    def gave(self, more: int) -> None:
        """Count `more` items as taken, and as put in all that is there or has left."""
        self.delivered += more
        account = self.account
        if self.pump is not None and self.pump.parked:
            self.filled()
        self.taken_in = self.delivered + self.count + account.dropped + account.refused

    def noted(self, size: int) -> None:
        self.most = max(self.most, size)

    def filled(self) -> None:
        """The pump has parked: as many items were held as there is room for."""
        self.noted(self._capacity)

    def brought(self, before: int) -> None:
        """A step of the pump, which began when `before` items were held, has ended."""
        size = len(self.held)
        self.noted(size)
        if size >= self.limit > 0:
            self.account.full()
        if size > before == 0:
            self.channel.wake()

    def watch(self) -> None:
        """The reader looks by itself. What else is for lanes that tell it does nothing, too."""

    watch_low = delist = relist = watch

    def wake(self) -> None:
        park = self.driver.park
        if park is not None and not park.done():
            park.set_result(None)
