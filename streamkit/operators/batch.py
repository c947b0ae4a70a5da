"""Operators that put items together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from streamkit._core import arguments
from streamkit._core.arguments import number, whole
from streamkit._core.contract import Contract
from streamkit._core.errors import replaces_cancellation
from streamkit._core.guarded import guarded, unguarded
from streamkit._core.markers import ABSENT, DROPPED, EMPTY, Absent
from streamkit._core.on_error import OnError
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.compile.pace import Pace
from streamkit._engine.face.shapes import Lists
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.batching import batched

__all__ = ["batch", "batch_within"]


@step(
    setup="held = []",
    each="""
        held.append(item)
        if len(held) == size:
            full = held
            held = []
            emit(full)
    """,
    finish="""
        if held:
            rest = held
            held = []
            emit(rest)
    """,
    keeps="len(held)",
    contract=Contract(holds="size - 1", weight="size", regroups=True),
)
def batch(size: int) -> Lists:
    """Pass on the items in lists of `size`; the last may be shorter.

        items    --a--b------c--|
        batch(2) -----[a,b]-----[c]|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.batch(2))
    [['a', 'b'], ['c']]

    Emits when: `size` items have come; at the end, and before an error of what is before it, the rest.
    Waits when: the consumer does.
    Completes when: the source does, after the rest.
    Closes when: it ends, or the consumer leaves; held items are dropped.

    Args:
        size: items per list.

    Raises:
        TypeError: `size` is not a whole number.
        ValueError: `size` is less than 1.
    """
    return Lists(batch, size=whole("size", size, least=1))


class _Clocked(Channel):
    """A channel that notes when an item arrives in it while it is empty."""

    since = 0.0

    def enlist(self, lane: Lane) -> None:
        self.since = self.clock()
        super().enlist(lane)


async def _weighed(
    run: Run, source: Inlet[Any], *, count: int, seconds: float, weight: Any, heaviest: Any
) -> AsyncIterator[Any]:
    channel, weight = run.adopt(_Clocked(run.halt)), run.form.of(weight)
    lane = run.feed(channel, source, Suspend(count))
    pace, left = Pace(), 1
    since = emitted = heavy = 0.0
    failed: Exception | None = None
    while failed is None:
        following, weighs, came = 0, 0.0, 0.0
        if len(lane.kept) < count and heavy < heaviest:
            item = channel.pop()
            if item is not EMPTY:
                came = max(emitted, channel.since)
                lane.keep(item)  # before it is weighed: weighing may wait, and the item counts in the bound
                left -= 1
                if not left:
                    left = await _next_slice(pace)
                try:
                    weighs = await _weight(run, weight, item)
                except Exception as error:
                    if replaces_cancellation(error):
                        raise
                    failed = error
                else:
                    if weighs is DROPPED:
                        run.form.left_out(*lane.release(since=len(lane.kept) - 1))
                        continue
                    first = len(lane.kept) == 1
                    if first:
                        since = came
                    if first or heavy + weighs <= heaviest:
                        heavy += weighs
                        continue
                    following = 1
            elif not lane.kept:
                if not await channel.wait():
                    return
                continue
            elif not channel.over and await channel.before(since + seconds):
                continue
        full = lane.release(but=following)
        if failed is not None:
            full.pop()  # the one that could not be weighed
        since, heavy = came, weighs
        emitted = run.loop.time()
        if full:
            yield run.form.listed(full)
    raise failed


async def _next_slice(pace: Pace) -> int:
    """Let others run, if it is time; how many items may be taken before that is asked again."""
    if pace.due():
        await pace.breathe()
    return pace.size


async def _weight(run: Run, weight: Any, item: Any) -> Any:
    """What `item` weighs; DROPPED if it is dropped, because that cannot be told."""
    found = await run.call(weight, item)
    return found if found is DROPPED else await run.call(number, "weight", found, least=0)


_CONTRACT = Contract(holds="count", lookahead="count", weight="count")


@stage(_weighed, name="batch_within", pairs=followed_anyway, contract=_CONTRACT)
def _batch_by_weight(count: int, *, seconds: float, weight: Callable[[Any], Any], heaviest: float) -> Lists:
    return Lists(_batch_by_weight, count=count, seconds=seconds, weight=weight, heaviest=heaviest)


@stage(batched, direct=True, pairs=followed_anyway, contract=_CONTRACT)
def batch_within(
    count: int,
    *,
    seconds: float,
    weight: Callable[[Any], Any] | Absent = ABSENT,
    heaviest: float | Absent = ABSENT,
    on_error: OnError | None = None,
) -> Lists:
    """Pass on the items in lists: of `count`, or of what has come within `seconds`.

        items                      --a-b-c--d-----------e--|
        batch_within(3, seconds=5) ------[a,b,c]--[d]------[e]|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abcde") | ops.batch_within(3, seconds=1.0))
    [['a', 'b', 'c'], ['d', 'e']]
    >>> list(Stream(["a", "bbb", "cc"]) | ops.batch_within(9, seconds=1.0, weight=len, heaviest=4))
    [['a', 'bbb'], ['cc']]

    Emits when: a list has `count` items, or weighs `heaviest`, or the next item would make it heavier; or
        `seconds` have passed since its first item came; at the end of the source, the rest.
    Waits when: no item has come. While the consumer is busy, the list fills up; then the source waits.
    Completes when: the source does, after the rest.
    Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

    Args:
        count: items per list at most.
        seconds: how long the first item of a list waits for others.
        weight: returns the weight of an item. An item that would make a list heavier than `heaviest` begins
            the next list; an item that alone is heavier is a list of its own.
        heaviest: the greatest weight of a list.
        on_error: what is done where `weight` fails, such as ``Resume()``; by default, the stream fails. A
            weight that is no number, or below 0, is no failure of `weight`, and ends the stream.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `count` is less than 1; `seconds` or `heaviest` is not finite, or not above 0; one of
            `weight` and `heaviest` is given without the other, or `on_error` without them; (when run) a
            weight is below 0.
    """
    if (weight is ABSENT) is not (heaviest is ABSENT):
        raise ValueError("weight and heaviest must be given together, not one without the other")
    count = whole("count", count, least=1)
    seconds = arguments.seconds("seconds", seconds)
    if weight is ABSENT or heaviest is ABSENT:
        unguarded("weight", on_error)
        return Lists(batch_within, count=count, seconds=seconds)
    return _batch_by_weight(
        count,
        seconds=seconds,
        weight=guarded("weight", weight, on_error),
        heaviest=number("heaviest", heaviest, above=0),
    )
