"""Sources that make one stream of several in an order, where no stream comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from streamkit._core.calls import answering
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.on_error import OnError
from streamkit._engine.face.stream import SourceLike, Stream
from streamkit._stages.inputs import begun
from streamkit.operators import order

__all__ = ["interleave", "merge_prioritized", "merge_sorted"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
def merge_sorted(
    first: SourceLike[A],
    *,
    key: Callable[[Any], Any] | Absent = ABSENT,
    reverse: bool = False,
    lookahead: int = 1,
    on_error: OnError | None = None,
) -> Stream[A]: ...
@overload
def merge_sorted(
    first: SourceLike[A],
    second: SourceLike[B],
    third: SourceLike[C],
    /,
    *,
    key: Callable[[Any], Any] | Absent = ABSENT,
    reverse: bool = False,
    lookahead: int = 1,
    on_error: OnError | None = None,
) -> Stream[A | B | C]: ...
@overload
def merge_sorted(
    first: SourceLike[A],
    *others: SourceLike[B],
    key: Callable[[Any], Any] | Absent = ABSENT,
    reverse: bool = False,
    lookahead: int = 1,
    on_error: OnError | None = None,
) -> Stream[A | B]: ...
@answering
def merge_sorted(
    first: SourceLike[Any],
    *others: SourceLike[Any],
    key: Callable[[Any], Any] | Absent = ABSENT,
    reverse: bool = False,
    lookahead: int = 1,
    on_error: OnError | None = None,
) -> Stream[Any]:
    """Sources that are in order as one in order: ``ops.merge_sorted`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.merge_sorted([1, 4], [2, 3]))
    [1, 2, 3, 4]
    """
    operator = order.merge_sorted(*others, key=key, reverse=reverse, lookahead=lookahead, on_error=on_error)
    return begun("merge_sorted", first, others) | operator


@overload
def merge_prioritized(first: SourceLike[A], *, lookahead: int = 1) -> Stream[A]: ...
@overload
def merge_prioritized(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], /, *, lookahead: int = 1
) -> Stream[A | B | C]: ...
@overload
def merge_prioritized(
    first: SourceLike[A],
    second: SourceLike[B],
    third: SourceLike[C],
    fourth: SourceLike[D],
    /,
    *,
    lookahead: int = 1,
) -> Stream[A | B | C | D]: ...
@overload
def merge_prioritized(first: SourceLike[A], *others: SourceLike[B], lookahead: int = 1) -> Stream[A | B]: ...
@answering
def merge_prioritized(first: SourceLike[Any], *others: SourceLike[Any], lookahead: int = 1) -> Stream[Any]:
    """Items as they come, the first source preferred: ``ops.merge_prioritized`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.merge_prioritized("ab", [1, 2]))
    ['a', 'b', 1, 2]
    """
    return begun("merge_prioritized", first, others) | order.merge_prioritized(*others, lookahead=lookahead)


@overload
def interleave(first: SourceLike[A], *, count: int = 1, lookahead: int = 1) -> Stream[A]: ...
@overload
def interleave(
    first: SourceLike[A],
    second: SourceLike[B],
    third: SourceLike[C],
    /,
    *,
    count: int = 1,
    lookahead: int = 1,
) -> Stream[A | B | C]: ...
@overload
def interleave(
    first: SourceLike[A], *others: SourceLike[B], count: int = 1, lookahead: int = 1
) -> Stream[A | B]: ...
@answering
def interleave(
    first: SourceLike[Any], *others: SourceLike[Any], count: int = 1, lookahead: int = 1
) -> Stream[Any]:
    """An item of each source in turn: ``ops.interleave`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.interleave("abc", [1, 2]))
    ['a', 1, 'b', 2, 'c']
    """
    return begun("interleave", first, others) | order.interleave(*others, count=count, lookahead=lookahead)
