"""Cells and seats: what stands in a slot, and each run of it, with the changes that it has not made yet.

A slot that stands in a pipe is there as its `Cell`: the pipe is a value, and the content of the cell is not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from operator import attrgetter
from typing import Any, NamedTuple

from streamkit._core.arguments import Composed
from streamkit._core.errors import UNCAUGHT, noted
from streamkit._engine.plan.link import Link, piped
from streamkit.live.content import Changing, Content
from streamkit.live.trial import Part, Trial

__all__ = ["Cell", "Inside", "Seat", "Turn", "named"]


class Cell(Composed):
    """What stands in a slot now, and where that runs. In explanations it is the pipe that it has now."""

    def __init__(self, links: tuple[Link, ...], name: str, slot: Any, *, apart: bool) -> None:
        self.content: Content = Content(links=links, generation=0)
        self.name = name
        self.slot = slot
        """The operator that it is in pipes."""
        self.apart = apart
        """Whether it may have stages, and reads its source in a task of its own."""
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

    __slots__ = ("change", "content", "first", "ready")

    def __init__(self, change: Changing, content: Content) -> None:
        self.change: Changing = change
        self.content: Content = content
        self.first: bool = False
        """Whether no other slot of the change stands before it in the pipe."""
        self.ready: bool = False
        """Whether no item can come that an older content of another slot of the change has seen."""


class Inside(Enum):
    """What becomes of what is inside of a slot."""

    KEPT = "kept"
    """It stays, and the content gets more."""
    ENDS = "ends"
    """It comes out: the content has seen the end of its source, because of a change, or of the end."""
    DROPPED = "dropped"
    """It is thrown away, as the items go through the old content: that, or another, has taken its place."""


class Position(NamedTuple):
    """Where a slot runs."""

    before: tuple[Link, ...]
    """The operators before it in the pipe."""
    loop: asyncio.AbstractEventLoop
    with_generation: bool
    """Whether its items come out with their generation."""
    tracked: bool
    """Whether deliveries of a durable source are followed through it."""


class Seat:
    """One run of a slot."""

    def __init__(
        self,
        cell: Cell,
        before: tuple[Link, ...],
        follower: Seat | None,
        *,
        with_generation: bool,
        tracked: bool = False,
    ) -> None:
        self.cell = cell
        self.position: Position = Position(before, asyncio.get_running_loop(), with_generation, tracked)
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
        self.trial: Part | None = None
        self.failure: BaseException | None = None
        """The error of what is before it, which is none of the content's."""
        self.inside: Inside = Inside.KEPT
        cell.seats.append(self)

    @property
    def links(self) -> tuple[Link, ...]:
        """What runs in it."""
        return self.content.run(with_generation=self.position.with_generation)

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
        if self.inside is Inside.KEPT:
            self.inside = Inside.ENDS
        if self.trial is not None and not self.trial.trial.leads(self):
            self._end_trial()  # an item that waits here for the next content is one of those on trial
        for turn in self.turns:
            if turn.ready:
                turn.change.began()

    def turn(self) -> bool:
        """Go over to the newest content whose turn it is; False if the stream has ended."""
        if self.inside is Inside.KEPT or not self.edited:
            dropped = self.inside is Inside.DROPPED
            self.inside = Inside.KEPT if dropped else self.inside
            return dropped
        self._end_trial()
        before = self.content
        while self.turns and self.turns[0].ready:
            turn = self.turns.popleft()
            self.content = turn.content
            self._end_trial()  # of a content that was replaced before it got anything
            if items := turn.change.trial:
                self._join(turn, before, items)
            turn.change.turned()
            self._pass_on(turn.change)
        self.edited, self.inside = False, Inside.KEPT
        return True

    def _pass_on(self, change: Changing) -> None:
        for seat in self.below():
            if seat.has(change):
                seat.due(change)
                return

    def took(self, item: Any) -> None:
        """An item goes into the content."""
        if self.trial is not None and self.trial.trial.leads(self):
            self.trial.trial.took(item)

    def gave(self) -> bool:
        """Something has come out of the content; False if it is to be thrown away."""
        if self.inside is Inside.DROPPED:
            return False
        if self.trial is not None:
            if self.trial.failing:
                return False
            self.trial.trial.gave(self)
        return True

    def _join(self, turn: Turn, before: Content, items: int) -> None:
        """The new content is on trial, if that of the first slot of the change is."""
        trial: Trial | None = None
        if turn.first:
            trial = Trial(
                turn.change, items, [self, *[each for each in self.below() if each.has(turn.change)]]
            )
        else:
            on_trial = [each.trial.trial for each in self.above() if each.trial is not None]
            trial = next((each for each in on_trial if each.change is turn.change), None)
        self.trial = None if trial is None else trial.join(self, before)

    def _end_trial(self) -> None:
        if self.trial is not None:
            self.trial.trial.end()

    def rolls_back(self, error: Exception) -> bool:
        """Go back to the old content, if `error` came of an item that is on trial."""
        if self.trial is None or error is self.failure or isinstance(error, UNCAUGHT):
            return False
        self.trial.trial.fail(error)
        return True

    def drop(self) -> None:
        """What is inside goes through the old content, anew."""
        assert self.trial is not None
        self.content = Content(links=self.trial.before.links, generation=self.content.generation)
        self.inside = Inside.DROPPED
        self.trial = None

    def go_back(self) -> None:
        """Go over to what takes the place of the content that has failed. There is nothing to wait for."""
        self.begin()
        self.turn()
        self.inside = Inside.DROPPED

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
