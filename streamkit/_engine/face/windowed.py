"""Static types of windows: what stands beside the bounds of a window, by the pipe that each window runs.

A pipe that takes items of any type says what it makes of them by its own shape. So ``window`` has a shape for
each of the usual ones; for any other pipe, the type of the items is that which the pipe takes.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from streamkit._core.windows import Window
from streamkit._engine.face.stream import Shape, Stream

__all__ = ["WindowedAs", "WindowedItems", "WindowedLists"]

A = TypeVar("A")
R_co = TypeVar("R_co", covariant=True)


class WindowedItems(Shape):  # pragma: no cover - for type checkers: at run time windows are operators
    """``A`` to ``tuple[Window, A]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[Window, A]]:
        result: Stream[tuple[Window, A]] = self.apply(stream)
        return result


class WindowedLists(Shape):  # pragma: no cover - the same
    """``A`` to ``tuple[Window, list[A]]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[Window, list[A]]]:
        result: Stream[tuple[Window, list[A]]] = self.apply(stream)
        return result


class WindowedAs(Shape, Generic[R_co]):  # pragma: no cover - the same
    """Anything to ``tuple[Window, R_co]``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[tuple[Window, R_co]]:
        result: Stream[tuple[Window, R_co]] = self.apply(stream)
        return result
