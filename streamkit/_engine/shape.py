"""Shapes: what decides the code of a loop, and is looked up to find it compiled already."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from streamkit._core.catalogue import Declaration

__all__ = ["Line", "Mode", "StepKey"]


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


class Line(NamedTuple):
    depth: int
    text: str
    owner: int | None
    """The place of the step that the line came from; None for the frame around them."""
