"""Shapes: what decides the code of a loop, and is looked up to find it compiled already."""

from __future__ import annotations

from ast import expr
from enum import StrEnum
from typing import NamedTuple

from streamkit._core.catalogue import Declaration

__all__ = ["Line", "Mode", "Site", "StepKey"]


class Mode(StrEnum):
    """What is known of one argument before the run: the loop is compiled accordingly."""

    SYNC = "s"
    ASYNC = "a"
    UNKNOWN = "u"
    """A callable that may return an awaitable: its first result tells."""
    ABSENT = "x"


class StepKey(NamedTuple):
    """What decides the code of one step: its declaration and the modes of its arguments."""

    declaration: Declaration
    modes: tuple[tuple[str, Mode], ...]
    branches: tuple[tuple[StepKey, ...], ...] = ()
    """Steps that each get every item that comes to this one, if it is a fork, or those of every group."""


class Line:
    """One line of a loop."""

    __slots__ = ("depth", "owner", "text")

    def __init__(self, depth: int, text: str, owner: int | None) -> None:
        self.depth = depth
        self.text = text
        self.owner = owner
        """The place of the step that the line came from; None for the frame around them."""


class Site:
    """Where a step's code is being placed: its item, and what a ``continue`` would mean there."""

    __slots__ = ("depth", "item", "loop", "tail")

    def __init__(self, item: expr | None, depth: int, *, tail: bool, loop: bool) -> None:
        self.item = item
        self.depth = depth
        self.tail = tail
        """Whether nothing of this turn of the loop comes after the code being placed."""
        self.loop = loop
