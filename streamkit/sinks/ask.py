"""Sinks that answer a question with yes or no, and end as soon as they can."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded, unguarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._core.strategy import Suspend
from streamkit._engine.face.shapes import Always
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Sink, SourceLike, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run

__all__ = ["all", "any", "contains", "is_empty", "sequence_equal"]

A = TypeVar("A")


def _asked(
    asks: Callable[..., Any], predicate: Any, on_error: OnError | None
) -> Always[bool] | Sink[Any, bool]:
    if predicate is ABSENT:
        unguarded("predicate", on_error)
        return Always[bool](asks, predicate=predicate)
    return Sink(asks, predicate=guarded("predicate", predicate, on_error))


@overload
def all() -> Always[bool]: ...
@overload
def all(predicate: Callable[[A], Awaitable[object]], *, on_error: OnError | None = None) -> Sink[A, bool]: ...
@overload
def all(predicate: Callable[[A], object], *, on_error: OnError | None = None) -> Sink[A, bool]: ...
@step(
    setup="holds = True",
    each="""
        if predicate is ABSENT:
            if not item:
                holds = False
                stop()
        elif not predicate(item):
            holds = False
            stop()
    """,
    result="holds",
)
def all(predicate: Any = ABSENT, *, on_error: OnError | None = None) -> Any:
    """Whether every item is true, or `predicate` is true of it.

    >>> from streamkit import Stream, ops
    >>> (Stream([1, 2, 0]) | ops.all()).run()
    False
    >>> (Stream("AB") | ops.all(str.isupper)).run()
    True

    Completes when: an item fails, or the source completes.
    Closes when: it ends.

    Of an empty stream it is true, as the builtin ``all`` is.

    Args:
        predicate: called with each item; returns whether it holds, or an awaitable of that. Without it, the
            items themselves are asked.
        on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `predicate` is not callable.
    """
    return _asked(all, predicate, on_error)


@overload
def any() -> Always[bool]: ...
@overload
def any(predicate: Callable[[A], Awaitable[object]], *, on_error: OnError | None = None) -> Sink[A, bool]: ...
@overload
def any(predicate: Callable[[A], object], *, on_error: OnError | None = None) -> Sink[A, bool]: ...
@step(
    setup="holds = False",
    each="""
        if predicate is ABSENT:
            if item:
                holds = True
                stop()
        elif predicate(item):
            holds = True
            stop()
    """,
    result="holds",
)
def any(predicate: Any = ABSENT, *, on_error: OnError | None = None) -> Any:
    """Whether an item is true, or `predicate` is true of one.

    >>> from streamkit import Stream, ops
    >>> (Stream([0, 2, 0]) | ops.any()).run()
    True
    >>> (Stream("ab") | ops.any(str.isupper)).run()
    False

    Completes when: such an item has come, or the source completes.
    Closes when: it ends.

    Of an empty stream it is false, as the builtin ``any`` is.

    Args:
        predicate: called with each item; returns whether it holds, or an awaitable of that. Without it, the
            items themselves are asked.
        on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `predicate` is not callable.
    """
    return _asked(any, predicate, on_error)


@step(
    setup="holds = False",
    each="""
        if item is value or item == value:
            holds = True
            stop()
    """,
    result="holds",
)
def contains(value: object) -> Always[bool]:
    """Whether an item is `value`, or equal to it: ``value in items``.

    >>> from streamkit import Stream, ops
    >>> (Stream("abc") | ops.contains("b")).run()
    True

    Completes when: such an item has come, or the source completes.
    Closes when: it ends.

    Args:
        value: what is looked for.
    """
    return Always(contains, value=value)


@step(setup="holds = True", each="holds = False\nstop()", result="holds")
def is_empty() -> Always[bool]:
    """Whether there is no item at all.

    >>> from streamkit import Stream, ops
    >>> (Stream([]) | ops.is_empty()).run(), (Stream([None]) | ops.is_empty()).run()
    (True, False)

    Completes when: one item has come, or the source completes.
    Closes when: it ends.
    """
    return Always(is_empty)


async def _sequence_equal(run: Run, source: Inlet[Any], *, other: Inlet[Any]) -> bool:
    channel = run.channel()
    ours, theirs = [run.feed(channel, inlet, otherwise=Suspend(1)) for inlet in (source, other)]
    while True:
        waits = [await channel.choose(lane) for lane in (ours, theirs)]
        if None in waits:
            return waits == [None, None]
        one, another = ours.take(), theirs.take()
        if one is not another and not one == another:  # noqa: SIM201 - as lists compare
            return False


@stage(_sequence_equal, contract=Contract(holds="1", lookahead="1", per_source=True))
def sequence_equal(other: SourceLike[Any]) -> Always[bool]:
    """Whether the items equal those of `other`, in number and order.

    >>> from streamkit import Stream, ops
    >>> (Stream("abc") | ops.sequence_equal(["a", "b", "c"])).run()
    True

    Completes when: two items differ, one source has ended before the other, or both have ended.
    Closes when: it ends: both sources at once, each in its own task.

    Both are read at the same time. Items are equal if they are the same or ``==`` says so, as in lists.

    Args:
        other: a stream, an iterable, an async iterable, or a callable that makes one.

    Raises:
        TypeError: `other` is none of these.
    """
    return Always(sequence_equal, other=Stream(other))
