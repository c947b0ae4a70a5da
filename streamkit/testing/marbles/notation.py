"""The notation: a line of marbles as text, and as marks with exact times."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final, TypeAlias

from streamkit._core.arguments import seconds
from streamkit._core.show import shown
from streamkit._core.value import Record

__all__ = [
    "DEMAND",
    "DROPPED",
    "EXPECTED",
    "SOURCE",
    "Line",
    "Mark",
    "Row",
    "frame_of",
    "nanos",
    "parsed",
    "told",
]

NANO: Final = 10**9
"""Times are whole nanoseconds, so that two that are drawn in one column are equal, whatever floats say."""

Mark: TypeAlias = tuple[int, str]
"""When, in nanoseconds since the line begins, and the sign that stands there."""

_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)(?!\S)")
"""A time that passes; it stands between spaces, as in ``--a 90s b|``."""
_UNITS: Final = {"ms": NANO // 1000, "s": NANO, "m": 60 * NANO}
_RESERVED: Final = "-|#()^!,"
"""The signs that are no items."""


class Row(Record):
    """What one kind of line may have, and how it ends."""

    name: str
    items: bool
    signs: str
    """Those it may have beside items."""
    ends: str
    """Those after which nothing can come."""
    says: str
    """What it has, in words."""


_ITEMS = "items, '|' where it ends and '#' where it fails"
SOURCE: Final = Row(name="a source", items=True, signs="|#", ends="|#", says=_ITEMS)
EXPECTED: Final = Row(name="what is expected", items=True, signs="|#", ends="|#", says=_ITEMS)
DEMAND: Final = Row(
    name="a demand",
    items=False,
    signs="^!",
    ends="!",
    says="'^' where the consumer asks and '!' where it leaves",
)
DROPPED: Final = Row(name="what is dropped", items=True, signs="", ends="", says="items only")


class Line(Record):
    """A line that was read: its marks in order, and when it is over."""

    marks: tuple[Mark, ...]
    until: int
    """When its last mark is, if that ends it; else when its last frame is over, in nanoseconds."""
    ended: bool
    """Whether its last mark ends it."""


def nanos(time: float) -> int:
    """A time in seconds as whole nanoseconds."""
    return round(time * NANO)


def frame_of(frame: float) -> int:
    """The argument `frame`, in nanoseconds."""
    found = nanos(seconds("frame", frame))
    if not found:
        raise ValueError(f"frame must be at least a nanosecond (1e-9), not {shown(frame)}")
    return found


def told(time: int) -> str:
    """A time in nanoseconds as seconds in words: ``2.5 s``."""
    return f"{time / NANO:.10g} s"


def parsed(text: str, row: Row = EXPECTED, *, frame: int = NANO, name: str = "") -> Line:
    """Read a line; `name` is what a picture calls it.

    Raises:
        ValueError: it cannot be read; the message shows where.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a checker
        raise TypeError(f"marbles must be a str such as '--a-b|', not {shown(text)}")
    return _Reader(text, row, frame, name).line()


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, text: str, row: Row, frame: int, name: str) -> None:
        self._text = text
        self._row = row
        self._frame = frame
        self._name = f"{row.name}, {name!r}," if name else row.name
        self._marks: list[Mark] = []
        self._now = 0
        self._group: int | None = None
        """Where the group that is open begins, and how many marks there were."""
        self._before = 0

    def line(self) -> Line:
        text, place = self._text, 0
        while place < len(text):
            first = place == 0 or text[place - 1].isspace()
            if first and self._group is None and (found := _TIME.match(text, place)):
                self._passed(found, place)
                place = found.end()
            else:
                if not text[place].isspace():
                    self._sign(text[place], place)
                place += 1
        if self._group is not None:
            self._fail("this group is not closed", self._group)
        ended = self._ended()
        return Line(marks=tuple(self._marks), until=self._marks[-1][0] if ended else self._now, ended=ended)

    def _passed(self, found: re.Match[str], place: int) -> None:
        """A time passes."""
        if self._ended():
            self._fail("nothing can come after its end", place)
        time = Fraction(found[1]) * _UNITS[found[2]]
        if time.denominator != 1:
            self._fail("a time is in whole nanoseconds", place)
        self._now += int(time)

    def _sign(self, sign: str, place: int) -> None:
        if self._ended() and sign != ")":
            self._fail("nothing can come after its end", place)
        match sign:
            case "(":
                if self._group is not None:
                    self._fail("a group cannot stand in a group", place)
                self._group, self._before = place, len(self._marks)
            case ")":
                if self._group is None:
                    self._fail("no group is open here", place)
                if self._before == len(self._marks):
                    self._fail("a group cannot be empty", place)
                self._group = None
                self._now += self._frame
            case "-":
                if self._group is not None:
                    self._fail("a group is one instant: no time passes in it", place)
                self._now += self._frame
            case _:
                self._mark(sign, place)

    def _mark(self, sign: str, place: int) -> None:
        row = self._row
        if sign == ",":
            self._fail("items stand side by side, without commas: (ab)", place)
        if not (sign in row.signs if sign in _RESERVED else row.items):
            self._fail(f"{sign!r} cannot stand here: it has {row.says}", place)
        if not sign.isprintable():
            self._fail(f"an item is a character that can be seen, not {sign!r}", place)
        self._marks.append((self._now, sign))
        if self._group is None:
            self._now += self._frame

    def _ended(self) -> bool:
        return bool(self._marks) and self._marks[-1][1] in self._row.ends

    def _fail(self, words: str, place: int) -> None:
        """Say what is wrong, and where."""
        line = "".join([" " if sign.isspace() else sign for sign in self._text])
        raise ValueError(f"{self._name} is drawn wrong: {words}\n    {line}\n    {' ' * place}^")


def is_sign_of_item(sign: str) -> bool:
    """Whether `sign` can stand for an item."""
    return len(sign) == 1 and sign.isprintable() and not sign.isspace() and sign not in _RESERVED
