"""Timetables: when ticks are due by the clock on the wall, and the wait for them.

Times are exact fractions of a second since the year 1970 in UTC: a float of today is exact to a quarter of a
microsecond only, and its sums drift.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import partial
from math import floor
from typing import Any, Final, Protocol

from streamkit._core.arguments import date as date_argument
from streamkit._engine.buffer.clock import wall_clock_of
from streamkit._engine.plan.source import Recipe

__all__ = ["Grid", "OnTheWall", "Timetable", "date_of", "instant", "planned", "reach"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = Fraction(1, 1_000_000)
"""The least difference of two dates."""
_THERE: Final = 0.000_000_5
"""By how much the clock on the wall may be short of a tick that is due: a float of today is no more exact."""
_LOOK: Final = 60.0
"""Seconds after which the clock is looked at again: it may have been set, or the machine was asleep."""


class Timetable(Protocol):
    """Says when ticks are due."""

    def after(self, when: Fraction, /) -> Fraction | None:
        """The first tick after `when`; None if there is none any more."""
        ...


class Grid:
    """Whole multiples of so many seconds, all later by `offset`."""

    def __init__(self, seconds: float, offset: float = 0.0) -> None:
        # of the decimals that were written: 0.1 is a tenth here
        self._step = Fraction(repr(seconds))
        self._offset = Fraction(repr(offset))

    def after(self, when: Fraction) -> Fraction:
        """The first multiple after `when`."""
        return ((when - self._offset) // self._step + 1) * self._step + self._offset


def instant(date: datetime) -> Fraction:
    """`date` in seconds since the year 1970."""
    return (date - _EPOCH) // timedelta.resolution * _MICRO


def date_of(when: Fraction) -> datetime:
    """`when` as a date in UTC, to the microsecond."""
    return _EPOCH + timedelta(microseconds=floor(when / _MICRO + Fraction(1, 2)))


def _ring(waiter: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def reach(loop: AbstractEventLoop, when: float) -> None:
    """Wait until the time `when` of the loop; ``sleep`` would miss it by what a subtraction rounds."""
    waiter: Future[None] = loop.create_future()
    timer = loop.call_at(when, _ring, waiter)
    try:
        await waiter
    finally:
        timer.cancel()


def _set_back(timetable: Timetable, now: Fraction, due: Fraction) -> Fraction:
    """What is due next where the clock was set back to `now`: `due`, unless more than one tick is before it.

    So a clock that is put right by a little gives no tick twice, and one that was wrong holds up none for
    long.
    """
    first = timetable.after(now)
    second = None if first is None else timetable.after(first)
    return due if first is None or second is None or second >= due else first


class OnTheWall:
    """The ticks of one run. Those from `start` on that are past already come without a wait, whatever becomes
    of later ones that are missed: so there is no gap between what is replayed and what is live.
    """

    def __init__(
        self,
        timetable: Timetable,
        *,
        catch_up: bool,
        start: Fraction | None = None,
        end: Fraction | None = None,
    ) -> None:
        self._timetable = timetable
        self._catch_up = catch_up
        self._end = end
        self._past = start is not None
        """Whether all ticks so far were past when the run came to them."""
        self._loop = get_running_loop()
        self._clock = wall_clock_of(self._loop)
        self._seen = self._clock()
        self._least = Fraction(0) if start is None else start - _MICRO
        """No tick is as early, also if the clock is set back."""
        self._due = timetable.after(Fraction(self._seen) if start is None else self._least)

    async def next(self) -> Fraction | None:
        """Wait until a tick is due; None if none is left before the end."""
        due = self._due
        if due is None or (self._end is not None and due >= self._end):
            return None
        while float(due) - (now := self._clock()) > _THERE:
            self._past = False
            if now < self._seen:
                due = _set_back(self._timetable, max(Fraction(now), self._least), due)
            self._seen = now
            await reach(self._loop, self._loop.time() + min(float(due) - now, _LOOK))
        self._seen = now
        late = not (self._past or self._catch_up) and now > due
        self._due = self._timetable.after(Fraction(now) if late else due)
        return due


async def _dated(
    timetable: Timetable, catch_up: bool, start: Fraction | None, end: Fraction | None, zone: tzinfo
) -> AsyncIterator[datetime]:
    """Yield the date of each tick, in `zone`, when it is due."""
    ticks = OnTheWall(timetable, catch_up=catch_up, start=start, end=end)
    while (tick := await ticks.next()) is not None:
        yield date_of(tick).astimezone(zone)


def planned(
    name: str, argument: object, timetable: Timetable, zone: tzinfo, *, catch_up: bool, **options: Any
) -> Recipe:
    """The source `name` of the dates of `timetable`, whose `options` are shown where they are given."""
    start, end = [
        None if options[each] is None else instant(date_argument(each, options[each]))
        for each in ("start", "end")
    ]
    make = partial(_dated, timetable, catch_up, start, end, zone)
    return Recipe(
        name, (argument,), make, **{key: value for key, value in options.items() if value is not None}
    )
