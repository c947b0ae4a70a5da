"""A schedule as data, and as the text of a token, from which it is run again.

A token is ``v1:<switches>[!<fault>]...:<check>``. Its switches, divided by commas, are parks (``12~0``: at
pick 12 the lane of candidate 0 goes below all others), takes (``7.1``: candidate 1 goes first at pick 7) and
ranks (``3_5``: lane 3 has the rank 5 from its beginning). Faults are ``!cancel@40`` and ``!shutdown@40.2``,
where 40 counts callbacks and 2 is the order of the tasks. The check says how many candidates there were at
each pick up to the last switch, so that a program that takes another course is noticed.

>>> schedule, check = parsed("v1:12~0,3_5!cancel@40:0badcafe")
>>> schedule.switches
(Park(pick=12, candidate=0), Rank(lane=3, rank=5))
>>> token(schedule, check)
'v1:12~0,3_5!cancel@40:0badcafe'
"""

import re
from dataclasses import dataclass
from typing import Final

from streamkit._core.show import shown
from streamkit.testing.schedules.faults import Fault, Faults

__all__ = ["FIFO", "Park", "Rank", "Schedule", "Switch", "Take", "parsed", "token"]


@dataclass(frozen=True, slots=True)
class Park:
    """At `pick`, the lane of `candidate` goes below all others, for good."""

    pick: int
    candidate: int


@dataclass(frozen=True, slots=True)
class Take:
    """At `pick`, `candidate` goes first."""

    pick: int
    candidate: int


@dataclass(frozen=True, slots=True)
class Rank:
    """`lane` begins with `rank`: lanes of a higher one go first. Without, it is 0."""

    lane: int
    rank: int


Switch = Park | Take | Rank


@dataclass(frozen=True, slots=True)
class Schedule:
    """In which ways one run differs from the order in which asyncio runs what is ready."""

    switches: tuple[Switch, ...] = ()
    faults: tuple[Fault, ...] = ()

    def __len__(self) -> int:
        return len(self.switches) + len(self.faults)


FIFO: Final = Schedule()
"""First in, first out: what asyncio does."""

_SIGNS: Final[dict[str, type[Park] | type[Take] | type[Rank]]] = {"~": Park, ".": Take, "_": Rank}
_SWITCH: Final = re.compile(r"(\d+)([~._])(\d+)")
_FAULT: Final = re.compile(r"(cancel|shutdown)@(\d+)(?:\.(\d+))?")
_TOKEN: Final = re.compile(r"v1:([^:!]*)((?:![^:!]*)*):([0-9a-f]{8})")


def token(schedule: Schedule, check: int) -> str:
    """The text of a schedule, and of the course that it took."""
    switches = ",".join(_switch_text(each) for each in schedule.switches)
    faults = "".join(_fault_text(each) for each in schedule.faults)
    return f"v1:{switches}{faults}:{check:08x}"


def _switch_text(switch: Switch) -> str:
    match switch:
        case Park(pick, candidate):
            return f"{pick}~{candidate}"
        case Take(pick, candidate):
            return f"{pick}.{candidate}"
        case Rank(lane, rank):  # pragma: no branch - there is no fourth kind
            return f"{lane}_{rank}"


def _fault_text(fault: Fault) -> str:
    if fault.kind is Faults.CANCEL:
        return f"!cancel@{fault.step}"
    return f"!shutdown@{fault.step}" + (f".{fault.order}" if fault.order else "")


def parsed(text: str) -> tuple[Schedule, int]:
    """The schedule of a token, and its check. `ValueError` if it is none."""
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f'replay must be a token ("v1:..."), not {shown(text)}')
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise ValueError(f'replay must be a token as a failure prints it ("v1:..."), not {shown(text)}')
    switches, faults, check = found.groups()
    schedule = Schedule(
        tuple(_switch(text, each) for each in switches.split(",") if switches),
        tuple(_fault(text, each) for each in faults.split("!")[1:]),
    )
    return schedule, int(check, 16)


def _switch(text: str, part: str) -> Switch:
    found = _SWITCH.fullmatch(part)
    if found is None:
        raise ValueError(f"replay has a switch {shown(part)} that is none, in {shown(text)}")
    first, sign, second = found.groups()
    return _SIGNS[sign](int(first), int(second))


def _fault(text: str, part: str) -> Fault:
    found = _FAULT.fullmatch(part)
    if found is None:
        raise ValueError(f"replay has a fault {shown(part)} that is none, in {shown(text)}")
    kind, step, order = found.groups()
    return Fault(Faults[kind.upper()], int(step), int(order or 0))
