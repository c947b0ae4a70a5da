"""Lanes: which of the callbacks that are ready stay in order, and which wait for others.

The rules stand in `streamkit.testing.schedules.ready`; here they are found out from a handle as asyncio made it.

>>> first, second = Lane(0, 0), Lane(1, 0)
>>> top([first, second])
0
>>> first.rank = -1
>>> top([first, second])
1
"""

import asyncio
from asyncio import base_events
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any, Final
from weakref import WeakKeyDictionary

from streamkit.testing.schedules.naming import task_of
from streamkit.testing.timers import Timer

__all__ = ["Entry", "Handle", "Lane", "Lanes", "does_nothing", "top", "wakes_cancelled"]

Handle = Any
"""`asyncio.Handle`; what is in it is private, and unknown to type checkers."""

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

    __slots__ = ("future", "handle", "lane", "last", "moment", "step")

    def __init__(self, handle: Handle, lane: Lane, moment: int) -> None:
        self.handle = handle
        self.lane = lane
        self.moment = moment
        """While which callback it became ready."""
        self.step: asyncio.Task[Any] | None = None
        """The task, if it is a step of one."""
        self.future: Any = None
        """What called it back."""
        self.last: bool = False
        """Whether all that was ready before goes first."""


class Lanes:
    """The lanes of one run; `begun` says the rank of a new one."""

    def __init__(self, begun: Callable[[int, Handle], int]) -> None:
        self.main: asyncio.Task[Any] | None = None
        """The first task of the run."""
        self._begun = begun
        self._made = 0
        self._parked = 0
        self._plain: Lane | None = None
        # Weak, because a task must not live longer than it would without us.
        self._of_tasks: WeakKeyDictionary[asyncio.Task[Any], Lane] = WeakKeyDictionary()
        self._of_timers: dict[float, Lane] = {}

    def entry(self, handle: Handle, loop: asyncio.AbstractEventLoop, moment: int, running: Handle) -> Entry:
        """`handle`, which became ready while `running` did, and its lane."""
        callback, arguments = handle._callback, handle._args
        task = task_of(callback)
        if task is not None:
            return self._of_step(handle, task, loop, moment)
        owner = callback.__self__ if type(callback) is MethodType else None
        if isinstance(owner, Timer):
            lane = self._of_timers.get(owner.set_at)
            if lane is None:
                lane = self._of_timers[owner.set_at] = self._new(handle)
            return Entry(handle, lane, moment)
        if self._plain is None:
            self._plain = self._new(handle)
        entry = Entry(handle, self._plain, moment)
        if arguments and asyncio.isfuture(arguments[0]):
            entry.future = arguments[0]
        entry.last = callback is _ENDS_THE_RUN or _is_same(callback, running)
        return entry

    def _of_step(
        self, handle: Handle, task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop, moment: int
    ) -> Entry:
        lane = self._of_tasks.get(task)
        if lane is None:
            lane = self._of_tasks[task] = self._new(handle)
            if self.main is None:
                self.main = task
        entry = Entry(handle, lane, moment)
        entry.step = task
        if handle._args and asyncio.isfuture(handle._args[0]):
            entry.future = handle._args[0]
        else:
            entry.last = asyncio.current_task(loop) is task  # it yields: `sleep(0)`
        return entry

    def _new(self, handle: Handle) -> Lane:
        number = self._made
        self._made += 1
        return Lane(number, self._begun(number, handle))

    def park(self, lane: Lane) -> None:
        """Put `lane` below all others."""
        self._parked += 1
        lane.rank = -self._parked

    def in_order(self, tasks: Iterable[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
        """`tasks` in an order that is the same in each run."""
        return sorted(tasks, key=self._place)

    def _place(self, task: asyncio.Task[Any]) -> tuple[float, int, str]:
        lane = self._of_tasks.get(task)
        name = task.get_name()
        return float("inf") if lane is None else lane.number, len(name), name

    def are_in_order(self, first: Entry, second: Entry) -> bool:
        """Whether `second` may not go before `first`, where both are steps of tasks cancelled in one moment."""
        a, b = first.step, second.step
        if first.moment != second.moment or a is None or b is None or not wakes_cancelled(first):
            return True
        return self._place(a) <= self._place(b)


def wakes_cancelled(entry: Entry) -> bool:
    """Whether it is a step of a task whose wait was cancelled."""
    return entry.step is not None and entry.future is not None and bool(entry.future.cancelled())


def does_nothing(handle: Handle) -> bool:
    """Whether it was cancelled meanwhile."""
    if handle._cancelled:
        return True
    owner = getattr(handle._callback, "__self__", None)
    return isinstance(owner, Timer) and owner.cancelled()


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
    code = getattr(callback, "__code__", None)
    return code is not None and code is getattr(running, "__code__", None)
