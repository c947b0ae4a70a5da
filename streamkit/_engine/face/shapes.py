"""Static types of operators and sinks that take items of any type: from the item type to the result type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Shape, SourceLike, Stream

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)


class Lists(Shape):
    """``A`` to ``list[A]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[list[A]]:
        result: Stream[list[A]] = self.apply(stream)
        return result


class Items(Shape):
    """Iterables of ``A`` to ``A``."""

    __slots__ = ()

    def __call__(self, stream: Stream[Iterable[A]]) -> Stream[A]:
        result: Stream[A] = self.apply(stream)
        return result


class Numbered(Shape):
    """``A`` to ``tuple[int, A]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[int, A]]:
        result: Stream[tuple[int, A]] = self.apply(stream)
        return result


class Pairs(Shape):
    """``A`` to ``tuple[A, A]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[A, A]]:
        result: Stream[tuple[A, A]] = self.apply(stream)
        return result


class Joined(Shape, Generic[B]):
    """``A`` to ``A | B``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[A | B]:
        result: Stream[A | B] = self.apply(stream)
        return result


class Zipped2(Shape, Generic[B]):  # pragma: no cover - for type checkers: at run time it is a ZippedAny
    """``A`` to ``tuple[A, B]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[A, B]]:
        result: Stream[tuple[A, B]] = self.apply(stream)
        return result


class Zipped3(Shape, Generic[B, C]):  # pragma: no cover - for type checkers: at run time it is a ZippedAny
    """``A`` to ``tuple[A, B, C]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[A, B, C]]:
        result: Stream[tuple[A, B, C]] = self.apply(stream)
        return result


class Zipped4(Shape, Generic[B, C, D]):  # pragma: no cover - for type checkers: at run time it is a ZippedAny
    """``A`` to ``tuple[A, B, C, D]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[A, B, C, D]]:
        result: Stream[tuple[A, B, C, D]] = self.apply(stream)
        return result


class ZippedAny(Shape):
    """``A`` to a tuple of any length."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[Any, ...]]:
        result: Stream[tuple[Any, ...]] = self.apply(stream)
        return result


class Always(Shape, Generic[R_co]):
    """A stream of anything to one ``R_co``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Job[R_co]:
        result: Job[R_co] = self.apply(stream)
        return result

    def __ror__(self, left: SourceLike[Any]) -> Job[R_co]:
        result: Job[R_co] = super().__ror__(left)
        return result


class ListOf(Shape):
    """A stream of ``A`` to one ``list[A]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Job[list[A]]:
        result: Job[list[A]] = self.apply(stream)
        return result


class One(Shape):
    """A stream of ``A`` to one ``A``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Job[A]:
        result: Job[A] = self.apply(stream)
        return result


class OneOf(Shape, Generic[T]):
    """A stream of ``A`` to one ``A``, or a default of type ``T``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Job[A | T]:
        result: Job[A | T] = self.apply(stream)
        return result


class SetOf(Shape):
    """A stream of ``A`` to one ``set[A]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Job[set[A]]:
        result: Job[set[A]] = self.apply(stream)
        return result


class DictOf(Shape):
    """A stream of pairs of ``A`` and ``B`` to one ``dict[A, B]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[tuple[A, B]]) -> Job[dict[A, B]]:
        result: Job[dict[A, B]] = self.apply(stream)
        return result
