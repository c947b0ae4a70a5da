"""Operators that put times beside items."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Generic, NamedTuple, TypeVar, overload

from streamkit._core.arguments import callback
from streamkit._core.markers import ABSENT
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Shape, Stream

__all__ = ["TimeInterval", "Timestamped", "time_interval", "timestamp"]

A = TypeVar("A")
C = TypeVar("C")


class Timestamped(NamedTuple, Generic[A, C]):
    """What ``timestamp`` passes on: an item, and when it came."""

    value: A
    time: C
    """What the clock said: seconds, if it is that of the event loop."""


class TimeInterval(NamedTuple, Generic[A]):
    """What ``time_interval`` passes on: an item, and how long it took to come."""

    value: A
    seconds: float
    """Since the item before it came; of the first, since the run began."""


class Stamped(Shape, Generic[C]):
    """``A`` to ``Timestamped[A, C]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[Timestamped[A, C]]:
        result: Stream[Timestamped[A, C]] = self.apply(stream)
        return result


class Intervals(Shape):
    """``A`` to ``TimeInterval[A]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[TimeInterval[A]]:
        result: Stream[TimeInterval[A]] = self.apply(stream)
        return result


def clock_here() -> Callable[[], float]:
    """The clock of the event loop that runs here; where none does, in a plain ``for``, that of any loop."""
    try:
        return get_running_loop().time
    except RuntimeError:
        return monotonic


@overload
def timestamp() -> Stamped[float]: ...
@overload
def timestamp(clock: Callable[[], Awaitable[C]]) -> Stamped[C]: ...
@overload
def timestamp(clock: Callable[[], C]) -> Stamped[C]: ...
@step(
    setup="now = clock_here()",
    each="""
        if clock is ABSENT:
            emit(Timestamped(item, now()))
        else:
            emit(Timestamped(item, clock()))
    """,
)
def timestamp(clock: Any = ABSENT) -> Stamped[Any]:
    """Pass on each item with the time at which it came: ``Timestamped(value, time)``, a named tuple.

        items     --a----------b----------|
        timestamp --(a,time=2)-(b,time=8)-|

    >>> from streamkit import Stream, ops
    >>> from streamkit.testing import run
    >>> run(lambda: Stream("ab") | ops.timestamp() | ops.to_list())
    [Timestamped(value='a', time=0.0), Timestamped(value='b', time=0.0)]

    Emits when: an item comes.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    The time is that of the event loop, in seconds: the clock by which ``timeout``, ``sample`` and all others
    count, which never jumps, and which is virtual in tests. Only differences of it mean something. RxPY gives
    the date and time of its scheduler; for that, write ``timestamp(time.time)``, or
    ``timestamp(lambda: datetime.now(UTC))``.

    Args:
        clock: called without an argument for each item; returns its time, of any type, or an awaitable of it.

    Raises:
        TypeError: `clock` is not callable.
    """
    return Stamped(timestamp, clock=clock if clock is ABSENT else callback("clock", clock))


@step(
    setup="""
        now = clock_here()
        last = now()
    """,
    each="""
        time = now()
        seconds = time - last
        last = time
        emit(TimeInterval(item, seconds))
    """,
)
def time_interval() -> Intervals:
    """Pass on each item with the seconds since the one before it: ``TimeInterval(value, seconds)``.

        items         --a-------------b-------------|
        time_interval --(a,seconds=2)-(b,seconds=6)-|

    >>> from streamkit import Stream, ops
    >>> from streamkit.testing import run
    >>> run(lambda: Stream("a") | ops.time_interval() | ops.to_list())
    [TimeInterval(value='a', seconds=0.0)]

    Emits when: an item comes.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    The seconds are those of the event loop's clock, from when an item came here to when the next one did:
    while the consumer works, none is pulled, so its time is in them. Those of the first item count from the
    begin of the run. It is a named tuple, as that of ``timestamp`` is; RxPY has a ``timedelta`` there.
    """
    return Intervals(time_interval)
