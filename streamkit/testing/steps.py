"""Steps of an expectation: each is awaited, once, and knows where it was written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from streamkit._core.places import placed, written

__all__ = ["Step"]

R = TypeVar("R")


class Step(Generic[R]):
    """One step of an `Expectation`: it is to be awaited, once."""

    def __init__(self, words: str, work: Callable[[Step[R]], Coroutine[Any, Any, R]]) -> None:
        self._words: str = words
        self._work: Callable[[Step[R]], Coroutine[Any, Any, R]] = work
        self._place: str = placed(*written(sys._getframe(2)))  # pyright: ignore[reportPrivateUsage] - as in `Pipe`
        self._awaited: bool = False

    @property
    def awaited(self) -> bool:
        """Whether it was awaited."""
        return self._awaited

    def __await__(self) -> Generator[Any, None, R]:
        if self._awaited:
            raise RuntimeError(f"{self!r} was awaited already: make another")
        self._awaited = True
        return self._work(self).__await__()

    def __repr__(self) -> str:
        return f"{self._words} at {self._place}"
