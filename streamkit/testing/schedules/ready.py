"""The queue of callbacks that are ready, in an order of ours: it stands in for the one of an event loop.

Every callback has a lane. Those of one lane stay in order; the first of each lane that may run is a candidate,
and where there are several, an `Order` says which goes first. Only such orders are tried in which asyncio, too,
could have run them if timers, sockets and threads had been a bit faster or slower, or what it promises nowhere:

- Steps of different tasks are free: first steps, and those that wait for one event, lock or queue.
- Plain callbacks (``call_soon``, those of futures) stay in order among themselves, and are free against tasks.
- Callbacks of one future stay in the order of their registration, but two tasks that wait for it are free.
- A task that only lets others run (``sleep(0)``), and a callback that calls itself soon, goes on when all that
  was ready before has run. So does the callback that ends the run.
- Timers of one time stay in order if they were set at one time, and are free otherwise.
- Nothing is passed over more than 500 times in a row.

>>> import asyncio
>>> from streamkit.testing.clock import VirtualLoop
>>> from streamkit.testing.schedules.orders import Given
>>> from streamkit.testing.schedules.tokens import Park, Schedule
>>> async def say(word: str) -> None:
...     print(word)
>>> async def main() -> None:
...     await asyncio.gather(say("one"), say("two"), say("three"))
>>> with asyncio.Runner(loop_factory=VirtualLoop) as runner:
...     ready = Ready(runner.get_loop(), Given(Schedule((Park(pick=0, candidate=0),))))
...     with ready.exploring():
...         runner.run(main())
two
three
one
"""

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final
from zlib import crc32

from streamkit.testing.schedules.lanes import Entry, Handle, Lanes, does_nothing, top, wakes_cancelled
from streamkit.testing.schedules.naming import name_of
from streamkit.testing.schedules.orders import TOP, Order
from streamkit.testing.schedules.tokens import Fault, Faults, Park, Rank, Schedule, Switch, Take
from streamkit.testing.waits import LivelockError, task_line, tasks

__all__ = ["LIMIT", "Course", "Ready", "permuted"]

LIMIT: Final = 1_000_000
"""Callbacks that a run may take."""
_PASSES: Final = 500
"""How often in a row the oldest callback is passed over before it is its turn."""
_WINDOW: Final = 128
"""How many of the oldest callbacks are looked at, so that a pick among 10,000 does not take long."""


class Course:
    """What was done in one run, as far as an order could be chosen."""

    __slots__ = ("chosen", "counts", "faults", "reached", "switches", "words")

    def __init__(self) -> None:
        self.counts: list[int] = []
        """Of each pick: how many candidates there were."""
        self.chosen: list[int] = []
        """Of each pick: which one went first."""
        self.switches: list[Switch] = []
        self.faults: list[Fault] = []
        self.reached = 0
        """At how many picks the last switch was made."""
        self.words: list[str] = []
        """What the switches did, for those who read it."""

    @property
    def schedule(self) -> Schedule:
        """What makes this run again."""
        return Schedule(tuple(self.switches), tuple(self.faults))

    @property
    def check(self) -> int:
        """A sum of the candidates at each pick up to the last switch."""
        return crc32(repr(self.counts[: self.reached]).encode())

    def switched(self, switch: Switch) -> None:
        """A switch was made."""
        self.switches.append(switch)
        self.reached = len(self.counts) + (not isinstance(switch, Rank))


class Ready:
    """What is ready in `loop`, run in an order that `order` chooses while it is `exploring`.

    With `telling`, the course has words for what was done.
    """

    def __init__(
        self,
        loop: Any,
        order: Order,
        faults: tuple[Fault, ...] = (),
        *,
        limit: int = LIMIT,
        telling: bool = False,
    ) -> None:
        self.course = Course()
        self.callbacks = 0
        """How many were run while exploring."""
        self.victims: list[asyncio.Task[Any]] = []
        """The tasks that a shutdown has cancelled."""
        self._loop = loop
        self._order = order
        self._limit = limit
        self._telling = telling
        self._faults = {fault.step: fault for fault in faults}
        self._on = False
        self._entries: list[Entry] = []
        self._lanes = Lanes(self._rank)
        self._moment = 0
        self._running: Any = None
        self._passed: tuple[Entry | None, int] = (None, 0)
        for handle in loop._ready:
            self.append(handle)
        loop._ready = self

    @contextmanager
    def exploring(self) -> Generator[None, None, None]:
        """Choose the order while this lasts. Outside, it is first in, first out."""
        self._on = True
        try:
            yield
        finally:
            self._on = False

    # -- what asyncio calls ---------------------------------------------------------------------

    def append(self, handle: Handle) -> None:
        """A callback is ready."""
        entry = self._lanes.entry(handle, self._loop, self._moment, self._running)
        place = len(self._entries)
        if wakes_cancelled(entry):
            # Tasks that are cancelled together often come out of a set, so in no order: here, in their own.
            while place and not self._lanes.are_in_order(self._entries[place - 1], entry):
                place -= 1
        self._entries.insert(place, entry)

    def popleft(self) -> Handle:
        """The callback that goes next."""
        self._moment += 1
        place = 0
        if self._on:
            self.callbacks += 1
            if self.callbacks in self._faults:
                self._break_in(self._faults[self.callbacks])
            if self.callbacks > self._limit:
                raise self._livelock()
            if len(self._entries) > 1:
                place = self._choose()
        if not place:
            self._passed = None, 0  # so that nothing outlives its turn here
        entry = self._entries.pop(place)
        self._running = entry.handle._callback if entry.step is None else None
        return entry.handle

    def clear(self) -> None:
        """Forget all: the loop is closed."""
        self._entries.clear()
        self._running, self._passed, self._lanes.main = None, (None, 0), None
        self.victims = []

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def __iter__(self) -> Iterator[Handle]:
        return iter([entry.handle for entry in self._entries])

    # -- choosing -------------------------------------------------------------------------------

    def _choose(self) -> int:
        """The place of the entry that goes next."""
        places = self._candidates()
        if len(places) == 1:
            return places[0]
        oldest, passes = self._passed
        if oldest is self._entries[0]:
            if passes >= _PASSES:
                return 0
        else:
            passes = 0
        course, pick = self.course, len(self.course.counts)
        lanes = [self._entries[place].lane for place in places]
        for wanted in self._order.parks(pick):
            candidate = top(lanes) if wanted == TOP else wanted
            if candidate < len(lanes):
                self._lanes.park(lanes[candidate])
                self._switched(Park(pick, candidate), places)
        taken = self._order.take(pick, len(lanes))
        if taken is None:
            taken = top(lanes)
        else:
            self._switched(Take(pick, taken), places)
        course.counts.append(len(lanes))
        course.chosen.append(taken)
        self._passed = self._entries[0], passes + 1
        return places[taken]

    def _candidates(self) -> list[int]:
        """The places of entries of which each could go next; of one that does nothing, if there is one."""
        places: list[int] = []
        lanes: set[int] = set()
        steps: set[int] = set()
        plain: set[int] = set()
        for place, entry in enumerate(self._entries[:_WINDOW]):
            if does_nothing(entry.handle):
                return [place]
            number = entry.lane.number
            free = number not in lanes and not (entry.last and place)
            lanes.add(number)
            if entry.future is not None:
                of = id(entry.future)
                same, other = (plain, steps) if entry.step is None else (steps, plain)
                free = free and of not in other
                same.add(of)
            if free:
                places.append(place)
        return places

    # -- what is noted --------------------------------------------------------------------------

    def _rank(self, lane: int, handle: Handle) -> int:
        rank = self._order.rank(lane)
        if rank:
            self.course.switched(Rank(lane, rank))
            if self._telling:
                self._tell(f"{name_of(handle)} begins with the rank {rank}")
        return rank

    def _switched(self, switch: Park | Take, places: list[int]) -> None:
        self.course.switched(switch)
        if not self._telling:
            return
        names = [name_of(self._entries[place].handle) for place in places]
        name = names.pop(switch.candidate)
        if isinstance(switch, Park):
            self._tell(f"{name} waits, from here on, for all that can go: {', '.join(names)}")
        else:
            self._tell(f"{name} goes before {', '.join(names[: switch.candidate]) or 'all others'}")

    def _tell(self, words: str) -> None:
        self.course.words.append(f"callback {self.callbacks}, time {self._loop.time():g}: {words}")

    # -- faults, and the end --------------------------------------------------------------------

    def _break_in(self, fault: Fault) -> None:
        main = self._lanes.main
        if main is None or main.done():
            return
        self.course.reached = len(self.course.counts)
        if fault.kind is Faults.CANCEL:
            self.course.faults.append(fault)
            if self._telling:
                self._tell("main is cancelled")
            main.cancel()
            return
        order, self.victims = permuted(self._lanes.in_order(tasks(self._loop)), fault.order)
        self.course.faults.append(Fault(fault.kind, fault.step, order))
        if self._telling:
            names = ", ".join(repr(task.get_name()) for task in self.victims)
            self._tell(f"the program ends: cancelled are {names}")
        for task in self.victims:
            self._moment += 1  # of its own, because this order is chosen, and must stay
            task.cancel()

    def _livelock(self) -> LivelockError:
        where = f"(virtual time {self._loop.time()})"
        reason = f"main has not ended after {self._limit} callbacks {where}; tasks:"
        return LivelockError(reason, tuple(task_line(task) for task in tasks(self._loop)))


def permuted(tasks: list[asyncio.Task[Any]], number: int) -> tuple[int, list[asyncio.Task[Any]]]:
    """The permutation of `tasks` that has this `number`, and the smallest number that it has.

    The order that they are in has the number 0, and the opposite one the highest.
    """
    left, found, rest = list(tasks), list[asyncio.Task[Any]](), number
    places: list[int] = []
    for count in range(1, len(tasks) + 1):
        places.append(rest % count)
        rest //= count
    smallest, factor = 0, 1
    for count, place in enumerate(places, 1):
        smallest += place * factor
        factor *= count
    for place in reversed(places):
        found.append(left.pop(place))
    return smallest, found
