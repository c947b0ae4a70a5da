"""Operators that give each item to several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.markers import ABSENT
from streamkit._engine.compile.loop import fits
from streamkit._engine.face.job import Job
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Into, Keep, Operator, Pipe, Shape, Sink, Stream
from streamkit._engine.run.paired import followed_anyway
from streamkit._stages.broadcast import gathered, merged
from streamkit._stages.forks import AHEAD, BUFFERED, LOSES, all_sinks, entries, splices

__all__ = ["broadcast"]

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")
R1 = TypeVar("R1")
R2 = TypeVar("R2")
R3 = TypeVar("R3")
R4 = TypeVar("R4")
R5 = TypeVar("R5")
R6 = TypeVar("R6")


@stage(
    gathered,
    pairs=followed_anyway,
    name="broadcast",
    contract=Contract(holds=BUFFERED, lookahead=AHEAD, loses=LOSES),
)
def _to_sinks(*branches: Pipe, _strategies: Any = ABSENT) -> Sink[Any, Any]:
    return Sink(_to_sinks, branches=branches, _strategies=_strategies)


@stage(
    merged,
    pairs=followed_anyway,
    name="broadcast",
    contract=Contract(
        holds=f"len(branches) + {BUFFERED}",
        lookahead=f"1 + {AHEAD}",
        keeps="True",
        ordered="'within each branch'",
        loses=LOSES,
    ),
)
def _to_operators(*branches: Pipe, _strategies: Any = ABSENT) -> Operator[Any, Any]:
    return Operator(_to_operators, branches=branches, _strategies=_strategies)


@step(each="pass", result="()", name="broadcast", forks=True)
def _spliced_to_sinks(*branches: Pipe) -> Sink[Any, Any]:
    return Sink(_spliced_to_sinks, branches=branches)


@step(
    each="pass", name="broadcast", forks=True, contract=Contract(keeps="True", ordered="'within each branch'")
)
def _spliced_to_operators(*branches: Pipe) -> Operator[Any, Any]:
    return Operator(_spliced_to_operators, branches=branches)


@overload
def broadcast(first: Keep, /, *others: Keep) -> Keep: ...
@overload
def broadcast(first: Operator[A, B], /, *others: Operator[A, B]) -> Operator[A, B]: ...
@overload  # a Sink is an `Into` too; the first overload that fits counts, so these come first
def broadcast(first: Sink[A, R1], /) -> Sink[A, tuple[R1]]: ...  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
@overload
def broadcast(first: Sink[A, R1], second: Sink[A, R2], /) -> Sink[A, tuple[R1, R2]]: ...  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
@overload
def broadcast(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
    first: Sink[A, R1], second: Sink[A, R2], third: Sink[A, R3], /
) -> Sink[A, tuple[R1, R2, R3]]: ...
@overload
def broadcast(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
    first: Sink[A, R1], second: Sink[A, R2], third: Sink[A, R3], fourth: Sink[A, R4], /
) -> Sink[A, tuple[R1, R2, R3, R4]]: ...
@overload
def broadcast(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
    first: Sink[A, R1], second: Sink[A, R2], third: Sink[A, R3], fourth: Sink[A, R4], fifth: Sink[A, R5], /
) -> Sink[A, tuple[R1, R2, R3, R4, R5]]: ...
@overload
def broadcast(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
    first: Sink[A, R1],
    second: Sink[A, R2],
    third: Sink[A, R3],
    fourth: Sink[A, R4],
    fifth: Sink[A, R5],
    sixth: Sink[A, R6],
    /,
) -> Sink[A, tuple[R1, R2, R3, R4, R5, R6]]: ...
@overload
def broadcast(first: Into[A, R1], /) -> Callable[[Stream[A]], Job[tuple[R1]]]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def broadcast(first: Into[A, R1], second: Into[A, R2], /) -> Callable[[Stream[A]], Job[tuple[R1, R2]]]: ...
@overload
def broadcast(
    first: Into[A, R1], second: Into[A, R2], third: Into[A, R3], /
) -> Callable[[Stream[A]], Job[tuple[R1, R2, R3]]]: ...
@overload
def broadcast(
    first: Into[A, R1], second: Into[A, R2], third: Into[A, R3], fourth: Into[A, R4], /
) -> Callable[[Stream[A]], Job[tuple[R1, R2, R3, R4]]]: ...
@overload
def broadcast(
    first: Into[A, R1], second: Into[A, R2], third: Into[A, R3], fourth: Into[A, R4], fifth: Into[A, R5], /
) -> Callable[[Stream[A]], Job[tuple[R1, R2, R3, R4, R5]]]: ...
@overload
def broadcast(
    first: Into[A, R1],
    second: Into[A, R2],
    third: Into[A, R3],
    fourth: Into[A, R4],
    fifth: Into[A, R5],
    sixth: Into[A, R6],
    /,
) -> Callable[[Stream[A]], Job[tuple[R1, R2, R3, R4, R5, R6]]]: ...
@overload
def broadcast(*branches: Sink[A, R]) -> Sink[A, tuple[R, ...]]: ...
@overload
def broadcast(*branches: Keep | Operator[Any, Any] | Shape) -> Any: ...
@overload
def broadcast(
    first: Pipe,
    second: Pipe,
    third: Pipe,
    fourth: Pipe,
    fifth: Pipe,
    sixth: Pipe,
    seventh: Pipe,
    /,
    *others: Pipe,
) -> Any: ...
@answering
def broadcast(*branches: Any) -> Any:
    """Give each item to every branch, in lock-step.

        items              --1-----2-----|
        branch map(str)    --"1"---"2"---|
        branch filter(odd) --1-----------|
        broadcast          --"1"1--"2"---|

    If all branches end in sinks, this is a sink, whose result is the tuple of theirs (typed, up to six):

    >>> from streamkit import Stream, ops
    >>> (Stream([1, 2, 3]) | ops.broadcast(ops.count(), ops.fold(max, 0))).run()
    (3, 3)

    If all are operators, their outputs are merged:

    >>> sorted(Stream([1, 2]) | ops.broadcast(ops.map(lambda x: -x), ops.map(lambda x: x)))
    [-2, -1, 1, 2]

    Branches of steps run inside the loop that reads the source, one after the other, without a task. If a
    callback there returns an awaitable, the next branch waits for it. Each branch has a task of its own if a
    callback is an ``async def``, if a branch has a stage, or if one can end before the source.

    Emits when: a branch does.
    Waits when: a branch works on the last item. A branch that begins with ``buffer(strategy)`` delays
        the others only if its strategy waits, and is full.
    Completes when: every branch has. A branch that ends early leaves, and the others go on.
    Closes when: every branch has ended, it fails, or the consumer leaves.

    An error of a branch ends all. An error of the source reaches each branch after the items before it.

    Args:
        branches: operators, or sinks.

    Raises:
        TypeError: a branch is neither, or some are operators and some are sinks.
        ValueError: there is no branch.
    """
    sinks = all_sinks(branches)
    if splices(branches):
        spliced: Pipe = (_spliced_to_sinks if sinks else _spliced_to_operators)(*branches)
        if fits(spliced.links[0].key):
            return spliced
    return (_to_sinks if sinks else _to_operators)(*branches, _strategies=entries(branches))
