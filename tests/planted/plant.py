"""Plants: a program with a bug in it, and the same program without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TypeAlias, TypeVar

from streamkit.testing import Faults
from tests.planted.change import Change, changed

__all__ = ["PLANTS", "Main", "Plant", "in_program", "in_streamkit"]

Main: TypeAlias = Callable[[], Coroutine[Any, Any, Any]]
Part = TypeVar("Part")


class Plant(NamedTuple):
    """A bug that shows in some orders of what is ready, and not in the order of asyncio."""

    name: str
    kind: str
    """The kind of bug, in words."""
    flawed: Main
    right: Main
    """The same without the bug."""
    changes: tuple[Change, ...] = ()
    """How streamkit is changed for `flawed` to have its bug; empty for one that is in the program."""
    faults: Faults | None = None
    """The faults that alone show it; None if the order does."""

    def planted(self) -> AbstractContextManager[None]:
        """A block in which `flawed` has its bug."""
        return changed(*self.changes) if self.changes else nullcontext()


PLANTS: dict[str, Plant] = {}
"""All of them, by name."""


def _add(plant: Plant) -> None:
    if plant.name in PLANTS:
        raise ValueError(f"two plants are named {plant.name}")
    PLANTS[plant.name] = plant


def in_streamkit(kind: str, *changes: Change, faults: Faults | None = None) -> Callable[[Main], Main]:
    """The decorator of a program that is right, and shows a bug of this `kind` that `changes` plant."""

    def decorate(main: Main) -> Main:
        _add(Plant(main.__name__, kind, main, main, changes, faults))
        return main

    return decorate


def in_program(
    kind: str, *, flawed: Part, right: Part, faults: Faults | None = None
) -> Callable[[Callable[[Part], Coroutine[Any, Any, Any]]], Callable[[Part], Awaitable[Any]]]:
    """The decorator of a program that is run with a part that has a bug of this `kind`, and a right one."""

    def decorate(main: Callable[[Part], Coroutine[Any, Any, Any]]) -> Callable[[Part], Awaitable[Any]]:
        def with_flawed() -> Coroutine[Any, Any, Any]:
            return main(flawed)

        def with_right() -> Coroutine[Any, Any, Any]:
            return main(right)

        _add(Plant(main.__name__, kind, with_flawed, with_right, faults=faults))
        return main

    return decorate
