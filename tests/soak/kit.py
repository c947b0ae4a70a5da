"""The kit of one run: sources, callbacks and strategies for the library, with the faults of a plan."""

import asyncio
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from streamkit import ops
from tests.soak.values import FUNCTIONS, Boom, Item, items_in, plain, weigh
from tests.soak.words import WORDS, Pipe, Src, Step, Tactic, strategy

__all__ = ["PAUSE", "STRANGELY", "Kit", "Plan", "Visit", "inner_items"]

PAUSE = 13 / 32
"""Seconds before each item of a stream that was made of an item, and before its end, by a timetable."""
STRANGELY = "was closed in another task"
"""What is told of a source that was."""
DEPTH = 2
"""How deep streams of streams go: what is made of an item of that depth is empty."""


@dataclass(frozen=True)
class Plan:
    """What goes wrong in one run, and how fast everything is."""

    seed: int = 0
    """Of the pauses."""
    look: float = 1e-5
    """Seconds that pass from one look of a loop at its clock to the next: after 0.005 it lets others run."""
    form: str = "fused"
    """``fused``, as users write it; ``alone``, each operator over the iterator of the one before; ``hops``,
    the same through an async generator of ours."""
    way: str = "open"
    """How it is read: ``open``, ``bare`` (by ``async for`` alone), ``job``, or ``sink``; by ``anext`` of what
    is open, ``polls``, or of an ``iterator``."""
    style: str = "ready"
    """Of sources: ``ready``, ``turn``, ``drip``, ``object``, ``plain``."""
    calls: str = "sync"
    """Of callbacks: ``sync``, ``async``, ``drip``, ``mixed``."""
    fails: tuple[Any, ...] = ()
    """``("source", number, place, times)`` or ``("call", place, value)``."""
    hangs: tuple[int, int] | None = None
    """A source, and the item before which it waits for ever."""
    closing: str = ""
    """What clean-up does: nothing, ``turn``, ``slow``, ``raises``."""
    stubborn: bool = False
    """Whether each source ignores a cancellation once."""
    consumer: tuple[Any, ...] = ("end",)
    """``("end",)``, ``("stall", item)``, ``("leave", item)``, ``("stop", item)``, ``("raise", item)``,
    ``("give up", item)``, ``("pause", item)``, ``("shutdown", step)``, ``("cancel", step)``,
    ``("cancel", step, steps until it is cancelled again)``."""
    eager: bool = False
    """Whether tasks begin where they are made, as Python 3.12 lets them on demand."""


@dataclass
class Visit:
    """One reading of a source."""

    name: str
    task: asyncio.Task[Any] | None
    closed: int = 0
    rank: int = 0
    """How many were closed when it was: 1 for the first."""
    handed: bool = False
    """Whether its clean-up was begun in one task, and finished by another."""
    ended: bool = False
    """Whether it has come to its own end, as one may that is read ahead: nobody may come to hear of that."""
    finished: bool = False
    strangers: list[str] = field(default_factory=list)


def task_here() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def inner_items(value: Any) -> list[Any]:
    """What a stream of `value` has."""
    depth, inside = 0, value
    while isinstance(inside, tuple) and inside and inside[0] in ("i", "j"):
        depth, inside = depth + 1, inside[1]
    return [("i", value), ("j", value)][: weigh(value) % 3] if depth < DEPTH else []


class Kit:
    """What a pipeline of one run is made with, and what is noted of it."""

    def __init__(self, plan: Plan, *, timed: bool, notes: bool = True) -> None:
        self.plan = plan
        self.timed = timed
        self.random = Random(plan.seed)
        self.fired: Counter[str] = Counter()
        """The faults that were met."""
        self.errors: dict[str, list[BaseException]] = {}
        """The errors that were raised, by label."""
        self.dirt: list[BaseException] = []
        """Errors of clean-ups that must be told."""
        self.visits: list[Visit] = []
        self.alive: weakref.WeakSet[Item] = weakref.WeakSet()
        self.most = 0
        """How many items were alive at once."""
        self.offered = 0
        """Items that sources have given."""
        self.notes: dict[int, list[list[Any]]] | None = {} if notes else None
        """What came out of operators whose order is free: of each, in each of its runs."""
        self.dropped: dict[int, list[list[Any]]] = {}

    # what happens --------------------------------------------------------------------------

    def fault(self, kind: str, label: str) -> Boom:
        """The error of a fault, which is noted as met."""
        self.fired[kind] += 1
        error = Boom(label)
        self.errors.setdefault(label, []).append(error)
        return error

    def observe(self) -> None:
        """See how much is inside; an error keeps what its frames have."""
        if not self.errors:
            self.most = max(self.most, len(self.alive))

    def leave(self, value: Any) -> None:
        """Note that what is in `value` was delivered or dropped."""
        for item in items_in(value):
            self.alive.discard(item)

    async def pause(self, style: str) -> None:
        if style == "drip":
            await asyncio.sleep(self.random.choice((0.0, 0.0, 0.25, 1.0)))
        elif style != "ready":
            await asyncio.sleep(0)

    def visit(self, name: str) -> Visit:
        visit = Visit(name, task_here())
        self.visits.append(visit)
        return visit

    async def wait(self, visit: Visit, until: float | None) -> None:
        """The pause of a source before it goes on, in which it may ignore a cancellation, once."""
        loop = asyncio.get_running_loop()
        ignores = self.plan.stubborn
        while True:
            try:
                if until is None:
                    await self.pause(self.plan.style)
                else:
                    await asyncio.sleep(max(0.0, until - loop.time()))
                break
            except asyncio.CancelledError:
                if not ignores:
                    raise
                self.fired["a cancellation is ignored once"] += 1
                ignores = False
        if task_here() is not visit.task:
            visit.strangers.append(f"{visit.name} went on in another task")

    async def clean(self, visit: Visit) -> None:
        """The clean-up of a source."""
        visit.closed += 1
        visit.rank = sum(each.closed for each in self.visits)
        if task_here() is not visit.task:
            visit.strangers.append(f"{visit.name} {STRANGELY}")
        if self.plan.closing in {"slow", "raises"}:  # one that only lets others run is no fault
            self.fired[f"a clean-up: {self.plan.closing}"] += 1
        if self.plan.closing in {"turn", "slow"}:
            begun = task_here()
            await asyncio.sleep(1.0 if self.plan.closing == "slow" else 0)
            visit.handed = task_here() is not begun
        visit.finished = True
        if self.plan.closing == "raises":
            label = f"clean-up of {visit.name}"
            error = Boom(label)
            self.errors.setdefault(label, []).append(error)
            if not visit.ended:
                self.dirt.append(error)
            raise error

    def met(self, number: int, place: int, opened: int) -> None:
        """Fail where the plan says so."""
        match self.plan.fails:
            case ("source", source, at, times) if source == number and at == place and opened <= times:
                raise self.fault("a source fails", f"source {number}")
            case _:
                pass

    # sources -------------------------------------------------------------------------------

    def source(self, source: Src) -> Callable[[], Any]:
        """A function that makes an iterator over the items of `source`."""
        opened = 0

        def make() -> Any:
            nonlocal opened
            opened += 1
            if self.plan.style == "plain" and not self.timed:
                return self.plain_items(source, opened)
            items = self.items(source, opened)
            return Reader(items) if self.plan.style == "object" else items

        return make

    def item(self, number: int) -> Item:
        self.observe()  # before: what a source has in its own hand was not taken yet
        item = Item(number)
        self.alive.add(item)
        self.offered += 1
        return item

    async def items(self, source: Src, opened: int) -> AsyncIterator[Item]:
        visit = self.visit(f"source {source.number}")
        now = asyncio.get_running_loop().time() if self.timed else None
        try:
            for place, number in enumerate(source.items):
                now = None if now is None else now + source.gaps[place]
                await self.wait(visit, now)
                await self.hang(source.number, place)
                self.met(source.number, place, opened)
                yield self.item(number)
            await self.wait(visit, None if now is None else now + source.end)
            await self.hang(source.number, len(source.gaps))
            self.met(source.number, len(source.gaps), opened)
            visit.ended = True
        finally:
            await self.clean(visit)

    async def hang(self, number: int, place: int) -> None:
        if self.plan.hangs == (number, place):
            self.fired["a source hangs"] += 1
            await asyncio.get_running_loop().create_future()

    def plain_items(self, source: Src, opened: int) -> Iterator[Item]:
        visit = self.visit(f"source {source.number}")
        try:
            for place, number in enumerate(source.items):
                self.met(source.number, place, opened)
                yield self.item(number)
            self.met(source.number, len(source.gaps), opened)
        finally:
            visit.closed += 1
            visit.finished = True

    # callbacks -----------------------------------------------------------------------------

    def called(self, place: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, as a callback of the plan's kind, which fails with the value that the plan says."""
        bad = self.plan.fails[2] if self.plan.fails[:2] == ("call", place) else self
        turns = 0

        def call(*arguments: Any) -> Any:
            self.observe()
            if plain(arguments[-1]) == bad:
                raise self.fault("a callback fails", f"call {place}")
            return function(*arguments)

        async def later(*arguments: Any) -> Any:
            await self.pause("drip" if self.plan.calls == "drip" and not self.timed else "turn")
            return call(*arguments)

        def mixed(*arguments: Any) -> Any:
            nonlocal turns
            turns += 1
            return later(*arguments) if turns % 2 else call(*arguments)

        return {"sync": call, "mixed": mixed}.get(self.plan.calls, later)

    def function(self, place: int, name: str) -> Callable[..., Any]:
        return self.called(place, FUNCTIONS[name])

    def inner(self, place: int) -> Callable[..., Any]:
        async def items(value: Any) -> AsyncIterator[Any]:
            visit = self.visit(f"stream of {plain(value)} at {place}")
            begun = asyncio.get_running_loop().time()
            pause = PAUSE if self.timed else None
            try:
                for number, each in enumerate(inner_items(value), 1):
                    await self.wait(visit, pause and begun + number * pause)
                    yield each
                if pause:
                    await self.wait(visit, begun + (len(inner_items(value)) + 1) * pause)
            finally:
                await self.clean(visit)

        return self.called(place, lambda value: lambda: items(value))

    def drop(self, place: int) -> Callable[[Any, str], None]:
        lists = self.dropped.setdefault(place, [])

        def dropped(item: Any, reason: str) -> None:
            self.leave(item)
            runs = len((self.notes or {}).get(place, ()))
            lists.extend([] for _ in range(runs - len(lists)))
            if lists and reason == "full":
                lists[-1].append(plain(item))

        return dropped

    def tactic(self, place: int, tactic: Tactic) -> Any:
        return strategy(tactic)

    def pipe(self, pipe: Pipe) -> Any:
        made: Any = None
        for step in pipe.steps:
            operator = WORDS[step.word].made(step, self)
            made = operator if made is None else made | operator
        return made

    def operator(self, step: Step) -> Any:
        """An operator of the pipeline; what comes out of one whose order is free is noted."""
        made = WORDS[step.word].made(step, self)
        if WORDS[step.word].kind != "free" or self.notes is None:
            return made
        runs = self.notes.setdefault(step.place, [])

        def begin() -> list[Any]:
            runs.append([])
            return runs[-1]

        def note(found: list[Any], item: Any) -> tuple[list[Any], Any]:
            found.append(plain(item))
            return found, item

        return made | ops.stateful_map(begin, note)


class Reader:
    """An iterator that is no generator, and counts how often it was closed."""

    def __init__(self, items: Any) -> None:
        self.items = items
        self.closed = 0

    def __aiter__(self) -> "Reader":
        return self

    async def __anext__(self) -> Any:
        return await anext(self.items)

    async def aclose(self) -> None:
        self.closed += 1
        if self.closed > 1:
            raise AssertionError("an iterator was closed twice")
        await self.items.aclose()
