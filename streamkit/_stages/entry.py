"""Entries: what an operator does when the stream before it has ended, or failed.

Operators that go on with another stream then (``concat``, ``catch``, ``retry``, ``repeat``) differ only in
this; `sequence` runs them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from typing import Any

from streamkit._core.errors import UNCAUGHT
from streamkit._core.markers import EMPTY
from streamkit._engine.compile.key import Kind
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import Opened, Source

__all__ = ["Again", "Entry", "Several"]


class Entry(ABC):
    """What an operator does when the stream before it has ended, or failed."""

    done = False
    """Whether it has no more to say."""
    shelters = False
    """Whether it may take an error."""

    @abstractmethod
    def ended(self) -> Inlet[Any] | Awaitable[Inlet[Any]] | None:
        """The stream that follows now that the one before has ended, or an awaitable of it; None if none."""

    def lists(self) -> list[Any]:
        """The ranges, lists and tuples that follow next, with none between; it goes on behind them."""
        return []

    def takes(self, error: Exception) -> bool:
        """Whether a stream follows after `error`."""
        return False

    async def failed(self, error: Exception) -> Any:
        """What follows after `error`, which it `takes`: whatever a stream can begin with.

        EMPTY if nothing does, because it does not take this error after all.
        """
        return EMPTY  # pragma: no cover - one that `takes` no error is not asked

    @property
    def pauses(self) -> bool:
        """Whether there is something to wait for before what follows is opened."""
        return False

    async def pause(self) -> None:  # noqa: B027 - most pause for nothing
        """Wait for that, if it `pauses`."""

    def behind(self, inlet: Inlet[Any], count: int) -> None:
        """It stands behind the source of `inlet` and its first `count` links."""
        return  # only some need to know

    async def leave(self) -> None:  # noqa: B027 - most have nothing open
        """Close what it has opened: it will be asked for no more."""

    def blames(self, error: Exception) -> bool:
        """Whether its operator is to blame for `error`, with which what follows could not be opened."""
        return True


class Again(Entry):
    """Goes on with the stream before it, run anew."""

    _before: Inlet[Any]
    _count: int

    def behind(self, inlet: Inlet[Any], count: int) -> None:
        self._before, self._count = inlet, count

    def blames(self, error: Exception) -> bool:
        return isinstance(error, UNCAUGHT)

    def anew(self) -> Inlet[Any]:
        """The stream before it, for another run."""
        before, count = self._before, self._count
        source, links = before.source.anew(), before.links
        if source is not before.source or count < len(links):
            self._before = before = Inlet[Any](source, links[:count])
        return before


class Several(Source):
    """Ranges, lists and tuples that follow each other, as one source: nothing happens between them."""

    __slots__ = ()

    def __init__(self, lists: list[Any]) -> None:
        super().__init__(lists)

    def open(self, *, blocking: bool = False) -> Opened:
        return Opened(Kind.SLICE, _Sliced(self.value))


class _Sliced:
    """Several lists, to be sliced by a loop from the first item to the last: each slice is of one of them.

    So an item costs what it costs in one list; an iterator over all would be a call per item.
    """

    __slots__ = ("_left", "_start")

    def __init__(self, lists: list[Any]) -> None:
        self._left = lists[::-1]
        self._start = 0

    def __getitem__(self, part: slice) -> Sequence[Any]:
        left = self._left
        while left:
            found: Sequence[Any] = left[-1][self._start : self._start + part.stop - part.start]
            if found:
                self._start += len(found)
                return found
            left.pop()
            self._start = 0
        return ()
