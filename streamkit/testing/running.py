"""`run`: a coroutine, to its end, in virtual time; nothing may be left over, in one schedule or in many.

>>> import asyncio
>>> from streamkit.testing import run
>>> async def main() -> str:
...     left = 1
...     async def take() -> None:
...         nonlocal left
...         if left:  # looked at here, changed below: meanwhile another may have looked
...             await asyncio.sleep(0)
...             left -= 1
...     await asyncio.gather(asyncio.sleep(0), take())
...     return "one is enough for one"
>>> run(main, schedules=100, seed=1)
'one is enough for one'
"""

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from itertools import count
from typing import Any, Final, TypeVar

from streamkit._core.arguments import discard, flag, whole
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.compile import pace
from streamkit.testing.clock import VirtualLoop
from streamkit.testing.leaks import LeakError, Watch, frozen
from streamkit.testing.outside import Outside, aside
from streamkit.testing.schedules.faults import Fault, Faults
from streamkit.testing.schedules.orders import Order
from streamkit.testing.schedules.outcome import Outcome, is_verdict
from streamkit.testing.schedules.ready import LIMIT, Ready
from streamkit.testing.schedules.search import Exhaustive, Search, replayed
from streamkit.testing.schedules.tokens import parsed

__all__ = ["run"]

T = TypeVar("T")

_LOOK: Final = 0.001
"""Seconds that pass, for loops that let others run by the clock, from one look at it to the next."""


@answering
def run(
    main: Callable[[], Coroutine[Any, Any, T]] | Coroutine[Any, Any, T],
    *,
    schedules: int | Exhaustive = 1,
    seed: int | None = None,
    replay: str | None = None,
    faults: Faults | None = None,
    threads: bool = False,
    leaks: bool = True,
    patience: float | None = None,
    limit: float = 10.0,
) -> T:
    """Run a coroutine, or an async function without arguments, to its end on a fresh `VirtualLoop`.

    Whatever is left is cancelled and closed. Unless `leaks=False`, it is an error to leave anything:
    `LeakError` names tasks and async generators that are alive when `main` ends, non-daemon threads that
    are alive when the loop is closed, and what reached the loop's exception handler (such as an
    exception that nobody retrieved). An error of `main` is then its `__cause__`; only an
    `AssertionError`, a `DeadlockError` or what ends the program comes as itself, with the leaks in a note.
    Threads that others start meanwhile count too: for runs side by side in several threads, `leaks=False`.

    `threads=True` lets other threads, sockets and subprocesses wake the loop, after `patience` and `limit`
    (see `VirtualLoop`). Where an event loop runs already, as in a notebook, that one stands still meanwhile.

    >>> run(asyncio.sleep(3600.0, result="at once"))
    'at once'

    With `schedules=1000` an async function `main` runs so often: first in the order of asyncio, then in
    others, in which, of several tasks that are ready, another goes first, as it might if something outside
    were a bit slower. `seed` decides in which; without it, one is drawn. The first schedule that fails is
    shrunk to the fewest switches, and the error of `main` is raised as it is. A note says the seed, the
    switches in words, and the line that runs this schedule again: its `replay` is a token. The result is that
    of the first run. With `schedules=Exhaustive(switches=2)`, all run that have no more switches.

    `faults=Faults.CANCEL` cancels `main`, and `Faults.SHUTDOWN` ends the program as `asyncio.run` does, which
    cancels all tasks and waits for them: before each callback of the first schedule in turn; with several
    schedules, at a drawn place of each; with `Exhaustive`, before each callback, and each with all switches.
    Such a run is right if `main` returns or ends with `CancelledError`, and nothing is left. So `main` may
    assert, in a ``finally``, what holds whenever it is cancelled.

    A run does the same again in the same schedule, or there is a `ScheduleError`. `random` draws the same in
    each, but threads, files and the order of a set of objects make runs differ. A token that does not fit is
    one, too; a text that is no token raises `ValueError`, and several schedules of a coroutine, which can run
    only once, `TypeError`. A schedule that does not end raises `LivelockError`.

    >>> async def main() -> list[str]:
    ...     said = []
    ...     async def say(word: str) -> None:
    ...         said.append(word)
    ...     async with asyncio.TaskGroup() as group:
    ...         for word in ("one", "two"):
    ...             group.create_task(say(word))
    ...     assert said == ["one", "two"], said
    ...     return said
    >>> try:
    ...     run(main, schedules=100, seed=1)
    ... except AssertionError as error:
    ...     print(error)
    ['two', 'one']
    """
    __tracebackhide__ = True  # pytest shows the frames of `main`, not ours
    try:
        Outside(patience, limit)  # checks them
        flag("threads", threads)
        flag("leaks", leaks)
        count, number, kinds = _checked(schedules, seed, replay, faults)
        once_only = count == 1 and replay is None and not kinds
        if not once_only and not callable(main):
            raise TypeError(
                "main must be an async function without arguments where it runs more than once "
                f"(schedules, replay, faults), not {shown(main)}"
            )
    except BaseException:
        discard(main)
        raise
    program = _Program(threads, leaks, patience, limit)
    function: Any = main
    if once_only:
        return program.once(function() if callable(main) else main, main)  # type: ignore[no-any-return]

    def once(
        order: Order, faults: tuple[Fault, ...] = (), *, most: int = LIMIT, telling: bool = False
    ) -> Outcome:
        return program.explored(function, order, faults, most, telling)

    with _SetUp():
        if replay is not None:
            return replayed(once, replay)  # type: ignore[no-any-return]
        return Search(once, count, number, kinds, program.call).go()  # type: ignore[no-any-return]


def _checked(
    schedules: Any, seed: Any, replay: str | None, faults: object
) -> tuple[int | Exhaustive, int, Faults]:
    """How many schedules, the seed, and which faults."""
    if schedules is Exhaustive:
        raise TypeError("schedules must be a number, or how much is tried: write Exhaustive(switches=2)")
    count = schedules if isinstance(schedules, Exhaustive) else whole("schedules", schedules, least=1)
    number = random.SystemRandom().randrange(2**32) if seed is None else whole("seed", seed)
    kinds = Faults(0) if faults is None else faults
    if not isinstance(kinds, Faults):
        raise TypeError(f"faults must be Faults.CANCEL, Faults.SHUTDOWN or both, not {shown(faults)}")
    if replay is not None:
        parsed(replay)
        if count != 1 or kinds:
            raise TypeError(
                "replay runs one schedule, with its faults: give no schedules or faults beside it"
            )
    return count, number, kinds


_PACE: Any = pace

_ALONE: Final = threading.RLock()
"""Held during a search, which changes what all threads share: `random`, the collector, the clock of loops."""
_INSIDE: Final[ContextVar[bool]] = ContextVar("inside a search", default=False)
"""Whether a search waits for what runs here, be it in another thread (`asyncio.to_thread`)."""


class _SetUp:
    """What stays the same around all runs of a search.

    No generator makes it: that would set the traceback of an error, which some errors refuse.
    """

    def __enter__(self) -> None:
        self._alone = not _INSIDE.get()  # to wait for the search that waits for us would never end
        if self._alone:
            _ALONE.acquire()
        self._token = _INSIDE.set(True)
        self._random, self._clock = random.getstate(), _PACE.perf_counter
        # Once, because to freeze and unfreeze around each run would keep all garbage and search it each time.
        self._frozen = frozen()
        self._frozen.__enter__()

    def __exit__(self, *_: object) -> None:
        self._frozen.__exit__(None, None, None)
        _PACE.perf_counter = self._clock
        random.setstate(self._random)
        _INSIDE.reset(self._token)
        if self._alone:
            _ALONE.release()


class _Program:
    """How runs are made: the options of `run` that are the same for all of them."""

    def __init__(self, threads: bool, leaks: bool, patience: float | None, limit: float) -> None:
        self._threads = threads
        self._leaks = leaks
        self._patience = patience
        self._limit = limit

    @property
    def call(self) -> str:
        """How users call `run`, for what follows."""
        options = {"threads": (self._threads, False), "leaks": (self._leaks, True)}
        changed = (f", {name}={value}" for name, (value, default) in options.items() if value != default)
        return f"run(main{''.join(changed)}, "

    def _runner(self) -> asyncio.Runner:
        return asyncio.Runner(
            loop_factory=lambda: VirtualLoop(
                threads=self._threads, patience=self._patience, limit=self._limit
            )
        )

    def once(self, coroutine: Any, main: object) -> Any:
        """One run, as asyncio orders it."""
        if not asyncio.iscoroutine(coroutine):
            raise TypeError(f"main must be a coroutine or an async function without arguments, not {main!r}")
        with aside():
            runner = self._runner()
            if not self._leaks:
                with runner:
                    return runner.run(coroutine)
            with Watch(runner) as watch:
                watch.generators_from_now_on()
                return runner.run(coroutine)

    def explored(
        self,
        main: Callable[[], Any],
        order: Order,
        faults: tuple[Fault, ...],
        most: int,
        telling: bool,
    ) -> Outcome:
        """One run, with what is ready in `order`."""
        __tracebackhide__ = True
        random.seed(0)
        _PACE.perf_counter = count(0.0, _LOOK).__next__
        coroutine = main()
        if not asyncio.iscoroutine(coroutine):
            raise TypeError(f"main must be an async function without arguments, not {shown(main)}")
        result, error = None, None
        with aside():
            runner = self._runner()
            watch = Watch(runner) if self._leaks else None
            if watch is not None:
                watch.generators_from_now_on()
            ready = Ready(runner.get_loop(), order, faults, limit=most, telling=telling)
            try:
                with runner if watch is None else watch, ready.exploring():
                    result = _to_the_end(runner, ready, coroutine)
            except BaseException as raised:
                if not is_verdict(raised):
                    raise
                error = raised
        if isinstance(error, asyncio.CancelledError) and ready.course.faults:
            error = None
            error = _late(watch)
        return Outcome(result, error, ready.course, ready.callbacks)


def _late(watch: Watch | None) -> LeakError | None:
    """What comes to light when the cancellation that ended the run is forgotten."""
    try:
        if watch is not None:
            watch.check()
    except LeakError as error:
        return error
    return None


def _to_the_end(runner: asyncio.Runner, ready: Ready, coroutine: Any) -> Any:
    """Run `main`; after a shutdown, also all other tasks that it has cancelled, as `asyncio.run` does."""
    __tracebackhide__ = True
    try:
        return runner.run(coroutine)
    finally:
        if ready.faults.victims:
            loop = runner.get_loop()
            # Not `gather`, which would retrieve their errors: one that nobody sees is a leak.
            loop.run_until_complete(asyncio.wait(ready.faults.victims))
            loop.run_until_complete(loop.shutdown_asyncgens())
