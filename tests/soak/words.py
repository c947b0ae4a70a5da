"""Words: what is written of each operator, as data to draw, to make with the library, and to read by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Protocol

import streamkit
from streamkit import ops

__all__ = [
    "SINKS",
    "UNREAD",
    "WORDS",
    "Draw",
    "Drop",
    "Fn",
    "Inner",
    "Pipe",
    "Side",
    "Src",
    "Step",
    "Tactic",
    "Word",
    "fn",
    "free",
    "hand",
    "other",
    "pipe",
    "seconds",
    "sink",
    "tactic",
    "timed",
    "whole",
]


@dataclass(frozen=True)
class Fn:
    """A callback, by its name in `FUNCTIONS`."""

    name: str


@dataclass(frozen=True)
class Inner:
    """A callback that makes a stream of an item."""


@dataclass(frozen=True)
class Drop:
    """A callback that is told of items that are dropped."""


@dataclass(frozen=True)
class Tactic:
    """A strategy of a buffer."""

    name: str
    capacity: int = 1


@dataclass(frozen=True)
class Src:
    """A source: its number, how many seconds pass before each of its items, and before its end."""

    number: int
    gaps: tuple[float, ...]
    end: float = 0.0

    @property
    def items(self) -> list[int]:
        return [100 * self.number + place for place in range(len(self.gaps))]


@dataclass(frozen=True)
class Step:
    """One operator with its arguments; `place` tells it from all others of its pipeline."""

    word: str
    place: int
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pipe:
    """Operators inside of another one."""

    steps: tuple[Step, ...]


class Side(Protocol):
    """Who makes something of arguments: the library's kit, or the reference."""

    def function(self, place: int, name: str) -> Any: ...
    def inner(self, place: int) -> Any: ...
    def source(self, source: Src) -> Any: ...
    def pipe(self, pipe: Pipe) -> Any: ...
    def drop(self, place: int) -> Any: ...
    def tactic(self, place: int, tactic: Tactic) -> Any: ...


def resolved(value: Any, place: int, side: Side) -> Any:
    """An argument as `side` has it."""
    match value:
        case Fn(name):
            return side.function(place, name)
        case Inner():
            return side.inner(place)
        case Src():
            return side.source(value)
        case Pipe():
            return side.pipe(value)
        case Drop():
            return side.drop(place)
        case Tactic():
            return side.tactic(place, value)
        case tuple():
            return tuple([resolved(each, place, side) for each in value])
        case dict():
            return {key: resolved(each, place, side) for key, each in value.items()}
        case _:
            return value


@dataclass(frozen=True)
class Word:
    """An operator: how to draw its arguments, to make it, and what it means."""

    name: str
    """In `streamkit.ops`."""
    kind: str
    """``hand``: a loop by hand over iterators. ``timed``: a function of lines, which minds their times.
    ``free``: a function that returns several lines, of which any interleaving is right. ``sink``."""
    mean: Callable[..., Any]
    draws: dict[str, Any]
    make: Callable[..., Any] | None = None
    """The operator, if it is not `name` called with the arguments."""
    modes: str = "LT"
    """In which pipelines it may stand: ``L``, loose ones, and ``T``, those that keep to a timetable."""
    sure: bool = True
    """Whether what came before an error of a line is passed on before it."""

    keeps: bool = False
    """Whether a callback of ours keeps items that the bound does not count, as what was folded."""
    early: bool = False
    """Whether it may end before the stream before it has: its lines say so then."""
    broken: Callable[..., Any] | None = None
    """The lines of a run in which something has failed, if those are others."""
    settle: Callable[[Any], Any] = lambda result: result
    """What is compared of the result of a sink."""

    def drawn(self, draw: "Draw") -> Step:
        place = draw.place()
        given = {key: each(draw) if callable(each) else each for key, each in self.draws.items()}
        return Step(self.key, place, given)

    @property
    def key(self) -> str:
        """Its key in `WORDS` or `SINKS`."""
        return f"{self.mean.__name__}"

    def made(self, step: Step, side: Side) -> Any:
        """The operator of the library."""
        given = {key: resolved(each, step.place, side) for key, each in step.given.items()}
        if self.make is not None:
            return self.make(**given)
        return getattr(ops, self.name)(*given.pop("_", ()), **given)


WORDS: dict[str, Word] = {}
SINKS: dict[str, Word] = {}
UNREAD: dict[str, str] = {"through": "goes through a carrier outside of the program, and never completes"}
"""Operators and sinks that no word is of, and why."""


def _entered(word: Word, table: dict[str, Word]) -> None:
    assert word.key not in table, word.key
    table[word.key] = word


def _word(kind: str, name: str, draws: dict[str, Any], options: dict[str, Any]) -> Callable[[Any], Any]:
    def enter(mean: Callable[..., Any]) -> Callable[..., Any]:
        _entered(Word(name, kind, mean, draws, **options), SINKS if kind == "sink" else WORDS)
        return mean

    return enter


def hand(
    name: str, make: Any = None, modes: str = "LT", keeps: bool = False, **draws: Any
) -> Callable[[Any], Any]:
    """Enter a loop by hand as the meaning of an operator."""
    return _word("hand", name, draws, {"make": make, "modes": modes, "keeps": keeps})


def free(
    name: str, make: Any = None, sure: bool = True, early: bool = False, broken: Any = None, **draws: Any
) -> Callable[[Any], Any]:
    """Enter a function of a line that returns several, of which any interleaving is right."""
    options = {"make": make, "modes": "L", "sure": sure, "early": early, "broken": broken}
    return _word("free", name, draws, options)


def timed(name: str, make: Any = None, **draws: Any) -> Callable[[Any], Any]:
    """Enter a function from a stream, and the time at which it is opened, to a line."""
    return _word("timed", name, draws, {"make": make, "modes": "T"})


def sink(name: str, make: Any = None, settle: Any = None, **draws: Any) -> Callable[[Any], Any]:
    """Enter a function of an iterator as the meaning of a sink."""
    options = {"make": make} if settle is None else {"make": make, "settle": settle}
    return _word("sink", name, draws, options)


# drawing ------------------------------------------------------------------------------------


class Draw:
    """What a pipeline is drawn with: numbers at random, and places and sources that are all different."""

    def __init__(self, random: Random, mode: str) -> None:
        self.random = random
        self.mode = mode
        self.places = 0
        self.sources = 0
        self.fractions = 0

    def place(self) -> int:
        self.places += 1
        return self.places

    def fraction(self) -> float:
        """A part of a second that is drawn once only, so that times drawn apart are not the same."""
        self.fractions += 1
        return (2 * self.random.randrange(2**20) + 1) / 2**21

    def source(self, most: int = 6) -> Src:
        self.sources += 1
        count = self.random.randint(0, most)
        if self.mode == "L":
            return Src(self.sources, (0.0,) * count)
        gaps = [float(self.random.randint(1, 4)) for _ in range(count)]
        end = float(self.random.randint(1, 3))
        if gaps:
            gaps[0] += self.fraction()
        else:
            end += self.fraction()
        return Src(self.sources, tuple(gaps), end)

    def pipe(self, most: int = 2) -> Pipe:
        """Some steps that make of each item another, or none."""
        names = [self.random.choice(SIMPLE) for _ in range(self.random.randint(1, most))]
        return Pipe(tuple([WORDS[name].drawn(self) for name in names]))


SIMPLE = ("map_", "filter_", "tap", "enumerate_", "batch", "take", "skip", "pairwise", "flatten")
"""The words of pipes inside of operators."""


def whole(least: int, most: int) -> Callable[[Draw], int]:
    return lambda draw: draw.random.randint(least, most)


def fn(*names: str) -> Callable[[Draw], Fn]:
    return lambda draw: Fn(draw.random.choice(names))


def seconds(least: int = 0, most: int = 3) -> Callable[[Draw], float]:
    return lambda draw: draw.random.randint(least, most) + draw.fraction()


def other(most: int = 5) -> Callable[[Draw], tuple[Src, ...]]:
    """One or two other sources."""
    return lambda draw: tuple([draw.source(most) for _ in range(draw.random.randint(1, 2))])


def pipe(most: int = 2) -> Callable[[Draw], Pipe]:
    return lambda draw: draw.pipe(most)


def tactic(*names: str) -> Callable[[Draw], Tactic]:
    return lambda draw: Tactic(draw.random.choice(names), draw.random.randint(1, 3))


def strategy(tactic: Tactic, **named: Any) -> Any:
    """The strategy of the library."""
    kind = getattr(streamkit, tactic.name)
    return kind(**named) if tactic.name in {"KeepLatest", "Unbounded"} else kind(tactic.capacity, **named)


def given(step: Step, **changes: Any) -> Step:
    """`step` with other arguments."""
    return replace(step, given={**step.given, **changes})
