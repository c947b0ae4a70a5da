"""Operators that thin out a stream: of items that come close together, they pass one on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

from streamkit._core import arguments
from streamkit._core.contract import Contract
from streamkit._core.strategy import DropIncoming, DropYoungest, KeepLatest, Strategy
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run

__all__ = ["audit", "throttle_first", "throttle_latest"]

OnDrop: TypeAlias = Callable[[Any, str], object]


class _Paced(Lane):
    """A lane that notes from when on the next item may be passed on."""

    def __init__(self, channel: Channel, strategy: Strategy, seconds: float) -> None:
        super().__init__(channel, strategy)
        self.seconds = seconds
        self.due = float("-inf")

    def pop(self) -> Any:
        self.due = self.channel.clock() + self.seconds
        return super().pop()


class _Silent(_Paced):
    """A lane that takes in nothing before that."""

    def put(self, item: Any) -> bool:
        if self.limit >= 0:  # below 0, the reader has gone
            self.limit = int(self.channel.clock() >= self.due)
        return super().put(item)


def _throttle_first(run: Run, source: Inlet[Any], *, seconds: float, on_drop: OnDrop | None) -> Channel:
    channel = run.channel()
    lane = _Silent(channel, DropIncoming(1, on_drop=run.form.told(on_drop)), seconds)
    channel.adopt(lane)
    run.pump(source, into=lane)
    return channel


@stage(
    _throttle_first,
    pairs=followed_anyway,
    contract=Contract(
        holds="1",
        lookahead="unbounded",
        keeps="True",
        loses="'items that come too soon after one, or while one waits'",
    ),
)
def throttle_first(seconds: float, *, on_drop: OnDrop | None = None) -> Keep:
    """Pass an item on, then none that comes within `seconds` after it.

        items             --a-b-c-----------d--|
        throttle_first(5) --a---------------d--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.throttle_first(60.0))
    ['a']

    Emits when: an item comes, and `seconds` have passed since the last one was passed on.
    Waits when: no such item has come. The source never waits.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        seconds: how long it is silent after an item. The silence begins when the consumer takes the item,
            so a slow consumer, too, gets two items no sooner than that; while an item waits for it, those
            that come are dropped.
        on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0.

    In RxPY the silence begins when the item comes. `throttle_latest` keeps the latest instead.
    """
    strategy = DropIncoming(1, on_drop=on_drop)
    return Keep(throttle_first, seconds=arguments.seconds("seconds", seconds), on_drop=strategy.on_drop)


class _Promising(_Paced):
    """A lane of the latest item, beside one that was waited for when it came: no other replaces that."""

    channel: Any

    def __init__(self, channel: Channel, on_drop: OnDrop | None, seconds: float) -> None:
        super().__init__(channel, DropYoungest(2, on_drop=on_drop), seconds)
        self.limit = 1
        self.promised = False

    def put(self, item: Any) -> bool:
        asked = self.limit >= 0 and not self.held and self.channel.asking  # below 0, the reader has gone
        if asked and self.channel.clock() >= self.due:
            self.promised = True
            self.widen()
        return super().put(item)

    def pop(self) -> Any:
        if self.promised:
            self.promised = False
            if self.limit >= 0:
                self.widen(-1)
        return super().pop()


async def _throttle_latest(
    run: Run, source: Inlet[Any], *, seconds: float, on_drop: OnDrop | None
) -> AsyncIterator[Any]:
    channel = run.channel()
    lane = _Promising(channel, run.form.told(on_drop), seconds)
    channel.adopt(lane)
    run.pump(source, into=lane)
    while await channel.wait():
        if run.loop.time() < lane.due:
            await channel.until(lambda: False, lane.due)
        yield channel.pop()


@stage(
    _throttle_latest,
    pairs=followed_anyway,
    contract=Contract(
        holds="1", lookahead="unbounded", keeps="True", loses="'all but the latest item of each period'"
    ),
)
def throttle_latest(seconds: float, *, on_drop: OnDrop | None = None) -> Keep:
    """Pass on at most one item every `seconds`: the first at once, then the latest.

        items              --a-b-c-----------d--|
        throttle_latest(5) --a----c----------d--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.throttle_latest(0.1))
    ['a', 'c']

    Emits when: an item has come, and `seconds` have passed since the last one was passed on.
    Waits when: no item has come, or it is too soon. The source never waits.
    Completes when: the source does, and the latest item was passed on in its turn.
    Closes when: it ends, or the consumer leaves.

    Args:
        seconds: the least time between two items, also before the last one and before an error.
        on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0.

    The first of several that come at once passes. No item is stale: a consumer that is late gets the one that
    is the latest when it asks. In RxJava the item that waits at the end is lost unless one asks for it.
    `sample` has fixed periods, and waits for the first one, too.
    """
    strategy = DropYoungest(2, on_drop=on_drop)
    return Keep(throttle_latest, seconds=arguments.seconds("seconds", seconds), on_drop=strategy.on_drop)


class _Since(Lane):
    """A lane that notes when an item came into it while it was empty."""

    stamp = 0.0

    def put(self, item: Any) -> bool:
        if not self.held:
            self.stamp = self.channel.clock()
        return super().put(item)


async def _audit(
    run: Run, source: Inlet[Any], *, seconds: float, on_drop: OnDrop | None
) -> AsyncIterator[Any]:
    channel = run.channel()
    lane = _Since(channel, KeepLatest(on_drop=run.form.told(on_drop)))
    channel.adopt(lane)
    run.pump(source, into=lane)
    while await channel.wait():
        if run.loop.time() < lane.stamp + seconds:
            await channel.until(lambda: channel.over, lane.stamp + seconds)
        yield channel.pop()


@stage(
    _audit,
    pairs=followed_anyway,
    contract=Contract(
        holds="1", lookahead="unbounded", keeps="True", loses="'all but the latest item of each period'"
    ),
)
def audit(seconds: float, *, on_drop: OnDrop | None = None) -> Keep:
    """When an item comes, wait for `seconds`, and pass on the latest.

        items    --a-b-c-----------d--|
        audit(5) -------c-------------(d|)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.audit(60.0))
    ['c']

    Emits when: `seconds` have passed since an item came and none waited; at the end of the source, the latest
        item at once.
    Waits when: the time is not over, or no item has come. The source never waits.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        seconds: the length of a period, which begins when an item comes and none waits. A consumer that is
            late gets the latest item at once.
        on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0.

    RxPY has none. In RxJS the last item waits for its period, too; here it comes at once, as in `sample` and
    `debounce`. `throttle_latest` passes the first item on without a wait.
    """
    strategy = KeepLatest(on_drop=on_drop)
    return Keep(audit, seconds=arguments.seconds("seconds", seconds), on_drop=strategy.on_drop)
