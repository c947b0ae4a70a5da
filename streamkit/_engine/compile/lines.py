"""Lines: the text of a loop while it is woven, where its next line goes, and how large it may become."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias

__all__ = ["LINES", "OUT", "SOURCE", "Line", "Lines", "Owner", "Site", "TooLargeError"]

LINES, LOOPS, DEPTH = 1200, 12, 60
"""Where a loop is cut in two: CPython allows 20 nested blocks and 100 levels of indentation per function."""

OUT: Final[Literal["out"]] = "out"
"""Owns the lines that hand an item over to what reads the loop."""

Owner: TypeAlias = int | Literal["out"] | None
"""Where a line came from: the step of this index, `OUT`, or None for the frame around the steps."""


SOURCE: Final = -1
"""Where an error came from that is from before all steps: what is the index of a step otherwise, or `OUT`."""


class TooLargeError(Exception):
    """The loop outgrew what one function may hold: its steps must be cut into two loops."""


class Line:
    """One line of a loop."""

    __slots__ = ("depth", "owner", "text")

    def __init__(self, depth: int, text: str, owner: Owner) -> None:
        self.depth = depth
        self.text = text
        self.owner: Owner = owner


class Lines:
    """The lines of one loop, in the order in which they are written."""

    def __init__(self) -> None:
        self.all: list[Line] = []
        self.loops = 0
        """How many ``for`` loops of steps are around the next line; the frame's own are not counted."""
        self.deepest = 0
        """How many of them were around a line at most."""
        self.around = 0
        """How many blocks more than usual the frame has around them."""

    def add(self, depth: int, text: str, owner: Owner = None) -> None:
        """Write one line, indented `depth` times."""
        if len(self.all) >= LINES or depth > DEPTH:
            raise TooLargeError
        self.all.append(Line(depth, text, owner))

    def insert(self, place: int, depth: int, text: str) -> None:
        """Write a line of the frame before that of the number `place`."""
        self.all.insert(place, Line(depth, text, None))

    def within(self, loops: int) -> None:
        """See whether so many more `loops` may be around a line."""
        if self.around + self.loops + loops > LOOPS:
            raise TooLargeError

    def attempt(self, begin: int, depth: int, failed: str, errors: str = "Exception") -> int:
        """Have `errors` in the lines from the number `begin` on do what `failed` says; the number after."""
        if len(self.all) > begin:
            for line in self.all[begin:]:
                line.depth += 1
            self.all.insert(begin, Line(depth, "try:", None))
            self.add(depth, f"except {errors} as error:")
            self.add(depth + 1, failed)
        return len(self.all)

    @contextmanager
    def loop(self, depth: int, header: str, owner: Owner = None) -> Generator[None, None, None]:
        """Write the `header` of a ``for`` loop, whose body is written in the block."""
        self.within(1)
        self.loops += 1
        self.deepest = max(self.deepest, self.loops)
        self.add(depth, header, owner)
        yield
        self.loops -= 1

    @contextmanager
    def body(self, depth: int) -> Generator[None, None, None]:
        """What is written in the block is the body of something; where that is nothing, it is ``pass``."""
        before = len(self.all)
        yield
        if len(self.all) == before:
            self.add(depth, "pass")


class Site:
    """A spot in the loop where code of a step is written."""

    __slots__ = ("depth", "ends_turn", "item", "later", "rests", "spent", "tail", "token")

    def __init__(
        self,
        item: str | None,
        depth: int,
        *,
        ends_turn: bool = False,
        spent: bool = False,
        later: frozenset[str] = frozenset(),
        rests: bool = False,
        token: str = "",
        tail: bool = False,
    ) -> None:
        self.item = item
        """What ``item`` is here: a variable of the loop."""
        self.depth = depth
        self.spent = spent
        """Whether no earlier step reads the variable again, this turn: it may be written over."""
        self.later = later
        """The names that the step itself reads, or may read, after what is written here."""
        self.rests = rests
        """Whether the loop waits for its next item after a ``continue`` that is written here."""
        self.ends_turn = ends_turn
        """Whether the innermost loop has nothing more to do, this turn, after what is written here.

        Then ``if not predicate(item): continue`` does what ``if predicate(item):`` would do with all the rest
        in its body, and the rest need not be indented: chains of filters stay flat.
        """
        self.token = token
        """The variable of the delivery that the item stands for (`follow.py`); none in most loops."""
        self.tail = tail
        """Whether nothing else is made of what that stands for after what is written here."""

    @property
    def free(self) -> bool:
        """Whether nothing reads the variable that ``item`` is after what is written here."""
        return self.spent and "item" not in self.later

    def at(self, **changes: Any) -> Site:
        """The same spot, but for `changes`."""
        spot = Site(
            self.item,
            self.depth,
            ends_turn=self.ends_turn,
            spent=self.spent,
            later=self.later,
            rests=self.rests,
            token=self.token,
            tail=self.tail,
        )
        for name, value in changes.items():
            setattr(spot, name, value)
        return spot
