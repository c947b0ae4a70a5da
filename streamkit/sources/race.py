"""The source of which one of several wins, where no stream comes first."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from streamkit._core.calls import answering
from streamkit._engine.face.stream import SourceLike, Stream
from streamkit._stages.inputs import begun
from streamkit.operators import race as operators

__all__ = ["race"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
def race(first: SourceLike[A]) -> Stream[A]: ...
@overload
def race(first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], /) -> Stream[A | B | C]: ...
@overload
def race(
    first: SourceLike[A], second: SourceLike[B], third: SourceLike[C], fourth: SourceLike[D], /
) -> Stream[A | B | C | D]: ...
@overload
def race(first: SourceLike[A], *others: SourceLike[B]) -> Stream[A | B]: ...
@answering
def race(first: SourceLike[Any], *others: SourceLike[Any]) -> Stream[Any]:
    """The items of the source that is the first to do something: ``ops.race`` where no stream comes first.

    >>> import streamkit
    >>> list(streamkit.race("ab", [1, 2]))
    ['a', 'b']
    """
    return begun("race", first, others) | operators.race(*others)
