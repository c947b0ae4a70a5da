"""Virtual time: an event loop whose clock jumps to the next timer.

>>> import asyncio
>>> from streamkit.testing import run
>>> async def main() -> str:
...     try:
...         async with asyncio.timeout(60.0):
...             await asyncio.sleep(90.0)
...     except TimeoutError:
...         return f"timed out at {asyncio.get_running_loop().time()}"
...     return "slept"
>>> run(main)
'timed out at 60.0'
"""

import asyncio
import math
import selectors
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from datetime import datetime
from typing import Any, TypeVar, TypeVarTuple

from streamkit._core.arguments import callback as callable_argument, date as date_argument, flag, whole
from streamkit.testing.outside import Outside, inside_only
from streamkit.testing.timers import Timer, Timers
from streamkit.testing.waits import DeadlockError, task_line, tasks

__all__ = ["VirtualLoop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Events = list[tuple[selectors.SelectorKey, int]]


class _Selector(selectors.DefaultSelector):
    """Asks the loop what to do where the usual selector would sleep."""

    turn: Callable[[float | None], Events]

    def select(self, timeout: float | None = None) -> Events:
        return self.turn(timeout)

    def poll(self, seconds: float) -> Events:
        return super().select(seconds)


@inside_only
class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, for tests: deterministic, and it never sleeps.

    Time starts at 0.0 and, when nothing is ready, jumps exactly to the next timer. Timers of one
    time fire in the order they were set. When nothing is ready and no timer is set, it raises
    `DeadlockError`. Work handed to `run_in_executor` (so `asyncio.to_thread` too) is waited
    for in real time, and meanwhile virtual time stands still.

    With `threads=True` other threads, sockets, pipes and subprocesses are expected to wake the loop as
    well. Then, while there are any, time jumps only after `patience` real seconds without a wake-up:
    0.01 where there are threads only, and 1.0 otherwise, if not given. The loop never waits longer than
    `limit` real seconds at once: then it jumps to the next timer, or, if there is none, raises
    `DeadlockError`. Without `threads=True` it opens no socket, and refuses to wait for one.

    >>> import asyncio
    >>> from streamkit.testing import VirtualLoop
    >>> with asyncio.Runner(loop_factory=VirtualLoop) as runner:
    ...     runner.run(asyncio.sleep(0.1 + 0.2))
    ...     runner.get_loop().time()
    0.30000000000000004
    """

    steps: int
    """How many iterations the loop has begun."""

    _closed = True  # until it is made: a wrong argument is no loop that somebody forgot to close
    threads: bool
    """Whether other threads, sockets, pipes and subprocesses may wake it."""

    def __init__(self, *, threads: bool = False, patience: float | None = None, limit: float = 10.0) -> None:
        self.steps = 0
        self._now = self._wall = 0.0
        self._timers = Timers()
        self._step_callbacks: dict[int, list[Callable[[], object]]] = {}
        self.threads = flag("threads", threads)
        self._outside = Outside(patience, limit)
        self._at_work = 0
        self._poller = _Selector()
        self._poller.turn = self._turn
        super().__init__(self._poller)

    def time(self) -> float:
        """The virtual time in seconds since the loop was made."""
        return self._now

    def wall_time(self) -> float:
        """What a clock on the wall reads, in seconds since the year 1970: it begins there, with the loop."""
        return self._now + self._wall

    def set_wall_time(self, when: datetime) -> None:
        """Set the clock on the wall, by which `aligned` intervals, `ticks` and `cron` go; `time` goes on.

        >>> import asyncio
        >>> from datetime import UTC, datetime
        >>> import streamkit
        >>> from streamkit import ops
        >>> from streamkit.testing import run
        >>> async def main() -> None:
        ...     asyncio.get_running_loop().set_wall_time(datetime(2026, 1, 1, 11, 59, tzinfo=UTC))
        ...     print(await (streamkit.ticks(3600.0) | ops.first()))
        >>> run(main)
        2026-01-01 12:00:00+00:00

        Raises:
            TypeError: `when` is no datetime.
            ValueError: it has no time zone.
        """
        self._wall = date_argument("when", when).timestamp() - self._now

    def call_at_step(self, n: int, callback: Callable[[], object]) -> None:
        """Call `callback` at the beginning of the n-th iteration from now, 1 being the next.

        What it makes ready runs in the same iteration. A pending step callback does not keep the loop
        running: if the run ends, or is in a deadlock, before the n-th iteration, it is not called.

        >>> import asyncio
        >>> from streamkit.testing import run
        >>> async def main() -> None:
        ...     loop, task = asyncio.get_running_loop(), asyncio.current_task()
        ...     assert isinstance(loop, VirtualLoop) and task is not None
        ...     loop.call_at_step(1, task.cancel)
        ...     try:
        ...         await asyncio.sleep(9.0)
        ...     except asyncio.CancelledError:
        ...         task.uncancel()
        ...         print(loop.steps, loop.time())
        >>> run(main)
        2 0.0
        """
        number = whole("n", n, least=1)
        self._step_callbacks.setdefault(self.steps + number, []).append(
            callable_argument("callback", callback, waits=False)
        )

    # -- what asyncio calls ---------------------------------------------------------------------

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call `callback` at the virtual time `when`."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        if when is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise TypeError("when must be a time, not None")
        if self.get_debug():
            base: Any = self  # the stubs leave out what is private
            base._check_thread()
            base._check_callback(callback, "call_at")
        if math.isnan(when):  # before and after nothing: it fires at once
            when = self._now
        timer = Timer(when, callback, args, self, context)
        timer.set_at = self._now
        self._timers.add(timer)
        return timer

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run `func` in an executor. Until it is done, the loop waits in real time."""
        self._open_to_threads()
        future = super().run_in_executor(executor, func, *args)
        self._at_work += 1
        future.add_done_callback(self._work_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Shut the default executor down; `timeout` has no meaning in virtual time."""
        base: Any = self
        if base._default_executor is not None:
            self._open_to_threads()
        self._at_work += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._at_work -= 1

    # -- the outside world ----------------------------------------------------------------------

    def _make_self_pipe(self) -> None:
        """Open what other threads wake the loop through, a pair of sockets; but only where there are some."""
        self._ssock: Any = None
        self._csock: Any = None
        if self.threads:
            self._open_to_threads()

    def _open_to_threads(self) -> None:
        base: Any = super()
        if self._csock is None:
            base._make_self_pipe()

    def _close_self_pipe(self) -> None:
        base: Any = super()
        if self._csock is not None:
            base._close_self_pipe()

    def add_signal_handler(self, sig: int, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call `callback` on a signal."""
        self._open_to_threads()
        super().add_signal_handler(sig, callback, *args)

    async def _make_subprocess_transport(self, *args: Any, **kwargs: Any) -> Any:
        base: Any = super()
        transport = await base._make_subprocess_transport(*args, **kwargs)
        self._outside.watch(transport)
        return transport

    # -- one iteration --------------------------------------------------------------------------

    def _turn(self, timeout: float | None) -> Events:
        """Begin an iteration: asyncio calls this once in each, with None when nothing is ready."""
        self.steps += 1
        called = self._call_step_callbacks() if self._step_callbacks else False
        events = self._poller.poll(0)
        due = self._release_due()
        if timeout is not None or called or events or due:
            return events
        return self._idle()

    def _idle(self) -> Events:
        """Nothing is ready: wait for threads where some are expected, then jump to the next timer."""
        when = self._timers.next_time()
        seconds = self._real_seconds(when)
        if seconds and (events := self._poller.poll(seconds)):
            return events
        if when == math.inf:
            raise self._deadlock()
        self._now = when
        self._release_due()
        return []

    def _real_seconds(self, when: float) -> float:
        """How long threads get to wake the loop before virtual time moves to `when`."""
        outside = self._outside
        if self._at_work:
            return outside.limit
        if not self.threads:
            return 0.0
        if when == math.inf:
            return outside.limit
        files = len(self._poller.get_map()) > 1  # one is the loop's own
        return min(outside.seconds(threads=threading.active_count() > 1, files=files), outside.limit)

    def _release_due(self) -> bool:
        """Make due timers ready; whether there were any."""
        due = self._timers.due(self._now)
        for timer in due:
            self.call_soon(timer.fire)
        return bool(due)

    def _call_step_callbacks(self) -> bool:
        callbacks = self._step_callbacks.pop(self.steps, ())
        for callback in callbacks:
            callback()
        return bool(callbacks)

    def _work_done(self, _: asyncio.Future[Any]) -> None:
        self._at_work -= 1

    def _deadlock(self) -> DeadlockError:
        where = f"(virtual time {self._now}, step {self.steps})"
        if self.threads or self._at_work:
            reason = f"nothing woke the loop within {self._outside.limit} real seconds {where}; waiting:"
        else:
            reason = f"nothing is ready, no timer is set {where}; threads=True waits for threads; waiting:"
        return DeadlockError(reason, tuple(task_line(task) for task in tasks(self)))
