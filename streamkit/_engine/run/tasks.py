"""The tasks and timers of a run: it begins them, ends them, and waits until they have ended."""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, Task, TimerHandle, current_task, get_running_loop, wait
from collections.abc import Awaitable, Callable
from typing import Any

from streamkit._core.arguments import callback, discard, seconds as seconds_argument
from streamkit._core.errors import attached, raise_first
from streamkit._engine.buffer.target import Abandoned, Failing, Target

__all__ = ["Tasks", "Timer", "Work"]

Work = Callable[[], Awaitable[Any]]
"""Makes what is to be awaited in a task; called there."""


def _of_clean_up(error: BaseException) -> list[BaseException]:
    """What failed in the clean-up of a task that the run has cancelled.

    Where that met it while it cleaned up after an error of its own, nobody got to that error.
    """
    first = getattr(error, "__streamkit_instead__", None)
    return [late for late in attached(error) if late is not first and not isinstance(late, CancelledError)]


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


class Tasks:
    """What a run has under way. Its first error ends the others; their cancellation is no error."""

    def __init__(self) -> None:
        self.loop: AbstractEventLoop = get_running_loop()
        self.ending: bool = False
        """Whether the run cancels its own tasks."""
        self._tasks: dict[Task[Any], list[BaseException] | None] = {}
        """Those that have not ended, as they began; where what their clean-up raises goes, if cancelled."""
        self._writers: dict[Target, Task[Any]] = {}
        """The task that writes into a lane, while it does."""
        self._timers: set[Timer] = set()
        self._late: list[BaseException] = []
        """Errors of clean-ups, for the end of the run."""

    def time(self) -> float:
        """The time of the event loop, in seconds."""
        return self.loop.time()

    def after(self, seconds: float, function: Callable[[], object], channel: Failing) -> Timer:
        """Call `function` in so many seconds, unless the run has ended; an error in it fails `channel`.

        Raises:
            TypeError: `seconds` is not a number, or `function` cannot be called or is a coroutine function.
            ValueError: `seconds` is not finite, or below 0.
        """
        seconds_argument("seconds", seconds, positive=False)
        callback("function", function, waits=False)

        def ring() -> None:
            timer.cancel()
            try:
                function()
            except Exception as error:
                channel.fail(error)

        timer = Timer(self.loop.call_later(seconds, ring), self._timers)
        return timer

    def spawn(self, work: Work, channel: Failing, lane: Target | None = None) -> Task[Any]:
        """Run `work` in a task of this run; an error in it fails `channel`, its end closes `lane`.

        Raises:
            TypeError: `work` cannot be called: pass the function, not what it returns.
        """
        if not callable(work):
            discard(work)
            raise TypeError(
                f"work must make what is awaited, as partial(function, item) does, and not be it: {work!r}"
            )
        task = self.loop.create_task(self._watched(work, channel, lane))
        if not task.done():  # an eager task may be
            self._tasks[task] = None
            if lane is not None:
                self._writers[lane] = task
        return task

    async def stop(self, lane: Target) -> None:
        """End the task that writes into `lane`, and wait until it has ended.

        Its cancellation is no error, and nobody sees it. What its clean-up raises is raised here.
        """
        task = self._writers.get(lane)
        if task is None:
            return
        errors = self._tasks[task]
        if errors is None:
            errors = self._tasks[task] = []
            task.cancel()
        await wait({task})
        raise_first(errors)

    def halt(self) -> None:
        """End intake: cancel every task of this run but the one that says so."""
        self.ending = True
        for task, cancelled in (*self._tasks.items(),):
            if task is not current_task() and cancelled is None:  # twice would interrupt its clean-up
                self._tasks[task] = self._late
                task.cancel()

    async def _watched(self, work: Work, channel: Failing, lane: Target | None) -> Any:
        task, interrupted = current_task(), False
        assert task is not None
        try:
            return await work()
        except BaseException as error:
            into = self._tasks.get(task)
            if isinstance(error, Abandoned) or (
                isinstance(error, CancelledError) and (self.ending or into is not None)
            ):
                (self._late if into is None else into).extend(_of_clean_up(error))
                return None
            if into is not None and into is not self._late:
                into.append(error)
            elif channel.left:
                self._late.append(error)
            else:
                channel.fail(error)
            if not isinstance(error, (Exception, CancelledError)):
                interrupted = True
                raise
        finally:
            if lane is not None:
                lane.close()
                self._writers.pop(lane, None)
            if task in self._tasks and not interrupted:
                del self._tasks[task]

    async def _ended(self) -> None:
        """Wait for every task; cancelled meanwhile, go on waiting and pass the cancellation on after."""
        for timer in (*self._timers,):
            timer.cancel()
        cancelled: CancelledError | None = None
        while self._tasks:
            try:
                await wait(self._tasks)
            except CancelledError as error:
                cancelled = error
                for task in (*self._tasks,):
                    task.cancel()
            for task in [task for task in self._tasks if task.done()]:
                del self._tasks[task]  # it never ran: it was cancelled before
                if not task.cancelled():
                    task.exception()  # an interrupt, which the event loop has raised
        if cancelled is not None:
            raise cancelled
