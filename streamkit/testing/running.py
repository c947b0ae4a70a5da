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
import gc
import random
import secrets
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, nullcontext
from itertools import count
from typing import Any, Final, TypeVar

from streamkit._core.arguments import flag, whole
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.compile import pace
from streamkit.testing.clock import VirtualLoop
from streamkit.testing.leaks import Watch
from streamkit.testing.outside import Outside, aside
from streamkit.testing.schedules import (
    Exhaustive,
    Faults,
    Outcome,
    Ready,
    ScheduleError,
    Search,
    is_verdict,
    replayed,
)
from streamkit.testing.schedules.orders import Order
from streamkit.testing.schedules.tokens import Fault, parsed

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

    With `schedules=1000`, an async function `main` is run so often, first in the order of asyncio, then with
    other tasks going first where several are ready: orders in which they might have come, had something outside
    been a bit slower. Which ones, `seed` decides. The first schedule that fails is shrunk to the fewest
    switches, and its error is raised as it is, with a note: the seed, the switches in words, and the line that
    runs this schedule again, with its token for `replay`. The result is that of the first run. With
    `Exhaustive(switches=2)`, all schedules are run that have no more switches.

    `faults=Faults.CANCEL` cancels `main`, and `Faults.SHUTDOWN` ends the program as `asyncio.run` does, which
    cancels all tasks and waits for them: at each step of the first schedule in turn, or with several schedules,
    at a drawn step of each. Such a run is right if `main` returns or ends with `CancelledError`, and nothing is
    left. So `main` may assert, in its ``finally``, what has to hold whenever it is cancelled.

    Each run has to do the same in the same schedule. `random` is seeded anew for each, but what depends on
    threads or on the order of a set of objects is answered with `ScheduleError`; so is a token that does not
    fit. A token that is none raises `ValueError`; several schedules of a coroutine that exists, and can run once
    only, `TypeError`.

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
    Outside(patience, limit)  # checks them
    program = _Program(flag("threads", threads), flag("leaks", leaks), patience, limit)
    if schedules == 1 and replay is None and not faults:
        _checked(schedules, seed, faults)
        coroutine = main() if callable(main) else main
        return program.once(_coroutine(coroutine, main))  # type: ignore[no-any-return]
    schedules, seed, faults = _checked(schedules, seed, faults)
    if not callable(main):
        close = getattr(main, "close", None)
        if close is not None:
            close()
        raise TypeError(
            "main must be an async function without arguments, which can run several times, where schedules, "
            f"replay or faults are given, not {shown(main)}"
        )
    function: Any = main

    def once(order: Order, faults: tuple[Fault, ...], telling: bool) -> Outcome:
        return program.explored(function, order, faults, telling=telling)

    if replay is not None:
        parsed(replay)
        if schedules != 1 or faults:
            raise TypeError(
                "replay runs one schedule, with its faults: give no schedules and no faults beside it"
            )
        with _set_up():
            return replayed(once, replay)  # type: ignore[no-any-return]
    with _set_up():
        return Search(once, schedules, seed, faults).go()  # type: ignore[no-any-return]


def _checked(schedules: Any, seed: Any, faults: Any) -> tuple[int | Exhaustive, int, Faults]:
    if not isinstance(schedules, Exhaustive):
        schedules = whole("schedules", schedules, least=1)
    seed = secrets.randbelow(2**32) if seed is None else whole("seed", seed)
    if faults is not None and not isinstance(faults, Faults):
        raise TypeError(f"faults must be Faults.CANCEL, Faults.SHUTDOWN or both, not {shown(faults)}")
    return schedules, seed, Faults(0) if faults is None else faults


def _coroutine(made: Any, main: object) -> Any:
    if not asyncio.iscoroutine(made):
        raise TypeError(f"main must be a coroutine or an async function without arguments, not {main!r}")
    return made


@contextmanager
def _set_up() -> Generator[None, None, None]:
    """What stays the same around all schedules of a search."""
    state = random.getstate()
    clock = pace.perf_counter
    # Once, because to freeze and unfreeze for each run would keep all garbage, and go through it each time.
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        vars(pace)["perf_counter"] = clock
        random.setstate(state)


class _Program:
    """How runs are made: the options of `run` that are the same for all of them."""

    def __init__(self, threads: bool, leaks: bool, patience: float | None, limit: float) -> None:
        self._threads = threads
        self._leaks = leaks
        self._patience = patience
        self._limit = limit

    def _runner(self) -> asyncio.Runner:
        return asyncio.Runner(
            loop_factory=lambda: VirtualLoop(
                threads=self._threads, patience=self._patience, limit=self._limit
            )
        )

    def once(self, coroutine: Any) -> Any:
        """One run, as asyncio orders it."""
        with aside():
            runner = self._runner()
            if not self._leaks:
                with runner:
                    return runner.run(coroutine)
            with Watch(runner) as watch:
                watch.generators_from_now_on()
                return runner.run(coroutine)

    def explored(
        self, main: Callable[[], Any], order: Order, faults: tuple[Fault, ...], *, telling: bool
    ) -> Outcome:
        """One run, with what is ready in `order`."""
        random.seed(0)
        vars(pace)["perf_counter"] = count(0.0, _LOOK).__next__
        result, error, ready = None, None, None
        coroutine = _coroutine(main(), main)
        with aside():
            runner = self._runner()
            ready = Ready(runner.get_loop(), order, faults, telling=telling)
            try:
                with Watch(runner, frozen=True) if self._leaks else runner as watch:
                    if isinstance(watch, Watch):
                        watch.generators_from_now_on()
                    with ready.exploring():
                        result = _to_the_end(runner, ready, coroutine)
            except BaseException as raised:
                if not is_verdict(raised):
                    raise
                error = raised
        if isinstance(error, asyncio.CancelledError) and ready.course.faults:
            error = None
        return Outcome(result, error, ready.course, ready.callbacks)


def _to_the_end(runner: asyncio.Runner, ready: Ready, coroutine: Any) -> Any:
    """Run `main`; after a shutdown, also all tasks that it has cancelled, as `asyncio.run` does."""
    try:
        return runner.run(coroutine)
    finally:
        if ready.victims:
            _shut_down(runner.get_loop(), ready.victims)


def _shut_down(loop: asyncio.AbstractEventLoop, tasks: list[asyncio.Task[Any]]) -> None:
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler(
                {
                    "message": "unhandled exception during shutdown",
                    "exception": task.exception(),
                    "task": task,
                }
            )
    loop.run_until_complete(loop.shutdown_asyncgens())
