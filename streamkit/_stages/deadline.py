"""Deadlines: what is done when a reader has asked for an item, and none has come for so long.

One timer serves all items. It is armed when it is first needed; where it rings for a deadline that is over,
because an item has come, it is armed again for the one that stands then. The clock is read where a step of
the pump ends that has brought items, and not for each: those came at once. So while items keep coming, a
deadline costs nothing: ``benchmarks/workloads/timers.py`` measures it, and
``tests/compile/test_opcodes_timed.py`` guards it.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from asyncio import Handle, TimerHandle
from collections.abc import Callable, Iterator
from typing import Any

from streamkit._core.errors import StreamTimeoutError
from streamkit._core.markers import ABSENT
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.driven import HandLane
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.driver import Driver
from streamkit._engine.run.run import Run

__all__ = ["Alarm", "Alive", "Limited"]

NEVER = math.inf


class Alarm:
    """Rings when a time has come, which may be put off any number of times."""

    __slots__ = ("_at", "_handle", "_loop", "_ring", "clock", "due")

    def __init__(self, run: Run, clock: Callable[[], float], ring: Callable[[float], None]) -> None:
        self._loop = run.loop
        self._ring = ring
        self.clock = clock
        self.due = NEVER
        """When it rings."""
        self._handle: Handle | TimerHandle | None = None
        self._at = NEVER
        """When the event loop calls it, which is no later."""

    def set(self, due: float) -> None:
        self.due = due
        if due < self._at:
            self.cancel()
            self._at = due
            self._handle = self._loop.call_at(due, self._called)

    def cancel(self) -> None:
        """Have nothing called."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self._at = None, NEVER

    def _called(self) -> None:
        self._at, self._handle = NEVER, None
        if self.clock() < self.due:
            self.set(self.due)
        else:
            self._soon(2)

    def _soon(self, turns: int) -> None:
        """Ring in so many turns of the event loop: what comes at the same moment is in time."""
        self._at = -NEVER
        self._handle = self._loop.call_soon(self._again, turns - 1, self.due)

    def _again(self, turns: int, due: float) -> None:
        self._at, self._handle = NEVER, None
        if self.due != due:
            self.set(self.due)
        elif turns:
            self._soon(turns)
        else:
            self.due = NEVER
            self._ring(due)


class Timed(Channel):
    """A channel of one writer that hands over, and a deadline for each item that the reader asks for."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.halt)
        self.run = run
        self._level = Driver.level()
        self._lane: Lane
        self._alarm = Alarm(run, self.clock, self._rung)

    def begin(self, source: Inlet[Any]) -> None:
        """Read `source`, each item when it is asked for; or ahead, into a buffer that stands at its end."""
        inlet, strategy, _ = fused(source, None)
        if strategy is None and self._level:
            self._lane = lane = HandLane(self, self)
            lane.driver = Driver(self._level, lane)
            self.adopt(lane)
            self.run.pump(inlet, into=lane)
        else:
            self._lane = self.run.feed(self, source)

    async def wait(self) -> bool:
        lane = self._lane
        if isinstance(lane, HandLane) and not self.queue and lane.drives():
            lane.present()
            return True
        return await super().wait()

    def drained(self, most: int) -> Iterator[Any]:
        lane = self._lane
        return lane.taken(self, most) if isinstance(lane, HandLane) else super().drained(most)

    async def _wait(self) -> None:
        lane = self._lane
        if isinstance(lane, HandLane):
            lane.asked = True
        self.went_on()
        try:
            await super()._wait()
        finally:
            if isinstance(lane, HandLane):
                lane.asked = False
            self._alarm.set(self._idle)

    _idle = NEVER
    """What stands while the reader is busy."""

    def went_on(self) -> None:
        """The reader asks for the next item, from now on."""
        if not self.left:
            self._alarm.set(self._due())

    @abstractmethod
    def _due(self) -> float:
        """When an item must have come that is asked for now."""

    @abstractmethod
    def _rung(self, due: float) -> None:
        """None has come, though it was `due`; nor has the end."""

    @property
    def _in_time(self) -> bool:
        """Whether the reader has something to wake for, which it will see."""
        return self.over or (self._reader is not None and bool(self.queue))

    def leave(self) -> None:
        self._alarm.cancel()
        super().leave()


class Limited(Timed):
    """Fails where an item is late, or goes on with another stream."""

    def __init__(self, run: Run, *, first: float, between: float, total: float, fallback: Any) -> None:
        super().__init__(run)
        self._first, self._between, self._total = first, between, total
        self._fallback = fallback
        self._idle = NEVER
        """When the whole stream must have ended."""

    async def wait(self) -> bool:
        if self._idle < NEVER:
            if self.clock() > self._idle:
                self._late(f"the stream did not end within {self._total} s")
        elif self._total < NEVER:
            self._alarm.set(self._end())
        return await super().wait()

    def _end(self) -> float:
        """When the whole stream must have ended: known once the first item is asked for."""
        if self._idle == NEVER:
            self._idle = self.clock() + self._total
        return self._idle

    @property
    def _allowed(self) -> float:
        lane = self._lane
        begun = lane.delivered or (isinstance(lane, HandLane) and lane.passed.count)
        return self._between if begun else self._first

    def _due(self) -> float:
        allowed = self._allowed
        return self._end() if allowed == NEVER else min(self.clock() + allowed, self._end())

    def _rung(self, due: float) -> None:
        if self._in_time:
            return
        if due == self._idle:
            self._late(f"the stream did not end within {self._total} s")
        else:
            self._late(f"no item came within {self._allowed} s")

    def _late(self, text: str) -> None:
        """End the source: with an error, which comes after what is held, or to go on with another then."""
        self._first = self._between = self._total = self._idle = NEVER
        if self._fallback is ABSENT:
            self.fail(self.run.blame(StreamTimeoutError(text)))
        else:
            self.join()  # it does not end before the other stream does
            self.run.spawn(self._instead, self)

    async def _instead(self) -> None:
        await self.run.stop(self._lane)
        self.begin(self._fallback)
        self.closed()


class Alive(Timed):
    """Calls a function where an item is late, and passes on what that returns."""

    def __init__(self, run: Run, *, seconds: float, function: Callable[[], Any]) -> None:
        super().__init__(run)
        self._seconds = seconds
        self._function = function
        self._late = False
        """Whether the function is to be called."""
        self._made: list[Any] = []
        """What it has returned, which comes before all else."""

    def _due(self) -> float:
        return self.clock() + self._seconds

    def _rung(self, due: float) -> None:
        if not self._in_time:
            self._late = True
            self.direct = None
            self.wake()

    @property
    def ready(self) -> bool:
        return self._late or bool(self._made) or super().ready

    async def wait(self) -> bool:
        while True:
            if self._made:
                return True
            more = await super().wait()
            if not self._late:
                return more
            await self._call()

    async def until(
        self, condition: Callable[[], bool], when: float | None = None, *, asks: bool = True
    ) -> bool:
        found = await super().until(condition, when, asks=asks)
        if self._late:
            await self._call()
        return found

    async def _call(self) -> None:
        """Have an item made, unless one has come."""
        self._late = False
        if self.queue or self.over:
            return
        try:
            self._made.append(self.run.form.made(await self.run.call(self._function)))
        except Exception as error:
            self.fail(error)

    def pop(self) -> Any:
        return self._made.pop() if self._made else super().pop()

    def drained(self, most: int) -> Iterator[Any]:
        return (self._made.pop() for _ in (None,)) if self._made else super().drained(most)
