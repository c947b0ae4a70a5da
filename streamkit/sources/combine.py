"""Sources that join others, where no stream comes first."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from streamkit._core.calls import answering
from streamkit._core.markers import ABSENT
from streamkit._engine.face.stream import SourceLike, Stream
from streamkit._stages.inputs import begun
from streamkit.operators import combine

__all__ = ["concat", "merge", "zip"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
def merge(first: SourceLike[A], *, lookahead: int = 1) -> Stream[A]: ...
@overload
def merge(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], /, *, lookahead: int = 1
) -> Stream[A | B | C]: ...
@overload
def merge(
    first: SourceLike[A],
    second: SourceLike[B],
    third: SourceLike[C],
    fourth: SourceLike[D],
    /,
    *,
    lookahead: int = 1,
) -> Stream[A | B | C | D]: ...
@overload
def merge(first: SourceLike[A], *others: SourceLike[B], lookahead: int = 1) -> Stream[A | B]: ...
@answering
def merge(first: SourceLike[Any], *others: SourceLike[Any], lookahead: int = 1) -> Stream[Any]:
    """The items of all sources as they come: ``ops.merge`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.merge("ab", [1, 2]))
    ['a', 1, 'b', 2]
    """
    return begun("merge", first, others) | combine.merge(*others, lookahead=lookahead)


@overload
def concat(first: SourceLike[A]) -> Stream[A]: ...
@overload
def concat(first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], /) -> Stream[A | B | C]: ...
@overload
def concat(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], fourth: SourceLike[D], /
) -> Stream[A | B | C | D]: ...
@overload
def concat(first: SourceLike[A], *others: SourceLike[B]) -> Stream[A | B]: ...
@answering
def concat(first: SourceLike[Any], *others: SourceLike[Any]) -> Stream[Any]:
    """The items of the first source, then of the next: ``ops.concat`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.concat("ab", [1, 2]))
    ['a', 'b', 1, 2]
    """
    return begun("concat", first, others) | combine.concat(*others)


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
@answering
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
    return begun("zip", first, others) | combine.zip(*others, lookahead=lookahead, strict=strict, fill=fill)
