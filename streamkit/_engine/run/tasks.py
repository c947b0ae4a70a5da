"""The tasks and timers of a run: it begins them, ends them, and waits until they have ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import (
    AbstractEventLoop,
    CancelledError,
    Future,
    Task,
    TimerHandle,
    current_task,
    get_running_loop,
    sleep,
    wait,
)
from collections.abc import Awaitable, Callable
from functools import partial
from types import CodeType
from typing import Any

from streamkit._core.arguments import awaitable, callback, discard, seconds as seconds_argument
from streamkit._core.errors import attached, raise_first
from streamkit._core.show import shown
from streamkit._engine.buffer.target import Abandoned, Failing, Target
from streamkit._engine.run.ending import Ending, has_begun
from streamkit._engine.run.leave import is_of_clean_up, unreached

__all__ = ["Tasks", "Timer", "Work"]

Work = Callable[[], Awaitable[Any]]
"""Makes what is to be awaited in a task; called there."""


def _of_clean_up(error: BaseException) -> list[BaseException]:
    """What failed in the clean-up of a task that the run has cancelled."""
    if not error.__dict__:  # nothing hangs on it
        return []
    others = unreached(error)
    return [
        late
        for late in attached(error)
        if not isinstance(late, CancelledError) and not any(late is other for other in others)
    ]


def _channel_argument(channel: object) -> None:
    if not isinstance(channel, Failing):
        raise TypeError(
            "channel must be the one that run.channel() made, which an error is to fail, "
            f"not {shown(channel)}"
        )


def _nothing_to_await(result: object) -> None:
    if awaitable(result):
        discard(result)
        raise TypeError(
            f"what a timer calls must return nothing to await, not {shown(result)}: "
            "let it call run.spawn(...)"
        )


def _over(waits: Future[None], _: object = None) -> None:
    """Go on with who `waits` for the end of a task."""
    if not waits.done():
        waits.set_result(None)


class Timer:
    """A call that a run makes later; `cancel` it, or it is cancelled when the run ends."""

    __slots__ = ("_handle", "_timers")

    def __init__(self, handle: TimerHandle, timers: set[Timer]) -> None:
        self._handle = handle
        self._timers = timers
        timers.add(self)

    def cancel(self) -> None:
        """Call nothing; also where the time has come already."""
        self._handle.cancel()
        self._timers.discard(self)


class Tasks(ABC):
    """What a run has under way. Its first error ends the others; their cancellation is no error."""

    def __init__(self) -> None:
        self.loop: AbstractEventLoop = get_running_loop()
        self.ending: bool = False
        """Whether the run cancels its own tasks."""
        self._tasks: dict[Task[Any], list[BaseException] | None] = {}
        """Those that have not ended, as they began; where what their clean-up raises goes, if cancelled."""
        self._spawning: bool = False
        """A task is being made: if it runs now, it is eager."""
        self._writers: dict[Target, Task[Any]] = {}
        """The task that writes into a lane, while it does."""
        self._dismissed: dict[Target, list[BaseException]] = {}
        """What the clean-up of tasks raises that are to end, until `stop` is called for their lane."""
        self._stopped: dict[Target, Future[None]] = {}
        """What `stop` waits for, by the lane."""
        self._cut: list[BaseException] = []
        """What the clean-up of tasks raises whose lanes were cut off: for the end of the run."""
        self._ends: Ending = Ending(self.loop)
        self._timers: set[Timer] = set()
        self._late: list[BaseException] = []
        """Errors of clean-ups, for the end of the run."""
        self._ahead: list[BaseException] = []
        """Errors of tasks that came too late to be delivered, as everything was ending already."""

    @abstractmethod
    def blame(self, error: BaseException) -> BaseException:
        """`error`, raised by something that the stage has called, with a note that names the operator."""

    @abstractmethod
    def blame_own(self, error: BaseException, code: CodeType | None = None) -> BaseException:
        """`error`, blamed if the function of `code` raised it, or what that called, and no other stream."""

    @property
    def stopping(self) -> bool:
        """Whether the current task is to end: it, or every one, was cancelled by the run."""
        task = current_task()
        return self.ending or (task is not None and self._tasks.get(task) is not None)

    def time(self) -> float:
        """The time of the event loop, in seconds."""
        return self.loop.time()

    def after(self, seconds: float, function: Callable[[], object], channel: Failing) -> Timer:
        """Call `function` in so many seconds, unless the run has ended; an error in it fails `channel`.

        The error names the operator, as that of any callback does.

        Raises:
            TypeError: `seconds` is not a number, `function` cannot be called or is a coroutine function, or
                `channel` is no channel.
            ValueError: `seconds` is not finite, or below 0.
        """
        seconds = seconds_argument("seconds", seconds, positive=False)
        callback("function", function, waits=False)
        _channel_argument(channel)

        def ring() -> None:
            timer.cancel()
            try:
                _nothing_to_await(function())
            except Exception as error:
                channel.fail(self.blame(error))

        timer = Timer(self.loop.call_later(seconds, ring), self._timers)
        return timer

    def disarm(self) -> None:
        """Cancel every timer."""
        for timer in (*self._timers,):
            timer.cancel()

    def spawn(self, work: Work, channel: Failing, lane: Target | None = None) -> Task[Any]:
        """Run `work` in a task of this run; an error in it fails `channel`, its end closes `lane`.

        Raises:
            TypeError: `work` cannot be called: pass the function, not what it returns; `channel` is no
                channel, or `lane` no lane.
            ValueError: another task writes into the lane.
        """
        if not callable(work):
            discard(work)
            raise TypeError(
                "work must make what is awaited, as partial(function, item) does, and not be it: "
                f"{shown(work)}"
            )
        _channel_argument(channel)
        if lane is not None and not isinstance(lane, Target):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"lane must be one that channel.lane(strategy) made, not {shown(lane)}")
        if lane in self._writers:
            raise ValueError(f"lane must have no writer yet: {shown(lane)} has one, so make another lane")
        return self.launch(work, channel, lane)

    def launch(self, work: Work, channel: Failing, lane: Target | None = None) -> Task[Any]:
        """`spawn`, unchecked: for a stage that does so for each item."""
        task = self._begun(work, channel, lane)
        if lane is not None:
            self._writers[lane] = task
        if self.ending:  # intake is over: `work` does not even begin
            self._tasks[task] = self._late
        return task

    def drive(self, driver: Any, channel: Failing, lane: Target | None = None) -> Task[Any]:
        """`spawn` of what the ``make`` of `driver` gives; unchecked, as there may be one for each item."""
        task: Task[Any] = driver.begin(self._watched(driver.make, channel, lane, driver))
        self._tasks[task] = None
        return task

    def _begun(self, work: Work, channel: Failing, lane: Target | None) -> Task[Any]:
        """The task of `work`."""
        if lane is not None and lane.driver is not None and not self.ending:
            lane.driver.make = work
            return self.drive(lane.driver, channel, lane)
        self._spawning = True
        try:
            task = self.loop.create_task(self._watched(work, channel, lane))
        finally:
            self._spawning = False
        self._tasks[task] = None
        return task

    def dismiss(self, lane: Target) -> None:
        """Begin to end the task that writes into `lane`, if there is one; `stop` waits for its end.

        What its clean-up raises is raised there; at the end of the run, where nobody calls `stop`.
        """
        task = self._writers.get(lane)
        if task is not None and self._tasks[task] is None:
            self._tasks[task] = self._dismissed[lane] = []
            self._ends.cancel(task)

    async def stop(self, lane: Target) -> None:
        """End the task that writes into `lane`, and wait until it has ended.

        Its cancellation is no error, and nobody sees it. What its clean-up raises is raised here; at the
        end of the run, where this was cancelled meanwhile.

        Raises:
            RuntimeError: it is called in that task.
        """
        task = self._writers.get(lane)
        if task is None:
            raise_first(self._dismissed.pop(lane, []))
            return
        if task is current_task():
            raise RuntimeError("a task cannot stop itself: let its work return")
        self.dismiss(lane)
        self._dismissed.pop(lane, None)
        errors = self._tasks[task]
        assert errors is not None
        over: Future[None] = self.loop.create_future()
        if lane not in self._stopped and has_begun(task):
            self._stopped[lane] = over
        else:  # one that is cancelled before its first step tells nobody; and a callback costs a handle
            task.add_done_callback(partial(_over, over))
        try:
            await over  # `asyncio.wait` costs three times as much
        except CancelledError:
            if not task.done():
                self._tasks[task] = self._late
            self._late += errors
            raise
        if self._writers.get(lane) is task:  # it was cancelled before it began
            del self._writers[lane]
            self._tasks.pop(task, None)
            lane.close()
        raise_first(errors)

    def cut(self, lane: Target) -> None:
        """Read `lane` no more, as `retire` does, and do not wait: the end of the run waits for the clean-up.

        What that raises is raised at the end, too.
        """
        errors: list[BaseException] = []
        lane.channel.retire(lane, errors)
        self._cut += map(self.blame, errors)
        task = self._writers.get(lane)
        if task is not None and task is not current_task() and self._tasks[task] is None:
            self._tasks[task] = self._cut
            self._ends.cancel(task)

    def halt(self) -> None:
        """End intake: cancel every task of this run but the one that says so."""
        self.ending = True
        if self.loop.is_closed():  # no task of that can be cancelled, or would end
            self._tasks.clear()
        for task, stopped in (*self._tasks.items(),):
            if task is not current_task() and stopped is None:
                self._tasks[task] = self._late
                self._ends.cancel(task)

    def spare(self, task: Task[Any]) -> None:
        """Do not cancel `task`, which ends by itself: to see that it is in no clean-up takes longer."""
        if task in self._tasks:
            self._tasks[task] = self._late

    async def _watched(self, work: Work, channel: Failing, lane: Target | None, driver: Any = None) -> Any:
        interrupted = False
        task: Any = None if driver else current_task()
        try:
            if driver is not None:  # its maker steps this to where it waits for its task
                return await driver
            if self._spawning:  # an eager one would get ahead of its maker, and nest: test_tasks_eager
                await sleep(0)  # pragma: no cover - Python 3.12 on
            return None if self.stopping else await work()
        except BaseException as error:
            task = task if driver is None else driver.task
            if self.loop.is_closed():  # the collector drops the task: nobody is left to be told or woken
                lane = None
                raise
            if self._settled(error, task, channel, driver):
                return None
            if not isinstance(error, (Exception, CancelledError)):
                interrupted = True
                raise
        finally:
            if lane is not None:
                lane.close()
                self._writers.pop(lane, None)
                if self._stopped and (over := self._stopped.pop(lane, None)) is not None:
                    _over(over)
            if not interrupted:
                self._tasks.pop(task if driver is None else driver.task, None)

    def _settled(self, error: BaseException, task: Any, channel: Failing, driver: Any) -> bool:
        """See to it that `error`, which ended `task`, is told; True if it only ended it.

        The frame of the task, which the traceback has, keeps none of it: it would never be freed.
        """
        into = self._tasks.get(task)
        if isinstance(error, Abandoned) or (
            isinstance(error, CancelledError) and (self.ending or into is not None)
        ):
            (self._late if into is None else into).extend(_of_clean_up(error))
            self._ahead += unreached(error)
            return True
        blamed = self.blame_own(error, Tasks._watched.__code__)
        if into is not None and into is not self._late:
            into.append(blamed)
        elif channel.left:
            cancelled = task.cancelling() and not (driver is not None and driver.ended)
            (self._late if cancelled or is_of_clean_up(error) else self._ahead).append(blamed)
        else:
            channel.fail(blamed)
        return False

    async def _ended(self) -> None:
        """Wait for every task; if cancelled meanwhile, however often, pass that on afterwards."""
        self.disarm()
        cancelled: CancelledError | None = None
        while self._tasks:
            try:
                await wait(self._tasks)
            except CancelledError as error:
                cancelled = error
            for task in [task for task in self._tasks if task.done()]:
                del self._tasks[task]  # it never ran: it was cancelled before
                if not task.cancelled():
                    task.exception()  # an interrupt, which the event loop has raised
        self._ends.forget()
        for errors in (*self._dismissed.values(), self._cut):
            self._late += errors
        self._dismissed.clear()
        self._cut = []
        if cancelled is not None:
            raise cancelled
