"""Jobs that run in an event loop of their own, in a thread of their own, for code that blocks."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Generic, TypeVar

from streamkit._core.arguments import seconds
from streamkit._core.errors import EmitterClosedError, StoppedError, attach
from streamkit._core.show import shown
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Stream
from streamkit._engine.run.blocking import require_no_loop
from streamkit.runner.feeding import Feeding
from streamkit.runner.intake import Intake
from streamkit.runner.tally import Rate, Tally
from streamkit.runner.worker import Worker

__all__ = ["Running"]

R_co = TypeVar("R_co", covariant=True)


class Running(Generic[R_co]):
    """A job that runs in a thread of its own: hand it items, see how it fares, and end it.

    >>> import streamkit
    >>> from streamkit import Suspend, ops
    >>> job = streamkit.inbox(Suspend(8), of=int) | ops.batch(2) | ops.to_list()
    >>> with job.start_in_thread() as running:
    ...     running.put_all([1, 2, 3])
    >>> running.join(), running.ok, running.count
    ([[1, 2], [3]], True, 2)

    When a ``with`` block ends, there are no more items: the block waits until the job has ended, and raises
    what that has failed with. If the block itself fails, or is interrupted, the job is ended at once.

    Four ways to end it, from the patient to the impatient: `join` waits until it ends by itself, `finish`
    says that no more items are put, `stop` has its sources end too, `abandon` drops what is inside.
    """

    def __init__(self, job: Job[R_co], name: str | None) -> None:
        self._intake = Intake()
        self._tally = Tally()
        steered = self._tally.counting(self._intake.steered(job))
        self._feedings = {inbox: Feeding(read.value) for inbox, read in self._intake.inboxes.items()}
        self._refused: BaseException | None = None
        """Raised by the last `put`, as the job took no more items."""
        self._worker: Worker[R_co] = Worker(steered, name or repr(job))

    # what goes in --------------------------------------------------------------------------

    def put(self, item: Any, timeout: float | None = None, *, into: Stream[Any] | None = None) -> None:
        """Hand `item` to the job; wait while its inbox is full, if the strategy of that says so.

        Any thread may call it in which no event loop runs. A callback of the job feeds items back by
        ``expand``, which the end of the job waits for, and not by this.

        Args:
            item: what to hand over.
            timeout: seconds to wait at most; no limit if not given.
            into: the inbox, if the job has several: the stream that `streamkit.inbox` has returned.

        Raises:
            EmitterClosedError: the job takes no more items. If it has failed, `join` raises with what.
            TimeoutError: there was no room in time.
            RunningLoopError: an event loop runs in this thread.
            ValueError: the job has no inbox; or several, and `into` is none of them.
        """
        feeding = self._feeding(into)
        try:
            feeding.put(item, timeout)
        except EmitterClosedError as error:
            self._refused = error if feeding.emitter.closed else None
            raise

    def put_all(self, items: Iterable[Any], *, into: Stream[Any] | None = None) -> None:
        """`put` each of `items`, read in this thread; return when the last is handed over."""
        for item in items:
            self.put(item, into=into)

    def put_from(self, items: Any, *, into: Stream[Any] | None = None) -> None:
        """Read `items` in a thread of its own, one by one as there is room for it, and return at once.

        Several may be read at a time. An iterable is read to its end also after `finish`; `stop` ends it. A
        queue has no end: it is read until `finish`, and then until it is empty. If reading fails, the job
        fails with that error, after what is held.

        Args:
            items: an iterable, which may be lazy and may block; or a queue with ``get(timeout=)`` and
                ``get_nowait()``, such as a ``queue.Queue``.
            into: the inbox, if the job has several.

        Raises:
            TypeError: `items` is neither.
            EmitterClosedError: `finish` or `stop` was called before.
            ValueError: as in `put`.
        """
        self._feeding(into).read(items, f"streamkit feeding {self._worker.name}")

    def _feeding(self, into: Stream[Any] | None) -> Feeding:
        if into is None and len(self._feedings) == 1:
            return next(iter(self._feedings.values()))
        source = getattr(into, "source", None)
        if source in self._feedings:
            return self._feedings[source]
        if not self._feedings:
            raise ValueError("the job has no inbox: begin its stream with streamkit.inbox(strategy)")
        inboxes = ", ".join(map(repr, self._feedings))
        raise ValueError(f"into must be the stream of one inbox of the job, {inboxes}, not {shown(into)}")

    # how it ends ---------------------------------------------------------------------------

    def finish(self) -> None:
        """Say that no more items are put, and return; the job goes on until those that were are through.

        The job's own sources, if it has others than inboxes, go on to their ends.
        """
        for feeding in self._feedings.values():
            feeding.finish()

    def stop(self, timeout: float | None = None) -> R_co:
        """Take in no more, finish what is inside, and return the result, as `join`.

        The job's own sources end, too, and iterables and queues that are being read.
        """
        for feeding in self._feedings.values():
            feeding.stop()
        self._intake.end()
        return self.join(timeout)

    def abandon(self) -> tuple[BufferStats, ...]:
        """End the job now, and return the accounts of the buffers that still held something.

        It closes its sources, and drops what it holds. Nothing waits for that, not even the end of the
        program; `join` does, and raises `StoppedError`.
        """
        left = tuple(stats for stats in self.buffers() if stats.held)
        for feeding in self._feedings.values():
            feeding.stop()
        self._worker.cancel()
        return left

    def join(self, timeout: float | None = None) -> R_co:
        """Wait until the job has ended and has closed everything; return its result, or raise its error.

        Raises:
            TimeoutError: it has not ended in so many seconds. It goes on.
            StoppedError: it was abandoned.
            RunningLoopError: an event loop runs in this thread.
        """
        limit = None if timeout is None else seconds("timeout", timeout, positive=False)
        require_no_loop("running.join()", "job.start() and await its handle")
        if not self._worker.wait(limit):
            raise TimeoutError(f"{self._worker.name} has not ended within {shown(timeout)} s")
        return self._worker.get()

    def __enter__(self) -> Running[R_co]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and error is not self._refused:
            self._end_after(error)
            return
        if self._worker.forsaken or self._worker.told:
            return
        try:
            self.finish()
            self.join()
        except BaseException as failed:
            if not self._worker.ended:
                self._end_after(failed)
            raise

    def _end_after(self, error: BaseException) -> None:
        """End the job, as the block has failed with `error`, and wait for that."""
        self.abandon()
        self._worker.wait(None)
        failed = self._worker.error
        if failed is not None and not isinstance(failed, StoppedError):
            attach(error, failed)

    # how it fares --------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the job runs, and takes in items."""
        return not self._worker.ended and not any(
            feeding.emitter.closed for feeding in self._feedings.values()
        )

    @property
    def ok(self) -> bool:
        """Whether nothing has gone wrong so far: it runs, or has ended with a result."""
        return self._worker.error is None

    @property
    def count(self) -> int:
        """How many items have come out of the last operator, and went into the sink."""
        return self._tally.count

    def buffers(self) -> tuple[BufferStats, ...]:
        """What became of the items in each buffer of the job so far, that of the inbox among them."""
        return self._worker.handle.buffers()

    def rates(self) -> tuple[Rate, ...]:
        """How many items have left each buffer, and the last operator; and per second since the last call."""
        return self._tally.rates(self.buffers())

    def __repr__(self) -> str:
        state = "running" if not self._worker.ended else "done" if self.ok else "failed"
        return f"<Running {state} {self._worker.name}>"
