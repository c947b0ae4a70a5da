"""Operators that decouple the rates of source and consumer: buffer."""

from __future__ import annotations

from typing import Any, overload

from streamkit._core.contract import Contract
from streamkit._core.strategy import Collect, Strategy, strategy_argument
from streamkit._engine.channel import Channel
from streamkit._engine.link import Inlet
from streamkit._engine.run import Run
from streamkit._engine.stage import stage
from streamkit._engine.stream import Keep
from streamkit.operators.shapes import Lists

__all__ = ["buffer"]


def _buffer(run: Run, source: Inlet[Any], *, strategy: Strategy) -> Channel:
    channel = run.channel()
    run.feed(channel, source, strategy)
    return channel


@overload  # a Collect is a Strategy too, and the first that fits counts
def buffer(strategy: Collect) -> Lists: ...  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
@overload
def buffer(strategy: Strategy) -> Keep: ...
@stage(
    _buffer,
    buffers=True,
    contract=Contract(
        holds="strategy.limit if strategy.overflows else unbounded",
        lookahead="strategy.limit if strategy.waits else unbounded",
        weight="strategy.limit if strategy.collects else 1",
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
    Completes when: the source does, and what is held was delivered.
    Closes when: it completes, fails, or the consumer leaves; then what is held is dropped, and counted.

    Args:
        strategy: how many items are held, and what happens to one more. Under ``Collect``, what waits is
            passed on as one list; under a lossy one with ``gaps=True``, a `Gap` where items were dropped.

    Neighbouring buffers fuse into one, without another task: explicit capacities add, and a strategy that
    never waits overrides what stands before it (`fuse`). So does a buffer before ``merge``, ``zip``,
    ``timeout`` and a concurrent ``map``, which then read through it.

    Raises:
        TypeError: `strategy` is not a strategy.
        BufferOverflowError: (when run) one item too many came under ``Fail``.
    """
    kind = Lists if strategy_argument("strategy", strategy).collects else Keep
    return kind(buffer, strategy=strategy)
