"""Ways to choose which of several ready callbacks goes first: given as a schedule, or drawn by a strategy.

No strategy finds every bug, so a search mixes three. A *random walk* chooses anew at each pick. *Parks* let
all go in order, but put a lane, or two, below all others somewhere. *PCT*, probabilistic concurrency testing,
gives each lane a random rank, and at d - 1 random picks lowers that of the one that would go first: a bug
that takes d orderings to show is found with a probability of at least 1 / (n * k ** (d - 1)) for n lanes and
k picks (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of
Finding Bugs, ASPLOS 2010). Whatever is drawn is noted as switches of a `Schedule`, which runs it again.

>>> from streamkit.testing.schedules.tokens import Park, Schedule
>>> given = Given(Schedule((Park(pick=3, candidate=1),)))
>>> given.parks(3), given.parks(4), given.take(3, 2)
((1,), (), None)
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from streamkit.testing.schedules.tokens import Park, Rank, Schedule, Take

__all__ = ["BEFORE", "TOP", "Followed", "Given", "Order", "Parks", "Pct", "Walk", "drawn"]

TOP: Final = -1
"""For the candidate that would go first now."""
BEFORE: Final = -2
"""``BEFORE - n`` is for all candidates that would go before number n."""
_RANKS: Final = 1000


class Order:
    """What is asked at each pick. This one changes nothing: first in, first out."""

    __slots__ = ()

    def rank(self, lane: int) -> int:
        """The rank that a new lane begins with."""
        return 0

    def parks(self, pick: int) -> tuple[int, ...]:
        """The candidates whose lanes go below all others now."""
        return ()

    def take(self, pick: int, count: int) -> int | None:
        """Which of `count` candidates goes first, whatever the ranks are; None if they decide."""
        return None


class Given(Order):
    """A schedule that was found, or is tried."""

    __slots__ = ("_parks", "_ranks", "_takes")

    def __init__(self, schedule: Schedule) -> None:
        self._parks: dict[int, tuple[int, ...]] = {}
        self._takes: dict[int, int] = {}
        self._ranks: dict[int, int] = {}
        for switch in schedule.switches:
            match switch:
                case Park(pick, candidate):
                    self._parks[pick] = (*self._parks.get(pick, ()), candidate)
                case Take(pick, candidate):
                    self._takes[pick] = candidate
                case Rank(lane, rank):  # pragma: no branch - there is no fourth kind
                    self._ranks[lane] = rank

    def rank(self, lane: int) -> int:
        return self._ranks.get(lane, 0)

    def parks(self, pick: int) -> tuple[int, ...]:
        return self._parks.get(pick, ())

    def take(self, pick: int, count: int) -> int | None:
        candidate = self._takes.get(pick)
        return None if candidate is None or candidate >= count else candidate


class Followed(Order):
    """The same course as that of another run, by parks alone.

    Parks can be left out one by one, and mean the same without the others. A pick of a walk seldom does.
    """

    __slots__ = ("_chosen",)

    def __init__(self, chosen: Sequence[int]) -> None:
        self._chosen = chosen

    def parks(self, pick: int) -> tuple[int, ...]:
        return (BEFORE - self._chosen[pick],) if pick < len(self._chosen) else ()


class Walk(Order):
    """At each pick, with the probability `chance`, any candidate goes first."""

    __slots__ = ("_chance", "_random")

    def __init__(self, random: Random, chance: float) -> None:
        self._random = random
        self._chance = chance

    def take(self, pick: int, count: int) -> int | None:
        random = self._random.random
        if random() >= self._chance:
            return None
        return int(random() * count) or None


class Parks(Order):
    """At `number` of `picks`, the lane that would go first goes below all others."""

    __slots__ = ("_at",)

    def __init__(self, random: Random, picks: int, number: int) -> None:
        self._at = {random.randrange(max(picks, 1)) for _ in range(number)}

    @classmethod
    def at(cls, pick: int) -> "Parks":
        """One park, at `pick`."""
        made = cls(Random(0), 1, 0)
        made._at.add(pick)
        return made

    def parks(self, pick: int) -> tuple[int, ...]:
        return (TOP,) if pick in self._at else ()


class Pct(Parks):
    """Each lane has a random rank, and `depth` - 1 times the one that would go first loses its own."""

    __slots__ = ("_random",)

    def __init__(self, random: Random, picks: int, depth: int) -> None:
        super().__init__(random, picks, depth - 1)
        self._random = random

    def rank(self, lane: int) -> int:
        return 1 + int(self._random.random() * (_RANKS - 1))


_CHANCES: Final = (0.1, 0.3, 1.0)
_DENSE: Final = 0.4
"""At which part of all picks many parks are. Those find planted bugs that take several switches in two to ten
times as many schedules as two to five parks do (`tests/planted/`)."""


def drawn(number: int, random: Random, picks: int) -> Order:
    """The order number `number` of the mix, for a program of about so many `picks`."""
    turn = number // 3
    if number % 3 == 0:
        return Walk(random, _CHANCES[turn % len(_CHANCES)])
    if number % 3 == 1:
        return Pct(random, picks, 1 + _number((1, 3, 7), turn, picks))
    return Parks(random, picks, _number((3, 8), turn, picks))


def _number(few: tuple[int, ...], turn: int, picks: int) -> int:
    """How many parks: in turn as `few` as these, and so many that they are at a large part of all picks."""
    return (*few, max(few[-1], int(_DENSE * picks)))[turn % (len(few) + 1)]
