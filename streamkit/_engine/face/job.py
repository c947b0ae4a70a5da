"""Jobs: a stream joined to a sink, and the handle of one that was started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary, ref

from streamkit._core.arguments import Composed
from streamkit._core.errors import StoppedError, raise_first
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.key import End
from streamkit._engine.face.explain import explain
from streamkit._engine.face.explanation import Explanation
from streamkit._engine.face.mistakes import OF_HANDLES, OF_JOBS, attribute, behind_sink, never_run
from streamkit._engine.face.outside import Outside
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration, piped
from streamkit._engine.run.blocking import require_loop, require_no_loop
from streamkit._engine.run.claims import Claims
from streamkit._engine.run.driver import current
from streamkit._engine.run.ending import interrupt
from streamkit._engine.run.followed import followed
from streamkit._engine.run.gate import driven
from streamkit._engine.run.start import start

__all__ = ["Handle", "Job"]

_RESULT: Final = End.RESULT
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Job(Outside[R_co]):
    """A stream joined to a sink: ``await job``, ``job.run()``, ``job.start()``; each is a new run.

    A job that is thrown away before anything was done with it warns, as a coroutine does. asyncio runs one
    where it runs a coroutine: ``asyncio.run(job)``, ``create_task(job)``.

    >>> from streamkit import Stream, ops
    >>> (Stream([1, 2, 3]) | ops.fold(lambda total, item: total + item, 0)).run()
    6
    """

    __slots__ = ("_awaited", "_driven", "_links", "_source", "_task")

    def __init__(self, stream: Inlet[Any], links: tuple[Link, ...], *, awaited: bool = True) -> None:
        # not the stream: what keeps fewer objects has the collector look at fewer
        self._source = stream.source
        self._links = stream.links + links
        self._awaited = awaited
        """Whether nothing needs to be said when it is thrown away; so it is once it was used in any way."""
        self._task: Callable[[], object] = _nobody
        """The task that was handed it for its coroutine, and first drives a run of it."""

    def __await__(self) -> Generator[Any, None, R_co]:
        return self.work(None).__await__()

    def work(self, book: Book | None) -> Coroutine[Any, Any, R_co]:
        """The coroutine of a new run. Its stages are entered in `book`."""
        self._awaited = True
        if self._source.tracked and (book is None or book.ledgers is None):
            return followed(Inlet(self._source, self._links), book, self._work)
        return self._work(book)

    def _work(self, book: Book | None) -> Coroutine[Any, Any, R_co]:
        links = self._links
        sink = links[-1].declaration
        if sink.stage is not None:
            assert isinstance(sink, StageDeclaration)
            return sink.result(links[-1], Inlet(self._source, links[:-1]), book)
        work: Coroutine[Any, Any, R_co] = start(self._source, links, _RESULT, None, book)
        return work

    def run(self) -> R_co:
        """Run to the end on a loop of its own, in this thread, and return the result.

        Raises:
            RunningLoopError: an event loop runs in this thread; there, ``await job``.
        """
        self._awaited = True
        require_no_loop("job.run()", "await job")
        with asyncio.Runner() as runner:
            return runner.run(_awaited(self))

    def start(self, *, name: str | None = None) -> Handle[R_co]:
        """Run in a task of the running event loop, and return a handle to await, pause and stop it.

        Raises:
            RuntimeError: no event loop runs in this thread; there, ``job.run()``.
        """
        return self._started(name, watched=False)

    def _started(self, name: str | None, *, watched: bool) -> Handle[R_co]:
        """Start it; `watched`, where it may be asked what is in hand."""
        self._awaited = True
        require_loop("job.start()", "job.run()")
        claims = Claims()  # a task that is cancelled before it begins has no run that could make them
        claims.take(Inlet[Any](self._source, self._links))
        return Handle(self, name or self._named(self._source.kind), claims, watched=watched)

    def explain(self, *, code: bool = False) -> Explanation:
        """What is fused, what buffers where, and the bound in items; with `code`, the generated loops."""
        self._awaited = True
        return explain(self._source, self._links, code=code)

    def __eq__(self, other: object) -> bool:
        """Whether `other` is this job: two that are alike are two runs, as ``asyncio.gather`` must know."""
        self._awaited = True
        return self is other

    def __hash__(self) -> int:
        self._awaited = True
        return id(self)

    def __reduce__(self) -> tuple[Any, ...]:
        self._awaited = True
        return Job, (Inlet[Any](self._source), self._links)

    def __del__(self) -> None:
        if not self._awaited:
            never_run(self._named(self._source.kind), self._links[-1])

    def __repr__(self) -> str:
        self._awaited = True
        return self._named(repr(self._source))

    if not TYPE_CHECKING:
        # Type checkers refuse what these answer. `send`, `throw` and `close` are all that asyncio asks of a
        # coroutine: with them, `asyncio.run(job)` and `create_task(job)` are one more way to run a job.

        def __or__(self, other: Any) -> Any:
            if not isinstance(other, Composed):
                return NotImplemented
            self._awaited = True
            behind_sink(self._links[-1], other)

        def __getattr__(self, name: str) -> Any:
            self._awaited = True
            raise attribute(self, name, OF_JOBS, operators="what is before the sink, as in stream | ")

        def send(self, value: None) -> Any:
            """Run on in this task, which drives a run of its own."""
            task = current(asyncio.get_running_loop())
            if task is not None and self._task() is task:  # each step of most tasks comes here
                return self._driven.send(value)
            return self._of(task).send(value)

        def throw(self, *error: Any) -> Any:
            """Cancel the run of this task, or let it fail."""
            self._awaited = True
            task = asyncio.current_task()
            run = None
            if task is not None:  # no step of a task calls this: there is no run then
                run = self._driven if self._task() is task else _runs.get(task)
            if run is None:
                raise error[0]
            return run.throw(*error)

        def close(self) -> None:
            """Nothing: a run that was begun belongs to its task."""
            self._awaited = True

    def _of(self, task: asyncio.Task[Any] | None) -> Coroutine[Any, Any, R_co]:
        """The run that `task` drives, one of several that were handed this job; or the first, begun now."""
        assert task is not None  # only a task steps a coroutine
        run = _runs.get(task)
        if run is None:
            run = self.work(None)
            first: Any = self._task()
            if first is None or first.done():
                self._task, self._driven = ref(task), run
            else:
                _runs[task] = run
        return run

    def _named(self, source: str) -> str:
        return f"Job({piped(source, self._links)})"


class Handle(Generic[R_co]):
    """A job that runs: await it for its result, pause and resume it, or stop it."""

    def __init__(self, job: Job[R_co], name: str, claims: Claims, *, watched: bool) -> None:
        loop = asyncio.get_running_loop()
        self._book: Book = Book(hands=WeakKeyDictionary() if watched else None)
        self._book.gate.set()
        self._links = job._links  # pyright: ignore[reportPrivateUsage] - the handle of this
        self._stopped = False
        work = driven(partial(job.work, self._book), self._book.gate)
        self._task: asyncio.Task[R_co] = loop.create_task(work, name=name)
        self._task.add_done_callback(lambda _: raise_first(claims.release()))

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
        """End the job; return when everything is closed. Awaiting the handle then raises `StoppedError`.

        Called again meanwhile, it waits for the same end, and cuts no clean-up short: so it also waits for a
        callback that has swallowed a cancellation of the job before.
        """
        if not self._task.done():
            if not self._stopped:
                self._stopped = True
                self._end()
            await asyncio.wait([self._task])

    def _end(self) -> None:
        """Cancel the job, once, and not while a source closes; where it is paused, that goes on."""
        if not interrupt(self._task):
            self.resume()

    def __await__(self) -> Generator[Any, None, R_co]:
        try:
            return (yield from self._task.__await__())
        except asyncio.CancelledError:
            if self._stopped and self._task.cancelled():
                raise StoppedError(f"{self._task.get_name()} was stopped") from None
            raise

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise attribute(self, name, OF_HANDLES)

    def __repr__(self) -> str:
        state = "done" if self.done else "paused" if self.paused else "running"
        return f"<Handle {state} {self._task.get_name()}>"


def _nobody() -> None:
    """What is called for the task of a job that was handed to none."""


_runs: WeakKeyDictionary[asyncio.Task[Any], Coroutine[Any, Any, Any]] = WeakKeyDictionary()
"""The run that a task drives which was handed a job for its coroutine, if another drives one of it, too."""


async def _awaited(job: Job[R]) -> R:
    return await job
