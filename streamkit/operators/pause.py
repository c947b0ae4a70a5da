"""Operators that hold a stream up while another stream says so."""

from __future__ import annotations

from asyncio import Event
from collections.abc import AsyncIterator
from typing import Any

from streamkit._core.contract import Contract
from streamkit._core.markers import EMPTY
from streamkit._core.show import shown
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep, SourceLike
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.beside import Switch, stream_argument

__all__ = ["pause_while"]


async def _pause_while(run: Run, source: Inlet[Any], *, signal: Inlet[Any]) -> AsyncIterator[Any]:
    channel = run.channel()
    switch = Switch(channel)
    channel.adopt(switch)
    run.pump(signal, into=switch)
    lane = channel.lane()
    run.pump(source, into=lane)

    def over() -> bool:
        return lane.exhausted or channel.error is not None

    while True:
        await channel.until(lambda: not switch.on or over(), asks=False)
        item = lane.take()
        if item is not EMPTY:
            yield item
        elif over():
            await channel.choose(lane)  # raises what the source, or the signal, has failed with
            return
        else:
            await channel.until(lambda: switch.on or bool(lane.held) or over())


@stage(
    _pause_while,
    pairs=followed_anyway,
    contract=Contract(others_hold="1", others_lookahead="unbounded", keeps="True"),
)
def pause_while(signal: SourceLike[Any]) -> Keep:
    """Let no item pass while the latest item of `signal` is true.

        items       --a--b--------c--|
        signal      ----T------F------
        pause_while --a--------b--c--|

    >>> from streamkit import KeepLatest, Stream, ops, push
    >>> busy, emitter = push(KeepLatest(), of=bool)
    >>> outcome = emitter.offer(True), emitter.offer(False)  # the second overwrites the first
    >>> list(Stream("ab") | ops.pause_while(busy))
    ['a', 'b']

    Emits when: an item comes, and the latest item of `signal` is false, has not come yet, or was its last.
    Waits when: the consumer does, or `signal` has said something true; the source then waits too, with one
        item in hand at most.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves: `signal` at the same time.

    Args:
        signal: a stream, an iterable, an async iterable, or a callable that makes one. It is read from when
            the first item is asked for, as fast as it comes, and when it ends, items pass.

    Raises:
        TypeError: `signal` is none of these.

    RxPY has none. To pause by a call, and not by a stream, use `valve`.
    """
    if isinstance(signal, Event):
        raise TypeError(
            f"signal must be a stream of true and false items, not {shown(signal)}: "
            "to pause and resume by calls, write ops.valve(Valve())"
        )
    return Keep(pause_while, signal=stream_argument("signal", signal))
