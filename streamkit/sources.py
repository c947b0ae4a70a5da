"""Sources: where items come from. `Stream(x)` takes what exists; these make streams of streams."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from streamkit._core.arguments import ABSENT
from streamkit._engine.stream import SourceLike, Stream
from streamkit.operators import combine

__all__ = ["concat", "merge", "zip"]

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


def merge(first: SourceLike[T], *others: SourceLike[T], lookahead: int = 1) -> Stream[T]:
    """The items of all sources as they come: ``ops.merge`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.merge("ab", [1, 2]))
    ['a', 1, 'b', 2]
    """
    return Stream(first) | combine.merge(*others, lookahead=lookahead)


def concat(first: SourceLike[T], *others: SourceLike[T]) -> Stream[T]:
    """The items of the first source, then of the next: ``ops.concat`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.concat("ab", [1, 2]))
    ['a', 'b', 1, 2]
    """
    return Stream(first) | combine.concat(*others)


@overload
def zip(
    first: SourceLike[A], second: SourceLike[B], /, *, lookahead: int = 1, strict: bool = False
) -> Stream[tuple[A, B]]: ...
@overload
def zip(
    first: SourceLike[A],
    /,
    *others: SourceLike[Any],
    lookahead: int = 1,
    strict: bool = False,
    fill: Any = ABSENT,
) -> Stream[tuple[Any, ...]]: ...
def zip(
    first: SourceLike[Any],
    /,
    *others: SourceLike[Any],
    lookahead: int = 1,
    strict: bool = False,
    fill: Any = ABSENT,
) -> Stream[Any]:
    """Tuples of one item of each source: ``ops.zip`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.zip("ab", [1, 2]))
    [('a', 1), ('b', 2)]
    """
    return Stream(first) | combine.zip(*others, lookahead=lookahead, strict=strict, fill=fill)
