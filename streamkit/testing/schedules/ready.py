"""The queue of callbacks that are ready, in an order of ours: it stands in for the one of an event loop.

Every callback has a lane. Those of one lane stay in order. The first of each lane that may run is a
candidate, and where there are several, an `Order` says which goes first. Only such orders are tried as
asyncio might run them, had a timer, a socket or a thread been a bit faster or slower, or that it promises
nothing about:

- Steps of different tasks are free: first steps, and those that wait for one event, lock or queue.
- Plain callbacks (``call_soon``, and those of futures) stay in order among themselves, but not against tasks:
  only a task that is made ready by the same callback or step, and after them, goes behind them.
- Callbacks of one future stay in the order of their registration, but two tasks that wait for it are free.
- A task that only lets others run (``sleep(0)``), and a callback that calls itself soon, goes on when all has
  run that was ready before. So does the callback that ends the run.
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

from collections.abc import Iterator
from types import MethodType
from typing import Any, Final

from streamkit._engine.compile.pace import NOTED
from streamkit.testing.schedules.course import Course
from streamkit.testing.schedules.faults import Fault, Faults, Injector
from streamkit.testing.schedules.lanes import Entry, Handle, Lane, Lanes, at_once, candidates, top
from streamkit.testing.schedules.naming import name_of, task_name
from streamkit.testing.schedules.orders import BEFORE, TOP, Order
from streamkit.testing.schedules.tokens import Park, Rank, Take
from streamkit.testing.waits import LivelockError, task_line, tasks

__all__ = ["LIMIT", "Ready"]

LIMIT: Final = 1_000_000
"""Callbacks that a run may take."""
_PASSES: Final = 500
"""How often in a row the oldest callback is passed over before it is its turn."""
_WINDOW: Final = 64
"""How many of the oldest callbacks are looked at, so that a pick among 10,000 does not take long."""


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
        self.course: Course = Course(telling=telling)
        self.callbacks: int = 0
        """How many were run while exploring."""
        self._loop = loop
        self._order = order
        self._limit = limit
        self._on = False
        self._entries: list[Entry] = []
        self._lanes = Lanes(loop, self._rank)
        self.faults: Injector = Injector(faults, self._lanes, loop)
        self._passed: tuple[Entry | None, int] = (None, 0)
        """The oldest, if others have gone before it, and how many."""
        for handle in loop._ready:
            self._entries.append(at_once(handle))
        loop._ready = self

    def exploring(self) -> "_Exploring":
        """Choose the order while the context that this returns lasts. Outside, it is first in, first out."""
        return _Exploring(self)

    def explore(self, on: bool) -> None:
        """Choose the order from now on, or no longer."""
        self._on = on

    # -- what asyncio calls ---------------------------------------------------------------------

    def append(self, handle: Handle) -> None:
        """A callback is ready."""
        callback = handle._callback
        if type(callback) is MethodType and callback.__func__ is NOTED:
            self._entries.insert(0, at_once(handle))
        else:
            self._lanes.insert(self._entries, self._lanes.entry(handle))

    def popleft(self) -> Handle:
        """The callback that goes next."""
        lanes = self._lanes
        lanes.moment += 1
        lanes.running = None
        place = self._place() if self._on else 0
        if not place:
            self._passed = None, 0  # so that nothing outlives its turn here
        entry = self._entries.pop(place)
        if entry.step is None:
            lanes.running = entry.handle._callback
        return entry.handle

    def clear(self) -> None:
        """Forget all: the loop is closed."""
        self._entries.clear()
        self._lanes.forget()
        self.faults.forget()
        self._passed = None, 0

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def __iter__(self) -> Iterator[Handle]:
        return iter([entry.handle for entry in self._entries])

    # -- choosing -------------------------------------------------------------------------------

    def _place(self) -> int:
        """The place of the entry that goes next."""
        entries = self._entries
        if entries and entries[0].at_once:
            return 0
        self.callbacks += 1
        fault = self.faults.at(self.callbacks)
        if fault is not None:
            self._failed(fault)
        if self.callbacks > self._limit:
            raise self._livelock()
        if len(entries) < 2:
            return 0
        places = candidates(entries[:_WINDOW])
        if len(places) == 1:
            return places[0]
        oldest, passes = self._passed
        if oldest is not entries[0]:
            passes = 0
        elif passes >= _PASSES:
            return 0
        candidate = self._candidate(places)
        self._passed = entries[0], passes + 1
        return places[candidate]

    def _candidate(self, places: list[int]) -> int:
        """Which of those at `places`, one of which goes next."""
        course, order = self.course, self._order
        lanes = [self._entries[place].lane for place in places]
        pick = len(course.counts)
        for wanted in order.parks(pick):
            for candidate in _parked(wanted, lanes):
                self._lanes.park(lanes[candidate])
                self._switched(Park(pick, candidate), places)
        taken = order.take(pick, len(lanes))
        if taken is None:
            taken = top(lanes)
        else:
            self._switched(Take(pick, taken), places)
        course.picked(len(lanes), taken)
        return taken

    # -- what is noted --------------------------------------------------------------------------

    def _rank(self, lane: int, handle: Handle) -> int:
        """The rank of a new lane, whose first callback this is."""
        rank = self._order.rank(lane)
        if rank:
            self.course.switched(Rank(lane, rank))
            if self.course.telling:
                self._tell(f"{self._name(handle)} goes before all of a lower rank than {rank}, from here on")
        return rank

    def _switched(self, switch: Park | Take, places: list[int]) -> None:
        self.course.switched(switch)
        if not self.course.telling:
            return
        names = [self._name(self._entries[place].handle) for place in places]
        name = names.pop(switch.candidate)
        if isinstance(switch, Park):
            self._tell(f"{name} waits, from here on, while others can go: {', '.join(names)}")
        else:
            self._tell(f"{name} goes before {', '.join(names[: switch.candidate]) or 'all others'}")

    def _failed(self, fault: Fault) -> None:
        self.course.failed(fault)
        if not self.course.telling:
            return
        if fault.kind is Faults.CANCEL:
            self._tell("main is cancelled")
        else:
            names = (task_name(task, self._lanes.number) for task in self.faults.victims)
            self._tell(f"the program ends, and cancels {', '.join(names)}")

    def _name(self, handle: Handle) -> str:
        return name_of(handle, self._lanes.number)

    def _tell(self, words: str) -> None:
        self.course.words.append(f"callback {self.callbacks}, time {self._loop.time():g}: {words}")

    def _livelock(self) -> LivelockError:
        where = f"(virtual time {self._loop.time()})"
        reason = f"main has not ended after {self._limit} callbacks {where}; tasks:"
        return LivelockError(reason, tuple(task_line(task) for task in tasks(self._loop)))


class _Exploring:
    """No generator makes it: that would set the traceback of an error, which some errors refuse."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready

    def __enter__(self) -> None:
        self._ready.explore(True)

    def __exit__(self, *_: object) -> None:
        self._ready.explore(False)


def _parked(wanted: int, lanes: list[Lane]) -> Iterator[int]:
    """The candidates of these `lanes` that are `wanted` to be parked, each after the one before it was."""
    if wanted <= BEFORE:
        while BEFORE - wanted < len(lanes) and (first := top(lanes)) != BEFORE - wanted:
            yield first
    elif wanted == TOP:
        yield top(lanes)
    elif wanted < len(lanes):
        yield wanted
