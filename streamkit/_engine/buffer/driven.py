"""Driven lanes: their reader runs the pump itself when it lacks an item, with no turn of the event loop.

The pump of such a lane parks where the lane is full, and its reader steps it (``run.driver``). Whoever steps
it looks at what it has brought after each step, and not at each item.

A `HandLane` holds nothing: its pump parks until the reader asks. Where that lets others run its loop, the
pump hands over many items in one step, each for the price of a ``send``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import Any, ClassVar, Protocol

from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.lane import NEVER, Lane
from streamkit._engine.buffer.target import Queue, Reader
from streamkit._engine.compile.key import End
from streamkit._engine.compile.pace import AGAIN, AHEAD

__all__ = ["IDLE", "LATE", "PARKED", "DrivenLane", "HandLane", "TurnLane", "idle", "late"]

PARKED = object()
"""What a pump yields to whoever steps it, where its lane is full."""
IDLE = object()
"""The same, where its stream has ended, and it may be given another."""
LATE = object()
"""The same, where it is time to let others run."""


class Parking:
    """Awaited where a pump parks: yields PARKED once. In C, as a pump may park after each item."""

    __slots__ = ()
    __await__ = staticmethod(partial(iter, (PARKED,)))


class _Idle(Parking):
    """Awaited where a pump waits for another stream."""

    __slots__ = ()
    __await__ = staticmethod(partial(iter, (IDLE,)))


class _Late(Parking):
    """Awaited where a pump lets others run."""

    __slots__ = ()
    __await__ = staticmethod(partial(iter, (LATE,)))


idle: Any = _Idle()
late: Any = _Late()


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
    parking: ClassVar[Any] = Parking()
    stint: ClassVar[int] = AHEAD + 1  # that which parks is counted when it goes on
    """Items after which its loop looks whether it has parked, where each goes in as it is."""

    def __init__(self, channel: Reader, strategy: Strategy | None) -> None:
        super().__init__(channel, strategy)
        self._capacity = self.limit
        self.driver: Any = None
        """The `Driver` of the pump that fills it now."""
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
            self.watch()
        if size > before == 0:
            self.channel.wake()

    def ended(self) -> None:
        """Its pump has ended, and is kept no longer."""
        if self.pump is not None and self.pump.parked:
            self.filled()
        self.pump = None

    def watch(self) -> None:
        """Have it noted when the next item is taken."""
        channel: Any = self.channel
        channel.counts.watch()

    def delist(self) -> None:
        """The reader looks by itself. What else is for lanes that tell it does nothing, too."""

    watch_low = relist = delist

    def wake(self) -> None:
        self.driver.wake()


class TurnLane(DrivenLane):
    """A driven lane in the rota of its channel: while it has something, or its pump may be stepped."""

    __slots__ = ("adopted", "queued", "touched")
    plain = True
    inline = True
    end = End.DRIVE
    stint = AGAIN  # its reader counts pumps: most streams are short

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.touched = False
        """Whether it will be filled up when others run."""
        self.queued = False
        """Whether it stands in the rota."""
        self.adopted = False
        """Whether it is one of the lanes of its channel: not before its first pump has something for it."""
        self.mark = 0

    # the writer ----------------------------------------------------------------------------

    def joins(self) -> None:
        """There is something for it: from now on it is one of its channel."""
        if not self.adopted:
            self.adopted = True
            channel: Any = self.channel
            channel.adopt(self)

    def begun(self) -> None:
        """There is a pump, which may be stepped: the reader is to look, or whoever fills its lanes up."""
        if not self.queued:
            self.queued = True
            self.channel.enlist(self)
        if not self.mark:
            self.loosen()
        self.channel.wake()

    def brought(self, before: int) -> None:
        super().brought(before)
        if self.held and not self.queued:
            self.queued = True
            self.channel.enlist(self)

    def close(self) -> None:
        if self.adopted:
            super().close()

    # the reader ----------------------------------------------------------------------------

    @property
    def comes(self) -> bool:
        return bool(self.held) or self.driver.parked

    def more(self) -> bool:
        driven: bool = self.channel.drives.drive(self)
        return driven

    def watch(self) -> None:
        self.channel.count()  # what was taken before it was full
        self.account.full()
        self.mark = 0

    def loosen(self) -> None:
        """Something is taken: have it filled up when others run. It need not be called again before it is."""
        self.account.not_full()
        self.mark = NEVER
        self.touch()

    def touch(self) -> None:
        """Have it filled up when others run."""
        if not self.touched:
            self.touched = True
            self.channel.drives.touch(self)

    def untouched(self) -> None:
        """It is filled up now: `loosen` is to be called when the next item is taken."""
        self.touched = False
        self.mark = 0

    def delist(self) -> None:
        self.queued = False

    def stats(self, operator: str = "") -> BufferStats:
        self.channel.count()
        self.gave(0)
        return super().stats(operator)


class Hears(Protocol):
    """The part of a channel that such a lane tells of what happens."""

    def went_on(self) -> None:
        """Its reader has taken items, and asks again."""
        ...


class Passed:
    """Counts the items that went into the loop of a reader: the writer's own, who adds to it."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count: int = 0


class HandLane(DrivenLane):
    """A driven lane without a buffer: its pump parks until the reader asks for an item."""

    __slots__ = ("_seen", "asked", "driven", "hears", "passed")
    plain = False
    inline = True
    end = End.HAND

    def __init__(self, channel: Reader, hears: Hears) -> None:
        super().__init__(channel, None)
        self.hears = hears
        self.listed = False
        self.asked = False
        """Whether the reader asks, and has not got an item yet."""
        self.driven = False
        """Whether the reader steps the pump now, so that nobody need tell it of an item."""
        self.passed = Passed()
        """Of items that are in no other count."""
        self._seen = 0
        """How many of them there were when the last step of the pump ended."""

    # the writer ----------------------------------------------------------------------------

    def put(self, item: Any) -> bool:
        self.asked = False
        if not self.driven or self.limit < 1:
            return super().put(item)
        self.taken_in += 1
        self.held.append(item)
        return False

    def told(self, feed: Any, waiting: Any = None, *, error: BaseException | None = None) -> None:
        """The loop of the reader must await something, or has ended: it asks for nothing now."""
        self.asked = False
        feed.told(waiting, error)

    def watch(self) -> None:
        self.mark = 0

    def filled(self) -> None:
        """It has parked, and holds what it holds."""

    def brought(self, before: int) -> None:
        if self.held:
            self.account.full()
            self.mark = 0  # so that whoever takes it notes that there is room
        elif self.passed.count != self._seen:
            self._seen = self.passed.count
            self.hears.went_on()

    # the reader ----------------------------------------------------------------------------

    delist, relist = Lane.delist, Lane.relist

    def present(self) -> None:
        """Have what is held read, of which nobody was told."""
        self.listed = True
        self.channel.enlist(self)

    def drives(self) -> bool:
        """Step the pump, where it is parked; whether it has brought an item."""
        driver = self.driver
        if not driver.parked or self.channel.error is not None:
            return False
        self.asked = self.driven = True
        driver.drive()
        self.driven = False
        return bool(self.held)

    def taken(self, rota: Queue, most: int) -> Iterator[Any]:
        """What is there, and what the pump has at once: `most` items at most."""
        popleft = self.held.popleft
        for _ in repeat(None, most):
            if self.listed:
                yield rota.pop()
            elif self.drives():
                self.delivered += 1
                yield popleft()
            else:
                return

    # the counts ----------------------------------------------------------------------------

    def stats(self, operator: str = "") -> BufferStats:
        self.channel.count()
        passed = self.passed.count
        put, delivered, most = self.taken_in + passed, self.delivered + passed, min(self.taken_in + passed, 1)
        return self.account.stats(operator, put, delivered, held=self.count, most=most)
