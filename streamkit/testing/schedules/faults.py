"""Faults: cancelling `main`, or ending the whole program, before some callback of a run.

>>> permuted(["a", "b", "c"], 0), permuted(["a", "b", "c"], 5), permuted(["a", "b", "c"], 6)
((0, ['a', 'b', 'c']), (5, ['c', 'b', 'a']), (0, ['a', 'b', 'c']))
"""

import asyncio
import enum
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from streamkit.testing.schedules.lanes import Lanes
from streamkit.testing.waits import tasks

__all__ = ["OPPOSITE", "Fault", "Faults", "Injector", "permuted"]

T = TypeVar("T")

OPPOSITE: Final = 2_432_902_008_176_639_999
"""The number of the permutation that turns up to 20 tasks round: 20! - 1."""


class Faults(enum.Flag):
    """What is done to a program at any step of the event loop: `CANCEL`, `SHUTDOWN`, or both.

    >>> from streamkit.testing import Faults
    >>> Faults.CANCEL in (Faults.CANCEL | Faults.SHUTDOWN)
    True
    """

    CANCEL = enum.auto()
    """`main` is cancelled."""
    SHUTDOWN = enum.auto()
    """All tasks are cancelled, in some order, and waited for, as `asyncio.run` does when a program ends."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Before callback number `step`, tasks are cancelled: main, or all in the permutation number `order`."""

    kind: Faults
    step: int
    order: int = 0


class Injector:
    """Does the `faults` of one run, each before the callback that it names."""

    def __init__(self, faults: tuple[Fault, ...], lanes: Lanes, loop: asyncio.AbstractEventLoop) -> None:
        self.victims: list[asyncio.Task[Any]] = []
        """The tasks that a shutdown has cancelled."""
        self._lanes = lanes
        self._loop = loop
        self._due = {fault.step: fault for fault in faults}

    def at(self, step: int) -> Fault | None:
        """Do what is due before callback number `step`: what was done, if `main` had not ended yet."""
        fault = self._due.get(step)
        main = self._lanes.main
        if fault is None or main is None or main.done():
            return None
        if fault.kind is Faults.CANCEL:
            main.cancel()
            return fault
        alive = self._lanes.in_order(tasks(self._loop))
        order, self.victims = permuted(alive, fault.order)
        for task in self.victims:
            self._lanes.moment += 1  # of its own, because this order was chosen, and must stay
            task.cancel()
        return Fault(fault.kind, fault.step, order)

    def forget(self) -> None:
        """The run is over."""
        self.victims = []


def permuted(items: list[T], number: int) -> tuple[int, list[T]]:
    """The permutation of `items` that has this `number`, and the smallest number that it has.

    The order that they are in has the number 0, and the opposite one the highest.
    """
    places: list[int] = []
    smallest, factor = 0, 1
    for count in range(1, len(items) + 1):
        number, place = divmod(number, count)
        places.append(place)
        smallest += place * factor
        factor *= count
    left = list(items)
    return smallest, [left.pop(place) for place in reversed(places)]
