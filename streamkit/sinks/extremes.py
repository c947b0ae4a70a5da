"""Sinks that find the least or the greatest item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded, unguarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._engine.face.shapes import One, OneOf
from streamkit._engine.face.step import step
from streamkit.sinks.choose import empty_error

__all__ = ["max", "min"]

T = TypeVar("T")

_KEPT = Contract(result="one item and its key")


def _checked(key: Any, on_error: OnError | None) -> Any:
    if key is not ABSENT:
        return guarded("key", key, on_error)
    unguarded("key", on_error)
    return key


@overload
def min(*, key: Callable[[Any], Any] = ..., on_error: OnError | None = None) -> One: ...
@overload
def min(*, key: Callable[[Any], Any] = ..., default: T, on_error: OnError | None = None) -> OneOf[T]: ...
@step(
    setup="best = ABSENT\nfound = default",
    each="""
        if key is ABSENT:
            if best is ABSENT or item < best:
                best = item
        else:
            rank = key(item)
            if best is ABSENT or rank < best:
                best = rank
                found = item
    """,
    finish="""
        if key is ABSENT:
            if best is not ABSENT:
                found = best
        if found is ABSENT:
            raise empty_error("min")
    """,
    result="found",
    uses=(empty_error,),
    contract=_KEPT,
)
def min(*, key: Any = ABSENT, default: Any = ABSENT, on_error: OnError | None = None) -> One | OneOf[Any]:
    """The least item, or the one with the least `key`.

    >>> from streamkit import Stream, ops
    >>> (Stream([3, 1, 2]) | ops.min()).run()
    1
    >>> (Stream(["tea", "water", "ale"]) | ops.min(key=len)).run()
    'tea'

    Completes when: the source does.
    Closes when: it ends.

    It is the builtin ``min`` of a stream: of equal items it keeps the first, and compares with ``<`` alone,
    so that what becomes of a NaN depends on the order.

    Args:
        key: called with each item; returns what is compared, or an awaitable of that.
        default: the result of an empty stream.
        on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `key` is not callable; when run: items or keys cannot be compared.
        EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
    """
    return (One if default is ABSENT else OneOf[Any])(min, key=_checked(key, on_error), default=default)


@overload
def max(*, key: Callable[[Any], Any] = ..., on_error: OnError | None = None) -> One: ...
@overload
def max(*, key: Callable[[Any], Any] = ..., default: T, on_error: OnError | None = None) -> OneOf[T]: ...
@step(
    setup="best = ABSENT\nfound = default",
    each="""
        if key is ABSENT:
            if best is ABSENT or item > best:
                best = item
        else:
            rank = key(item)
            if best is ABSENT or rank > best:
                best = rank
                found = item
    """,
    finish="""
        if key is ABSENT:
            if best is not ABSENT:
                found = best
        if found is ABSENT:
            raise empty_error("max")
    """,
    result="found",
    uses=(empty_error,),
    contract=_KEPT,
)
def max(*, key: Any = ABSENT, default: Any = ABSENT, on_error: OnError | None = None) -> One | OneOf[Any]:
    """The greatest item, or the one with the greatest `key`.

    >>> from streamkit import Stream, ops
    >>> (Stream([2, 3, 1]) | ops.max()).run()
    3
    >>> (Stream(["tea", "water", "ale"]) | ops.max(key=len)).run()
    'water'

    Completes when: the source does.
    Closes when: it ends.

    It is the builtin ``max`` of a stream: of equal items it keeps the first, and compares with ``>`` alone,
    so that what becomes of a NaN depends on the order.

    Args:
        key: called with each item; returns what is compared, or an awaitable of that.
        default: the result of an empty stream.
        on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `key` is not callable; when run: items or keys cannot be compared.
        EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
    """
    return (One if default is ABSENT else OneOf[Any])(max, key=_checked(key, on_error), default=default)
