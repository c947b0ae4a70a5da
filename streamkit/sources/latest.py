"""Sources that make tuples of the latest items of others, where no stream comes first."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from streamkit._core.calls import answering
from streamkit._engine.face.stream import SourceLike, Stream
from streamkit._stages.inputs import begun
from streamkit.operators import latest

__all__ = ["combine_latest", "fork_join", "zip_latest"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
def combine_latest(
    first: SourceLike[A], second: SourceLike[B], /, *, lookahead: int = 1
) -> Stream[tuple[A, B]]: ...
@overload
def combine_latest(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], /, *, lookahead: int = 1
) -> Stream[tuple[A, B, C]]: ...
@overload
def combine_latest(
    first: SourceLike[A],
    second: SourceLike[B],
    third: SourceLike[C],
    fourth: SourceLike[D],
    /,
    *,
    lookahead: int = 1,
) -> Stream[tuple[A, B, C, D]]: ...
@overload
def combine_latest(
    first: SourceLike[Any], /, *others: SourceLike[Any], lookahead: int = 1
) -> Stream[tuple[Any, ...]]: ...
@answering
def combine_latest(first: SourceLike[Any], /, *others: SourceLike[Any], lookahead: int = 1) -> Stream[Any]:
    """The latest item of each source, at each new one: ``ops.combine_latest`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.combine_latest("ab", [1, 2]))
    [('a', 1), ('b', 1), ('b', 2)]
    """
    return begun("combine_latest", first, others) | latest.combine_latest(*others, lookahead=lookahead)


@overload
def zip_latest(first: SourceLike[A], second: SourceLike[B], /) -> Stream[tuple[A, B]]: ...
@overload
def zip_latest(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], /
) -> Stream[tuple[A, B, C]]: ...
@overload
def zip_latest(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], fourth: SourceLike[D], /
) -> Stream[tuple[A, B, C, D]]: ...
@overload
def zip_latest(first: SourceLike[Any], /, *others: SourceLike[Any]) -> Stream[tuple[Any, ...]]: ...
@answering
def zip_latest(first: SourceLike[Any], /, *others: SourceLike[Any]) -> Stream[Any]:
    """The latest item of each source, each once at most: ``ops.zip_latest`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.zip_latest("ab", [1, 2, 3]))
    [('b', 3)]
    """
    return begun("zip_latest", first, others) | latest.zip_latest(*others)


@overload
def fork_join(first: SourceLike[A], second: SourceLike[B], /) -> Stream[tuple[A, B]]: ...
@overload
def fork_join(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], /
) -> Stream[tuple[A, B, C]]: ...
@overload
def fork_join(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], fourth: SourceLike[D], /
) -> Stream[tuple[A, B, C, D]]: ...
@overload
def fork_join(first: SourceLike[Any], /, *others: SourceLike[Any]) -> Stream[tuple[Any, ...]]: ...
@answering
def fork_join(first: SourceLike[Any], /, *others: SourceLike[Any]) -> Stream[Any]:
    """One tuple of the last item of each source: ``ops.fork_join`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.fork_join("ab", [1, 2, 3]))
    [('b', 3)]
    """
    return begun("fork_join", first, others) | latest.fork_join(*others)
