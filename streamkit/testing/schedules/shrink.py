"""Shrinking: from a schedule that fails to one with fewer switches that fails in the same way.

Switches are left out by delta debugging (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing
Input, IEEE TSE 2002). Where several are left, other ways are tried: a single park anywhere, then two and
three at random, and one anywhere in the place of two. A random walk does not shrink well, because without one
of its choices all picks behind it mean something else. So parks that lead to the same course stand in for it.

>>> fewest(range(20), lambda left: {3, 17} <= set(left))
(3, 17)
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice
from random import Random
from typing import Final, TypeVar

from streamkit.testing.schedules.course import Course
from streamkit.testing.schedules.faults import Fault
from streamkit.testing.schedules.orders import TOP, Followed, Given, Order, Parks, drawn
from streamkit.testing.schedules.tokens import Park, Rank, Schedule, Switch, Take

__all__ = ["RUNS", "Fails", "fewest", "shrunk"]

T = TypeVar("T")

Fails = Callable[[Order, tuple[Fault, ...]], Course | None]
"""Runs once; the course of that run if it failed in the same way, else None."""

RUNS: Final = 1_000
"""How many runs shrinking may take."""
_FEW: Final = 2
"""With more switches than these, a walk itself is shrunk, too."""
_FRESH: Final = 60
"""How many orders are drawn to find another failure of the same kind."""
_OTHERS: Final = 8
"""How many such others are shrunk, where several switches are left."""
_SINGLE: Final = 400
"""How many single parks are tried."""
_SEVERAL: Final = 60
"""How many random pairs of parks are tried, and as many triples."""
_STEAD: Final = 200
"""How many parks are tried in the stead of two: with many switches, they would leave no runs for others."""


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


def shrunk(found: Course, fails: Fails, random: Random, runs: int = RUNS) -> Schedule:
    """A schedule with as few switches as were found to fail in the same way as `found` did.

    At most `runs` runs are made.
    """
    search = _Shrinking(found, fails, random, runs)
    with contextlib.suppress(_SpentError):
        search.go()
    return search.best.schedule


class _Shrinking:
    """The search for a smaller schedule, and the course of the best one so far."""

    def __init__(self, found: Course, fails: Fails, random: Random, runs: int) -> None:
        self.best = self._found = found
        self._fails = fails
        self._random = random
        self._left = runs

    def go(self) -> None:
        """Shrink."""
        found = self._found
        if _has(found, Take):
            self.best = self._by_parks() or found
        self._leave_out()
        for other in (self._by_parks, self._another, self._by_parks):
            if _has(self.best, Rank) or len(self.best.switches) > _FEW:
                self._shrink_too(other())
        for orders, least in ((self._singles, 1), (self._pairs, 2), (self._triples, 3)):
            if len(self.best.switches) > least:
                self._any_of(orders())
        before = len(self.best.switches) + 1
        while _FEW < len(self.best.switches) < before:
            before = len(self.best.switches)
            self._any_of(islice(self._one_for_two(), _STEAD))
        if len(self.best.switches) > _FEW and _has(found, Take):
            self._shrink_too(found)
        for _ in range(_OTHERS):
            if len(self.best.switches) > _FEW:
                self._shrink_too(self._another())
        self._leave_out()
        self._lower_ranks()

    # -- runs -----------------------------------------------------------------------------------

    def _made(self, order: Order, faults: Sequence[Fault]) -> Course | None:
        if not self._left:
            raise _SpentError
        self._left -= 1
        return self._fails(order, tuple(faults))

    def _tries(self, order: Order, faults: Sequence[Fault]) -> bool:
        """Whether it fails in the same way; what is smaller is kept."""
        made = self._made(order, faults)
        if made is not None:
            self.best = min(self.best, made, key=_cost)
        return made is not None

    def _fails_with(self, switches: Sequence[Switch], faults: Sequence[Fault]) -> bool:
        return self._tries(Given(Schedule(tuple(switches), tuple(faults))), faults)

    # -- what is tried --------------------------------------------------------------------------

    def _leave_out(self) -> None:
        """Leave out what is not needed: faults first, then switches."""
        fewest(self.best.faults, lambda faults: self._fails_with(self.best.switches, faults))
        fewest(self.best.switches, lambda switches: self._fails_with(switches, self.best.faults))

    def _lower_ranks(self) -> None:
        """Ranks of 1, 2 and so on do as well as those that were drawn, and are shorter."""
        ranks = sorted({switch.rank for switch in self.best.switches if isinstance(switch, Rank)})
        if ranks != [*range(1, len(ranks) + 1)]:
            switches = tuple(
                Rank(switch.lane, 1 + ranks.index(switch.rank)) if isinstance(switch, Rank) else switch
                for switch in self.best.switches
            )
            self.best = self._made(Given(Schedule(switches)), self.best.faults) or self.best

    def _any_of(self, orders: Iterator[Order]) -> None:
        """Try `orders`, until one of them fails with fewer switches."""
        before = len(self.best.switches)
        for order in orders:
            if self._tries(order, self.best.faults) and len(self.best.switches) < before:
                return

    def _shrink_too(self, other: Course | None) -> None:
        """Shrink `other`, which fails in the same way, and keep it if it comes to less."""
        if other is None:
            return
        before, self.best = self.best, other
        try:
            if _has(other, Take) and other is not self._found:
                self.best = self._by_parks() or other
            self._leave_out()
        finally:
            self.best = min(before, self.best, key=_cost)

    def _by_parks(self) -> Course | None:
        """The same course, by parks alone."""
        return self._made(Followed(self.best.chosen), self.best.faults)

    def _another(self) -> Course | None:
        """Another one, of any kind, that fails in the same way: it may come to fewer switches."""
        for number in range(_FRESH):
            made = self._made(drawn(number, self._random, self._picks), self.best.faults)
            if made is not None:
                return made
        return None

    @property
    def _picks(self) -> int:
        return len(self.best.counts)

    def _singles(self) -> Iterator[Order]:
        picks = range(self._picks)
        for pick in sorted(self._random.sample(picks, min(len(picks), _SINGLE))):
            yield Parks.at(pick)

    def _pairs(self) -> Iterator[Order]:
        for _ in range(_SEVERAL):
            yield Parks(self._random, self._picks, 2)

    def _triples(self) -> Iterator[Order]:
        for _ in range(_SEVERAL):
            yield Parks(self._random, self._picks, 3)

    def _one_for_two(self) -> Iterator[Order]:
        """One park anywhere in the place of two switches: of two near each other, first."""
        switches = self.best.switches
        pairs = sorted(combinations(range(len(switches)), 2), key=lambda pair: pair[1] - pair[0])
        for one, two in pairs:
            rest = [switch for place, switch in enumerate(switches) if place not in (one, two)]
            for pick in range(self._picks):
                yield Given(Schedule((*rest, Park(pick, TOP))))


def _has(course: Course, kind: type[Switch]) -> bool:
    return any(isinstance(switch, kind) for switch in course.switches)


def _cost(course: Course) -> tuple[int, int]:
    """By which courses are compared: fewer switches, then fewer ranks, which say less than a place does."""
    return len(course.schedule), sum(isinstance(switch, Rank) for switch in course.switches)
