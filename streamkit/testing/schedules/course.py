"""The course of a run: how many could go at each pick, which one went, what was switched, and what failed.

>>> from streamkit.testing.schedules.tokens import Park
>>> course = Course()
>>> course.switched(Park(pick=0, candidate=0))
>>> course.picked(2, 1)
>>> course.picked(3, 0)
>>> course.schedule.switches, course.counts, course.check == crc32(b"2")
((Park(pick=0, candidate=0),), [2, 3], True)
"""

from zlib import crc32

from streamkit.testing.schedules.faults import Fault
from streamkit.testing.schedules.tokens import Rank, Schedule, Switch

__all__ = ["Course"]


class Course:
    """What was done in one run, as far as an order could be chosen. With `telling`, it is told in `words`."""

    __slots__ = ("chosen", "counts", "faults", "reached", "switches", "telling", "words")

    counts: list[int]
    """Of each pick: how many candidates there were."""
    chosen: list[int]
    """Of each pick: which one went first."""
    switches: list[Switch]
    faults: list[Fault]
    reached: int
    """At how many picks the last switch, or fault, was made."""
    telling: bool
    words: list[str]

    def __init__(self, *, telling: bool = False) -> None:
        self.counts = []
        self.chosen = []
        self.switches = []
        self.faults = []
        self.reached = 0
        self.telling = telling
        self.words = []

    @property
    def schedule(self) -> Schedule:
        """What makes this run again."""
        return Schedule(tuple(self.switches), tuple(self.faults))

    @property
    def check(self) -> int:
        """A sum over the candidates at each pick up to the last switch.

        What comes after is left out, so that a schedule still fits when what it has found is mended.
        """
        return crc32(",".join(map(str, self.counts[: self.reached])).encode())

    def picked(self, count: int, candidate: int) -> None:
        """Of so many candidates, this one went first."""
        self.counts.append(count)
        self.chosen.append(candidate)

    def switched(self, switch: Switch) -> None:
        """A switch was made, at the pick that is next."""
        self.switches.append(switch)
        self.reached = len(self.counts) + (not isinstance(switch, Rank))

    def failed(self, fault: Fault) -> None:
        """A fault was done, before the pick that is next."""
        self.faults.append(fault)
        self.reached = len(self.counts)
