"""The operator that gives each item to a branch that is free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import whole
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.markers import ABSENT, Absent
from streamkit._engine.face.job import Job
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Into, Keep, Operator, Pipe, Shape, Sink, Stream
from streamkit._engine.run.paired import followed_anyway
from streamkit._stages import forks
from streamkit._stages.route import balanced, balanced_to_sinks

__all__ = ["balance"]

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")


@stage(
    balanced,
    pairs=followed_anyway,
    name="balance",
    contract=Contract(
        holds=f"len(branches) + {forks.BUFFERED}",
        lookahead=f"len(branches) + {forks.AHEAD}",
        keeps="True",
        ordered=forks.IN_BRANCHES,
        loses=forks.LOSES,
    ),
)
def _balanced(*branches: Pipe, _strategies: Any = ABSENT) -> Operator[Any, Any]:
    return Operator(_balanced, branches=branches, _strategies=_strategies)


@stage(
    balanced_to_sinks,
    pairs=followed_anyway,
    name="balance",
    contract=Contract(
        holds=forks.BUFFERED, lookahead=f"len(branches) - 1 + {forks.AHEAD}", loses=forks.LOSES
    ),
)
def _balanced_to_sinks(*branches: Pipe, _strategies: Any = ABSENT) -> Sink[Any, Any]:
    return Sink(_balanced_to_sinks, branches=branches, _strategies=_strategies)


@overload
def balance(*branches: Keep, workers: int | Absent = ABSENT) -> Keep: ...
@overload
def balance(*branches: Operator[A, B], workers: int | Absent = ABSENT) -> Operator[A, B]: ...
@overload  # a Sink is an `Into` too; the first overload that fits counts
def balance(*branches: Sink[A, R], workers: int | Absent = ABSENT) -> Sink[A, tuple[R, ...]]: ...  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
@overload
def balance(
    *branches: Into[A, R], workers: int | Absent = ABSENT
) -> Callable[[Stream[A]], Job[tuple[R, ...]]]: ...
@overload
def balance(*branches: Keep | Operator[Any, Any] | Shape, workers: int | Absent = ABSENT) -> Any: ...
@answering
def balance(*branches: Any, workers: int | Absent = ABSENT) -> Any:
    """Give each item to whichever branch is free.

        items               --1--2--3--4-----|
        first branch, slow  --1-------1------|
        second branch       -----2--3--4-----|
        balance             -----2--3-14-----|

    If all branches end in sinks, this is a sink, whose result is the tuple of theirs; if all are operators,
    their outputs are merged, each as it comes:

    >>> from streamkit import Stream, ops
    >>> import asyncio
    >>> async def fetch(number: int) -> int:
    ...     await asyncio.sleep(0)
    ...     return number * number
    >>> sorted(Stream(range(5)) | ops.balance(ops.map(fetch), workers=3))
    [0, 1, 4, 9, 16]

    A branch is free when it asks for an item, or has room in the ``buffer(strategy)`` that it begins with.
    Those that are free take turns.

    Emits when: a branch does.
    Waits when: no branch is free; the source then waits too.
    Completes when: every branch has. One that ends early leaves, and the others go on.
    Closes when: every branch has ended, one fails, or the consumer leaves.

    An error of a branch ends all. An error of the source reaches each branch after the items before it.

    Args:
        branches: operators, or sinks.
        workers: how often to run the one branch that is given, at once.

    Raises:
        TypeError: a branch is neither operators nor a sink, or some are one and some the other; `workers` is
            not a whole number.
        ValueError: there is no branch; or `workers` is less than 1, or given with more than one branch.

    For one function with calls at once, in order, use ``map(function, concurrency=...)``.
    """
    if workers is not ABSENT:
        if len(branches) > 1:
            raise ValueError(f"workers must be given with one branch, not with {len(branches)}")
        branches *= whole("workers", workers, least=1)
    sinks = forks.all_sinks(branches)
    return (_balanced_to_sinks if sinks else _balanced)(*branches, _strategies=forks.entries(branches))
