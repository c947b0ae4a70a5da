"""Sinks: they consume a stream into a result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import callback, whole
from streamkit._core.contract import Contract
from streamkit._core.errors import EmptyStreamError
from streamkit._core.markers import ABSENT
from streamkit._engine.face.shapes import Always, ListOf, One, OneOf
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Sink
from streamkit.operators.transform import map as map_items

__all__ = ["count", "drain", "first", "fold", "for_each", "last", "to_list"]

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


def empty_error(sink: str) -> EmptyStreamError:
    """The error of a sink that needs an item and got none."""
    return EmptyStreamError(f"{sink}() of an empty stream; give default= for one that may be empty")


@step(
    setup="items = []",
    each="items.append(item)",
    result="items",
    contract=Contract(result="every item"),
)
def to_list() -> ListOf:
    """Collect the items into a list.

    >>> from streamkit import Stream, ops
    >>> (Stream("ab") | ops.to_list()).run()
    ['a', 'b']

    Completes when: the source does.
    Closes when: it ends.
    """
    return ListOf(to_list)


@overload
def fold(function: Callable[[B, A], Awaitable[B]], initial: B) -> Sink[A, B]: ...
@overload
def fold(function: Callable[[B, A], B], initial: B) -> Sink[A, B]: ...
@step(
    setup="state = initial",
    each="state = function(state, item)",
    result="state",
    contract=Contract(result="the state that function returned last"),
)
def fold(function: Callable[..., Any], initial: Any) -> Sink[Any, Any]:
    """Fold the items into one value, from `initial` on.

    >>> from operator import add
    >>> from streamkit import Stream, ops
    >>> (Stream([1, 2, 3]) | ops.fold(add, 0)).run()
    6

    Completes when: the source does.
    Closes when: it ends.

    Args:
        function: called with the state so far and the item; returns the new state, or an awaitable of it.
        initial: the state before the first item, and the result of an empty stream. It is not copied.

    Raises:
        TypeError: `function` is not callable.
    """
    return Sink(fold, function=callback("function", function), initial=initial)


@step(setup="number = 0", each="number += 1", result="number")
def count() -> Always[int]:
    """Count the items.

    >>> from streamkit import Stream, ops
    >>> (Stream("abc") | ops.count()).run()
    3

    Completes when: the source does.
    Closes when: it ends.
    """
    return Always(count)


@overload
def first() -> One: ...
@overload
def first(*, default: T) -> OneOf[T]: ...
@step(
    setup="found = default",
    each="found = item\nstop()",
    finish="""
        if found is ABSENT:
            raise empty_error("first")
    """,
    result="found",
)
def first(*, default: Any = ABSENT) -> One | OneOf[Any]:
    """The first item.

    >>> from streamkit import Stream, ops
    >>> (Stream("abc") | ops.first()).run()
    'a'

    Completes when: one item has come, or the source completes.
    Closes when: it ends.

    Args:
        default: the result of an empty stream.

    Raises:
        EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
    """
    return (One if default is ABSENT else OneOf[Any])(first, default=default)


@overload
def last() -> One: ...
@overload
def last(*, default: T) -> OneOf[T]: ...
@step(
    setup="found = default",
    each="found = item",
    finish="""
        if found is ABSENT:
            raise empty_error("last")
    """,
    result="found",
    contract=Contract(result="the last item"),
)
def last(*, default: Any = ABSENT) -> One | OneOf[Any]:
    """The last item.

    >>> from streamkit import Stream, ops
    >>> (Stream("abc") | ops.last()).run()
    'c'

    Completes when: the source does.
    Closes when: it ends.

    Args:
        default: the result of an empty stream.

    Raises:
        EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
    """
    return (One if default is ABSENT else OneOf[Any])(last, default=default)


@step(each="function(item)", result="None")
def for_each(function: Callable[[A], Any], *, concurrency: int = 1) -> Sink[A, None]:
    """Call `function` with each item; awaited, if it returns an awaitable.

    >>> from streamkit import Stream, ops
    >>> (Stream("ab") | ops.for_each(print)).run()
    a
    b

    Completes when: the source does, and every call has returned.
    Closes when: it ends; calls in flight are cancelled first.

    Args:
        function: called with each item; its result is ignored.
        concurrency: calls in flight at most.

    Raises:
        TypeError: `function` is not callable, or `concurrency` is not a whole number.
        ValueError: `concurrency` is less than 1.
    """
    callback("function", function)
    concurrency = whole("concurrency", concurrency, least=1)
    if concurrency > 1:
        return map_items(function, concurrency=concurrency, ordered=False) | drain()
    return Sink(for_each, function=function)


@step(each="pass", result="None")
def drain() -> Always[None]:
    """Run the stream for its effects; the items are thrown away.

    `Valve.drain` is something else: it ends a stream early.

    >>> from streamkit import Stream, ops
    >>> (Stream("ab") | ops.tap(print) | ops.drain()).run()
    a
    b

    Completes when: the source does.
    Closes when: it ends.
    """
    return Always(drain)
