"""Workers: a thread with an event loop that runs one job, and what came of it."""

from __future__ import annotations

import asyncio
import atexit
import logging
import warnings
from contextvars import copy_context
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any, Generic, TypeVar

from streamkit._core.again import origin, throw
from streamkit._engine.face.job import Handle, Job

__all__ = ["Worker"]

R = TypeVar("R")

_PATIENCE = 2.0
"""Seconds that all have together to close everything, when the program ends and nobody has ended them."""


class Worker(Generic[R]):
    """One run of a job, in a thread of its own that keeps no program from ending."""

    handle: Handle[R]

    def __init__(self, job: Job[R], name: str) -> None:
        self.name = name
        self.error: BaseException | None = None
        """With what it has failed."""
        self.told: bool = False
        """Whether somebody has got the result, or the error."""
        self.forsaken: bool = False
        """Whether it was ended, and nobody waits for it."""
        self._trace: TracebackType | None = None
        self._result: Any = None
        self._ended = Event()
        begun = Event()
        self._thread = Thread(
            target=copy_context().run, args=(self._run, job, begun), name=f"streamkit {name}", daemon=True
        )
        _working.add(self)
        # last in, first called: before the end of what it uses, such as processes
        atexit.unregister(_end_all)
        atexit.register(_end_all)
        try:
            self._thread.start()
            begun.wait()
        except BaseException:
            self.cancel()
            raise

    @property
    def ended(self) -> bool:
        """Whether the job has ended and closed everything, and its event loop too."""
        return self._ended.is_set()

    def wait(self, timeout: float | None) -> bool:
        """Wait until it has ended; False if `timeout` is over before."""
        if not self._ended.wait(timeout):
            return False
        self._thread.join()  # it has nothing more to do
        return True

    def get(self) -> R:
        """The result; an error is raised as it was when it came out of the job."""
        self.told = True
        if self.error is not None:
            throw(self.error, self._trace)
        result: R = self._result
        return result

    def cancel(self) -> None:
        """End the job now. It closes its sources, and is not waited for."""
        self.forsaken = True
        try:
            loop = self._loop
            loop.call_soon_threadsafe(self._stop)
        except (AttributeError, RuntimeError):  # it has not begun, and will look; or its loop is closed
            return

    # in the thread -------------------------------------------------------------------------

    _loop: asyncio.AbstractEventLoop
    _stopping: asyncio.Task[None]

    def _run(self, job: Job[R], begun: Event) -> None:
        try:
            with asyncio.Runner() as runner:
                self._result = runner.run(self._main(job, begun))
        except BaseException as error:
            self._trace = origin(error)
            self.error = error
        finally:
            _working.discard(self)
            self._ended.set()
            begun.set()

    async def _main(self, job: Job[R], begun: Event) -> R:
        self._loop = asyncio.get_running_loop()
        self.handle = job.start(name=self.name)
        begun.set()
        if self.forsaken:
            self._stop()
        return await self.handle

    def _stop(self) -> None:
        self._stopping = self._loop.create_task(self.handle.stop())

    def __del__(self) -> None:
        if self.error is not None and not self.told and not self.forsaken:
            logging.getLogger("streamkit").error(
                "%s has failed, and nobody asked", self.name, exc_info=self.error
            )


_working: set[Worker[Any]] = set()
"""Those that run."""


def _end_all() -> None:
    """The program ends, and nobody has ended these: let them close what they have open."""
    left = [worker for worker in [*_working] if not worker.forsaken]
    for worker in left:
        warnings.warn(f"{worker.name} was running when the program ended", ResourceWarning, stacklevel=1)
        worker.cancel()
    end = monotonic() + _PATIENCE
    for worker in left:
        worker.wait(max(end - monotonic(), 0.0))
