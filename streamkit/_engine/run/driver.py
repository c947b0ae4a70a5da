"""Drivers: what runs a pump in its task, and while it is parked, for a reader in the name of that task.

A turn of the event loop costs more than all else that a ready item goes through. So a reader that lacks an
item steps the pump that is to bring it (`RowReader.ready`). The pump cannot tell: its task is the current
one, with its context; and what it waits for goes back to the task, which yields it to the event loop. A scope
of its source that fires while it is parked cancels the task, as ever. While the reader lets others run, what
it took is filled up once per turn of the loop, so that pumps read ahead as others do.

``benchmarks/workloads/rows.py`` measures it, ``tests/compile/test_opcodes_driven.py`` guards it.
"""

from __future__ import annotations

import sys
from asyncio import AbstractEventLoop, CancelledError, Future, Handle, Task, current_task, isfuture, tasks
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextvars import copy_context
from itertools import repeat
from operator import length_hint
from typing import Any

from streamkit._engine.buffer.driven import PARKED, DrivenLane
from streamkit._engine.buffer.lane import NEVER
from streamkit._engine.compile.pace import AGAIN
from streamkit._engine.run.pump import Owner, Pump

__all__ = ["DrivenPump", "Driver", "RowReader", "back", "current", "enter"]

NESTED = 8
"""How deep pumps are driven inside of pumps that are driven: each takes room on one stack."""

_levels: dict[int, int] = {}
"""By the id of a task whose pump is driven, as long as it runs: how deep these stand in each other."""

current: Any
"""The current task of a loop; that of asyncio is written in Python before 3.12."""
enter: Any
"""Makes a task the current one, in its loop."""
if sys.version_info >= (3, 12):  # pragma: no cover - Python 3.12 on
    current = current_task
    enter = back = getattr(tasks, "_swap_current_task")  # noqa: B009
else:  # pragma: no cover - Python 3.11
    _current: dict[Any, Any] = getattr(tasks, "_current_tasks")  # noqa: B009
    current = _current.get
    enter = _current.__setitem__

    def back(loop: AbstractEventLoop, task: Task[Any] | None) -> None:
        """Make that task the current one that was before; None, where a callback of the loop runs."""
        if task is None:
            _current.pop(loop, None)
        else:
            _current[loop] = task


class _Told:
    """What came of a drive that did not park again: what the pump waits for, or how it has ended."""

    __slots__ = ("error", "over", "waiting")

    def __init__(
        self, waiting: Any = None, error: BaseException | None = None, *, over: bool = False
    ) -> None:
        self.waiting = waiting
        self.error = error
        self.over = over


_DONE = _Told(over=True)


class Driver:
    """Runs one pump in its task, or has a reader run it there. It is awaited in that task."""

    # there may be one for each item: what the class says costs nothing
    _told: _Told | None = None
    task: Any = None
    there: Any = None
    """Runs a step in the context of the task."""
    work: Any = None
    """The coroutine of the pump, when it has begun."""
    ready: bool = False
    """Whether its reader may step the pump: it is parked, or has not begun."""
    stopped: Any = None
    """Whether it is to be stepped by its task all the same: a cancellation is on its way there."""
    park: Future[None] | None = None
    """What the task waits for while its pump is parked, and nobody steps it."""

    def __init__(
        self, loop: AbstractEventLoop, level: int, lane: DrivenLane, make: Callable[[], Any] | None = None
    ) -> None:
        self._loop = loop
        self._level = level
        self.make: Any = make
        """Makes the coroutine of the pump: called in the task, when it is first stepped."""
        self.lane = lane
        self.send: Any = self._first

    @staticmethod
    def level() -> int:
        """How deep a pump stands that the current task begins; 0 if it is too deep to be driven."""
        level = _levels.get(id(current_task()), 0) + 1
        return level if level <= NESTED else 0

    def begin(self, steps: Coroutine[Any, Any, Any]) -> Task[Any]:
        """Make its task, of `steps` that await this; a reader may step the pump before the task has begun."""
        context = copy_context()
        steps.send(None)
        self.there = context.run
        self.task = task = self._loop.create_task(steps, context=context)
        self.stopped = task.cancelling
        _levels[id(task)] = self._level
        return task

    def _first(self, _: None) -> Any:
        """Make the coroutine of the pump, and take its first step."""
        try:
            self.work = work = self.make()
        except StopIteration as error:
            raise RuntimeError("a source raised StopIteration") from error
        finally:
            self.make = None
        self.send = work.send
        return work.send(None)

    def _throw(self, error: BaseException) -> Any:
        if self.work is None:
            raise error
        return self.work.throw(error)

    @property
    def parked(self) -> bool:
        """Whether its reader may step the pump now."""
        return self.ready and not self.stopped()

    def wake(self) -> None:
        """Have its task step the pump, if that is parked."""
        if self.park is not None and not self.park.done():
            self.park.set_result(None)

    def drive(self) -> bool:
        """Step the pump, which is parked, until it parks again or waits; whether it has failed."""
        loop = self._loop
        home = current(loop)
        enter(loop, self.task)
        try:
            waiting = self.there(self.send, None)
        except BaseException as error:
            return self.told(error=error)
        finally:
            back(loop, home)
        return waiting is not PARKED and self.told(waiting)

    def told(self, waiting: Any = None, error: BaseException | None = None) -> bool:
        """Hand what came of a drive back to the task; whether the pump has failed.

        It waits, or it has ended with `error`, which is a StopIteration where it is done.
        """
        self.lane.noted(len(self.lane.held))
        self.ready = False
        park, self.park = self.park, None
        done = isinstance(error, StopIteration)
        self._told = _DONE if done else _Told(waiting, error, over=error is not None)
        if park is not None and not park.done():
            park.set_result(None)
        return not (done or error is None)

    def __await__(self) -> Generator[Any, Any, None]:
        """Step the pump in the task that awaits this."""
        lane, held = self.lane, self.lane.held
        step: Any = None
        value: Any = None
        waiting: Any = PARKED
        begun = False
        try:
            while True:
                if step is not None:
                    before = len(held)
                    try:
                        waiting = step(value)
                    except StopIteration:
                        return
                    finally:
                        value = None
                        lane.brought(before)
                if waiting is PARKED:
                    told, error = yield from self._parked(begun=begun)
                    # a reader that has begun the pump goes on with it
                    while (
                        told is None and error is None and (self._holds() or not (begun or self.work is None))
                    ):
                        begun = True
                        told, error = yield from self._parked(begun=True)
                    begun = True
                    if told is not None and told.over:
                        return self._end(told)
                    if told is None or (error is not None and not _cancelled(told.waiting, error)):
                        step = self.send
                        if error is not None:
                            step, value, error = self._throw, error, None
                        continue
                    waiting, error, told = told.waiting, None, None  # its result is kept by nothing
                step = self.send
                try:
                    value = yield waiting
                except BaseException as thrown:
                    step, value = self._throw, thrown
        finally:
            _levels.pop(id(self.task), None)

    def _parked(self, *, begun: bool) -> Generator[Any, Any, tuple[_Told | None, BaseException | None]]:
        """Wait while the pump is parked: what came of a drive, and what was thrown in meanwhile.

        Where the task has not `begun`, wait for its first step.
        """
        self.ready = True
        thrown: BaseException | None = None
        try:
            if begun:
                self.park = park = self._loop.create_future()
                self.stopped = park.done
                yield from park
            else:
                yield
                while self.task is None:  # it is eager: its maker goes first
                    yield  # pragma: no cover - Python 3.12 on
        except BaseException as error:
            thrown = error
        told, self._told, self.park, self.ready = self._told, None, None, False
        try:
            return told, thrown
        finally:
            del thrown  # its traceback has this frame

    def _holds(self) -> bool:
        """Whether another pump has failed, which is to be told of first: this one is cancelled then."""
        drives = self.lane.channel.drives
        return drives is not None and drives.failed and self.lane.channel.error is None

    @property
    def ended(self) -> bool:
        """Whether the pump has ended in a drive: nobody had cancelled its task then."""
        return self._told is not None and self._told.over

    def _end(self, told: _Told) -> None:
        self._told = told
        error, told.error = told.error, None
        if error is None:
            return
        trace = error.__traceback__
        try:
            raise error.with_traceback(None if trace is None else trace.tb_next)  # without the one who drove
        finally:
            del error


class DrivenPump(Pump):
    """The pace of the loop of such a pump.

    Whoever drives it lets others run. So it looks at the clock only where it goes on without parking, as one
    does that a filter keeps from bringing anything.
    """

    __slots__ = ("parked",)

    def __init__(self, run: Owner, lane: DrivenLane) -> None:
        super().__init__(run, lane)
        self.lane: DrivenLane = lane
        lane.pump = self
        self.parked = False
        """Whether it has parked since it last looked at the clock."""

    def due(self) -> bool:
        if not self.parked:
            return super().due()
        self.lane.filled()
        self.parked, self.size = False, AGAIN
        self.rested()
        return False


def _cancelled(waiting: Any, error: BaseException) -> bool:
    """Cancel what a pump waits for, as `Task.cancel` does, where the task has not come to wait for it."""
    return isinstance(error, CancelledError) and isfuture(waiting) and waiting.cancel(*error.args[:1])


class RowReader:
    """Reads several driven lanes at once: one item of each makes a row."""

    __slots__ = ("_counted", "_failed", "_filling", "_given", "_left", "_loop", "_pairs", "_pops", "lanes")

    def __init__(self, loop: AbstractEventLoop, drivers: Sequence[Driver]) -> None:
        self.lanes = [driver.lane for driver in drivers]
        self._loop = loop
        self._pairs: list[tuple[Any, Driver]] = [(driver.lane.held, driver) for driver in drivers]
        self._pops: list[Callable[[], Any]] = [held.popleft for held, _ in self._pairs]
        self._given = self._counted = 0
        """Rows that were given, with those that `_left` still counts; and how many the lanes have counted."""
        self._left: Any = iter(())
        self._filling: Handle | None = None
        """The call that fills up what was taken."""
        self._failed = False
        """Whether a pump has failed, so that none is driven any more: its task will tell of the error."""

    def ready(self) -> int:
        """How many whole rows there are, once the pumps were driven whose lanes are empty."""
        fewest = NEVER
        loop, home, away = self._loop, None, False
        try:
            for held, driver in self._pairs:
                size = len(held)
                if not size and driver.ready and not (self._failed or driver.stopped()):
                    if not away:
                        away, home = True, current(loop)
                    enter(loop, driver.task)
                    try:
                        waiting = driver.there(driver.send, None)
                    except BaseException as error:
                        self._failed = driver.told(error=error)
                    else:
                        if waiting is not PARKED:
                            driver.told(waiting)
                    size = len(held)
                if size < fewest:  # noqa: PLR1730
                    fewest = size
        finally:
            if away:
                back(loop, home)
        return fewest

    def row(self) -> tuple[Any, ...]:
        """The next row, which is there."""
        if self._filling is None:
            self.takes()
        self._given += 1
        return tuple([pop() for pop in self._pops])

    def rows(self, count: int) -> Iterator[tuple[Any, ...]]:
        """The next `count` rows, which are there, with no line of Python for each."""
        if self._filling is None:
            self.takes()
        self._given += count
        left = [repeat(held, count) for held, _ in self._pairs]
        self._left = left[0]
        return zip(*[map(_popleft, each) for each in left], strict=False)

    def takes(self) -> None:
        """Something is taken: have it filled up when others run."""
        for lane in self.lanes:
            lane.account.not_full()
        if self._filling is None:
            self._filling = self._loop.call_soon(self._fill)

    def _fill(self) -> None:
        """Let each pump read ahead as far as there is room."""
        self._filling = None
        for held, driver in self._pairs:
            before, lane = len(held), driver.lane
            if before >= lane.limit or self._failed:
                continue
            lane.account.not_full()
            if driver.parked:
                self._failed = driver.drive()
                lane.brought(before)

    def rest(self) -> None:
        """The reader waits: lanes that are full are so from now on."""
        for lane in self.lanes:
            lane.brought(len(lane.held))

    def close(self) -> None:
        """The reader has gone."""
        self._failed = True
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None

    def count(self) -> None:
        """Have the lanes count what was given since the last call."""
        given = self._given - length_hint(self._left)
        for lane in self.lanes:
            lane.gave(given - self._counted)
        self._counted = given


_popleft: Callable[[Any], Any] = deque[Any].popleft
