"""Sources of time: ticks, a timer, and what never comes."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from itertools import count
from typing import Any, Never

from streamkit._core.arguments import flag, number as number_argument, seconds as seconds_argument
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe
from streamkit._stages.timetable import Grid, OnTheWall, planned, reach

__all__ = ["Missed", "interval", "never", "ticks", "timer"]

_ON_TIME = 0.005
"""Seconds after which a tick is late: a loop that has much to do is no consumer that was busy (tokio's)."""
_MANY = 1e300
"""Ticks that are counted: more than there are, but for the smallest of floats."""


class Missed(Enum):
    """What ``interval``, ``ticks`` and ``cron`` do after a tick that its consumer has asked for too late."""

    SKIP = "skip"
    """Leave out the ticks that were missed: the next comes at the next time that it would have had."""
    CATCH_UP = "catch up"
    """Leave out none: those that were missed come one after the other, until all have come."""
    DELAY = "delay"
    """Begin anew: the next comes `seconds` after the late one, and so do those after it."""

    def __repr__(self) -> str:
        return f"Missed.{self.name}"


class _Ticks:
    """The times of ticks: whole multiples of `seconds` after `base`, by the clock of the event loop."""

    def __init__(self, seconds: float, missed: Missed, base: float) -> None:
        self.seconds = seconds
        self.missed = missed
        self.base = base
        self.index = 1

    @property
    def due(self) -> float:
        """When the next tick is due."""
        return self.base + self.index * self.seconds

    def passed(self, now: float) -> None:
        """The tick has come: which is the next?"""
        due = self.due
        self.index += 1
        if self.missed is Missed.SKIP:
            last = int(min((now - self.base) // self.seconds, _MANY))
            self.index = max(self.index, last + 1)
        elif self.missed is Missed.DELAY and now - due > min(_ON_TIME, self.seconds / 2):
            self.base, self.index = now, 1


async def _ticking(seconds: float, missed: Missed) -> AsyncIterator[int]:
    loop = get_running_loop()
    grid = _Ticks(seconds, missed, loop.time())
    for number in count():  # pragma: no branch - it has no end
        while loop.time() < grid.due:
            await reach(loop, grid.due)
        grid.passed(loop.time())
        yield number


async def _aligned(seconds: float, missed: Missed) -> AsyncIterator[int]:
    wall = OnTheWall(Grid(seconds), catch_up=missed is Missed.CATCH_UP)
    for number in count():  # pragma: no branch - it has no end
        await wall.next()
        yield number


def missed_option(missed: object, reason: str = "") -> dict[str, Any]:
    """What is shown of the argument `missed`, unless it is the usual; with a `reason`, DELAY is refused."""
    if not isinstance(missed, Missed):
        raise TypeError(f"missed must be Missed.SKIP, CATCH_UP or DELAY, not {shown(missed)}")
    if reason and missed is Missed.DELAY:
        raise ValueError(f"missed must be Missed.SKIP or CATCH_UP {reason}, not Missed.DELAY")
    return {} if missed is Missed.SKIP else {"missed": missed}


@answering
def interval(seconds: float, *, missed: Missed = Missed.SKIP, aligned: bool = False) -> Stream[int]:
    """0, 1, 2, ... every so many seconds, for ever.

        interval(1.0)  -----0----1----2----3-

    >>> import streamkit
    >>> from streamkit import ops
    >>> list(streamkit.interval(0.001) | ops.take(3))
    [0, 1, 2]

    Emits when: a tick is due: the first `seconds` after the first pull, the others at whole multiples of it;
        with `aligned`, at whole multiples of the clock on the wall.
    Waits when: no tick is due, or the consumer does; nothing is held for it.
    Completes when: it never does.
    Closes when: the consumer leaves.

    Numbers leave no gap, where ticks are left out. The grid does not drift, however late a tick is asked
    for, except under ``DELAY``. It does not begin with a tick at once, as tokio's does, but as RxPY's; that
    goes on while its observer is busy, and holds what the observer has not seen.

    Args:
        seconds: from one tick to the next.
        missed: what becomes of ticks that were due while the consumer was busy, as tokio defines it. Under
            ``DELAY``, a tick is late that comes 5 ms, or half of `seconds`, after its time.
        aligned: whether ticks keep to the clock on the wall: with 60 seconds, each full minute (UTC). A clock
            that is set forward has missed ticks; where it is set back, ticks go on by the new time.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0; or `missed` is ``DELAY`` and it is `aligned`:
            that would leave the clock.
    """
    seconds = seconds_argument("seconds", seconds)
    options = missed_option(missed, "where aligned=True" if flag("aligned", aligned) else "")
    if aligned:
        options["aligned"] = True
    make = partial(_aligned if aligned else _ticking, seconds, missed)
    return Stream(Recipe("interval", (seconds,), make, **options))


@answering
def ticks(
    seconds: float,
    *,
    offset: float = 0.0,
    start: datetime | None = None,
    end: datetime | None = None,
    missed: Missed = Missed.SKIP,
) -> Stream[datetime]:
    """The date and time, in UTC, whenever the clock on the wall comes to a whole multiple of so many seconds.

        ticks(60.0)               ----12:00----12:01----12:02-
        ticks(60.0, offset=5.0)   -----12:00:05--12:01:05--12:02:05-

    >>> import streamkit
    >>> from datetime import UTC, datetime
    >>> noon, later = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    >>> [f"{tick:%H:%M}" for tick in streamkit.ticks(900.0, start=noon, end=later)]
    ['12:00', '12:15']

    Emits when: a tick is due; one that is past already, from `start` on, at once.
    Waits when: no tick is due, or the consumer does; nothing is held for it.
    Completes when: the next tick would not be before `end`.
    Closes when: the consumer leaves.

    An item is when its tick was due, not when it came: two that follow each other differ by exactly
    `seconds`, unless some were left out. Multiples are counted from the year 1970 in UTC, so all programs
    tick alike; for hours and days of another time zone, see ``cron``.

    A clock that is set forward, or a machine that slept, has missed ticks; it is noticed within a minute. A
    clock that is set back by less than a tick gives none twice; by more, ticks go on by the new time.

    Args:
        seconds: from one tick to the next.
        offset: how much later than the multiples all of them are.
        start: the first tick is the first from then on. If that is past, the ticks since then are replayed
            without a wait, whatever `missed` says, and live ones follow.
        end: no tick comes then, or later.
        missed: what becomes of ticks that were due while the consumer was busy.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0; `offset` is not finite; `start` or `end` has no
            time zone; or `missed` is ``DELAY``, which would leave the clock.
    """
    seconds, offset = seconds_argument("seconds", seconds), number_argument("offset", offset)
    options: dict[str, Any] = {"offset": offset or None, "start": start, "end": end}
    options |= missed_option(missed, "for ticks of the clock on the wall")
    grid = Grid(seconds, offset)
    return Stream(planned("ticks", seconds, grid, UTC, catch_up=missed is Missed.CATCH_UP, **options))


async def _timed(seconds: float) -> AsyncIterator[int]:
    loop = get_running_loop()
    await reach(loop, loop.time() + seconds)
    yield 0


@answering
def timer(seconds: float) -> Stream[int]:
    """One item, 0, in so many seconds.

        timer(1.0)  -----0|

    >>> import streamkit
    >>> list(streamkit.timer(0.001))
    [0]

    Emits when: `seconds` have passed since the first pull.
    Waits when: they have not.
    Completes when: the item was passed on.
    Closes when: it ends, or the consumer leaves.

    RxPY's ``timer(seconds, period)``, which goes on, is ``concat(timer(seconds), interval(period))``.

    Args:
        seconds: until the item; 0 lets others run once.

    Raises:
        TypeError: `seconds` is not a number.
        ValueError: `seconds` is not finite, or below 0.
    """
    seconds = seconds_argument("seconds", seconds, positive=False)
    return Stream(Recipe("timer", (seconds,), partial(_timed, seconds)))


async def _waiting() -> AsyncIterator[Any]:
    await get_running_loop().create_future()
    yield  # pragma: no cover - never reached: it makes this function a generator


@answering
def never() -> Stream[Never]:
    """No items, and no end.

        never()  ---------

    >>> import asyncio
    >>> import streamkit
    >>> from streamkit import ops
    >>> async def main() -> list[int]:
    ...     stream = streamkit.of(1) | ops.merge(streamkit.never()) | ops.take(1)
    ...     return await (stream | ops.to_list())
    >>> asyncio.run(main())
    [1]

    Emits when: never.
    Waits when: it was asked.
    Completes when: it never does.
    Closes when: the consumer leaves.
    """
    return Stream(Recipe("never", (), _waiting))
