"""What interrupts a change of a shared channel, and is done when the change is complete.

A signal handler, a finaliser or a callback may call the channel while the same thread is in the middle of a
change. No lock can keep it out, and it cannot wait. So it is answered from what is known, and changes
nothing: what it wants is kept in `Meanwhile.todo`. Whoever holds the lock does that before the next change,
and looks for more of it when the lock was released (``Changes.released``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from streamkit._core.show import shown
from streamkit._engine.buffer.lane import Lane

__all__ = ["Late", "Meanwhile", "Offered"]

SPARE = 4
"""Places that `SharedChannel.take` leaves free: so many calls of it may interrupt one another."""
CHAIN = 1_000
"""Interruptions in a row that may be folded without an end of it: then it is the fold that offers them. As
many calls of an ``on_drop`` may offer what makes others drop, before one call is over."""


class Offered(Enum):
    """What became of an item that was offered."""

    ACCEPTED = "accepted"
    """It was taken in."""
    DROPPED = "dropped"
    """It was dropped, as the strategy says."""
    FULL = "full"
    """It was refused: there is no room, and the strategy drops nothing."""
    CLOSED = "closed"
    """It was refused: the stream has ended."""

    def __bool__(self) -> bool:
        """Whether the item was taken in."""
        return self is Offered.ACCEPTED


class Late(NamedTuple):
    """An item that was answered already; None if what came is no item."""

    outcome: Offered | None
    act: Callable[[], object]


class Meanwhile:
    """Answers what interrupts a change, and keeps it until that is complete."""

    __slots__ = ("_coming", "_row", "ending", "owned", "putting", "telling", "todo")

    def __init__(self, lock: Any) -> None:
        self.owned: Callable[[], bool] = lock._is_owned
        """Whether this thread is in the middle of a change."""
        self.todo: deque[Late] = deque()
        self.ending: bool = False
        """Whether the channel ends, or will as soon as the change is complete."""
        self.putting: bool = False
        """Whether the change may put an item in, which needs a place."""
        self.telling: dict[int, bool] = {}
        """The threads that call ``on_drop``; whether items were dropped in that call."""
        self._coming = 0
        """Items in `todo` that were answered as taken in."""
        self._row = 0

    def answer(self, lane: Lane, *, waited: bool) -> Offered:
        """What is to become of an item that interrupts; `waited` says whether others wait for room."""
        if self.ending:
            return Offered.CLOSED
        strategy = lane.strategy
        assert strategy is not None
        coming = self._coming + (self.putting or lane.limit > SPARE)  # `take` says nothing of its item
        if not waited and len(lane.held) + coming < lane.limit:
            return Offered.ACCEPTED
        if lane.waits:
            return Offered.FULL
        if strategy.fails:
            self.ending = True
            return Offered.FULL
        return Offered.DROPPED if strategy.drops_incoming else Offered.ACCEPTED

    def later(self, act: Callable[[], object], outcome: Offered | None = None) -> None:
        """Do `act` when the change is complete."""
        if outcome is Offered.ACCEPTED:
            self._coming += 1
        self.todo.append(Late(outcome, act))

    def catch_up(self, lane: Lane) -> None:
        """Do what has interrupted. The caller holds the lock."""
        while self.todo:
            outcome, act = self.todo.popleft()
            if outcome is Offered.ACCEPTED:
                self._coming -= 1
            act()
            self._row += 1
            strategy = lane.strategy
            if self._row > CHAIN and strategy is not None and strategy.folds and lane.open:
                self._row = 0
                raise RuntimeError(f"{shown(strategy)}: its fold offers an item for each that it folds")
        self._row = self._coming = 0
