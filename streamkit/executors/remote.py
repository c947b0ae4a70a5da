"""What runs where the work is done: in a thread, a process, a worker of a cluster. It knows of no stations.

A `Place` is prepared once, learns the work of each run once, does it chunk by chunk, and is closed.
"""

from __future__ import annotations

import threading
from asyncio import Runner
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ClassVar, cast

from streamkit._core.arguments import discard
from streamkit._core.awaiting import is_awaitable
from streamkit._core.errors import PreparationError, noted
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.show import named, shown
from streamkit._core.workers import Calls, NoResult, Outcomes, Work, awaited
from streamkit.executors.packing import unpack

__all__ = ["Hooks", "KnownWork", "Place", "Setup", "Worker", "lone_place", "worker"]


class Worker:
    """The worker in which code runs, as that code sees it: `worker()` gives it."""

    def __init__(
        self, index: int, arguments: Mapping[str, Any], shared: dict[Any, Any], siblings: list[Worker]
    ) -> None:
        self.index = index
        """Its number among its siblings, from 0; a spare has its own only when it takes the place of one."""
        self.arguments = arguments
        """Those of ``each=`` that it was prepared with."""
        self.shared = shared
        """A place for what siblings share: one dict for all threads of a pool; each process has its own."""
        self._siblings = siblings

    @property
    def siblings(self) -> tuple[Worker, ...]:
        """The workers of its pool in the same process, itself included: all threads, or one process."""
        return tuple(self._siblings)

    def __repr__(self) -> str:
        return f"<worker {self.index} with {shown(dict(self.arguments))}>"


_here = threading.local()


def worker() -> Worker:
    """The worker in which this is called: by a function that it calls, or by what prepares it.

    Raises:
        RuntimeError: no worker calls.
    """
    found: Worker | None = getattr(_here, "worker", None)
    if found is None:
        raise RuntimeError("worker() was called outside of a worker of streamkit.executors")
    return found


class Hooks:
    """What is called around the work of a pool: override what you need, and pass an instance as ``hooks=``.

    Once for a pool `opened` and, last, `closed`, where the pool is; in each worker `began`, before it is
    prepared, and `ended`, after what was prepared is closed; around each item `before` and `after`. Processes
    get a copy of the object each. An error of `before` or `after` is that of the item.
    """

    def opened(self) -> None:
        """The pool opens; its workers do not run yet."""

    def closed(self) -> None:
        """The pool has closed; none of its workers runs any more."""

    def began(self, worker: Worker) -> None:
        """The worker runs, and will be prepared."""

    def ended(self, worker: Worker) -> None:
        """The worker is at its end."""

    def before(self, item: Any) -> None:
        """A function will be called with `item`."""

    def after(self, item: Any, result: Any) -> None:
        """It has returned `result`; an exception, if it has raised that."""

    _AROUND: ClassVar = ("before", "after")

    @property
    def around_items(self) -> bool:
        """Whether it does anything around each item."""
        return any(getattr(type(self), name) is not getattr(Hooks, name) for name in self._AROUND)


class Setup:
    """What a worker is made with, besides its own arguments."""

    def __init__(self, prepare: Callable[..., Any] | Absent, hooks: Hooks | None) -> None:
        self.prepare = prepare
        self.hooks = hooks


class Place:
    """Where work is done: a worker, and what was prepared in it."""

    def __init__(self, worker: Worker, setup: Setup) -> None:
        self._worker = worker
        self._setup = setup
        self._hooks = setup.hooks
        self._prepared: Any = ABSENT
        self._close: Callable[[], Any] | None = None
        self._begun = False

    def prepare(self) -> None:
        """Make what the work needs. Its error comes as it is, with a note that says where it came from."""
        _here.worker = self._worker
        arguments = self._worker.arguments
        try:
            if self._hooks is not None:
                self._hooks.began(self._worker)
            self._begun = True
            prepare: Any = self._setup.prepare
            if prepare is not ABSENT:
                self._hold(prepare(**arguments))
        except Exception as error:
            given = ", ".join([f"{name}={shown(value)}" for name, value in arguments.items()])
            noted(error, f"when worker {self._worker.index} was prepared: {self._told(given)}")
            raise

    def _told(self, given: str) -> str:
        return "its hooks" if self._setup.prepare is ABSENT else f"{named(self._setup.prepare)}({given})"

    def _hold(self, made: Any) -> None:
        if is_awaitable(made):
            discard(made)
            raise PreparationError(f"prepare must return at once, not the awaitable {shown(made)}")
        self._prepared = made
        close = getattr(made, "close", None)
        if callable(close):
            self._close = close
        elif isinstance(made, AbstractContextManager):
            stack, manager = ExitStack(), cast("AbstractContextManager[Any]", made)
            self._prepared = stack.enter_context(manager)
            self._close = stack.close

    def seat(self, index: int) -> None:
        """Take the place of another."""
        self._worker.index = index

    def done(self, work: Work, items: Sequence[Any]) -> Outcomes:
        """What becomes of `items`."""
        _here.worker = (
            self._worker
        )  # a worker of a cluster may be prepared in another thread than it works in
        if isinstance(work, Calls) and work.function is ABSENT and not callable(self._prepared):
            raise PreparationError(
                f"prepare must return what can be called with an item, not {shown(self._prepared)}"
            )
        if self._hooks is not None and self._hooks.around_items:
            return self._hooked(work, items, self._hooks)
        return work.done(items, self._prepared)

    def _hooked(self, work: Work, items: Sequence[Any], hooks: Hooks) -> Outcomes:
        found = Outcomes()
        for item in items:
            try:
                hooks.before(item)
                outcomes = work.done([item], self._prepared)
                result = outcomes[0]
                hooks.after(item, result.error if type(result) is NoResult else result)
            except Exception as error:
                found.append(NoResult(error, item))
            else:
                found += outcomes
                found.seconds += outcomes.seconds
        return found

    def tell(self, function: Callable[..., Any]) -> Any:
        """Call `function` with what was prepared, if something was."""
        return function() if self._prepared is ABSENT else function(self._prepared)

    def close(self) -> None:
        """Close what was prepared."""
        close, self._close, self._prepared = self._close, None, ABSENT
        try:
            if close is not None and is_awaitable(made := close()):
                with Runner() as runner:
                    runner.run(awaited(made))
        finally:
            if self._begun and self._hooks is not None:
                self._hooks.ended(self._worker)
            _here.worker = None


def lone_place(setup: Setup, index: int, arguments: Mapping[str, Any]) -> Place:
    """The place of a worker that has its process for itself."""
    siblings: list[Worker] = []
    worker = Worker(index, arguments, {}, siblings)
    siblings.append(worker)
    return Place(worker, setup)


class KnownWork:
    """The work that a worker far away has learned: it comes once, and calls name it by its number."""

    def __init__(self) -> None:
        self._known: dict[int, Work | Exception] = {}
        """Or why it could not be read: an error of each call, because a run may have none."""

    def learn(self, number: int, packed: Any) -> None:
        try:
            self._known[number] = unpack(packed)
        except Exception as error:
            self._known[number] = error

    def forget(self, number: int) -> None:
        self._known.pop(number, None)

    def work(self, number: int) -> Work:
        """That of this number, or what reading it raised."""
        work = self._known[number]
        if isinstance(work, Exception):
            raise work
        return work
