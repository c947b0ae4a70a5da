"""Differences between what is drawn and what came, shown line under line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from streamkit._core.show import shown
from streamkit._core.value import Record
from streamkit.testing.events import Event, same
from streamkit.testing.marbles.notation import NANO, Line, Mark, told
from streamkit.testing.marbles.pictures import Picture
from streamkit.testing.marbles.rendering import drawing, line_of
from streamkit.testing.marbles.signs import Signs

__all__ = ["Pair", "compared", "marks_of", "raise_if_different"]


class Pair(Record):
    """A line, and what came in its place."""

    name: str
    drawn: Line
    actual: Line
    values: tuple[Event, ...]
    """What each mark of `actual` stands for; empty where the signs say all."""


def marks_of(events: Sequence[Event], signs: Signs) -> list[Mark]:
    """What came as marks."""
    return [(each.time, signs.sign(each.value) if each.kind == "item" else each.kind) for each in events]


def compared(name: str, drawn: Line, events: Sequence[Event], signs: Signs, until: int) -> Pair:
    """`drawn` beside what came, in which an item has the sign that is drawn, if it is the item that is."""
    marks: list[Mark] = []
    for mark, event in zip_longest(drawn.marks, events):
        if event is None:
            break
        if mark is not None and _alike(mark[1], event, signs):
            marks.append((event.time, mark[1]))
        else:
            marks += marks_of([event], signs)
    return Pair(name=name, drawn=drawn, actual=line_of(marks, until=until), values=tuple(events))


def _alike(sign: str, event: Event, signs: Signs) -> bool:
    """Whether an event is what a sign stands for, at whatever time."""
    if event.kind != "item":
        return sign == event.kind and (sign != "#" or signs.is_error(event.value))
    return sign not in "|#" and same(signs.value(sign), event.value)


def raise_if_different(picture: Picture, pairs: Sequence[Pair], signs: Signs, frame: int) -> None:
    """Raise an error for the first line of `pairs` that differs from what came."""
    for pair in pairs:
        place = _first(pair, signs)
        if place is None:
            continue
        words, time = _said(pair, place, signs)
        text = "\n".join([words, *_lines(picture, pair, time, signs, frame)])
        raise AssertionError(text) from _cause(pair.values)


def _first(pair: Pair, signs: Signs) -> int | None:
    """The number of the first mark that differs."""
    for place, (mark, came) in enumerate(zip_longest(pair.drawn.marks, pair.actual.marks)):
        if mark is None or came is None or mark[0] != came[0] or not _same_mark(pair, place, signs):
            return place
    return None


def _said(pair: Pair, place: int, signs: Signs) -> tuple[str, int]:
    """What differs, in words, and when."""
    mark = _at(pair.drawn.marks, place)
    came = _at(pair.actual.marks, place)
    what = "nothing" if came is None else _came(pair, place)
    if mark is None:
        assert came is not None
        return f"at {told(came[0])} {what}, and nothing more is drawn", came[0]
    drawn = _drawn(pair, mark[1], signs)
    if came is None:
        return f"{drawn} is drawn at {told(mark[0])}, and nothing more {_verb(pair)}", mark[0]
    if _same_mark(pair, place, signs):
        return f"{drawn} is drawn at {told(mark[0])}, and {_verb(pair)} at {told(came[0])}", min(
            mark[0], came[0]
        )
    at = "" if mark[0] == came[0] else f" at {told(mark[0])}"
    words = f"at {told(came[0])} {what}, and {drawn} is drawn{at}{_hint(pair, place, mark[1], signs)}"
    return words, min(mark[0], came[0])


def _hint(pair: Pair, place: int, sign: str, signs: Signs) -> str:
    """What to write, where a character was drawn for the number that it shows."""
    item = shown(pair.values[place].value) if pair.values else ""
    if item != sign or signs.value(sign) != sign:
        return ""
    return f": a character stands for itself, unless you say values={{{sign!r}: {item}}}"


def _same_mark(pair: Pair, place: int, signs: Signs) -> bool:
    """Whether a mark came that is drawn there, at another time."""
    sign = pair.actual.marks[place][1]
    wrong = sign == "#" and pair.values and not signs.is_error(pair.values[place].value)
    return sign == pair.drawn.marks[place][1] and not wrong


def _verb(pair: Pair) -> str:
    return "was dropped" if pair.name == "dropped" else "came"


def _at(marks: Sequence[Mark], place: int) -> Mark | None:
    return marks[place] if place < len(marks) else None


def _drawn(pair: Pair, sign: str, signs: Signs) -> str:
    """What a sign that is drawn means, in words."""
    if sign in "^!":
        return _ASKED[sign]
    if sign == "|":
        return "the end"
    return f"the error {signs.expected_error()}" if sign == "#" else shown(signs.value(sign))


def _came(pair: Pair, place: int) -> str:
    """What came instead, in words."""
    sign = pair.actual.marks[place][1]
    if not pair.values:
        return f"{_ASKED[sign]} came"
    return f"{pair.values[place].told()} {_verb(pair)}"


_ASKED = {"^": "a pull", "!": "the close"}


def _lines(picture: Picture, pair: Pair, time: int, signs: Signs, frame: int) -> list[str]:
    """The lines under one another, with what came below the one that differs, and a mark there."""
    rows: list[tuple[str, Line]] = []
    for name, line in picture.rows.items():
        rows.append((name, line))
        if name == pair.name:
            rows.append(("actual", pair.actual))
    drawn = drawing([line for _, line in rows], frame)
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"  {'seconds':{width}}{drawn.seconds()}"]
    for (name, _), text in zip(rows, drawn.texts, strict=True):
        lines.append(f"  {name:{width}}{text}".rstrip())
        if name == "actual":
            lines.append(" " * (2 + width + drawn.columns[time]) + "^")
    if drawn.frame != NANO:
        lines.append(f"  one frame is {told(drawn.frame)}")
    used = "".join(sign for _, line in rows for _, sign in line.marks)
    return [*lines, *[f"  {line}" for line in signs.legend(used)]]


def _cause(events: Sequence[Event]) -> BaseException | None:
    """The error that came."""
    errors: list[Any] = [event.value for event in events if event.kind == "#"]
    return errors[0] if errors else None
