"""What the law tests are made with: items, sources and callbacks that note all that is done to them."""

import asyncio
import functools
import math
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from streamkit import Job, Stream, attached
from streamkit._core.contract import amount
from streamkit.testing import VirtualLoop, run
from tests.laws.items import Item, items_in

STYLES = ("turn", "clock", "ready", "plain")
"""Kinds of source: waits a turn, or a second, at every step and at its end; never waits; is sync."""
KINDS = ("sync", "async", "lambda", "partial", "object")
"""Kinds of callback."""
MOST_STEPS = 20_000

T = TypeVar("T")


class Boom(Exception):  # noqa: N818
    """The error of the tests."""


def _task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


@dataclass
class Visit:
    """One iteration of a source: in which task it began, went on and was cleaned up."""

    source: "Feed"
    begun: asyncio.Task[Any] | None
    taken: int = 0
    """How many items were pulled out of it."""
    wanted: int = 0
    """How many steps it was asked for."""
    cleaned: int = 0
    """How often its clean-up began."""
    ended: bool = False
    """Whether it came to its own end."""
    finished: bool = False
    context: ContextVar[int] = field(default_factory=lambda: ContextVar("step", default=0))
    strangers: list[str] = field(default_factory=list)
    """Steps that were made in another task, or did not see the context of the step before."""

    def check(self, where: str) -> None:
        if _task() is not self.begun:
            self.strangers.append(f"{where} ran in {_task()}, begun in {self.begun}")
        if self.context.get() != self.wanted:
            self.strangers.append(f"{where} lost its context variables")

    def step(self, where: str) -> None:
        if self.wanted:
            self.check(where)
        self.wanted += 1
        self.context.set(self.wanted)


class Feed:
    """A source that makes `count` items, in one of the `STYLES`, and then ends, fails or hangs."""

    def __init__(self, lab: "Lab", name: str, shape: Callable[[Item], Any]) -> None:
        self.lab = lab
        self.name = name
        self.shape = shape

    def __repr__(self) -> str:
        return self.name

    def __call__(self) -> Any:
        lab = self.lab
        return self._plain() if lab.style == "plain" else self._async()

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
            error = Boom(self.name)
            self.lab.raised = self.lab.raised or error
            raise error


class _Object:
    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    async def __call__(self, *arguments: Any) -> Any:
        await asyncio.sleep(0)
        return self.function(*arguments)


class Lab:
    """What one pipeline under test is made of, and what happened in it."""

    def __init__(
        self,
        style: str = "turn",
        kind: str = "sync",
        *,
        count: int = 4,
        failing: tuple[str, ...] = (),
        hang: tuple[str, ...] | None = None,
        failing_call: int = 0,
        error: type[Exception] = Boom,
        dirty: tuple[str, ...] = (),
        pause: Callable[[], float] | None = None,
    ) -> None:
        self.style = style
        self.kind = kind
        self.count = count
        self.failing = failing
        self.failures: float = math.inf
        """How often sources fail: each time, unless the sample tries them again."""
        self.failed = 0
        """How often they did."""
        self.hang = hang
        self.failing_call = failing_call
        self.error = error
        self.dirty = dirty
        """The sources whose clean-up fails."""
        self.random_pause = pause
        self.stall: float = 0.0
        """Seconds that every callback takes, if it is asynchronous."""
        self.visits: list[Visit] = []
        self.calls = 0
        self.raised: Exception | None = None
        """The error of a callback, or the first of a source."""
        self.dirt: list[Exception] = []
        """The errors of clean-ups."""
        self.unreached: list[Exception] = []
        """Those of sources that came to their own end; a consumer that left earlier need not hear of them."""
        self.made = 0
        self.alive: weakref.WeakSet[Item] = weakref.WeakSet()
        self.out: weakref.WeakSet[Item] = weakref.WeakSet()
        """Items that were delivered, dropped or filtered out."""
        self.feeds = 0

    # what samples are made of --------------------------------------------------------------

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
                return lambda *arguments: waits(*arguments)
            case "partial":
                return functools.partial(waits)
            case _:
                return _Object(call)

    def drop(self, item: Any, _: object = None) -> None:
        """Note that `item` was dropped or filtered out."""
        self.out.update(items_in(item))

    # what happens --------------------------------------------------------------------------

    def visit(self, source: Feed) -> Visit:
        visit = Visit(source, _task())
        self.visits.append(visit)
        return visit

    def item(self, number: int) -> Item:
        item = Item(number)
        self.made += 1
        self.alive.add(item)
        return item

    async def pause(self) -> None:
        if self.random_pause is not None:
            await asyncio.sleep(self.random_pause())
        elif self.style != "ready":
            await asyncio.sleep(1.0 if self.style == "clock" else 0)

    def fail_in_clean_up(self, visit: Visit) -> None:
        if visit.source.name in self.dirty:
            error = OSError(f"clean-up of {visit.source}")
            self.dirt.append(error)
            if visit.ended:
                self.unreached.append(error)
            raise error

    # what is asked afterwards --------------------------------------------------------------

    @property
    def taken(self) -> int:
        return sum(visit.taken for visit in self.visits)

    @property
    def taken_of_main(self) -> int:
        return sum(visit.taken for visit in self.visits if visit.source.name == "main")

    def inside(self) -> int:
        """Items taken from the sources and neither delivered, dropped nor filtered out."""
        return sum(1 for item in self.alive if item not in self.out)

    def check_told(self, error: BaseException | None) -> None:
        """The errors of clean-ups are `error` or hang on it, each once, all of them."""
        found = [] if error is None else [error, *all_attached(error)]
        told = [each for each in found if each in self.dirt]
        assert len(told) == len(set(told)), f"{told} twice"
        lost = [each for each in self.dirt if each not in told and each not in self.unreached]
        assert not lost, f"lost: {lost}"

    def check_clean(self) -> None:
        """Every source that was begun was cleaned up once, in the task that iterated it."""
        for visit in self.visits:
            assert visit.cleaned == 1, f"{visit.source} was cleaned up {visit.cleaned} times"
            assert not visit.strangers, f"{visit.source}: {visit.strangers}"

    def check_finished(self) -> None:
        """And no clean-up was interrupted."""
        self.check_clean()
        for visit in self.visits:
            assert visit.finished, f"the clean-up of {visit.source} did not finish"


def all_attached(error: BaseException) -> list[BaseException]:
    """What is attached to `error`, and to that."""
    found = list(attached(error))
    for each in attached(error):
        found += all_attached(each)
    return found


@dataclass(frozen=True)
class Sample:
    """One way to write one operator."""

    name: str
    make: Callable[[Lab], Any]
    """The operator; what it needs of sources and callbacks it takes from the lab."""
    shape: Callable[[Item], Any] = lambda item: item
    """What an item of its source looks like."""
    calls: bool = False
    """Whether it calls a callback."""
    needs: int = 1
    """How many items it takes from its sources for the first that it passes on."""
    catches: bool = False
    """Whether it goes on after an error of its source."""
    lossless: bool = True
    """Whether all that is held is delivered when a source fails."""
    ordered: bool = True
    """Whether its results have one order only."""
    timed: bool = False
    """Whether which items it passes on depends on how long a callback takes."""
    kinds: tuple[str, ...] = ("sync", "async")
    """The kinds of callback that the close matrix tries."""

    def built(self, lab: Lab) -> Any:
        """The operator over the lab's source: a stream or a job."""
        built = Stream(lab.source(self.shape)) | self.make(lab)
        if isinstance(built, Job):
            hash(built)  # it was used: it does not warn where a test cancels it before it begins
        return built

    @property
    def sink(self) -> bool:
        return bool(self.make(Lab()).links[-1].declaration.sink)

    @property
    def at_end(self) -> bool:
        """Whether its contract says that it emits nothing before its source has ended."""
        return bool(self.built(Lab()).explain().at_end)

    @staticmethod
    def ahead_of_main(built: Any) -> float:
        """What its contract says that it reads ahead of its first source, where others are read otherwise."""
        mixed = [link for link in built.links if link.declaration.contract.mixed]
        if not mixed:
            return float(built.explain().lookahead)
        contract = mixed[0].declaration.contract
        return float(amount(contract.lookahead, mixed[0].arguments))

    def __repr__(self) -> str:
        return self.name


@contextmanager
def trying(*what: object) -> Generator[None, None, None]:
    """Let a test that tries several things in turn say which of them failed."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"trying {', '.join(map(str, what))}")
        raise


def play(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main` in virtual time, and fail if it spins or leaves anything behind."""

    async def watched() -> T:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.call_at_step(MOST_STEPS, spins)
        return await main()

    return run(watched)


def spins() -> None:
    raise AssertionError(f"still running after {MOST_STEPS} steps of the loop")
