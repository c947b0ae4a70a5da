"""The lab: what one pipeline under check is made of, sources and callbacks, and all that happened in it."""

from __future__ import annotations

import asyncio
import functools
import math
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from streamkit._core.errors import attached
from streamkit.testing.clock import VirtualLoop
from streamkit.testing.conformance.items import Item, items_in
from streamkit.testing.conformance.laws import Law, Spins, expect
from streamkit.testing.conformance.visits import Boom, Visit, current
from streamkit.testing.running import run

__all__ = ["KINDS", "MOST_STEPS", "Feed", "Lab", "all_attached", "play"]

KINDS = ("sync", "async", "lambda", "partial", "object")
"""Kinds of callback."""
MOST_STEPS = 20_000
"""Iterations of the loop that a pipeline of a few items may take."""

T = TypeVar("T")


class _Object:
    """A callable object whose `__call__` is a coroutine function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    async def __call__(self, *arguments: Any) -> Any:
        await asyncio.sleep(0)
        return self.function(*arguments)


class Feed:
    """A source that makes `lab.count` items, in one of the `STYLES`, and then ends, fails or hangs."""

    lab: Lab
    name: str
    shape: Callable[[Item], Any]

    def __init__(self, lab: Lab, name: str, shape: Callable[[Item], Any]) -> None:
        self.lab = lab
        self.name = name
        self.shape = shape

    def __repr__(self) -> str:
        return self.name

    def __call__(self) -> Any:
        return self._plain() if self.lab.style == "plain" else self._async()

    async def _async(self) -> AsyncIterator[Any]:
        lab = self.lab
        visit = lab.visit(self)
        try:
            for number in range(lab.count):
                visit.step("a step")
                await lab.pause()
                visit.check("a step that waited")
                visit.taken += 1
                yield self.shape(lab.item(number))
            visit.step("the last step")
            await lab.pause()
            if lab.hang is not None and self.name in lab.hang:
                await asyncio.get_running_loop().create_future()
            visit.ended = True
            self._fail()
        finally:
            visit.cleaned += 1
            visit.check("the clean-up")
            await lab.pause()
            visit.finished = True
            lab.fail_in_clean_up(visit)

    def _plain(self) -> Iterator[Any]:
        lab = self.lab
        visit = lab.visit(self)
        try:
            for number in range(lab.count):
                visit.step("a step")
                visit.taken += 1
                yield self.shape(lab.item(number))
            visit.step("the last step")
            visit.ended = True
            self._fail()
        finally:
            visit.cleaned += 1
            visit.check("the clean-up")
            visit.finished = True
            lab.fail_in_clean_up(visit)

    def _fail(self) -> None:
        if self.name in self.lab.failing and self.lab.failed < self.lab.failures:
            self.lab.failed += 1
            error = self.lab.source_error(self.name)
            self.lab.raised = self.lab.raised or error
            raise error


class Lab:
    """What one pipeline under check is made of, and what happened in it."""

    style: str
    """Of its sources: one of `STYLES`."""
    kind: str
    """Of its callbacks: one of `KINDS`."""
    count: int
    """Items of each source."""
    failing: tuple[str, ...]
    """The sources that fail at their end: `main`, `other`."""
    failures: float
    """How often sources fail: each time, unless they are tried again."""
    failed: int
    """How often they did."""
    hang: tuple[str, ...] | None
    """The sources that never yield again after their last item."""
    failing_call: int
    """The call at which a callback fails, counted from 1."""
    error: type[BaseException]
    """What it fails with, and what sources fail with."""
    dirty: tuple[str, ...]
    """The sources whose clean-up fails."""
    random_pause: Callable[[], float] | None
    stall: float
    """Seconds that every callback takes, if it is asynchronous."""
    visits: list[Visit]
    calls: int
    raised: Any
    """The error of a callback, or the first of a source."""
    dirt: list[Exception]
    """The errors of clean-ups."""
    unreached: list[Exception]
    """Those of sources that came to their own end; a consumer that left earlier need not hear of them."""
    made: int
    alive: weakref.WeakSet[Item]
    out: weakref.WeakSet[Item]
    """Items that were delivered, dropped or filtered out."""
    feeds: int

    def __init__(
        self,
        style: str = "turn",
        kind: str = "sync",
        *,
        count: int = 4,
        failing: tuple[str, ...] = (),
        hang: tuple[str, ...] | None = None,
        failing_call: int = 0,
        error: type[BaseException] = Boom,
        dirty: tuple[str, ...] = (),
        pause: Callable[[], float] | None = None,
    ) -> None:
        self.style = style
        self.kind = kind
        self.count = count
        self.failing = failing
        self.failures = math.inf
        self.failed = 0
        self.hang = hang
        self.failing_call = failing_call
        self.error = error
        self.dirty = dirty
        self.random_pause = pause
        self.stall = 0.0
        self.visits = []
        self.calls = 0
        self.raised = None
        self.dirt = []
        self.unreached = []
        self.made = 0
        self.alive = weakref.WeakSet()
        self.out = weakref.WeakSet()
        self.feeds = 0

    # what pipelines are made of ------------------------------------------------------------

    def source(self, shape: Callable[[Item], Any] = lambda item: item) -> Feed:
        """A source; the first is ``main``, others are ``other``."""
        self.feeds += 1
        return Feed(self, "main" if self.feeds == 1 else "other", shape)

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function` as a callback of the lab's kind, which fails at the `failing_call`-th call."""

        def call(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls == self.failing_call:
                self.raised = self.error(f"call {self.calls}")
                raise self.raised
            return function(*arguments)

        async def waits(*arguments: Any) -> Any:
            await asyncio.sleep(self.stall)
            return call(*arguments)

        match self.kind:
            case "sync":
                return call
            case "async":
                return waits
            case "lambda":
                return lambda *arguments: waits(*arguments)  # noqa: PLW0108 - not known to return an awaitable
            case "partial":
                return functools.partial(waits)
            case _:
                return _Object(call)

    def drop(self, item: Any, _: object = None) -> None:
        """Note that `item` was dropped or filtered out."""
        self.out.update(items_in(item))

    # what happens --------------------------------------------------------------------------

    def visit(self, source: Feed) -> Visit:
        """Begin an iteration of `source`."""
        visit = Visit(source, current())
        self.visits.append(visit)
        return visit

    def item(self, number: int) -> Item:
        """A new item."""
        item = Item(number)
        self.made += 1
        self.alive.add(item)
        return item

    async def pause(self) -> None:
        """What a source does before it has an item."""
        if self.random_pause is not None:
            await asyncio.sleep(self.random_pause())
        elif self.style != "ready":
            await asyncio.sleep(1.0 if self.style == "clock" else 0)

    def source_error(self, name: str) -> BaseException:
        """What the source of that name fails with."""
        return self.error(name) if self.error is RecursionError else Boom(name)

    def fail_in_clean_up(self, visit: Visit) -> None:
        """Raise an error, if the clean-up of that source fails."""
        if visit.source.name in self.dirty:
            error = OSError(f"clean-up of {visit.source}")
            self.dirt.append(error)
            if visit.ended:
                self.unreached.append(error)
            raise error

    # what is asked afterwards --------------------------------------------------------------

    @property
    def taken(self) -> int:
        """Items that were taken from all sources."""
        return sum(visit.taken for visit in self.visits)

    @property
    def taken_of_main(self) -> int:
        """Items that were taken from the first source."""
        return sum(visit.taken for visit in self.visits if visit.source.name == "main")

    def inside(self) -> int:
        """Items taken from the sources and neither delivered, dropped nor filtered out."""
        return sum(1 for item in self.alive if item not in self.out)

    def check_told(self, error: BaseException | None) -> None:
        """The errors of clean-ups are `error` or hang on it, each once, all of them."""
        found = [] if error is None else [error, *all_attached(error)]
        told = [each for each in found if each in self.dirt]
        expect(Law.ERRORS, len(told) == len(set(told)), "each error of clean-up once", f"{told} twice")
        lost = [each for each in self.dirt if each not in told and each not in self.unreached]
        expect(Law.ERRORS, not lost, "all errors of clean-up, raised or attached", f"lost: {lost}")

    def check_clean(self) -> None:
        """Every source that was begun was cleaned up once, in the task that iterated it."""
        for visit in self.visits:
            once = f"{visit.source} was cleaned up {visit.cleaned} times"
            expect(Law.CLOSE, visit.cleaned == 1, "one clean-up of each source", once)
        for visit in self.visits:
            strangers = f"{visit.source}: {visit.strangers}"
            expect(Law.ONE_TASK, not visit.strangers, "one task and context for each source", strangers)

    def check_finished(self) -> None:
        """And no clean-up was interrupted."""
        self.check_clean()
        for visit in self.visits:
            unfinished = f"the clean-up of {visit.source} did not finish"
            expect(Law.CLOSE, visit.finished, "clean-up that goes to its end", unfinished)


def all_attached(error: BaseException) -> list[BaseException]:
    """What is attached to `error`, and to that."""
    found = list(attached(error))
    for each in attached(error):
        found += all_attached(each)
    return found


def play(main: Callable[[], Coroutine[Any, Any, T]], *, threads: bool = False, leaks: bool = True) -> T:
    """Run `main` in virtual time, and fail if it spins or leaves anything behind."""

    async def watched() -> T:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        if not threads:  # with them, how many iterations there are is a matter of real time
            loop.call_at_step(MOST_STEPS, spins)
        return await main()

    return run(watched, threads=threads, leaks=leaks)


def spins() -> None:
    """What is called when a run has taken more iterations of the loop than it can need."""
    raise Spins(MOST_STEPS)
