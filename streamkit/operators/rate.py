"""Operators that decouple the rates of source and consumer."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal, TypeVar, overload

from streamkit._core.arguments import callback
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.markers import DROPPED, EMPTY, Gap
from streamkit._core.on_error import OnError
from streamkit._core.strategy import Collect, Conflate, Lossy, Strategy, Suspend, strategy_argument
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.face.shapes import Joined, Lists
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep, Operator
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import close_of
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.filling import filled, fills, widened

__all__ = ["buffer", "conflate", "extrapolate"]

A = TypeVar("A")


def _buffer(run: Run, source: Inlet[Any], *, strategy: Strategy) -> Channel:
    channel = run.channel()
    source, both, blamed = fused(source, strategy)
    lane = channel.lane(both)
    if fills(source, both):
        run.spawn(partial(filled, run, lane, source, partial(widened, lane), blamed), channel, lane)
    else:
        run.pump(source, into=lane, blamed=blamed)
    return channel


@overload  # a Collect is a Strategy too, and the first that fits counts
def buffer(strategy: Collect) -> Lists: ...  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
@overload  # a Lossy[bool] is one whose gaps=True, or a value that is known at run time only
def buffer(strategy: Lossy[Literal[False]]) -> Keep: ...  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
@overload
def buffer(strategy: Lossy[bool]) -> Joined[Gap]: ...  # type: ignore[overload-overlap]
@overload
def buffer(strategy: Strategy) -> Keep: ...
@stage(
    _buffer,
    buffers=True,
    pairs=followed_anyway,
    contract=Contract(
        holds="strategy.limit if strategy.overflows else unbounded",
        lookahead="strategy.limit if strategy.waits else unbounded",
        weight="strategy.limit if strategy.collects else 1",
        keeps="not (strategy.collects or strategy.folds)",
        loses="strategy.loses",
    ),
)
def buffer(strategy: Strategy) -> Any:
    """Read the source ahead of the consumer, in a task of its own; when full, `strategy` decides.

        items                  --a-b-c-------|
        consumer               --a------b---c|

    >>> from streamkit import Stream, Suspend, ops
    >>> list(Stream("abc") | ops.buffer(Suspend(2)))
    ['a', 'b', 'c']

    Emits when: an item is held and asked for.
    Waits when: nothing is held; the source waits while the buffer is full, if `strategy` says so.
    Completes when: the source does, and held items were delivered.
    Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

    Args:
        strategy: how many items are held, and what happens to one more. ``Collect`` passes on
            all held items as one list; a lossy strategy with ``gaps=True`` puts a `Gap` for dropped items.

    Neighbouring buffers fuse into one, without another task: explicit capacities add, and a strategy that
    never waits overrides those before it. A buffer before ``merge``, ``zip``,
    ``batch_within`` or a concurrent ``map`` fuses with the buffer of that operator.

    Raises:
        TypeError: `strategy` is not a strategy.
        BufferOverflowError: (when run) one item too many came under ``Fail``.
    """
    checked = strategy_argument("strategy", strategy)
    kind = Lists if checked.collects else Joined[Gap] if checked.marks_gaps else Keep
    return kind(buffer, strategy=strategy)


@answering
def conflate(function: Callable[[A, A], A]) -> Operator[A, A]:
    """Fold the items that come while the consumer is busy into one: ``buffer(Conflate(function))``.

        items         --1-2-3---------4--|
        consumer      --1-------5-----4--|
        conflate(add) --1-------(2+3)-4--|

    >>> from operator import add
    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 2]) | ops.conflate(add))
    [3]

    Emits when: an item, folded or not, is held and asked for.
    Waits when: nothing is held. The source never waits.
    Completes when: the source does, and the held item was delivered.
    Closes when: it ends, or the consumer leaves.

    Args:
        function: called with the held item and a new one; returns the item to hold. Not awaited.

    Raises:
        TypeError: `function` is not callable, or is a coroutine function.

    `function` answers at once, while an item is put in, as the callbacks of strategies do: so there is no
    ``on_error``. An error of it ends the stream.
    """
    return Operator(buffer, strategy=Conflate(callback("function", function, waits=False)))


async def _extrapolate(
    run: Run, source: Inlet[Any], *, function: Callable[[Any], Iterable[Any]]
) -> AsyncIterator[Any]:
    channel, function = run.channel(), run.form.of(function)
    run.feed(channel, source, otherwise=Suspend(1))
    last: Any = EMPTY
    more: Iterator[Any] | None = None
    try:
        while True:
            if not channel.ready:
                await sleep(0)  # let the source run first, even if the consumer never waits
            item = channel.pop()
            if item is not EMPTY:
                _close(run, more)
                last, more = item, None
                yield item
                continue
            extra: Any = EMPTY
            if not channel.over:
                if last is not EMPTY:
                    made = await run.call(function, last)
                    more = await run.call(iter, () if made is DROPPED else made)
                    last = made = EMPTY  # the iterator alone keeps what it needs
                if more is not None:  # it may be falsy, as an iterator with a length is when it is used up
                    extra = _next(run, more)
            if extra is not EMPTY:
                yield run.form.made(extra)
            elif not await channel.wait():
                return
    finally:
        _close(run, more)


def _next(run: Run, items: Any) -> Any:
    try:
        return next(items, EMPTY)
    except Exception as error:
        run.reraise(error)


def _close(run: Run, items: Iterator[Any] | None) -> None:
    if (close := close_of(items)) is not None:
        try:
            close()
        except Exception as error:
            run.reraise(error)


@overload
def extrapolate(
    function: Callable[[A], Awaitable[Iterable[A]]], *, on_error: OnError | None = None
) -> Operator[A, A]: ...
@overload
def extrapolate(
    function: Callable[[A], Iterable[A]], *, on_error: OnError | None = None
) -> Operator[A, A]: ...
@stage(_extrapolate, pairs=followed_anyway, contract=Contract(holds="1", lookahead="1"))
def extrapolate(function: Callable[[Any], Any], *, on_error: OnError | None = None) -> Operator[Any, Any]:
    """Between the items of a slow source, pass on what `function` makes of the last one.

        items                --1-----------5-----|
        consumer asks        --x-x-x-x-----x-x---
        extrapolate(two more)--1-1-1-------5-5-5-|

    >>> from itertools import repeat
    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 2]) | ops.extrapolate(repeat))
    [1, 2]

    Emits when: an item is there; else, when asked, the next item of the iterable that `function` returned.
    Waits when: no item has come yet; or none is there, and the iterable is used up.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        function: called with the last item, if the consumer asks before the next has come; returns an
            iterable to pass on until then, endless or not (``itertools.repeat`` repeats the item).
        on_error: what is done where `function` fails, such as ``Resume()``: the item was passed on, and
            nothing follows it until the next; by default, the stream fails. An error of the iterable ends
            the stream.

    Raises:
        TypeError: `function` is not callable, or `on_error` is something else.

    The idea is Pekko's ``extrapolate``. It reads one item ahead; a buffer before it replaces that.
    """
    return Operator(extrapolate, function=guarded("function", function, on_error))
