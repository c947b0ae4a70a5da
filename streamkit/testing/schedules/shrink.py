"""Shrinking: from a schedule that fails to one with fewer switches that fails in the same way.

Switches are left out by delta debugging (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing
Input, IEEE TSE 2002). Where several are left, other ways are tried: a single park anywhere, then two and
three at random. A random walk does not shrink well, because without one of its choices all picks behind it
mean something else. There, PCT is tried first.

>>> fewest(range(20), lambda left: {3, 17} <= set(left))
(3, 17)
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final, TypeVar

from streamkit.testing.schedules.faults import Fault
from streamkit.testing.schedules.orders import Given, Order, Parks, Pct
from streamkit.testing.schedules.tokens import Rank, Schedule, Switch, Take

__all__ = ["RUNS", "Fails", "fewest", "shrunk"]

T = TypeVar("T")

Fails = Callable[[Order, tuple[Fault, ...]], Schedule | None]
"""Runs once; the schedule of that run if it failed in the same way, else None."""

RUNS: Final = 1_000
"""How many runs shrinking may take."""
_FEW: Final = 2
"""With more switches than these, a walk itself is shrunk, too."""
_FRESH: Final = 60
"""How many orders of PCT are tried in the place of a random walk."""
_SINGLE: Final = 400
"""How many single parks are tried."""
_SEVERAL: Final = 60
"""How many random pairs of parks are tried, and as many triples."""


class _SpentError(Exception):
    """No more runs."""


def fewest(items: Sequence[T], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """The part of `items` of which nothing can be left out alone: then it no longer `fails`.

    Halves are left out first, then ever smaller pieces, then single items until none of them can be.
    """
    left = tuple(items)
    if not left or fails(()):
        return ()
    size = max(len(left) // 2, 1)
    while True:
        before, start = len(left), 0
        while start < len(left) and len(left) > 1:
            tried = left[:start] + left[start + size :]
            if tried and fails(tried):
                left = tried
            else:
                start += size
        if size > 1:
            size //= 2
        elif len(left) == before:
            return left


def shrunk(found: Schedule, fails: Fails, picks: int, random: Random, runs: int = RUNS) -> Schedule:
    """A schedule with as few switches as were found to fail in the same way as `found` does.

    A program has about so many `picks`. At most `runs` runs are made.
    """
    search = _Shrinking(found, fails, picks, random, runs)
    with contextlib.suppress(_SpentError):
        search.go()
    return search.best


class _Shrinking:
    """The search for a smaller schedule, and the best one so far."""

    def __init__(self, found: Schedule, fails: Fails, picks: int, random: Random, runs: int) -> None:
        self.best = found
        self._fails = fails
        self._picks = picks
        self._random = random
        self._left = runs

    def go(self) -> None:
        """Shrink."""
        walked = self.best
        if any(isinstance(switch, Take) for switch in walked.switches):
            self._instead_of_a_walk()
        self._leave_out()
        for orders, least in ((self._singles, 1), (self._pairs, 2), (self._triples, 3)):
            if len(self.best.switches) > least:
                self._any_of(orders())
        if len(self.best.switches) > _FEW and walked is not self.best:
            fewest(walked.switches, lambda switches: self._fails_with(switches, walked.faults))
        self._leave_out()

    def _leave_out(self) -> None:
        """Leave out what is not needed: faults first, then switches."""
        fewest(self.best.faults, lambda faults: self._fails_with(self.best.switches, faults))
        fewest(self.best.switches, lambda switches: self._fails_with(switches, self.best.faults))

    def _fails_with(self, switches: tuple[Switch, ...], faults: tuple[Fault, ...]) -> bool:
        return self._tries(Given(Schedule(switches, faults)), faults)

    def _tries(self, order: Order, faults: tuple[Fault, ...]) -> bool:
        """Whether it fails in the same way; what is smaller is kept."""
        made = self._made(order, faults)
        if made is None:
            return False
        if _cost(made) < _cost(self.best):
            self.best = made
        return True

    def _made(self, order: Order, faults: tuple[Fault, ...]) -> Schedule | None:
        if not self._left:
            raise _SpentError
        self._left -= 1
        return self._fails(order, faults)

    def _any_of(self, orders: Iterator[Order]) -> None:
        """Try `orders`, until one of them fails with fewer switches."""
        before = len(self.best.switches)
        for order in orders:
            if self._tries(order, self.best.faults) and len(self.best.switches) < before:
                return

    def _instead_of_a_walk(self) -> None:
        """Find another schedule, without picks of its own: one by PCT that fails in the same way."""
        for number in range(_FRESH):
            made = self._made(Pct(self._random, self._picks, 2 + number % 3), self.best.faults)
            if made is not None:
                self.best = made
                return

    def _singles(self) -> Iterator[Order]:
        count = min(self._picks, _SINGLE)
        for pick in sorted(self._random.sample(range(self._picks), count)):
            yield Parks.at(pick)

    def _pairs(self) -> Iterator[Order]:
        for _ in range(_SEVERAL):
            yield Parks(self._random, self._picks, 2)

    def _triples(self) -> Iterator[Order]:
        for _ in range(_SEVERAL):
            yield Parks(self._random, self._picks, 3)


def _cost(schedule: Schedule) -> tuple[int, int]:
    """By which schedules are compared: fewer switches, then fewer ranks, which say less than a place does."""
    ranks = sum(isinstance(switch, Rank) for switch in schedule.switches)
    return len(schedule), ranks
