"""Sinks that pick one item."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from streamkit._core.contract import Contract
from streamkit._core.errors import EmptyStreamError, SeveralItemsError
from streamkit._core.markers import ABSENT
from streamkit._engine.face.shapes import One, OneOf
from streamkit._engine.face.step import step

__all__ = ["first", "last", "single"]

T = TypeVar("T")


def empty_error(sink: str) -> EmptyStreamError:
    """The error of a sink that needs an item and got none."""
    return EmptyStreamError(f"{sink}() of an empty stream; give default= for one that may be empty")


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


@overload
def single() -> One: ...
@overload
def single(*, default: T) -> OneOf[T]: ...
@step(
    setup="number = 0\nfound = default",
    each="""
        number += 1
        if number > 1:
            raise SeveralItemsError("single() of a stream of more than one item; first() takes the first")
        found = item
    """,
    finish="""
        if found is ABSENT:
            raise empty_error("single")
    """,
    result="found",
    uses=(SeveralItemsError,),
    contract=Contract(result="the first item"),
)
def single(*, default: Any = ABSENT) -> One | OneOf[Any]:
    """The only item.

    >>> from streamkit import Stream, ops
    >>> (Stream("a") | ops.single()).run()
    'a'

    Completes when: the source does.
    Closes when: it ends; at a second item, with the error.

    Args:
        default: the result of an empty stream.

    Raises:
        EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
        SeveralItemsError: (when run) a second item has come; a ``ValueError`` too.
    """
    return (One if default is ABSENT else OneOf[Any])(single, default=default)
