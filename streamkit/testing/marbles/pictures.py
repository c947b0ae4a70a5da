"""Pictures: several lines under one another, each behind its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from streamkit._core.show import shown
from streamkit._core.value import Record
from streamkit.testing.marbles.notation import DEMAND, DROPPED, EXPECTED, SOURCE, Line, Row, parsed

__all__ = ["Picture", "picture_of"]

_NAMED: Final = re.compile(r"\s*([A-Za-z_]\w*(?:\.asked)?):?(?:\s+(.*)|)$")
_ONE: Final = re.compile(r"\s*expected:?\s")
_ASKED: Final = ".asked"
_ROWS: Final = {
    "expected": EXPECTED,
    "demand": DEMAND,
    "dropped": DROPPED,
}
"""Rows by their name; all others are sources, or say when a source was asked."""
_WHEN_ASKED: Final = Row(
    name="when a source is asked",
    items=False,
    signs="^!",
    ends="",
    says="'^' where it is asked and '!' where it is left",
)


class Picture(Record):
    """What was drawn."""

    rows: dict[str, Line]
    """All lines by their names, in the order in which they stand."""
    texts: dict[str, str]
    """How each was written."""

    @property
    def sources(self) -> list[str]:
        """The names of the sources."""
        return [name for name in self.rows if name not in _ROWS and not name.endswith(_ASKED)]

    @property
    def asked(self) -> dict[str, Line]:
        """By the name of a source, when it is to be asked and left."""
        found = {name: line for name, line in self.rows.items() if name.endswith(_ASKED)}
        return {name.removesuffix(_ASKED): line for name, line in found.items()}

    @property
    def expected(self) -> Line:
        """What is to come."""
        return self.rows["expected"]

    @property
    def signs(self) -> set[str]:
        """All that is drawn."""
        return {sign for line in self.rows.values() for _, sign in line.marks}

    @property
    def left(self) -> int:
        """When the consumer leaves at last, if nothing ends what is expected."""
        demand = self.rows.get("demand")
        leaves = demand.until if demand is not None and demand.ended else 0
        return max(self.expected.until, leaves)

    @property
    def over(self) -> int:
        """When the last line is over, in nanoseconds."""
        return max(line.until for line in self.rows.values())


def picture_of(text: str, frame: int) -> Picture:
    """Read a picture: one line, which is what is expected, or several with their names.

    Raises:
        ValueError: a line cannot be read, has no name or the name of another, or none is ``expected``.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a checker
        raise TypeError(f"picture must be a str such as '--a-b|', not {shown(text)}")
    texts: dict[str, str] = {}
    for name, line in _lines(text):
        if name in texts:
            raise ValueError(f"the picture has two lines with the name {name!r}:\n    {line}")
        texts[name] = line
    if "expected" not in texts:
        raise ValueError(f"the picture has no line with the name 'expected'; there are {', '.join(texts)}")
    rows = {name: parsed(line, _row(name), frame=frame, name=_shown(name)) for name, line in texts.items()}
    picture = Picture(rows=rows, texts=texts)
    for name in picture.asked:
        if name not in picture.sources:
            raise ValueError(f"the picture says when {name!r} is asked, and has no source of that name")
    return picture


def _lines(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 and not _ONE.match(text):
        yield "expected", text.strip()
        return
    for line in lines:
        found = _NAMED.match(line)
        if found is None:
            raise ValueError(
                f"a line of a picture begins with its name, as in 'items  --a-b|':\n    {line.strip()}"
            )
        yield found[1], (found[2] or "").rstrip()


def _row(name: str) -> Row:
    return _WHEN_ASKED if name.endswith(_ASKED) else _ROWS.get(name, SOURCE)


def _shown(name: str) -> str:
    """How errors name a line; the others need no name beside what they are."""
    return "" if name in _ROWS else name
