"""What is checked: an operator or a sink, how to make it, and what it may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from inspect import isasyncgenfunction, iscoroutine
from typing import Any, cast

from streamkit._core.contract import amount
from streamkit._core.errors import EmptyStreamError
from streamkit._core.show import named
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Stream
from streamkit.testing.conformance.items import Item
from streamkit.testing.conformance.lab import Lab

__all__ = ["WORDS", "Applied", "Case", "Subject", "iterated"]


class Applied:
    """A function of a stream as an operator: an async generator function, or one that returns a stream."""

    function: Callable[[Stream[Any]], Any]

    def __init__(self, function: Callable[[Stream[Any]], Any]) -> None:
        self.function = function

    def __call__(self, stream: Stream[Any]) -> Any:
        made: Any = None if isasyncgenfunction(self.function) else self.function(stream)
        if isinstance(made, (Stream, Job)):
            return cast("Any", made)
        if iscoroutine(made):
            made.close()
            raise TypeError(
                f"{named(self.function)}() returns a coroutine: of a sink, write a function with @stage, "
                "or one that returns a job"
            )
        return Stream(lambda: self.function(stream))


@dataclass(frozen=True)
class Subject:
    """One way to write one operator, or one sink."""

    name: str
    make: Callable[[Lab], Any]
    """The operator; what it needs of sources and callbacks it takes from the lab."""
    shape: Callable[[Item], Any] = lambda item: item
    """What an item of its source looks like."""
    calls: bool = False
    """Whether it calls a callback."""
    needs: int | None = 1
    """How many items it takes from its sources for the first that it passes on; None if it passes on none."""
    catches: bool = False
    """Whether it goes on after an error of its source."""
    lossless: bool = True
    """Whether all that is held is delivered when a source fails."""
    ordered: bool = True
    """Whether its results have one order only."""
    timed: bool = False
    """Whether which items it passes on depends on how long sources or callbacks take."""
    kinds: tuple[str, ...] = ("sync", "async")
    """The kinds of callback that most checks try."""
    waits: bool = False
    """Whether it lets time pass, of itself."""
    on_empty: type[Exception] = EmptyStreamError
    """What it may fail with where its source has too few items."""

    def built(self, lab: Lab) -> Any:
        """The operator over the lab's source: a stream or a job."""
        return self.over(Stream(lab.source(self.shape)), lab)

    def over(self, stream: Stream[Any], lab: Lab) -> Any:
        """The operator over `stream`: a stream or a job."""
        made = self.make(lab)
        built: Any = made(stream) if isinstance(made, Applied) else stream | made
        if not iterated(built):
            hash(built)  # it was used: it does not warn where a check cancels it before it begins
        return built

    @property
    def sink(self) -> bool:
        """Whether it ends a stream."""
        return not iterated(self.built(Lab()))

    @property
    def at_end(self) -> bool:
        """Whether its contract says that it emits nothing before its source has ended."""
        return bool(self.built(Lab()).explain().at_end)

    def ahead(self, built: Any) -> float:
        """Items that it may read ahead of those that its consumer asks for, from all of its sources."""
        return float(built.explain().lookahead)

    def ahead_of_main(self, built: Any) -> float:
        """The same of its first source, where others are read otherwise."""
        mixed = [link for link in built.links if link.declaration.contract.mixed]
        if not mixed:
            return self.ahead(built)
        contract = mixed[0].declaration.contract
        return float(amount(contract.lookahead, mixed[0].arguments))

    def bound(self, built: Any) -> float:
        """Items that may be inside."""
        return float(built.explain().bound)

    @property
    def steady(self) -> bool:
        """Whether the same comes out, in the same order, at any pace."""
        parts: Any = self.built(Lab()).explain().parts
        return self.ordered and not self.timed and all(part.loses == "nothing" for part in parts)

    def in_hand(self, built: Any) -> int:
        """Items that its variables may still name when an error has come out of it."""
        return 0

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Case:
    """How a check is made: with which sources and callbacks, and at which moment."""

    style: str = "turn"
    """Of the sources: one of `STYLES`."""
    kind: str = "sync"
    """Of the callbacks: one of `KINDS`."""
    most: int | None = None
    """Items that each source has at most."""
    at: int | None = None
    """The one step of the loop, or the one seed, that a check tries of those that it would try."""
    every: int = 1
    """How far apart the steps are that it tries otherwise."""
    first: int = 1
    """The first of those."""
    noted: list[int] = field(default_factory=lambda: [], compare=False, repr=False)
    """The step that is tried."""

    def lab(self, count: int = 4, **given: Any) -> Lab:
        """A lab whose sources have `count` items, or fewer where the case says so."""
        return Lab(
            self.style,
            given.pop("kind", self.kind),
            count=count if self.most is None else min(count, self.most),
            **given,
        )

    def steps(self, first: int | None = None) -> Iterator[int]:
        """The steps of the loop, or the seeds, that are to be tried, in turn; without an end, or only one."""
        begin = self.first if first is None else first
        number = begin if self.at is None else self.at
        while True:
            self.noted[:] = [number]
            yield number
            if self.at is not None:
                return
            number += self.every

    def __str__(self) -> str:
        words = [WORDS[self.style]]
        if self.kind != "sync":
            words.append(f"callbacks of the kind {self.kind!r}")
        if self.most is not None:
            words.append(f"{self.most} item{'' if self.most == 1 else 's'}")
        if self.at is not None:
            words.append(f"at step {self.at}")
        return ", ".join(words)


WORDS: dict[str, str] = {
    "turn": "a source that waits a turn of the loop for each item",
    "clock": "a source that waits a second for each item",
    "ready": "an async source that is always ready",
    "plain": "a plain iterable",
}
"""What the styles of sources are."""


def iterated(built: Any) -> bool:
    """Whether `built` is a stream, which is iterated, and not a job, which is awaited."""
    return hasattr(built, "open")
