"""Operators that mind the clock."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, overload

from streamkit._core import arguments
from streamkit._core.contract import PASSED_ON, Contract
from streamkit._core.errors import StreamTimeoutError
from streamkit._core.markers import EMPTY
from streamkit._core.strategy import KeepLatest
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run

__all__ = ["debounce", "keep_alive", "sample", "timeout"]

B = TypeVar("B")
OnDrop: TypeAlias = Callable[[Any, str], object]


async def _timeout(run: Run, source: Inlet[Any], *, seconds: float) -> AsyncIterator[Any]:
    channel = run.channel()
    run.feed(channel, source)
    while True:
        item = channel.pop()
        if item is not EMPTY:
            yield item
        elif not await channel.before(run.loop.time() + seconds):
            channel.fail(run.blame(StreamTimeoutError(f"no item came within {seconds} s")))
        elif not await channel.wait():
            return


@stage(_timeout, contract=PASSED_ON)
def timeout(seconds: float) -> Keep:
    """Fail if an item that is asked for does not come within `seconds`.

        items      --a--b-----------c--|
        timeout(5) --a--b-----X

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.timeout(5.0))
    ['a', 'b']

    The time is that of one pull: each item of the source counts, also one that an operator behind this leaves
    out. There is no limit for the whole stream; ``async with asyncio.timeout(...)`` around it is one.

    Emits when: an item comes in time, or in the turn of the event loop in which the time ends. The pull is
        never cancelled and begun again.
    Waits when: the consumer does; that time does not count.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        seconds: how long an item may take, from when the consumer asks for it.

    Raises:
        TypeError: `seconds` is not a number.
        ValueError: `seconds` is not finite, or not above 0.
        StreamTimeoutError: (when run) no item came in time; a ``TimeoutError`` too.
    """
    return Keep(timeout, seconds=arguments.seconds("seconds", seconds))


async def _keep_alive(
    run: Run, source: Inlet[Any], *, seconds: float, function: Callable[[], Any]
) -> AsyncIterator[Any]:
    channel = run.channel()
    run.feed(channel, source)
    due = run.loop.time() + seconds
    while True:
        item = channel.pop()
        if item is EMPTY:
            if not await channel.before(due):
                item = await run.call(function)
            elif await channel.wait():
                continue
            else:
                return
        yield item
        due = run.loop.time() + seconds


@overload
def keep_alive(seconds: float, *, function: Callable[[], Awaitable[B]]) -> Joined[B]: ...
@overload
def keep_alive(seconds: float, *, function: Callable[[], B]) -> Joined[B]: ...
@stage(_keep_alive, contract=PASSED_ON)
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
    run: Run, source: Inlet[Any], *, seconds: float, on_drop: OnDrop | None
) -> AsyncIterator[Any]:
    channel = run.channel()
    run.pump(source, into=channel.lane(KeepLatest(on_drop=on_drop)))
    begun = run.loop.time()
    ticks = 0
    while await channel.wait():
        ticks = max(ticks + 1, math.ceil((run.loop.time() - begun) / seconds))
        await channel.until(lambda: channel.over, begun + ticks * seconds)
        yield channel.pop()


@stage(
    _sample,
    contract=Contract(
        holds="1", lookahead="unbounded", keeps="True", loses="'all but the latest item of each period'"
    ),
)
def sample(seconds: float, *, on_drop: OnDrop | None = None) -> Keep:
    """Every `seconds`, pass on the latest item, if there is a new one.

        items     --a-b-c-----------d---|
        sample(5) -----b----c---------d-|

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
        on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0.
    """
    strategy = KeepLatest(on_drop=on_drop)
    return Keep(sample, seconds=arguments.seconds("seconds", seconds), on_drop=strategy.on_drop)


class _Stamped(Lane):
    """A lane that notes when its last item came."""

    stamp = 0.0

    def put(self, item: Any) -> bool:
        self.stamp = self.channel.clock()
        return super().put(item)


async def _debounce(
    run: Run, source: Inlet[Any], *, seconds: float, on_drop: OnDrop | None
) -> AsyncIterator[Any]:
    channel = run.channel()
    lane = _Stamped(channel, KeepLatest(on_drop=on_drop))
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
    contract=Contract(
        holds="1", lookahead="unbounded", keeps="True", loses="'items that another follows too soon'"
    ),
)
def debounce(seconds: float, *, on_drop: OnDrop | None = None) -> Keep:
    """Pass an item on when no other has come for `seconds` after it.

        items       --a-b-c-----------d--|
        debounce(5) -----------c---------d|

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
