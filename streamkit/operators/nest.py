"""Operators that make a stream of each item, and join those."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import callback, whole
from streamkit._core.contract import Contract
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator, SourceLike
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.flat_map import Places

__all__ = ["flat_map"]

A = TypeVar("A")
B = TypeVar("B")


def _flat_map(
    run: Run, source: Inlet[Any], *, function: Callable[[Any], Any], concurrency: int, lookahead: int
) -> Channel:
    channel = run.channel()
    run.pump(source, into=Places(run, channel, run.link))
    return channel


@overload
def flat_map(
    function: Callable[[A], Awaitable[SourceLike[B]]], *, concurrency: int, lookahead: int = 1
) -> Operator[A, B]: ...
@overload
def flat_map(
    function: Callable[[A], SourceLike[B]], *, concurrency: int, lookahead: int = 1
) -> Operator[A, B]: ...
@stage(
    _flat_map,
    contract=Contract(
        holds="concurrency * (1 + lookahead)",
        lookahead="concurrency * (1 + lookahead)",
        spreads=True,
        ordered="'within each inner stream'",
        result="what the streams that function makes hold",
    ),
)
def flat_map(function: Callable[[Any], Any], *, concurrency: int, lookahead: int = 1) -> Operator[Any, Any]:
    """Pass on the items of the streams that `function` makes of each item, several of them at once.

        items                      --a--b--c--|
        stream of a                  --1--2--3|
        stream of b                     -4-----5|
        stream of c                           --6|
        flat_map(f, concurrency=2) ----1-42--3-56|

    >>> from streamkit import Stream, ops
    >>> list(Stream([3, 2]) | ops.flat_map(range, concurrency=2))
    [0, 0, 1, 1, 2]
    >>> list(Stream(["ab", "cd"]) | ops.flat_map(str.upper, concurrency=1))
    ['A', 'B', 'C', 'D']

    Emits when: an item of an inner stream is there; inner streams that are ready take turns, item by item.
    Waits when: the consumer does; each inner stream is read `lookahead` items ahead. Or all `concurrency`
        places are taken: an item takes one until its inner stream has ended and was delivered.
    Completes when: the source does, and every inner stream has.
    Closes when: it ends, or the consumer leaves: the source and all inner streams at once, each
        in its own task.

    Args:
        function: called with each item; returns a stream, an iterable, an async iterable or a callable that
            makes one, or an awaitable of these. It is called in the task that reads what it returns.
        concurrency: inner streams read at once at most. With 1 they follow each other, in order.
        lookahead: items that each inner stream may be ahead. With the default, a ``buffer(strategy)`` at the
            end of an inner stream decides instead.

    Raises:
        TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
        ValueError: `concurrency` or `lookahead` is less than 1.

    An error of the source, of `function` or of an inner stream ends the stream: all others are cancelled,
    and items that are held are delivered first.
    """
    return Operator(
        flat_map,
        function=callback("function", function),
        concurrency=whole("concurrency", concurrency, least=1),
        lookahead=whole("lookahead", lookahead, least=1),
    )
