"""Sinks that make one value of all items."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.on_error import OnError
from streamkit._engine.face.shapes import Always
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Sink

__all__ = ["count", "fold"]

A = TypeVar("A")
B = TypeVar("B")


@overload
def fold(
    function: Callable[[B, A], Awaitable[B]], initial: B, *, on_error: OnError | None = None
) -> Sink[A, B]: ...
@overload
def fold(function: Callable[[B, A], B], initial: B, *, on_error: OnError | None = None) -> Sink[A, B]: ...
@step(
    setup="state = initial",
    each="state = function(state, item)",
    result="state",
    contract=Contract(result="the state that function returned last"),
)
def fold(function: Callable[..., Any], initial: Any, *, on_error: OnError | None = None) -> Sink[Any, Any]:
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
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `function` is not callable.
    """
    return Sink(fold, function=guarded("function", function, on_error), initial=initial)


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
