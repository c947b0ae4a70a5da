"""Shapes: what decides the code of a loop, and is looked up to find it compiled already."""

from __future__ import annotations

from ast import expr
from enum import StrEnum
from typing import NamedTuple

from streamkit._core.catalogue import Declaration

__all__ = ["End", "Group", "Kind", "Line", "Mode", "Site", "StepKey"]


class Kind(StrEnum):
    """What a loop reads from."""

    SLICE = "slice"
    """A range, list or tuple: taken in slices of its own type, at no cost per item."""
    ITER = "iter"
    """Any other synchronous iterator."""
    ASYNC = "async"
    """An asynchronous iterator."""
    CHANNEL = "channel"
    """A `Channel`: read without a generator in between."""
    PUSH = "push"
    """Nothing: each item is sent in, and what must be awaited comes out. A generator, ended by `Ended`."""
    PULL = "pull"
    """What it is `given`, in iterables: a generator of what comes of that, and of EMPTY where it waits."""


class End(StrEnum):
    """Where a loop's items go."""

    RESULT = "result"
    """Into the sink that is its last step: a coroutine."""
    PUMP = "pump"
    """Into a lane of a channel: a coroutine."""
    FILL = "fill"
    """Into a plain lane, as far as it has granted that without a call: a coroutine."""
    STAGE = "stage"
    """To the stage, or the cut-off rest of the segment, that reads them: an async generator."""
    USER = "user"
    """To the user's ``async for``: an async generator that waits once before it begins."""
    PLAIN = "plain"
    """To a plain ``for``: a generator."""


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


class Group:
    """The steps of the groups of one step that groups."""

    def __init__(self, steps: range) -> None:
        self.steps = steps
        self.loops = 0
        """How many loops are around the code of the group; only out of the innermost can it break."""
