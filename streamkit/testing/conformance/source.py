"""What is checked of a source: how to make it, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from streamkit._engine.face.stream import Stream
from streamkit.testing.conformance.items import plain
from streamkit.testing.conformance.lab import Lab, play

__all__ = ["Again", "SourceSubject", "played", "read"]

T = TypeVar("T")


class Again(Enum):
    """What a second run of one stream gives."""

    SAME = "the same items"
    NEVER = "an error: it can be run once"
    REST = "what the first has left"


@dataclass(frozen=True)
class SourceSubject:
    """One way to write one source."""

    name: str
    make: Callable[[Lab], Stream[Any]]
    """The stream; what it needs of sources, items and callbacks it takes from the lab."""
    first: tuple[Any, ...]
    """Its first items, those of the lab by their numbers."""
    ends: bool = True
    """Whether it ends after these."""
    error: type[Exception] | None = None
    """What it fails with in place of an end."""
    again: Again = Again.SAME
    calls: bool = False
    """Whether it calls a callback of the lab."""
    threads: bool = False
    """Whether it has threads of its own."""
    pickles: bool = True
    """Whether it can be pickled if its arguments can."""
    keeps: int = 0
    """How many items it keeps that its consumer has dropped."""
    wasted: bool = False
    """Whether Python warns where it is never run."""
    waits: bool = False
    """Whether it lets time pass, of itself."""
    compares: bool = True
    """Whether the items of two runs are equal."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of callback that are tried."""
        return ("sync", "async", "lambda", "object") if self.calls else ("sync",)

    @property
    def most(self) -> int | None:
        """How many items to read of it: all, if it ends."""
        return None if self.ends else len(self.first)

    def wanted(self, found: list[Any]) -> tuple[list[Any], list[Any]]:
        """What is to come of it, and what has: as they compare."""
        first = [*self.first] if self.error is None else []
        if self.compares:
            return first, found
        return [type(each) for each in first], [type(each) for each in found]


async def read(stream: Stream[Any], limit: int | None = None) -> list[Any]:
    """The items of `stream`, at most so many, as they compare."""
    out: list[Any] = []
    if limit == 0:
        return out
    async with stream.open() as items:
        async for item in items:
            out.append(plain(item))
            del item
            if len(out) == limit:
                break
    return out


def played(subject: SourceSubject, main: Callable[[], Coroutine[Any, Any, T]], *, leaks: bool = True) -> T:
    """Run `main` in virtual time, with threads where the source has some."""
    return play(main, threads=subject.threads, leaks=leaks)
