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
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Sequence
from itertools import repeat
from operator import length_hint
from typing import Any
from weakref import WeakKeyDictionary

from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.driven import PARKED, DrivenLane
from streamkit._engine.buffer.lane import NEVER
from streamkit._engine.compile.key import End
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.direct import runners
from streamkit._engine.run.pump import Owner, Pump
from streamkit._engine.run.start import start

__all__ = ["Driver", "RowReader", "driven"]

_AGAIN = 8
"""Items after which a pump that has parked looks again whether it still does; at the clock, if not."""
NESTED = 8
"""How deep pumps are driven inside of pumps that are driven: each takes room on one stack."""

_levels: WeakKeyDictionary[Task[Any], int] = WeakKeyDictionary()
"""How deep those tasks stand in each other whose pumps are driven."""

_enter: Any
"""Makes a task the current one, in its loop."""
if sys.version_info >= (3, 12):  # pragma: no cover - Python 3.12 on
    _enter = _back = getattr(tasks, "_swap_current_task")  # noqa: B009
else:  # pragma: no cover - Python 3.11
    _current: dict[Any, Any] = getattr(tasks, "_current_tasks")  # noqa: B009
    _enter = _current.__setitem__

    def _back(loop: AbstractEventLoop, task: Task[Any] | None) -> None:
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


class Driver:
    """Runs one pump in its task, or has a reader run it there."""

    __slots__ = ("_level", "_loop", "_told", "lane", "park", "send", "task", "there")

    def __init__(self, loop: AbstractEventLoop, level: int) -> None:
        self._loop = loop
        self._level = level
        self._told: _Told | None = None
        self.lane: DrivenLane
        self.task: Any = None
        self.there: Any = None
        """Runs a step in the context of the task."""
        self.send: Any = None
        self.park: Future[None] | None = None
        """What the task waits for while its pump is parked, and nobody steps it."""

    @staticmethod
    def level() -> int:
        """How deep a pump stands that the current task begins; 0 if it is too deep to be driven."""
        task = current_task()
        level = 0 if task is None else _levels.get(task, 0) + 1
        return level if level <= NESTED else 0

    def drive(self) -> bool:
        """Step the pump, which is parked, until it parks again or waits; whether it has failed."""
        home = current_task(self._loop)
        _enter(self._loop, self.task)
        try:
            waiting = self.there(self.send, None)
        except BaseException as error:
            return self.told(error=error)
        finally:
            _back(self._loop, home)
        return waiting is not PARKED and self.told(waiting)

    def told(self, waiting: Any = None, error: BaseException | None = None) -> bool:
        """Hand what came of a drive back to the task; whether the pump has failed.

        It waits, or it has ended with `error`, which is a StopIteration where it is done.
        """
        self.lane.noted(len(self.lane.held))
        park, self.park = self.park, None
        done = isinstance(error, StopIteration)
        self._told = _Told(waiting, None if done else error, over=error is not None)
        if park is not None and not park.done():
            park.set_result(None)
        return not (done or error is None)

    def run(self, work: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
        """Step `work`, the coroutine of the pump, in the task that iterates over this."""
        steps, lane, held = work, self.lane, self.lane.held  # `ending` looks for `steps` here
        self.task = task = current_task()
        assert task is not None
        _levels[task] = self._level
        here, self.there = runners()
        step: Any = steps.send
        value: Any = None
        self.send = steps.send
        while True:
            before = len(held)
            try:
                waiting = here(step, value)
            except StopIteration:
                return
            finally:
                value = None
                lane.brought(before)
            step = self.send
            if waiting is PARKED:
                told, error = yield from self._parked()
                if told is not None and told.over:
                    return self._end(told)
                if told is None or (error is not None and not _cancelled(told.waiting, error)):
                    if error is not None:
                        step, value, error = steps.throw, error, None
                    continue
                waiting, error, told = told.waiting, None, None  # which may have a result: nothing keeps it
            try:
                value = yield waiting
            except BaseException as thrown:
                step, value = steps.throw, thrown

    def _parked(self) -> Generator[Any, Any, tuple[_Told | None, BaseException | None]]:
        """Wait while the pump is parked: what came of a drive, and what was thrown in meanwhile."""
        self.park = park = self._loop.create_future()
        thrown: BaseException | None = None
        try:
            yield from park
        except BaseException as error:
            thrown = error
        told, self._told, self.park = self._told, None, None
        try:
            return told, thrown
        finally:
            del thrown  # its traceback has this frame

    @staticmethod
    def _end(told: _Told) -> None:
        error, told.error = told.error, None
        if error is None:
            return
        trace = error.__traceback__
        try:
            raise error.with_traceback(None if trace is None else trace.tb_next)  # without the one who drove
        finally:
            del error


class Driven:
    """What is awaited in the task of a driven pump."""

    __slots__ = ("_driver", "_work")

    def __init__(self, driver: Driver, work: Coroutine[Any, Any, None]) -> None:
        self._driver = driver
        self._work = work

    def __await__(self) -> Generator[Any, Any, None]:
        return self._driver.run(self._work)


def driven(run: Owner, lane: DrivenLane, inlet: Inlet[Any], book: Book | None) -> Awaitable[None]:
    """Reads `inlet` into the lane, in the task that awaits this and in that of its reader."""
    work = start(inlet.source, inlet.links, End.DRIVE, DrivenPump(run, lane), book)
    assert isinstance(lane.driver, Driver)
    return Driven(lane.driver, work)


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
        self.parked, self.size = False, _AGAIN
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
                if not size and (park := driver.park) is not None and not (self._failed or park.done()):
                    if not away:
                        away, home = True, current_task(loop)
                    _enter(loop, driver.task)
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
                _back(loop, home)
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
            if (park := driver.park) is not None and not park.done():
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
