"""Operators that decouple the rates of source and consumer: buffer."""

from __future__ import annotations

from typing import Any

from streamkit._core.contract import Contract
from streamkit._core.strategy import Strategy, strategy_argument
from streamkit._engine.channel import Channel
from streamkit._engine.link import Inlet
from streamkit._engine.run import Run
from streamkit._engine.stage import stage
from streamkit._engine.stream import Keep

__all__ = ["buffer"]


def _buffer(run: Run, source: Inlet[Any], *, strategy: Strategy) -> Channel:
    channel = run.channel()
    run.pump(source, into=channel.lane(strategy))
    return channel


@stage(
    _buffer,
    contract=Contract(
        holds="unbounded if strategy.limit is None else strategy.limit",
        lookahead="unbounded if strategy.limit is None or not strategy.waits else strategy.limit",
        loses="strategy.loses",
    ),
)
def buffer(strategy: Strategy) -> Keep:
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
        strategy: how many items are held, and what happens to one more.

    Raises:
        TypeError: `strategy` is not a strategy.
        BufferOverflowError: (when run) one item too many came under ``Fail``.
    """
    return Keep(buffer, strategy=strategy_argument("strategy", strategy))
