"""Operators that pick one item, and end with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import whole
from streamkit._core.contract import PASSED_ON
from streamkit._core.errors import EmptyStreamError
from streamkit._core.guarded import guarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep, Operator

__all__ = ["element_at", "find"]

A = TypeVar("A")
T = TypeVar("T")


def none_error(what: str) -> EmptyStreamError:
    """The error of an operator that picks an item of a stream which has none such."""
    return EmptyStreamError(f"no item for {what}; give default= for a stream that may have none")


@overload
def element_at(index: int) -> Keep: ...
@overload
def element_at(index: int, *, default: T) -> Joined[T]: ...
@step(
    setup="left = index",
    each="""
        if left:
            left -= 1
        else:
            emit(item)
            stop()
    """,
    finish="""
        if default is ABSENT:
            raise none_error(f"element_at({index})")
        else:
            emit(default)
    """,
    contract=PASSED_ON,
)
def element_at(index: int, *, default: Any = ABSENT) -> Any:
    """Pass on the item of number `index`, counted from 0, and end.

        items         --a--b--c--d--|
        element_at(2) --------(c|)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abcd") | ops.element_at(2))
    ['c']
    >>> list(Stream("abcd") | ops.element_at(9, default="none"))
    ['none']

    Emits when: that item comes; with `default`, at the end of a shorter source.
    Waits when: the consumer does.
    Completes when: that item was passed on.
    Closes when: it ends, or the consumer leaves.

    Args:
        index: the number of the item.
        default: what to pass on where the source is shorter.

    Raises:
        TypeError: `index` is not a whole number.
        ValueError: `index` is negative.
        EmptyStreamError: (when run) the source is shorter, and there is no `default`; a ``LookupError`` too.
    """
    index = whole("index", index, least=0)
    return (Keep if default is ABSENT else Joined[Any])(element_at, index=index, default=default)


@overload
def find(predicate: Callable[[A], Awaitable[bool]], *, on_error: OnError | None = None) -> Operator[A, A]: ...
@overload
def find(predicate: Callable[[A], object], *, on_error: OnError | None = None) -> Operator[A, A]: ...
@overload
def find(
    predicate: Callable[[A], Awaitable[bool]], *, default: T, on_error: OnError | None = None
) -> Operator[A, A | T]: ...
@overload
def find(
    predicate: Callable[[A], object], *, default: T, on_error: OnError | None = None
) -> Operator[A, A | T]: ...
@step(
    each="""
        if predicate(item):
            emit(item)
            stop()
    """,
    finish="""
        if default is ABSENT:
            raise none_error("find(...)")
        else:
            emit(default)
    """,
    contract=PASSED_ON,
)
def find(
    predicate: Callable[..., Any], *, default: Any = ABSENT, on_error: OnError | None = None
) -> Operator[Any, Any]:
    """Pass on the first item for which `predicate` is true, and end.

        items       --1--7--3--8--|
        find(x > 5) -----(7|)

    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 7, 3, 8]) | ops.find(lambda number: number > 5))
    [7]
    >>> list(Stream([1, 3]) | ops.find(lambda number: number > 5, default=None))
    [None]

    Emits when: `predicate` has returned something true; with `default`, at the end if it never has.
    Waits when: the consumer does.
    Completes when: that item was passed on.
    Closes when: it ends, or the consumer leaves.

    RxPY passes on None where there is no such item; write ``default=None`` for that. Where nothing at all is
    to be passed on then, write ``filter(predicate) | take(1)``.

    Args:
        predicate: called with each item until it is first true; may return an awaitable.
        default: what to pass on where there is no such item.
        on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `predicate` is not callable.
        EmptyStreamError: (when run) there is no such item, and no `default`; a ``LookupError`` too.
    """
    return Operator(find, predicate=guarded("predicate", predicate, on_error), default=default)
