"""Virtual time: an event loop whose clock jumps to the next timer, and `run`, which also checks for leaks.

>>> import asyncio
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
import gc
import heapq
import math
import os
import selectors
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType, TracebackType
from typing import Any, Self, TypeVar, TypeVarTuple
from weakref import WeakSet

__all__ = ["DeadlockError", "LeakError", "VirtualLoop", "run"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Events = list[tuple[selectors.SelectorKey, int]]
AsyncGen = AsyncGenerator[Any, Any]

_CLOSING_STEPS = 10_000
"""How many iterations the clean-up of a run may take: tasks that ignore cancellation could tick for ever."""

_STARTUP_OBJECTS = 1_000
"""At most this many objects are frozen by Python 3.12 itself when it starts; unfreezing them does no harm."""

_THREAD_GRACE = 0.2
"""Real seconds that a thread which is just ending gets before it counts as left behind."""


class DeadlockError(RuntimeError):
    """Nothing is ready, no timer is set, and nobody else is expected to wake the loop.

    `waiting` has a line for each task: its name, and the calls that lead to what it waits for.

    >>> async def main() -> None:
    ...     await asyncio.Event().wait()
    >>> try:
    ...     run(main)
    ... except DeadlockError as error:
    ...     print(len(error.waiting), "Event.wait" in error.waiting[0])
    1 True
    """

    def __init__(self, message: str, waiting: tuple[str, ...] = ()) -> None:
        super().__init__("\n  ".join((message, *waiting)))
        self.waiting = waiting


class LeakError(AssertionError):
    """Something was left behind when `main` returned; `leaks` names each of them.

    >>> async def main() -> None:
    ...     main.task = asyncio.create_task(asyncio.sleep(1.0), name="forgotten")
    >>> try:
    ...     run(main)
    ... except LeakError as error:
    ...     print(error.leaks[0].partition(" (")[0])
    task 'forgotten': sleep
    """

    def __init__(self, leaks: tuple[str, ...]) -> None:
        super().__init__("\n  ".join(("left behind when main ended:", *leaks)))
        self.leaks = leaks


class _Timer(asyncio.TimerHandle):
    """A timer that the loop itself can fire."""

    __slots__ = ()

    def fire(self) -> None:
        if not self.cancelled():
            self._run()


class _Selector(selectors.DefaultSelector):
    """Asks the loop what to do where the usual selector would sleep."""

    turn: Callable[[float | None], Events]

    def select(self, timeout: float | None = None) -> Events:
        return self.turn(timeout)

    def poll(self, seconds: float) -> Events:
        return super().select(seconds)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, for tests: deterministic, and it never sleeps.

    Time starts at 0.0 and, when nothing is ready, jumps exactly to the next timer. Timers of one
    time fire in the order they were set. When nothing is ready and no timer is set, it raises
    `DeadlockError`. Work handed to `run_in_executor` (so `asyncio.to_thread` too) is waited
    for in real time, and meanwhile virtual time stands still.

    With `threads=True` other threads and sockets are expected to wake the loop as well. Then,
    while other threads live, time jumps only after `patience` real seconds without a
    wake-up. In no case does the loop wait longer than `limit` real seconds at once: past
    those it jumps to the next timer if there is one, and raises `DeadlockError` otherwise.

    >>> with asyncio.Runner(loop_factory=VirtualLoop) as runner:
    ...     runner.run(asyncio.sleep(0.1 + 0.2))
    ...     runner.get_loop().time()
    0.30000000000000004
    """

    steps: int
    """How many iterations the loop has begun."""

    def __init__(self, *, threads: bool = False, patience: float = 0.01, limit: float = 10.0) -> None:
        self.steps = 0
        self._now = 0.0
        self._timers: list[tuple[float, int, _Timer]] = []
        self._timers_set = 0
        self._sweep_at = 128
        self._step_callbacks: dict[int, list[Callable[[], object]]] = {}
        self._threads = threads
        self._patience = patience
        self._limit = limit
        self._at_work = 0
        self._poller = _Selector()
        self._poller.turn = self._turn
        super().__init__(self._poller)

    def time(self) -> float:
        """The virtual time in seconds since the loop was made."""
        return self._now

    def call_at_step(self, n: int, callback: Callable[[], object]) -> None:
        """Call `callback` at the beginning of the n-th iteration from now, 1 being the next.

        What it makes ready runs in that iteration still. Pending step callbacks keep no loop alive:
        one that lies behind the end of the run, or behind a deadlock, is not called.

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
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n!r}")
        self._step_callbacks.setdefault(self.steps + n, []).append(callback)

    # -- what asyncio calls ---------------------------------------------------------------------

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call `callback` at the virtual time `when`."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        # asyncio's own heap of timers is left empty: it does not keep the order of equal times,
        # and compares floats with a tolerance that neither lands exactly nor works for large ones.
        timer = _Timer(when, callback, args, self, context)
        self._timers_set += 1
        heapq.heappush(self._timers, (when, self._timers_set, timer))
        if len(self._timers) >= self._sweep_at:
            self._sweep()
        return timer

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run `func` in an executor; until it is done, the loop waits in real time."""
        future = super().run_in_executor(executor, func, *args)
        self._at_work += 1
        future.add_done_callback(self._work_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Shut the default executor down; `timeout` has no meaning in virtual time."""
        self._at_work += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._at_work -= 1

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
        when = self._next_time()
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
        if self._at_work:
            return self._limit
        if not self._threads:
            return 0.0
        if when == math.inf:
            return self._limit
        return self._patience if threading.active_count() > 1 else 0.0

    def _next_time(self) -> float:
        """The time of the next timer; infinity if there is none that could ever fire."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else math.inf

    def _release_due(self) -> bool:
        """Make the timers ready whose time has come."""
        released = False
        while self._timers and self._timers[0][0] <= self._now:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled():
                self.call_soon(timer.fire)
                released = True
        return released

    def _call_step_callbacks(self) -> bool:
        callbacks = self._step_callbacks.pop(self.steps, ())
        for callback in callbacks:
            callback()
        return bool(callbacks)

    def _sweep(self) -> None:
        """Forget cancelled timers, so that a million timeouts that never fired cost no memory."""
        self._timers = [entry for entry in self._timers if not entry[2].cancelled()]
        heapq.heapify(self._timers)
        self._sweep_at = 2 * len(self._timers) + 128

    def _work_done(self, _: asyncio.Future[Any]) -> None:
        self._at_work -= 1

    def _deadlock(self) -> DeadlockError:
        where = f"(virtual time {self._now}, step {self.steps})"
        if self._threads or self._at_work:
            reason = f"nothing woke the loop within {self._limit} real seconds {where}; waiting:"
        else:
            reason = f"nothing is ready, no timer is set {where}; threads=True waits for threads; waiting:"
        return DeadlockError(reason, tuple(_task_line(task) for task in _tasks(self)))


def run(
    main: Callable[[], Coroutine[Any, Any, T]] | Coroutine[Any, Any, T],
    *,
    threads: bool = False,
    leaks: bool = True,
) -> T:
    """Run a coroutine, or an async function without arguments, to its end on a fresh `VirtualLoop`.

    Whatever is left is cancelled and closed. Unless `leaks=False`, it is an error to leave anything:
    `LeakError` names tasks and async generators that are alive when `main` ends, non-daemon threads that
    are alive when the loop is closed, and what reached the loop's exception handler (such as an
    exception that nobody retrieved). An error of `main` is then its `__cause__`; only an
    `AssertionError`, a `DeadlockError` or what ends the program comes as itself, with the leaks in a note.
    Threads that others start meanwhile count too: for runs side by side in several threads, `leaks=False`.

    `threads=True` lets other threads wake the loop (see `VirtualLoop`).

    >>> run(asyncio.sleep(3600.0, result="at once"))
    'at once'
    """
    coroutine = main() if callable(main) else main
    if not asyncio.iscoroutine(coroutine):
        raise TypeError(f"main must be a coroutine or an async function without arguments, not {main!r}")
    if asyncio._get_running_loop() is not None:  # pyright: ignore[reportPrivateUsage]
        coroutine.close()
        raise RuntimeError("run() cannot be called while an event loop is running in this thread")
    runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(threads=threads))
    if not leaks:
        with runner:
            return runner.run(coroutine)
    with _Watch(runner) as watch:
        watch.generators_from_now_on()
        return runner.run(coroutine)


class _Watch:
    """Closes a runner, and raises `LeakError` if what ran on it left anything behind."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._found: list[str] = []
        self._reported: BaseException | None = None
        self._generators: WeakSet[AsyncGen] = WeakSet()
        self._threads_before = set(threading.enumerate())
        # Objects from before the run are set aside (at no cost), so that the collection after it looks
        # at the run's own only. Somebody else's freeze is left alone: unfreezing would undo it.
        self._frozen = gc.get_freeze_count() < _STARTUP_OBJECTS

    def __enter__(self) -> Self:
        if self._frozen:
            gc.freeze()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._inspect()
        finally:
            if self._frozen:
                gc.unfreeze()
        self._judge(error)

    def generators_from_now_on(self) -> None:
        """Note every async generator that is first iterated on the runner's loop."""
        loop = self._runner.get_loop()
        loop.set_exception_handler(self._note_exception)
        # The loop installs its own hooks when it starts: ours have to come after, and call them.
        loop.call_soon(self._hook_generators)

    def _hook_generators(self) -> None:
        first, last = sys.get_asyncgen_hooks()

        def begun(generator: AsyncGen) -> None:
            self._generators.add(generator)
            if first is not None:
                first(generator)

        def dropped(generator: AsyncGen) -> None:
            # Its weak references are gone by now, but it lives until the loop has closed it.
            self._generators.add(generator)
            if last is not None:
                last(generator)

        sys.set_asyncgen_hooks(begun, dropped)

    def _note_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._reported = self._reported or error
        self._found.append(f"{context['message']}{'' if error is None else f': {error!r}'}")

    def _inspect(self) -> None:
        loop = self._runner.get_loop()
        self._found += [f"task {_task_line(task)}" for task in _tasks(loop)]
        alive = [generator for generator in self._generators if not _has_ended(generator)]
        self._found += sorted(f"async generator {' > '.join(_trail(generator))}" for generator in alive)
        del alive
        self._close(loop)
        gc.collect(2 if self._frozen else 1)
        self._found += [f"thread {name!r}" for name in self._threads_left()]

    def _close(self, loop: asyncio.AbstractEventLoop) -> None:
        def give_up() -> None:
            raise DeadlockError(f"the clean-up took more than {_CLOSING_STEPS} steps")

        assert isinstance(loop, VirtualLoop)
        loop.call_at_step(_CLOSING_STEPS, give_up)
        try:
            self._runner.close()
        except DeadlockError as error:
            self._found.append(f"tasks that do not end when cancelled: {error}")

    def _threads_left(self) -> list[str]:
        new = [thread for thread in threading.enumerate() if thread not in self._threads_before]
        for thread in new:
            if not thread.daemon:
                thread.join(_THREAD_GRACE)
        return sorted(thread.name for thread in new if thread.is_alive() and not thread.daemon)

    def _judge(self, error: BaseException | None) -> None:
        if not self._found:
            return
        leak = LeakError(tuple(self._found))
        if error is None or _may_be_replaced(error):
            raise leak from error or self._reported
        error.add_note(str(leak))


def _has_ended(generator: AsyncGen) -> bool:
    return getattr(generator, "ag_frame", None) is None


def _may_be_replaced(error: BaseException) -> bool:
    """Whether a leak weighs more than `error`: not where that is itself the verdict of a test."""
    if isinstance(error, (AssertionError, DeadlockError)):
        return False
    return isinstance(error, (Exception, asyncio.CancelledError))


# -- who waits for what -----------------------------------------------------------------------------


def _tasks(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    """The tasks that are not done, in the order they were made (unless they were named)."""
    return sorted(asyncio.all_tasks(loop), key=lambda task: (len(task.get_name()), task.get_name()))


def _task_line(task: asyncio.Task[Any]) -> str:
    return f"{task.get_name()!r}: {' > '.join(_trail(task.get_coro())) or repr(task.get_coro())}"


def _trail(awaitable: object) -> list[str]:
    """The calls from `awaitable` down to what it waits for."""
    places: list[str] = []
    seen: set[int] = set()
    while awaitable is not None and id(awaitable) not in seen:
        seen.add(id(awaitable))
        if asyncio.isfuture(awaitable):
            if isinstance(awaitable, asyncio.Task):
                places.append(f"task {awaitable.get_name()!r}")
            break
        code, frame, awaitable = _look_into(awaitable)
        if code is not None and frame is not None:
            places.append(f"{code.co_qualname} ({os.path.basename(code.co_filename)}:{frame.f_lineno})")
    return places


def _look_into(awaitable: object) -> tuple[CodeType | None, FrameType | None, object]:
    """Code and frame of `awaitable`, and what it awaits."""
    if isinstance(awaitable, CoroutineType):
        return awaitable.cr_code, awaitable.cr_frame, awaitable.cr_await
    if isinstance(awaitable, AsyncGeneratorType):
        return awaitable.ag_code, awaitable.ag_frame, awaitable.ag_await
    # Pyright narrows `awaitable` to a generator of unknown types, but leaves `outer` an object.
    outer = awaitable
    if isinstance(awaitable, GeneratorType):
        return awaitable.gi_code, awaitable.gi_frame, getattr(outer, "gi_yieldfrom", None)
    # What `anext` of an async generator returns shows its generator to the garbage collector only.
    inner: list[object] = [held for held in gc.get_referents(awaitable) if isinstance(held, _AWAITED)]
    return None, None, inner[0] if inner else None


_AWAITED = (CoroutineType, AsyncGeneratorType, GeneratorType, asyncio.Future)
