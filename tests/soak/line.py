"""Lines: what the reference makes of a stream, its items, when they come, and how it ends.

A reference is the loop that one would write by hand: a generator over iterators. `by_hand` runs it on lines;
whatever it passes on comes when the last item came that it has pulled. So a generator says nothing of time.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.soak.values import Boom

__all__ = [
    "CutError",
    "Hand",
    "Line",
    "Opened",
    "TieError",
    "UndecidedError",
    "Violation",
    "by_hand",
    "fits",
    "leaves",
    "untied",
]


WAYS = 5_000
"""Ways that an order may have come about, of which the reference goes through all."""


class Violation(AssertionError):  # noqa: N818 - a law that is broken
    """A run has done what the reference does not allow."""


class TieError(Exception):
    """Two things would happen at the same time, and what comes of it depends on which is first."""


class UndecidedError(Exception):
    """The reference does not know what is right: it depends on the schedule."""


class CutError(Exception):
    """The rest of a line is not known: the run was cut there."""


@dataclass(frozen=True)
class Line:
    """The items of a stream and when each comes; and the end."""

    events: tuple[tuple[float, Any], ...] = ()
    end: float = 0.0
    """Infinity for a stream that goes on without an item and without an end."""
    error: str | None = None
    """The label of the error that it ends with."""
    cut: bool = False
    """Whether nothing is known of what comes after the last item."""

    @property
    def values(self) -> list[Any]:
        return [value for _, value in self.events]

    def shifted(self, seconds: float) -> "Line":
        """The same, so much later."""
        events = tuple([(time + seconds, value) for time, value in self.events])
        return Line(events, self.end + seconds, self.error, self.cut)


class Hand:
    """The hand of the clock while a reference runs."""

    def __init__(self, now: float) -> None:
        self.now = now

    def play(self, line: Line) -> Iterator[Any]:
        """The items of `line`; pulling one, or the end, moves the hand to when that comes."""
        for time, value in line.events:
            self.now = max(self.now, time)
            yield value
        if line.cut:
            raise CutError
        self.now = max(self.now, line.end)
        if self.now == math.inf:
            raise CutError
        if line.error is not None:
            raise Boom(line.error)


class Opened:
    """A stream that can be read again: each time it is opened anew, at the time that it is then."""

    def __init__(self, hand: Hand, stream: Callable[[float], Line]) -> None:
        self.hand = hand
        self.stream = stream

    def __iter__(self) -> Iterator[Any]:
        return self.hand.play(self.stream(self.hand.now))


def by_hand(items: Iterable[Any], hand: Hand) -> Line:
    """What comes out of a loop by hand that reads lines by `hand`."""
    events: list[tuple[float, Any]] = []
    try:
        for value in items:
            events.append((hand.now, value))
    except CutError:
        return Line(tuple(events), hand.now, cut=hand.now != math.inf)
    except Boom as error:
        return Line(tuple(events), hand.now, error.label)
    return Line(tuple(events), hand.now)


def untied(*times: float) -> None:
    """Refuse a case in which two of `times` are the same."""
    known = [time for time in times if time != math.inf]
    if len(set(known)) < len(known):
        raise TieError


def leaves(value: Any) -> Iterator[Any]:
    """What is in lists and tuples, however deep."""
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def fits(found: list[Any], lines: list[Line]) -> list[tuple[int, ...]]:
    """The ways in which `found` is an interleaving of beginnings of `lines`: how far into each it goes.

    Of lines that are the same, the first goes on: which of them does makes no other way.

    Raises:
        UndecidedError: there are too many ways to go through.
    """
    kinds = [(line.values, line.error) for line in lines]
    alike = [kinds.index(kind) for kind in kinds]
    ways = {(0,) * len(kinds)}
    for value in found:
        ways = {
            (*way[:place], way[place] + 1, *way[place + 1 :])
            for way in ways
            for place, (values, _) in enumerate(kinds)
            if way[place] < len(values) and values[way[place]] == value
            if not any(alike[other] == alike[place] and way[other] == way[place] for other in range(place))
        }
        if not ways:
            break
        if len(ways) > WAYS:
            raise UndecidedError(f"there are more than {WAYS} ways in which these lines can be met")
    return sorted(ways, reverse=True)
