"""Lines of marbles drawn as text, one under the other: in each column stands one instant of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import gcd
from typing import Final

from streamkit._core.value import Record
from streamkit.testing.marbles.notation import NANO, Line

__all__ = ["Drawing", "drawing", "line_of"]

LONG: Final = 16
"""More frames than so many, in which nothing happens, are drawn as a time."""
_PARTS: Final = (1, 2, 4, 5, 10, 20, 50, 100)
"""Into how many parts a frame is divided, if something happens within one."""


class Drawing(Record):
    """Lines as text, under one another."""

    texts: tuple[str, ...]
    frame: int
    """How much time a column is, in nanoseconds: what they were drawn with, or a part of that."""
    columns: dict[int, int]
    """By the time of an instant in which something happens: where in the texts that stands."""

    def seconds(self) -> str:
        """A row of times to stand above: those of the instants, in seconds, where there is room."""
        row = ""
        for time, column in sorted(self.columns.items()):
            if not row or column > len(row):
                row = row.ljust(column) + f"{time / NANO:.10g}"
        return row


def line_of(marks: Iterable[tuple[int, str]], *, until: int = 0, ends: str = "|#!") -> Line:
    """A line that was recorded; over at `until`, if no mark ends it."""
    found = tuple(marks)
    ended = bool(found) and found[-1][1] in ends
    last = found[-1][0] if found else 0
    return Line(marks=found, until=last if ended else max(until, last), ended=ended)


def drawing(lines: Sequence[Line], frame: int = NANO) -> Drawing:
    """Draw `lines`: each is read again as what it was, with the frame of the drawing."""
    step = _step(lines, frame)
    cells = [_cells(line, step) for line in lines]
    ends = [_columns(line, step) for line in lines]
    busy = sorted({index for cell in cells for index in cell})
    texts: list[str] = [""] * len(lines)
    columns: dict[int, int] = {}
    now = 0
    for index in [*busy, max(ends, default=0)]:
        for begin, end in _stretches(now, index, ends):
            _pass(texts, ends, begin, end, step)
        now = index
        if index in busy:
            columns[index * step] = len(texts[0])
            drawn = [
                cell.get(index, "-" if index < end else "") for cell, end in zip(cells, ends, strict=True)
            ]
            width = max(map(len, drawn))
            texts = [text + each.ljust(width) for text, each in zip(texts, drawn, strict=True)]
            now += 1
    return Drawing(texts=tuple([text.rstrip() for text in texts]), frame=step, columns=columns)


def _step(lines: Sequence[Line], frame: int) -> int:
    """The frame, or the largest part of it with which each instant begins a frame of its own."""
    times = {time for line in lines for time, _ in line.marks} | {line.until for line in lines}
    most = gcd(frame, *times)
    for parts in _PARTS:
        if frame % parts == 0 and most % (frame // parts) == 0:
            return frame // parts
    return most


def _cells(line: Line, step: int) -> dict[int, str]:
    """By the number of a frame, what stands there."""
    signs: dict[int, str] = {}
    for time, sign in line.marks:
        signs[time // step] = signs.get(time // step, "") + sign
    # a digit beside an m or s might be read as a time
    alone = any(sign in "ms" for _, sign in line.marks)
    return {
        index: f"({text})" if len(text) > 1 or (alone and text.isdecimal()) else text
        for index, text in signs.items()
    }


def _columns(line: Line, step: int) -> int:
    """How many frames it has."""
    last = line.marks[-1][0] // step + 1 if line.marks else 0
    return last if line.ended else max(last, line.until // step)


def _stretches(now: int, index: int, ends: Sequence[int]) -> Iterable[tuple[int, int]]:
    """From `now` to `index`, in parts in which no line is over."""
    stops = sorted({now, index, *[end for end in ends if now < end < index]})
    return pairwise(stops)


def _pass(texts: list[str], ends: Sequence[int], begin: int, end: int, step: int) -> None:
    """Let time pass in which nothing happens."""
    count = end - begin
    passes = "-" * count if count <= LONG else f" {_time(count * step)} "
    for number, over in enumerate(ends):
        texts[number] += passes if begin < over else " " * len(passes)


def _time(time: int) -> str:
    """A time as it is read: ``90s``, or ``0.25ms``."""
    unit, size = ("s", NANO) if time >= NANO else ("ms", NANO // 1000)
    whole, part = divmod(time, size)
    digits = str(size + part)[1:].rstrip("0")
    return f"{whole}.{digits}{unit}" if digits else f"{whole}{unit}"
