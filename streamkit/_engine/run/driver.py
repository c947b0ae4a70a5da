"""Drivers: what runs a pump in its task, and while it is parked, for a reader in the name of that task.

A turn of the event loop costs more than all else that a ready item goes through. So a reader that lacks an
item steps the pump that is to bring it (`RowReader`, `Drives`). The pump cannot tell: its task is the current
one, with its context; and what it waits for goes back to the task, which yields it to the event loop. A scope
of its source that fires while it is parked cancels the task, as ever. While the reader lets others run, what
it took is filled up once per turn of the loop, so that pumps read ahead as others do. All that one reader
steps has one `Clock`: however many sources are slow, others run in time.

``benchmarks/workloads/rows.py`` measures it, ``tests/compile/test_opcodes_driven.py`` guards it.
"""

from __future__ import annotations

import sys
from asyncio import (
    AbstractEventLoop,
    CancelledError,
    Future,
    Task,
    current_task,
    get_running_loop,
    isfuture,
    tasks,
)
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any

from streamkit._engine.buffer.driven import IDLE, LATE, PARKED, DrivenLane
from streamkit._engine.run.pump import Clock

__all__ = ["Driver", "Worker", "back", "current", "enter"]

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

    def __init__(self, waiting: Any = None, error: BaseException | None = None, *, over: bool) -> None:
        self.waiting = waiting
        self.error = error
        self.over = over


_DONE = _Told(over=True)


class Driver:
    """Runs one pump in its task, or has a reader run it there. It is awaited in that task."""

    # by slots: what an instance has in place of what its class says is looked up anew for each item
    __slots__ = (
        "_level",
        "_told",
        "clock",
        "lane",
        "make",
        "park",
        "ready",
        "send",
        "stopped",
        "task",
        "there",
        "work",
    )

    def __init__(self, level: int, lane: DrivenLane, clock: Clock | None = None) -> None:
        self.clock = clock
        """That of its reader, which steps the pump from the first, also where it only fills up lanes."""
        self._level = level
        self.lane = lane
        self.send: Any = self._first
        self.task: Any = None
        self.there: Any = None
        """Runs a step in the context of the task."""
        self.make: Any = None
        """Makes the coroutine of the pump: called in the task, when it is first stepped."""
        self.work: Any = None
        """The coroutine of the pump, when it has begun."""
        self.ready = False
        """Whether its reader may step the pump: it is parked, or has not begun."""
        self.stopped: Any = None
        """Whether it is to be stepped by its task all the same: a cancellation is on its way there."""
        self.park: Future[None] | None = None
        """What the task waits for while its pump is parked, and nobody steps it."""
        self._told: _Told | None = None

    @staticmethod
    def level() -> int:
        """How deep a pump stands that the current task begins; 0 if it is too deep to be driven."""
        level = _levels.get(id(current_task()), 0) + 1
        return level if level <= NESTED else 0

    def begin(self, steps: Coroutine[Any, Any, Any]) -> Task[Any]:
        """Make its task, of `steps` that await this; a reader may step the pump before the task has begun."""
        context = self._context()
        steps.send(None)
        self.task = task = get_running_loop().create_task(steps, context=context)
        self.stopped = task.cancelling
        _levels[id(task)] = self._level
        return task

    def _context(self) -> Context:
        """The context of its task."""
        context = copy_context()
        self.there = context.run
        return context

    def _stepped(self, step: Callable[[Any], Any], value: Any) -> Any:
        """Take a step in the task."""
        return step(value)

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
        loop = get_running_loop()
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

        It waits, or it has ended with `error`, which is a StopIteration where it is done. What is `LATE`
        stays where it is, for its reader to step.
        """
        self.lane.noted(len(self.lane.held))
        if waiting is LATE and self.clock is not None:
            self.clock.tires()
            return False
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
                        waiting = self._stepped(step, value)
                    except StopIteration:
                        return
                    finally:
                        value = None
                        lane.brought(before)
                if waiting is IDLE:
                    return
                if waiting is PARKED:
                    told, error = yield from self._parked(begun=begun)
                    # a reader that has begun the pump, or will, goes on with it
                    while told is None and error is None and self._stays(begun):
                        begun = True
                        told, error = yield from self._parked(begun=True)
                    begun = True
                    if told is None and self._rests():  # cancelled, and there is no stream that can be told
                        return
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
                    value = yield (None if waiting is LATE else waiting)
                except BaseException as thrown:
                    step, value = self._throw, thrown
        finally:
            _levels.pop(id(self.task), None)
            if self.work is not None:
                self.work.close()
            if lane.driver is self:
                lane.ended()

    def _stays(self, begun: bool) -> bool:
        """Whether the task, which has woken, leaves the pump to the reader: it was not `begun` before."""
        if self._rests() or self._holds():
            return True
        return not begun and (self.work is not None or (self.clock is not None and self.clock.over))

    def _rests(self) -> bool:
        """Whether a stream has ended, and its pump waits for another."""
        return False

    def _parked(self, *, begun: bool) -> Generator[Any, Any, tuple[_Told | None, BaseException | None]]:
        """Wait while the pump is parked: what came of a drive, and what was thrown in meanwhile.

        Where the task has not `begun`, wait for its first step.
        """
        self.ready = not self._rests()
        thrown: BaseException | None = None
        try:
            if begun:
                self.park = park = get_running_loop().create_future()
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


class Worker(Driver):
    """Runs a pump that reads one stream after the other, each in a context of its own.

    Streams that never wait, as lists do not, need no task each: to make one costs more than all else that a
    short stream does. What is asked in them for the current task is told of this one, from first to last. A
    stream that has waited, or has left a cancellation behind, is the last of its task.
    """

    __slots__ = ("_last", "idle")

    def __init__(self, level: int, lane: DrivenLane, clock: Clock | None = None) -> None:
        super().__init__(level, lane, clock)
        self._last = False
        """Whether there is no stream after this one."""
        self.idle = False
        """Whether a stream has ended, and it may be given another."""

    def _context(self) -> Context:
        """That of the reader: what a stream sets in the context of the task would be kept."""
        self.there = copy_context().run
        around: Context = self.lane.channel.drives.context
        return around.copy()

    def _rests(self) -> bool:
        return self.idle

    def _stepped(self, step: Callable[[Any], Any], value: Any) -> Any:
        return self.there(step, value)

    def again(self) -> None:
        """There is another stream for it, which runs in a copy of the current context."""
        self.idle = False
        self.there = copy_context().run
        self.ready = True

    def told(self, waiting: Any = None, error: BaseException | None = None) -> bool:
        if waiting is not IDLE:
            self._last = self._last or waiting is not LATE
            return super().told(waiting, error)
        task = self.task
        # a `cancel()` before its next step shows in `_must_cancel` alone where `uncancel()` has taken it back
        if self._last or self.lane.driver is not self or task.cancelling() or task._must_cancel:
            return super().told(error=StopIteration())
        self.lane.noted(len(self.lane.held))
        self.ready, self.idle, self.there = False, True, None
        return False

    def end(self) -> None:
        """There are no more streams."""
        self._last = True
        if self.idle:
            self._told = _DONE
            self.wake()


def _cancelled(waiting: Any, error: BaseException) -> bool:
    """Cancel what a pump waits for, as `Task.cancel` does, where the task has not come to wait for it."""
    return isinstance(error, CancelledError) and isfuture(waiting) and waiting.cancel(*error.args[:1])
