"""Operators that mind the clock."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, overload

from streamkit._core import arguments
from streamkit._core.contract import PASSED_ON, Contract
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.show import shown
from streamkit._core.strategy import KeepLatest
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.flooding import floods
from streamkit._engine.buffer.kinds import lane_of
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.latest import LatestLane, StampedLane
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep, SourceLike, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.beside import Ticks, stream_argument
from streamkit._stages.deadline import Alive, Limited

__all__ = ["debounce", "keep_alive", "sample", "timeout"]

B = TypeVar("B")
OnDrop: TypeAlias = Callable[[Any, str], object]


def _least(*limits: float | None) -> float:
    """The first of `limits` that was given; without one, there is none."""
    return next((each for each in limits if each is not None), math.inf)


def _timeout(
    run: Run,
    source: Inlet[Any],
    *,
    seconds: float | None,
    first: float | None,
    between: float | None,
    total: float | None,
    fallback: Any,
) -> Channel:
    limits = {"first": _least(first, seconds), "between": _least(between, seconds), "total": _least(total)}
    channel = run.adopt(Limited(run, **limits, fallback=fallback))
    channel.begin(source)
    return channel


@overload
def timeout(
    seconds: float | None = None,
    *,
    first: float | None = None,
    between: float | None = None,
    total: float | None = None,
) -> Keep: ...
@overload
def timeout(
    seconds: float | None = None,
    *,
    first: float | None = None,
    between: float | None = None,
    total: float | None = None,
    fallback: SourceLike[B],
) -> Joined[B]: ...
@stage(_timeout, direct=True, pairs=followed_anyway, contract=PASSED_ON)
def timeout(
    seconds: float | None = None,
    *,
    first: float | None = None,
    between: float | None = None,
    total: float | None = None,
    fallback: SourceLike[Any] | Absent = ABSENT,
) -> Any:
    """Fail if an item that is asked for does not come within `seconds`.

        items                      --a--b-----------c--|
        timeout(5)                 --a--b----X
        timeout(total=7)           --a--b-X
        timeout(5, fallback=["z"]) --a--b----z|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.timeout(5.0))
    ['a', 'b']
    >>> list(Stream("ab") | ops.timeout(first=30.0, between=5.0, total=600.0, fallback="z"))
    ['a', 'b']

    The time is that of one pull: each item of the source counts, also one that an operator behind this leaves
    out.

    Emits when: an item comes in time, or in the turn of the event loop in which the time ends. The pull is
        never cancelled and begun again.
    Waits when: the consumer does; that time counts for `total` alone.
    Completes when: the source does, or `fallback`.
    Closes when: it ends, or the consumer leaves; a source that is late is closed before this fails,
        or `fallback` is opened.

    Args:
        seconds: how long an item may take, from when the consumer asks for it; and the end, too.
        first: how long the first item may take, where that is not `seconds`.
        between: how long each item after the first may take, where that is not `seconds`.
        total: how long the whole stream may take, from when the first item is asked for to its end.
        fallback: what to go on with, without any limit, instead of failing: a stream, an iterable, an async
            iterable, or a callable that makes one.

    Raises:
        TypeError: no time is given, or an argument has the wrong type.
        ValueError: a time is not finite, or not above 0; or `seconds` is given beside both `first` and
            `between`.
        StreamTimeoutError: (when run) no item came in time, or the end did not; a ``TimeoutError`` too.

    In RxPY the time runs while the consumer is busy, too, and a time of day is what `total` is here. To go on
    with what depends on the error, write ``timeout(5.0) | catch(function, errors=TimeoutError)``.
    """
    times = {"seconds": seconds, "first": first, "between": between, "total": total}
    if seconds is first is between is total is None:
        raise TypeError("timeout needs a time: write seconds=, first=, between= or total=")
    if seconds is not None:
        arguments.seconds("seconds", seconds)
    if None not in (seconds, first, between):
        raise ValueError(f"seconds must be left out where first and between are given, not {shown(seconds)}")
    given = {name: None if value is None else arguments.seconds(name, value) for name, value in times.items()}
    if fallback is ABSENT:
        return Keep(timeout, **given, fallback=fallback)
    return Joined[Any](timeout, **given, fallback=stream_argument("fallback", fallback))


def _keep_alive(run: Run, source: Inlet[Any], *, seconds: float, function: Callable[[], Any]) -> Channel:
    channel = run.adopt(Alive(run, seconds=seconds, function=function))
    channel.begin(source)
    return channel


@overload
def keep_alive(seconds: float, *, function: Callable[[], Awaitable[B]]) -> Joined[B]: ...
@overload
def keep_alive(seconds: float, *, function: Callable[[], B]) -> Joined[B]: ...
@stage(_keep_alive, direct=True, pairs=followed_anyway, contract=PASSED_ON)
def keep_alive(seconds: float, *, function: Callable[[], Any]) -> Any:
    """Where an item does not come within `seconds`, pass on what `function` returns, and go on waiting.

        items                     --a-----------b--|
        keep_alive(5, function=f) --a----f----f-b--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.keep_alive(30.0, function=lambda: "still here"))
    ['a', 'b']

    Emits when: an item comes; or none has for `seconds` since it was asked for.
    Waits when: the consumer does; a pull is never cancelled and begun again.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        seconds: the longest silence while the consumer asks; the time in which it works on an item does
            not count.
        function: called without arguments; returns an item to pass on.

    Raises:
        TypeError: `seconds` is not a number, or `function` not callable.
        ValueError: `seconds` is not finite, or not above 0.
    """
    checked = arguments.callback("function", function)
    return Joined[Any](keep_alive, seconds=arguments.seconds("seconds", seconds), function=checked)


async def _sample(
    run: Run, source: Inlet[Any], *, seconds: float | None, signal: Any, on_drop: OnDrop | None
) -> AsyncIterator[Any]:
    channel = run.channel()
    strategy = KeepLatest(on_drop=run.form.told(on_drop))
    lane = LatestLane(channel, strategy) if floods(strategy) else lane_of(channel, strategy)
    channel.adopt(lane)
    run.pump(source, into=lane)
    if seconds is None:
        ticks = Ticks(channel, lane)
        channel.adopt(ticks)
        run.pump(signal, into=ticks)
        while await channel.choose(lane):
            await channel.until(lambda: ticks.came or not lane.open or channel.error is not None)
            ticks.came = False
            yield lane.take()
        return
    begun = run.loop.time()
    periods = 0
    while await channel.wait():
        periods = max(periods + 1, math.ceil((run.loop.time() - begun) / seconds))
        await channel.until(lambda: channel.over, begun + periods * seconds)
        yield channel.pop()


@overload
def sample(seconds: float, *, on_drop: OnDrop | None = None) -> Keep: ...
@overload
def sample(*, signal: SourceLike[Any], on_drop: OnDrop | None = None) -> Keep: ...
@stage(
    _sample,
    pairs=followed_anyway,
    contract=Contract(
        holds="1",
        lookahead="unbounded",
        others_hold="1",
        others_lookahead="unbounded",
        keeps="True",
        loses="'all but the latest item of each period'",
    ),
)
def sample(
    seconds: float | None = None,
    *,
    signal: SourceLike[Any] | Absent = ABSENT,
    on_drop: OnDrop | None = None,
) -> Keep:
    """Every `seconds`, or whenever `signal` has an item, pass on the latest item, if there is a new one.

        items          --a-b-c-----------d---|
        sample(5)      -----b----c---------d-|
        signal         ---x-x--x-x-x---------
        sample(signal) ---a-b--c-------------d|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.sample(60.0))
    ['c']

    Emits when: a period ends in which an item came; at the end of the source, the latest item at once.
    Waits when: no item has come since it last emitted. The source never waits.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        seconds: the length of a period. Periods are counted from the start; a consumer that is late gets
            the latest item at the end of the next one.
        signal: a stream, an iterable, an async iterable, or a callable that makes one; each of its items,
            whatever it is, ends a period. A consumer that was busy then gets the latest item when it asks.
            After the end of `signal`, the last item of the source comes yet, at the end of that.
        on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

    Raises:
        TypeError: an argument has the wrong type, or neither `seconds` nor `signal` is given.
        ValueError: `seconds` is not finite, or not above 0; or both are given.

    In RxPY the last item waits for the end of its period, and the end of the signal ends a period, too.
    """
    strategy = KeepLatest(on_drop=on_drop)
    if signal is not ABSENT:
        if seconds is not None:
            raise ValueError(f"seconds must be left out where signal is given, not {shown(seconds)}")
        beside = stream_argument("signal", signal)
        return Keep(sample, seconds=None, signal=beside, on_drop=strategy.on_drop)
    if isinstance(seconds, Stream):
        raise TypeError(
            f"seconds must be a number of seconds, not {shown(seconds)}: write sample(signal=...)"
        )
    checked = arguments.seconds("seconds", seconds)
    return Keep(sample, seconds=checked, signal=ABSENT, on_drop=strategy.on_drop)


class _Stamped(Lane):
    """A lane that notes when its last item came, and tells of those that are lost."""

    stamp = 0.0

    def put(self, item: Any) -> bool:
        self.stamp = self.channel.clock()
        return super().put(item)


async def _debounce(
    run: Run, source: Inlet[Any], *, seconds: float, on_drop: OnDrop | None
) -> AsyncIterator[Any]:
    channel = run.channel()
    strategy = KeepLatest(on_drop=run.form.told(on_drop))
    lane = StampedLane(channel, strategy) if floods(strategy) else _Stamped(channel, strategy)
    channel.adopt(lane)
    run.pump(source, into=lane)
    while await channel.wait():
        due = 0.0
        while due < lane.stamp + seconds and not channel.over:
            due = lane.stamp + seconds
            await channel.until(lambda: channel.over, due)
        yield channel.pop()


@stage(
    _debounce,
    pairs=followed_anyway,
    contract=Contract(
        holds="1", lookahead="unbounded", keeps="True", loses="'items that another follows too soon'"
    ),
)
def debounce(seconds: float, *, on_drop: OnDrop | None = None) -> Keep:
    """Pass an item on when no other has come for `seconds` after it.

        items       --a-b-c-----------d--|
        debounce(5) -----------c---------(d|)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.debounce(60.0))
    ['c']

    Emits when: `seconds` have passed since the latest item; at the end of the source, at once.
    Waits when: the latest item came less than `seconds` ago, or none is held. The source never waits.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        seconds: the silence after an item that lets it pass.
        on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0.
    """
    strategy = KeepLatest(on_drop=on_drop)
    return Keep(debounce, seconds=arguments.seconds("seconds", seconds), on_drop=strategy.on_drop)
