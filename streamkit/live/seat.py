"""Cells and seats: what stands in a slot, and each run of it, with the changes that it has not made yet.

A slot that stands in a pipe is there as its `Cell`: the pipe is a value, and the content of the cell is not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from streamkit._core.arguments import Composed
from streamkit._core.errors import UNCAUGHT, noted
from streamkit._core.value import Record
from streamkit._engine.plan.link import Link, piped

__all__ = ["Cell", "Changing", "Content", "Seat", "Trial", "Turn", "named"]


class Content(Record):
    """What stands in a slot at one time."""

    links: tuple[Link, ...]
    generation: int
    """How often the slot was changed before."""


class Changing(Protocol):
    """A change, as runs of slots see it."""

    def began(self) -> None:
        """A content that it takes out gets no more items."""

    def turned(self) -> int:
        """A run has gone over to it; how many items are on trial there."""
        ...

    def ended(self) -> None:
        """A run has ended before that."""

    def proved(self) -> None:
        """The items on trial have passed, in one run, or nothing is left of it."""

    def failed(self, error: Exception) -> None:
        """One of them has failed: the slot goes back."""


class Cell(Composed):
    """What stands in a slot now, and where that runs. In explanations it is the pipe that it has now."""

    def __init__(self, links: tuple[Link, ...], name: str, slot: Any) -> None:
        self.content: Content = Content(links=links, generation=0)
        self.name = name
        self.slot = slot
        """The operator that it is in pipes."""
        self.seats: list[Seat] = []
        """The runs of the slot that have begun and not ended."""
        self.last: Changing | None = None
        """The change that its content came with."""

    @property
    def links(self) -> tuple[Link, ...]:
        return self.content.links

    def __repr__(self) -> str:
        inner = piped("", self.links)
        return f"Slot({', '.join([inner] * bool(inner) + [f'name={self.name!r}'] * bool(self.name))})"

    def __deepcopy__(self, memo: object) -> Cell:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return attrgetter("cell"), (self.slot,)


class Turn:
    """What one run of a slot has to do for a change."""

    __slots__ = ("change", "content", "ready")

    def __init__(self, change: Changing, content: Content) -> None:
        self.change: Changing = change
        self.content: Content = content
        self.ready: bool = False
        """Whether no item can come that an older content of another slot of the change has seen."""


class Trial:
    """The first items of a new content, which go through the old one if one of them fails."""

    __slots__ = ("before", "change", "left", "log", "parts")

    def __init__(self, change: Changing, before: Content, items: int) -> None:
        self.change: Changing = change
        self.before: Content = before
        self.left: int = items
        """How many more are on trial."""
        self.log: list[Any] = []
        """Those that came in since something last came out."""
        self.parts: list[Any] = []
        """The segments of the content's loops."""

    @property
    def failing(self) -> bool:
        """Whether an error is on its way: what comes out then is what steps held, and is in the log, too."""
        return any(part.first is not None for part in self.parts)


class Position(NamedTuple):
    """Where a slot runs."""

    before: tuple[Link, ...]
    """The operators before it in the pipe."""
    loop: asyncio.AbstractEventLoop


class Seat:
    """One run of a slot."""

    def __init__(self, cell: Cell, before: tuple[Link, ...], follower: Seat | None) -> None:
        self.cell = cell
        self.position: Position = Position(before, asyncio.get_running_loop())
        self.follower = follower
        """The next slot behind it in the pipe."""
        self.upstream: Seat | None = None
        if follower is not None:
            follower.upstream = self
        self.content: Content = cell.content
        self.turns: deque[Turn] = deque()
        """The changes that it has not gone over to, in their order."""
        self.edited: bool = False
        """Whether it is to go over to the first of them now."""
        self.hand: deque[Any] = deque()
        """Items that came in, and that no content has got."""
        self.wake: Callable[[], None] | None = None
        """Ends a wait for the next item, where that can be ended."""
        self.trial: Trial | None = None
        self.failure: BaseException | None = None
        """The error of what is before it, which is none of the content's."""
        self.cut: bool = False
        """Whether the content has seen the end of its source: because of a change, or of the end."""
        cell.seats.append(self)

    def due(self, change: Changing) -> None:
        """No older item of a slot of this change can come: go over to it behind those that are inside."""
        for turn in self.turns:
            if turn.change is change:
                turn.ready = True
        self.edited = self.turns[0].ready
        if self.edited and self.wake is not None:
            self.wake()

    def has(self, change: Changing) -> bool:
        """Whether it has to go over to that."""
        return any(turn.change is change for turn in self.turns)

    def above(self) -> Iterator[Seat]:
        """The slots before it in the pipe that run, the nearest first."""
        seat = self.upstream
        while seat is not None:
            yield seat
            seat = seat.upstream

    def below(self) -> Iterator[Seat]:
        """The slots behind it in the pipe."""
        seat = self.follower
        while seat is not None:
            yield seat
            seat = seat.follower

    # what the stage does ---------------------------------------------------------------------

    def begin(self) -> None:
        """The content that is there gets no more items."""
        self.cut = True
        for turn in self.turns:
            if turn.ready:
                turn.change.began()

    def turn(self) -> bool:
        """Go over to the newest content whose turn it is; False if there is none, or the old one ended."""
        if not (self.cut and self.edited):
            return False
        self._end_trial()
        before = self.content
        while self.turns and self.turns[0].ready:
            turn = self.turns.popleft()
            self.content = turn.content
            items = turn.change.turned()
            self._end_trial()  # of a content that was replaced before it got anything
            self.trial = Trial(turn.change, before, items) if items else None
            self._pass_on(turn.change)
        self.edited = self.cut = False
        return True

    def _pass_on(self, change: Changing) -> None:
        for seat in self.below():
            if seat.has(change):
                seat.due(change)
                return

    def took(self, item: Any) -> None:
        """An item goes into the content."""
        trial = self.trial
        if trial is None:
            return
        if trial.left:
            trial.left -= 1
            trial.log.append(item)
        else:
            self._end_trial()

    def gave(self) -> bool:
        """Something has come out of the content; False if it is to be thrown away."""
        if self.trial is not None:
            if self.trial.failing:
                return False
            self.trial.log.clear()
        return True

    def _end_trial(self) -> None:
        trial, self.trial = self.trial, None
        if trial is not None:
            trial.change.proved()

    def rolls_back(self, error: Exception) -> bool:
        """Go back to the old content, if `error` came of an item that is on trial."""
        trial = self.trial
        if trial is None or error is self.failure or isinstance(error, UNCAUGHT):
            return False
        self.trial = None
        self.cut = True
        self.hand.extendleft(reversed(trial.log))
        trial.change.failed(error)
        # a change back is the last of its turns; or others have come since, and take its place
        self.content = Content(links=trial.before.links, generation=self.content.generation)
        return True

    def leave(self) -> None:
        """The run has ended."""
        if self not in self.cell.seats:
            return
        self.cell.seats.remove(self)
        self._end_trial()
        self.edited = False
        turns = [*self.turns]
        self.turns.clear()
        if self.follower is not None:
            self.follower.upstream = None
        for turn in turns:
            turn.change.ended()
            self._pass_on(turn.change)

    def withdraw(self, change: Changing) -> None:
        """That has not begun, and is taken back."""
        self.turns = deque([turn for turn in self.turns if turn.change is not change])
        self.edited = bool(self.turns) and self.turns[0].ready


def named(error: Exception, seat: Seat) -> None:
    """Note on `error` which content has raised it. That of the first is the one that is in the pipe."""
    if error is not seat.failure and seat.content.generation:
        noted(error, f"in generation {seat.content.generation} of {seat.cell!r}")
