"""Operators as users write them: those of docs/operators.md, word for word."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from streamkit import EMPTY, Contract, Inlet, Keep, KeepLatest, Operator, Run, Stream, Suspend, stage, step

__all__ = ["prefer", "slow", "switch_map", "take_last", "with_latest_from"]


async def _switch_map(run: Run, source: Inlet[Any], *, function: Callable[[Any], Any]) -> AsyncIterator[Any]:
    channel = run.channel()
    lanes = [run.feed(channel, source, otherwise=Suspend(1))]
    while lane := await channel.choose(*lanes):
        item = lane.take()
        if lane is not lanes[0]:
            yield item
            continue
        if len(lanes) > 1:
            await run.retire(lanes.pop())
        lanes.append(run.feed(channel, await run.call(function, item), otherwise=Suspend(1)))


@stage(_switch_map, contract=Contract(holds="2", lookahead="2", spreads=True))
def switch_map(function: Callable[[Any], Any]) -> Operator[Any, Any]:
    """Pass on the items of the stream that `function` makes of the newest item."""
    return Operator(switch_map, function=function)


async def _with_latest_from(run: Run, source: Inlet[Any], *, other: Inlet[Any]) -> AsyncIterator[Any]:
    channel = run.channel()
    main, beside = channel.lane(Suspend(1)), channel.lane(KeepLatest())
    run.pump(source, into=main)
    run.pump(other, into=beside)
    latest: Any = EMPTY
    while lane := await channel.choose(beside, main, until=main):
        item = lane.take()
        if lane is beside:
            latest = item
        elif latest is not EMPTY:
            yield item, latest


@stage(
    _with_latest_from,
    contract=Contract(
        holds="1",
        lookahead="1",
        others_hold="1",
        others_lookahead="unbounded",
        together=True,
        loses="'all but the latest item of other, and what comes before its first'",
    ),
)
def with_latest_from(other: Any) -> Operator[Any, Any]:
    """Pass on each item with the latest one of `other`."""
    return Operator(with_latest_from, other=Stream(other))


async def _prefer(run: Run, source: Inlet[Any], *, others: tuple[Inlet[Any], ...]) -> AsyncIterator[Any]:
    channel = run.channel()
    lanes = [run.feed(channel, each, otherwise=Suspend(1)) for each in (source, *others)]
    while lane := await channel.choose(*lanes):
        yield lane.take()


@stage(_prefer, contract=Contract(holds="1", lookahead="1", per_source=True))
def prefer(*others: Any) -> Operator[Any, Any]:
    """Merge with `others`: of what is ready, the stream that stands first comes first."""
    streams: list[Stream[Any]] = [Stream(each) for each in others]
    return Operator(prefer, others=tuple(streams))


async def _slow(
    run: Run, source: Inlet[Any], *, seconds: float, function: Callable[[], object]
) -> AsyncIterator[Any]:
    channel = run.channel()
    run.pump(source, into=channel.lane())
    while True:
        timer = run.after(seconds, function, channel)
        if not await channel.wait():
            return
        timer.cancel()
        yield channel.pop()


@stage(_slow)
def slow(seconds: float, function: Callable[[], object]) -> Keep:
    """Call `function` where the source takes more than `seconds` for an item."""
    return Keep(slow, seconds=seconds, function=function)


@step(
    setup="kept = deque(maxlen=count)",
    each="kept.append(item)",
    finish="""
        for _ in range(len(kept)):
            emit(kept.popleft())
    """,
    uses=(deque,),
    contract=Contract(at_end=True, holds="count"),
)
def take_last(count: int) -> Keep:
    """Pass on the last `count` items, when the source has ended."""
    return Keep(take_last, count=count)
