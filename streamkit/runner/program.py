"""Programs that are jobs: signals end them in order, and the exit code says how they ended."""

from __future__ import annotations

import asyncio
import sys
from threading import current_thread, main_thread
from typing import Any

from streamkit._core.errors import StoppedError
from streamkit._core.show import shown
from streamkit._engine.face.job import Handle, Job
from streamkit._engine.run.blocking import require_no_loop
from streamkit.runner.intake import Intake
from streamkit.runner.interrupts import Interrupts

__all__ = ["run"]

_FAILED = 1
_BY_SIGNAL = 128
"""What shells add to the number of a signal for the exit code of a program that it has ended."""


def run(*jobs: Job[Any]) -> int:
    """Run `jobs` side by side to their ends, and return the exit code of the program.

    >>> from streamkit import Stream, ops, runner
    >>> runner.run(Stream("ab") | ops.for_each(print), Stream([1, 2]) | ops.drain())
    a
    b
    0

    A program ends with ``sys.exit(runner.run(job))``.

    ====================  ==================================================================  ===========
    when                  what is done                                                        exit code
    ====================  ==================================================================  ===========
    all jobs have ended   nothing                                                             0
    SIGINT or SIGTERM     the sources end; what is inside is finished, as at their own ends   0
    a second of them      all is cancelled; sources are closed, what is held is dropped       128 + its number
    a third               what it does to any program                                         that
    a job fails           ``sys.excepthook`` shows its error; the sources of the others end   1
    ====================  ==================================================================  ===========

    So 130 is Ctrl-C twice, and 143 SIGTERM twice. Streams that callbacks make, as those of ``flat_map``, are
    inside. A callback that blocks holds up the event loop, and the answer to a signal with it.

    Raises:
        TypeError: there is no job, or one of them is something else.
        RunningLoopError: an event loop runs in this thread.
        RuntimeError: this is not the main thread, where signals are handled.
    """
    if not jobs:
        raise TypeError("run needs a job: write runner.run(stream | ops.drain())")
    for job in jobs:
        if not isinstance(job, Job):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"jobs must be jobs, as stream | ops.drain() is one, not {shown(job)}")
    program = _Program(jobs)
    require_no_loop("runner.run()", "job.start()")
    if current_thread() is not main_thread():
        raise RuntimeError(
            "runner.run() handles signals, which only the main thread may: write job.start_in_thread() here"
        )
    with program.interrupts.handled(), asyncio.Runner() as runner:
        runner.run(program.main())
    for error in program.errors:
        sys.excepthook(type(error), error, error.__traceback__)
    if program.errors:
        return _FAILED
    return _BY_SIGNAL + program.interrupts.caught[1] if len(program.interrupts.caught) > 1 else 0


class _Program:
    """Jobs that run side by side, and what signals do to them."""

    def __init__(self, jobs: tuple[Job[Any], ...]) -> None:
        self._intake = Intake()
        self._jobs = [self._intake.steered(job) for job in jobs]
        self._handles: list[Handle[Any]] = []
        self.interrupts = Interrupts(self._obey)
        self.errors: list[BaseException] = []

    def _obey(self) -> None:
        caught = len(self.interrupts.caught)
        if caught:
            self._intake.end()
        if caught > 1:
            for handle in self._handles:
                self._stopping.append(asyncio.ensure_future(handle.stop()))

    async def main(self) -> None:
        """Run the jobs to their ends."""
        self._stopping: list[asyncio.Future[None]] = []
        self._handles = [job.start() for job in self._jobs]
        self.interrupts.begin()
        async with asyncio.TaskGroup() as group:
            for handle in self._handles:
                group.create_task(self._watch(handle))
        await asyncio.gather(*self._stopping)

    async def _watch(self, handle: Handle[Any]) -> None:
        try:
            await handle
        except StoppedError:
            return
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise  # the program is cancelled, and no callback has raised it
            self.errors.append(error)
            self._intake.end()
