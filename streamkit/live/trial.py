"""Trials: the first items of new contents, which go through the old ones if one of them fails.

A trial is that of one slot, or of several behind each other that are changed at once. They go back together:
what went into the first since something last came out of the last goes through the old content of all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from streamkit._engine.compile.pieces import StepDeclaration
from streamkit._engine.compile.scopes import assigned
from streamkit._engine.plan.link import Link, flattened
from streamkit.live.content import Changing, Content

__all__ = ["DroppedError", "Part", "Trial", "check_trial", "unreturning"]


class DroppedError(BaseException):
    """Ends a content whose items go through another: it passes nothing on. No step takes it for an error."""


class Trying(Protocol):
    """A run of a slot, as trials see it."""

    trial: Part | None
    hand: deque[Any]

    def drop(self) -> None:
        """What is inside goes through the old content, anew."""

    def go_back(self) -> None:
        """Go over to what takes the place of the content that has failed."""


class Part:
    """What one run of a slot has of a trial."""

    __slots__ = ("before", "segments", "trial")

    def __init__(self, trial: Trial, before: Content) -> None:
        self.trial: Trial = trial
        self.before: Content = before
        """The old content."""
        self.segments: list[Any] = []
        """Those of the loops of the new one."""

    @property
    def failing(self) -> bool:
        """Whether an error is on its way: what comes out then is what steps held, and is logged, too."""
        return any(each.first is not None for each in self.segments)


class Trial:
    """The first items of the new contents of one pipe."""

    __slots__ = ("_last", "_left", "_log", "_seats", "change")

    def __init__(self, change: Changing, items: int, seats: Sequence[Trying]) -> None:
        self.change: Changing = change
        self._left: int = items
        """How many more are on trial."""
        self._log: list[Any] = []
        """Those that came in since something last came out."""
        self._seats: list[Trying] = []
        """The runs of slots that have their new content, from the first in the pipe on."""
        self._last: Trying = seats[-1]

    def join(self, seat: Trying, before: Content) -> Part:
        """A run has its new content now."""
        self._seats.append(seat)
        self.change.tries()
        return Part(self, before)

    def leads(self, seat: Trying) -> bool:
        """Whether that is the first of them."""
        return self._seats[0] is seat

    def took(self, item: Any) -> None:
        """An item goes into the first."""
        if self._left:
            self._left -= 1
            self._log.append(item)
            self.change.met()
        else:
            self.end()

    def gave(self, seat: Trying) -> None:
        """Something came out: for good, if that is the last of them."""
        if seat is self._last:
            self._log.clear()

    def end(self) -> None:
        """The new contents stay."""
        for seat in self._seats:
            seat.trial = None
        for _ in self._seats:
            self.change.proved()

    def fail(self, error: Exception) -> None:
        """All of them go back at once, as nothing of what is between them is passed on."""
        for seat in self._seats:
            seat.drop()
        self._seats[0].hand.extendleft(reversed(self._log))
        self.change.failed(error)
        for seat in self._seats:
            seat.go_back()
        for _ in self._seats[1:]:
            self.change.proved()


def check_trial(links: Sequence[Link]) -> None:
    """Refuse a content that cannot be on trial.

    Raises:
        ValueError: it has a stage.
    """
    for link in links:
        if link.declaration.stage is not None:
            raise ValueError(
                f"rollback must be 0 where {link!r} comes in: it is a stage, which may have several items "
                "inside, and which of them has failed is not known"
            )


def unreturning(links: Sequence[Link]) -> Link | None:
    """The first of `links`, the steps between two slots, that cannot be as if an item had not come."""
    for link in flattened(links):
        of = link.declaration
        keeps = isinstance(of, StepDeclaration) and bool(assigned(of.parsed.setup))
        if keeps or of.contract.spreads or of.nests:
            return link
    return None
