"""Jobs: a stream joined to a sink, and the handle of one that was started."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

from streamkit._core.errors import StoppedError
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.key import End
from streamkit._engine.face.explain import Explanation, explain
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration, piped
from streamkit._engine.run.blocking import require_no_loop
from streamkit._engine.run.gate import Drive
from streamkit._engine.run.start import start

__all__ = ["Handle", "Job"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Job(Generic[R_co]):
    """A stream joined to a sink: ``await job``, ``job.run()`` or ``job.start()``; each is a new run.

    >>> from streamkit import Stream, ops
    >>> (Stream([1, 2, 3]) | ops.fold(lambda total, item: total + item, 0)).run()
    6
    """

    __slots__ = ("_inlet", "_links")

    def __init__(self, stream: Inlet[Any], links: tuple[Link, ...]) -> None:
        self._inlet = stream
        self._links = links
        """The sink, and operators that were joined to it before the stream was."""

    def __await__(self) -> Generator[Any, None, R_co]:
        return self.work(None).__await__()

    def work(self, book: Book | None) -> Coroutine[Any, Any, R_co]:
        """The coroutine of a new run. Its stages are entered in `book`."""
        links = (*self._inlet.links, *self._links)
        sink = links[-1].declaration
        if isinstance(sink, StageDeclaration):
            return sink.result(links[-1], Inlet(self._inlet.source, links[:-1]), book)
        work: Coroutine[Any, Any, R_co] = start(self._inlet.source, links, End.RESULT, None, book)
        return work

    def run(self) -> R_co:
        """Run to the end on a loop of its own, in this thread, and return the result.

        Raises:
            RunningLoopError: an event loop runs in this thread; there, ``await job``.
        """
        require_no_loop("job.run()", "await job")
        with asyncio.Runner() as runner:
            return runner.run(_awaited(self))

    def start(self, *, name: str | None = None) -> Handle[R_co]:
        """Run in a task of the running event loop, and return a handle to await, pause and stop it."""
        return Handle(self, name or self._named(self._inlet.source.kind))

    def explain(self, *, code: bool = False) -> Explanation:
        """What is fused, what buffers where, and the bound in items; with `code`, the generated loops."""
        return explain(self._inlet.source, (*self._inlet.links, *self._links), code=code)

    def __repr__(self) -> str:
        return self._named(repr(self._inlet.source))

    def _named(self, source: str) -> str:
        return f"Job({piped(source, (*self._inlet.links, *self._links))})"


class Handle(Generic[R_co]):
    """A job that runs: await it for its result, pause and resume it, or stop it."""

    def __init__(self, job: Job[R_co], name: str) -> None:
        loop = asyncio.get_running_loop()
        self._book: Book = Book()
        self._book.gate.set()
        self._stopped = False
        self._task: asyncio.Task[R_co] = loop.create_task(_driven(job, self._book), name=name)

    @property
    def done(self) -> bool:
        """Whether the job has ended and closed everything."""
        return self._task.done()

    @property
    def paused(self) -> bool:
        """Whether the job is held, or will be when it next waits."""
        return not self._book.gate.is_set()

    def buffers(self) -> tuple[BufferStats, ...]:
        """What became of the items in each buffer of the job so far."""
        return tuple(self._book.stats())

    def pause(self) -> None:
        """Hold the job where it next waits. Its sources go on until the buffers are full."""
        self._book.gate.clear()
        self._book.hold()

    def resume(self) -> None:
        """Let a paused job go on."""
        self._book.gate.set()

    async def stop(self) -> None:
        """End the job; return when everything is closed. Awaiting the handle then raises `StoppedError`."""
        if not self._task.done():
            self._stopped = True
            self._task.cancel()
            await asyncio.wait([self._task])

    def __await__(self) -> Generator[Any, None, R_co]:
        try:
            return (yield from self._task.__await__())
        except asyncio.CancelledError:
            if self._stopped and self._task.cancelled():
                raise StoppedError(f"{self._task.get_name()} was stopped") from None
            raise

    def __repr__(self) -> str:
        state = "done" if self.done else "paused" if self.paused else "running"
        return f"<Handle {state} {self._task.get_name()}>"


async def _awaited(job: Job[R]) -> R:
    return await job


async def _driven(job: Job[R], book: Book) -> R:
    result: R = await Drive(job.work(book).__await__(), gate=book.gate)
    return result
