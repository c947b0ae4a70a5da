"""Leaks: the names of what a run left behind when it ended."""

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from itertools import count
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from streamkit._core.show import shown
from streamkit.testing.waits import DeadlockError, task_line, tasks, trail

__all__ = ["LeakError", "Watch", "frozen"]

AsyncGen = AsyncGenerator[Any, Any]

_CLOSING_STEPS = 10_000
"""How many iterations the clean-up of a run may take: a task that ignores cancellation might never end."""

_STARTUP_OBJECTS = 1_000
"""Python 3.12 freezes fewer objects than this when it starts; unfreezing those does no harm."""

_TIDY = 1_000
"""What tests let go of after a run is frozen in the next, and never collected, but here: after so many runs.

It would take memory, and time: whoever asks for the tasks of a loop goes through all that there are.
"""

_THREAD_GRACE = 0.2
"""Real seconds that an ending thread gets before it counts as left behind."""


class LeakError(AssertionError):
    """Something was left behind when `main` returned; `leaks` names each of them.

    >>> import asyncio
    >>> from streamkit.testing import LeakError, run
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


class Watch:
    """Closes a runner, and raises `LeakError` if what ran on it left anything behind."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._found: list[str] = []
        self._reported: BaseException | None = None
        self._generators: WeakSet[AsyncGen] = WeakSet()
        self._threads_before = set(threading.enumerate())
        self._freezes = not _frozen and _may_freeze()
        self._frozen = bool(_frozen) or self._freezes

    def __enter__(self) -> Self:
        if self._freezes:
            if not next(_frozen_before) % _TIDY:
                gc.collect()
            gc.freeze()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._inspect()
        finally:
            if self._freezes:
                gc.unfreeze()
        self._judge(error)

    def generators_from_now_on(self) -> None:
        """Note every async generator that is first iterated on the runner's loop."""
        loop = self._runner.get_loop()
        loop.set_exception_handler(self._note_exception)
        # The loop installs its own hooks when it starts. Ours are installed after that, and call them.
        loop.call_soon(self._hook_generators)

    def _hook_generators(self) -> None:
        first, last = sys.get_asyncgen_hooks()

        def begun(generator: AsyncGen) -> None:
            self._generators.add(generator)
            if first is not None:  # pragma: no branch - a loop of asyncio has set one
                first(generator)

        def dropped(generator: AsyncGen) -> None:
            # Python has cleared its weak references, but it lives until the loop has closed it: add it anew.
            self._generators.add(generator)
            if last is not None:  # pragma: no branch - the same
                last(generator)

        sys.set_asyncgen_hooks(begun, dropped)

    def _note_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._reported = error if self._reported is None else self._reported
        message = context.get("message", "an error without a message")
        self._found.append(f"{message}{'' if error is None else f': {shown(error)}'}")

    def _inspect(self) -> None:
        loop = self._runner.get_loop()
        self._found += [f"task {task_line(task)}" for task in tasks(loop)]
        alive = [generator for generator in self._generators if not _has_ended(generator)]
        self._found += sorted(f"async generator {' > '.join(trail(generator))}" for generator in alive)
        del alive
        self._close(loop)
        gc.collect(2 if self._frozen else 1)
        self._found += [f"thread {name!r}" for name in self._threads_left()]

    def _close(self, loop: Any) -> None:
        def give_up() -> None:
            raise DeadlockError(f"the clean-up took more than {_CLOSING_STEPS} steps")

        loop.call_at_step(_CLOSING_STEPS, give_up)
        try:
            self._runner.close()
        except DeadlockError as error:
            self._found.append(f"tasks that do not end when cancelled: {error}")

    def _threads_left(self) -> list[str]:
        new = [
            thread
            for thread in threading.enumerate()
            if thread not in self._threads_before and thread.ident is not None  # else another starts it now
        ]
        for thread in new:
            if not thread.daemon:
                thread.join(_THREAD_GRACE)
        return sorted(thread.name for thread in new if thread.is_alive() and not thread.daemon)

    def check(self) -> None:
        """Once more, when the error that ended the run is forgotten: its traceback may have kept some."""
        gc.collect(2 if self._frozen else 1)
        self._judge(None)

    def _judge(self, error: BaseException | None) -> None:
        found = [each for each in self._found if not _is_told(error, each)]
        if not found:
            return
        leak = LeakError(tuple(found))
        if error is None or _may_be_replaced(error):
            raise leak from error or self._reported
        error.add_note(str(leak))


def _may_freeze() -> bool:
    """Whether older objects may be frozen.

    `gc.freeze` costs nothing, and lets the collection after a run skip them. If a program has frozen objects
    itself, do not: our unfreeze would undo its freeze.
    """
    return gc.get_freeze_count() < _STARTUP_OBJECTS


_frozen_before = count(1)

_frozen: list[bool] = []
"""Whether `frozen` has frozen what there was, once for each time that it is entered."""


@contextmanager
def frozen() -> Generator[None, None, None]:
    """Freeze what there is once, around many runs, of which none then does: each would keep its garbage.

    To ask how many objects are frozen takes time for each of them, and `freeze` is no collection.
    """
    freezes = not _frozen and _may_freeze()
    if freezes:
        gc.freeze()
    _frozen.append(True)
    try:
        yield
    finally:
        _frozen.pop()
        if freezes:
            gc.unfreeze()


def _has_ended(generator: AsyncGen) -> bool:
    return getattr(generator, "ag_frame", None) is None


def _is_told(error: BaseException | None, leak: str) -> bool:
    """Whether a deadlock names this already among those that wait: it is no more to be told."""
    kind, _, place = leak.partition(" ")
    if not isinstance(error, DeadlockError) or kind not in {"task", "async"}:
        return False
    return any(line.endswith(place.removeprefix("generator ")) for line in error.waiting)


def _may_be_replaced(error: BaseException) -> bool:
    """Whether `LeakError` may be raised instead of `error`: not if that is itself the verdict of a test."""
    if isinstance(error, (AssertionError, DeadlockError)):
        return False
    return isinstance(error, (Exception, asyncio.CancelledError))
