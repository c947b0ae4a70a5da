"""What the laws of sources are made with: ways to write each, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from streamkit import Stream
from tests.laws.items import plain
from tests.laws.lab import Lab

__all__ = ["Again", "SourceSample", "read"]


class Again(Enum):
    """What a second run of one stream gives."""

    SAME = "the same items"
    NEVER = "an error: it can be run once"
    REST = "what the first has left"


@dataclass(frozen=True)
class SourceSample:
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

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of callback that are tried."""
        return ("sync", "async", "lambda", "object") if self.calls else ("sync",)

    def __repr__(self) -> str:
        return self.name


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
