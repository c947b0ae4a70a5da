"""Lanes: which of the callbacks that are ready stay in order, and which wait for others.

The rules stand in `streamkit.testing.schedules.ready`. Here they are read from handles as asyncio makes them.

>>> first, second = Lane(0, 0), Lane(1, 0)
>>> top([first, second])
0
>>> first.rank = -1
>>> top([first, second])
1
"""

import asyncio
from asyncio import base_events
from bisect import bisect_right
from collections.abc import Callable, Iterable
from types import FunctionType, MethodType
from typing import Any, Final
from weakref import WeakKeyDictionary

from streamkit.testing.schedules.naming import task_of
from streamkit.testing.timers import Timer

__all__ = ["Entry", "Handle", "Lane", "Lanes", "at_once", "candidates", "top"]

Handle = Any
"""`asyncio.Handle`; what is in it is private, and unknown to type checkers."""

_PLAIN: Final = 0
_ENDS_THE_RUN: Final[object] = vars(base_events)["_run_until_complete_cb"]


class Lane:
    """Callbacks that stay in order."""

    __slots__ = ("number", "rank")

    number: int
    """Lanes are counted as they come."""
    rank: int
    """Candidates of a higher one go first."""

    def __init__(self, number: int, rank: int) -> None:
        self.number = number
        self.rank = rank


class Entry:
    """A callback that is ready, and what it has to wait for."""

    __slots__ = ("at_once", "future", "handle", "lane", "last", "moment", "step", "timer")

    def __init__(self, handle: Handle, lane: Lane, moment: int) -> None:
        self.handle: Any = handle
        self.lane: Lane = lane
        self.moment: int = moment
        """While which callback it became ready."""
        self.step: asyncio.Task[Any] | None = None
        """The task, if it is a step of one."""
        self.timer: Timer | None = None
        """What it fires, if it is a timer."""
        self.future: Any = None
        """What called it back."""
        self.last: bool = False
        """Whether all that was ready before goes first."""
        self.at_once: bool = False
        """Whether it goes before all others."""


def at_once(handle: Handle) -> Entry:
    """What goes before all others: what was ready before the run, or only notes something."""
    entry = Entry(handle, Lane(0, 0), 0)
    entry.at_once = True
    return entry


class Lanes:
    """The lanes of one run; `begun` says the rank of a new one, from its number and its first callback."""

    def __init__(self, loop: asyncio.AbstractEventLoop, begun: Callable[[int, Handle], int]) -> None:
        self.main: asyncio.Task[Any] | None = None
        """The first task of the run."""
        self.moment: int = 0
        """Counts callbacks, and what comes between them."""
        self.running: Any = None
        """The plain callback that runs, if one does."""
        self._loop = loop
        self._begun = begun
        self._made = 1
        self._parked = 0
        self._plain: Lane | None = None
        # Weak, because a task must not live longer than it would without us.
        self._of_tasks: WeakKeyDictionary[asyncio.Task[Any], Lane] = WeakKeyDictionary()
        self._of_timers: dict[float, Lane] = {}
        self._together = _Together(-1, 0, (0.0, 0, ""))

    def entry(self, handle: Handle) -> Entry:
        """`handle`, which becomes ready now, in its lane."""
        callback, arguments = handle._callback, handle._args
        task = task_of(callback)
        if task is not None:
            return self._of_step(handle, task)
        owner = callback.__self__ if type(callback) is MethodType else None
        if isinstance(owner, Timer):
            lane = self._of_timers.get(owner.set_at)
            if lane is None:
                lane = self._of_timers[owner.set_at] = self._next(handle)
            entry = Entry(handle, lane, self.moment)
            entry.timer = owner
            return entry
        if self._plain is None:
            self._plain = self._new(_PLAIN, handle)  # one number, whenever it comes
        entry = Entry(handle, self._plain, self.moment)
        if arguments and asyncio.isfuture(arguments[0]):
            entry.future = arguments[0]
        entry.last = callback is _ENDS_THE_RUN or _is_same(callback, self.running)
        return entry

    def _of_step(self, handle: Handle, task: asyncio.Task[Any]) -> Entry:
        lane = self._of_tasks.get(task)
        if lane is None:
            lane = self._of_tasks[task] = self._next(handle)
            if self.main is None:
                self.main = task
        entry = Entry(handle, lane, self.moment)
        entry.step = task
        if handle._args and asyncio.isfuture(handle._args[0]):
            entry.future = handle._args[0]
        else:
            entry.last = asyncio.current_task(self._loop) is task  # it yields: `sleep(0)`
        return entry

    def _next(self, handle: Handle) -> Lane:
        self._made += 1
        return self._new(self._made - 1, handle)

    def _new(self, number: int, handle: Handle) -> Lane:
        return Lane(number, self._begun(number, handle))

    def park(self, lane: Lane) -> None:
        """Put `lane` below all others."""
        self._parked += 1
        lane.rank = -self._parked

    def number(self, task: asyncio.Task[Any]) -> int | None:
        """The number of the lane of `task`, if it has been ready yet."""
        lane = self._of_tasks.get(task)
        return None if lane is None else lane.number

    def forget(self) -> None:
        """The run is over."""
        self.main = self.running = None

    def in_order(self, tasks: Iterable[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
        """`tasks` in an order that is the same in each run."""
        return sorted(tasks, key=self._place)

    def _place(self, task: asyncio.Task[Any]) -> "_Place":
        lane = self._of_tasks.get(task)
        name = task.get_name()
        return float("inf") if lane is None else lane.number, len(name), name

    def insert(self, entries: list[Entry], entry: Entry) -> None:
        """Put `entry` behind `entries`.

        Tasks that are cancelled together often come out of a set, so in the order of addresses, which differs
        from run to run: their steps are put in the order in which the tasks were made.
        """
        end = len(entries)
        if entry.step is None or not _is_cancelled(entry):
            entries.append(entry)
        elif self._together.go_on(self.moment, end):
            entries.insert(self._together.place(self._place(entry.step)), entry)
        else:
            self._together = _Together(self.moment, end, self._place(entry.step))
            entries.append(entry)


_Place = tuple[float, int, str]


class _Together:
    """Steps of tasks that were cancelled in one moment, next to each other at the end of the queue."""

    def __init__(self, moment: int, start: int, first: _Place) -> None:
        self._moment = moment
        self._start = start
        self._sorted = [first]

    def go_on(self, moment: int, end: int) -> bool:
        """Whether one that is cancelled in this `moment`, at the `end` of the queue, is one of them."""
        return self._moment == moment and self._start + len(self._sorted) == end

    def place(self, place: _Place) -> int:
        """Where it goes in the queue."""
        among = bisect_right(self._sorted, place)
        self._sorted.insert(among, place)
        return self._start + among


def _is_cancelled(entry: Entry) -> bool:
    return entry.future is not None and bool(entry.future.cancelled())


def candidates(entries: list[Entry]) -> list[int]:
    """The places of those of `entries` of which each could go next. Only one, if that goes at once."""
    places: list[int] = []
    lanes: set[int] = set()
    steps: set[int] = set()
    plain: set[int] = set()
    moments: set[int] = set()
    for place, entry in enumerate(entries):
        if _does_nothing(entry):
            return [place]
        number = entry.lane.number
        free = number not in lanes and not (entry.last and place)
        lanes.add(number)
        if number == _PLAIN:
            moments.add(entry.moment)
        elif entry.step is not None and entry.moment in moments:
            free = False
        if entry.future is not None:
            of = id(entry.future)
            same, other = (plain, steps) if entry.step is None else (steps, plain)
            free = free and of not in other
            same.add(of)
        if free:
            places.append(place)
    return places


def _does_nothing(entry: Entry) -> bool:
    """Whether it was cancelled meanwhile."""
    return entry.handle._cancelled or (entry.timer is not None and entry.timer.cancelled())


def top(lanes: list[Lane]) -> int:
    """Which of `lanes`, the oldest first, has the highest rank."""
    best, place = lanes[0].rank, 0
    for number, lane in enumerate(lanes):
        if lane.rank > best:
            best, place = lane.rank, number
    return place


def _is_same(callback: Any, running: Any) -> bool:
    """Whether a callback calls itself soon, also where its function is made anew."""
    if running is None:
        return False
    if type(callback) is MethodType and type(running) is MethodType:
        return callback.__self__ is running.__self__ and callback.__func__ is running.__func__
    if callback is running:
        return True
    functions = type(callback) is FunctionType and type(running) is FunctionType
    return functions and callback.__code__ is running.__code__
