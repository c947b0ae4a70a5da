"""Sources of time: ticks, a timer, and what never comes."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import AsyncIterator, Callable
from enum import Enum
from functools import partial
from itertools import count
from typing import Any, Never

from streamkit._core.arguments import flag, seconds as seconds_argument
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.buffer.clock import wall_clock_of
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe

__all__ = ["Missed", "interval", "never", "timer"]

_ON_TIME = 0.005
"""Seconds after which a tick is late: a loop that has much to do is no consumer that was busy (tokio's)."""
_MANY = 1e300
"""Ticks that are counted: more than there are, but for the smallest of floats."""


class Missed(Enum):
    """What ``interval`` does after a tick that its consumer has asked for too late."""

    SKIP = "skip"
    """Leave out the ticks that were missed: the next comes at the next time that it would have had."""
    CATCH_UP = "catch up"
    """Leave out none: those that were missed come one after the other, until all have come."""
    DELAY = "delay"
    """Begin anew: the next comes `seconds` after the late one, and so do those after it."""

    def __repr__(self) -> str:
        return f"Missed.{self.name}"


def _ring(waiter: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def _reach(loop: AbstractEventLoop, when: float) -> None:
    """Wait until the time `when` of the loop; ``sleep`` would miss it by what a subtraction rounds."""
    waiter: Future[None] = loop.create_future()
    timer = loop.call_at(when, _ring, waiter)
    try:
        await waiter
    finally:
        timer.cancel()


class _Ticks:
    """The times of ticks: whole multiples of `seconds` after `base`, by `clock`."""

    def __init__(self, seconds: float, missed: Missed, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self.missed = missed
        self.clock = clock
        self.base = 0.0
        self.index = 0

    def begin(self, base: float) -> None:
        """The first is the first after now."""
        self.base = base
        self.index = self._last(self.clock()) + 1

    def _last(self, now: float) -> int:
        """Which tick was the last before `now`."""
        return int(min((now - self.base) // self.seconds, _MANY))

    @property
    def due(self) -> float:
        """When the next tick is due."""
        return self.base + self.index * self.seconds

    def left(self) -> float:
        """The seconds until then. A clock that was set back does not hold up more than one tick."""
        left = self.due - self.clock()
        if left > 2 * self.seconds:
            self.begin(self.base)
            left = self.due - self.clock()
        return left

    def passed(self) -> None:
        """The tick has come: which is the next?"""
        now, due = self.clock(), self.due
        self.index += 1
        if self.missed is Missed.SKIP:
            self.index = max(self.index, self._last(now) + 1)
        elif self.missed is Missed.DELAY and now - due > min(_ON_TIME, self.seconds / 2):
            self.base, self.index = now, 1


async def _ticking(seconds: float, missed: Missed, aligned: bool) -> AsyncIterator[int]:
    loop = get_running_loop()
    ticks = _Ticks(seconds, missed, wall_clock_of(loop) if aligned else loop.time)
    ticks.begin(0.0 if aligned else loop.time())
    for number in count():  # pragma: no branch - it has no end
        while (left := ticks.left()) > 0:
            await _reach(loop, loop.time() + left if aligned else ticks.due)
        ticks.passed()
        yield number


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
    if not isinstance(missed, Missed):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"missed must be Missed.SKIP, CATCH_UP or DELAY, not {shown(missed)}")
    if flag("aligned", aligned) and missed is Missed.DELAY:
        raise ValueError("missed must be Missed.SKIP or CATCH_UP where aligned=True, not Missed.DELAY")
    options: dict[str, Any] = {} if missed is Missed.SKIP else {"missed": missed}
    if aligned:
        options["aligned"] = True
    return Stream(Recipe("interval", (seconds,), partial(_ticking, seconds, missed, aligned), **options))


async def _timed(seconds: float) -> AsyncIterator[int]:
    loop = get_running_loop()
    await _reach(loop, loop.time() + seconds)
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
