"""A table of programs, which are async functions without arguments, by name."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

Main = Callable[[], Coroutine[Any, Any, Any]]


class Programs:
    """A decorator that keeps the functions it is put on."""

    def __init__(self) -> None:
        self._all: dict[str, Main] = {}

    def __call__(self, main: Main) -> Main:
        self._all[main.__name__] = main
        return main

    def __getitem__(self, name: str) -> Main:
        return self._all[name]

    def __iter__(self) -> Iterator[Main]:
        return iter(self._all.values())

    def each(self) -> pytest.MarkDecorator:
        """The mark of a test that takes each of them as `main`."""
        return pytest.mark.parametrize("main", [*self], ids=[*self._all])
