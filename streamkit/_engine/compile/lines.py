"""Lines: what a loop is made of while it is woven, and where a line may go."""

from __future__ import annotations

from ast import expr

__all__ = ["Group", "Line", "Site"]


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
