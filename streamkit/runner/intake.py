"""Intake: what a job takes in from its sources, which can be ended from outside; what is inside is finished.

A job is steered before it runs: each source that was written in it, also those of the streams that a
``merge`` is given, becomes one that ends when the intake does. A source that holds items for its reader ends
by itself, behind them. Any other is asked for no more, and a pull of it that waits is given up. What is none
of a job's own, or would begin anew, gets an ``ops.valve``. Streams that callbacks make are work that has
begun, and go on to their end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import RLock
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from streamkit._engine.compile.key import Kind
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Pipe, Stream, rebuilt
from streamkit._engine.plan.link import Inlet, Link, shares
from streamkit._engine.plan.source import Opened, Recipe, Source
from streamkit._engine.run.run import Run
from streamkit._stages.hub import HubSource
from streamkit._stages.inbox import InboxSource
from streamkit._stages.push import PushSource
from streamkit._stages.threaded import ThreadSource
from streamkit.operators.steer import Valve, valve
from streamkit.runner.pulls import Pulls

__all__ = ["Intake"]

R = TypeVar("R")


class Ends(Protocol):
    """What is read, and ends when it is told to."""

    def finish(self) -> None:
        """Take in no more."""
        ...


class Intake:
    """The intake of the runs of steered jobs; any thread, and any signal handler, may end it."""

    def __init__(self) -> None:
        self.ended: bool = False
        self.inboxes: dict[Source, PushSource] = {}
        """What is read in the place of each inbox, in the order in which they stand in the jobs."""
        self._lock = RLock()
        self._valve = Valve()
        self._open: WeakSet[Ends] = WeakSet()

    def steered(self, job: Job[R]) -> Job[R]:
        """A job that does the same; its sources end when this intake does, and its inboxes can be filled."""
        _, (inlet, links) = job.__reduce__()
        source, found = self._of(inlet.source, (*inlet.links, *links))
        return Job(Inlet(source), tuple(found))

    def end(self) -> None:
        """Take in no more; what is inside is finished, and the jobs then end as they always do."""
        with self._lock:
            self.ended = True
            opened = [*self._open]
        self._valve.drain()
        for each in opened:
            each.finish()

    def add(self, opened: Ends) -> None:
        """A source was found, or opened, that can be told to end."""
        with self._lock:
            self._open.add(opened)
            ended = self.ended
        if ended:
            opened.finish()

    def inlet(self, inlet: Inlet[Any]) -> Stream[Any]:
        """`inlet`, steered."""
        source, links = self._of(inlet.source, inlet.links)
        return Stream(source, tuple(links))

    def _of(self, source: Source, links: Sequence[Link]) -> tuple[Source, list[Link]]:
        behind = max([place for place, link in enumerate(links, 1) if _begins(link)], default=0)
        ending = source if behind else self._ending(source)
        found = [self._link(link) for link in links]
        if ending is None or behind:
            found.insert(behind, valve(self._valve).links[0])
        return ending or source, found

    def _ending(self, source: Source) -> Source | None:
        """What is read in the place of `source`, and ends when this does; None if nothing is."""
        if isinstance(source, InboxSource):
            return self._filled(source)
        if isinstance(source, PushSource):
            self.add(source.value)
            return source
        if isinstance(source, HubSource) and source.strategy is not None:  # each consumer holds its own
            return source.telling(self.add)
        if source.makes:
            return _Late(self, source)
        if isinstance(source, ThreadSource) or type(source).open is Source.open:
            return _Steered(self, source)
        return None

    def _filled(self, source: InboxSource) -> PushSource:
        if source not in self.inboxes:
            self.inboxes[source] = source.made_for_run()
            self.add(self.inboxes[source].value)
        return self.inboxes[source]

    def _link(self, link: Link) -> Link:
        arguments = {name: self._argument(value) for name, value in link.arguments.items()}
        same = all(value is link.arguments[name] for name, value in arguments.items())
        return link if same else link.but(arguments)

    def _argument(self, value: Any) -> Any:
        """An argument of an operator, with the streams in it steered; itself if it has none."""
        if isinstance(value, Inlet):
            return self.inlet(value)  # pyright: ignore[reportUnknownArgumentType] - of any items
        if type(value) is tuple:
            parts = [self._argument(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
            return value if all(map(_same, parts, value)) else tuple(parts)  # pyright: ignore
        if isinstance(value, Pipe):
            links = [self._link(link) for link in value.links]
            return value if all(map(_same, links, value.links)) else rebuilt(type(value), tuple(links))
        return value


def _same(one: object, other: object) -> bool:
    return one is other


_BEGINNING = ("defer", "repeat", "using")
"""Stages that open what a stream begins with, or open it again, whatever the source before them does."""


def _begins(link: Link) -> bool:
    """Whether the stream ends behind `link`; what several streams share does not end for one of them."""
    return link.declaration.name in _BEGINNING or shares(link)


class _Steered(Source):
    """A source whose items end when the intake does."""

    __slots__ = ("_intake", "_of", "strategy")

    def __init__(self, intake: Intake, source: Source) -> None:
        self.value = None
        self._consumed = self._makes = False
        self._intake = intake
        self._of = source
        self.strategy = source.strategy

    def open(self, *, blocking: bool = False) -> Opened:
        opened = self._of.open(blocking=blocking)
        if opened.kind is Kind.CHANNEL:
            self._intake.add(opened.buffer)
        elif opened.kind is Kind.ASYNC:
            opened.items = pulls = Pulls(opened.items)
            self._intake.add(pulls)
        else:
            opened.kind, opened.items = Kind.ITER, _wanted(self._intake, opened.items)
        return opened

    def attached(self, run: Run) -> Source:
        return self

    @property
    def kind(self) -> str:
        return self._of.kind

    def __repr__(self) -> str:
        return repr(self._of)


def _wanted(intake: Intake, items: Iterable[Any]) -> Iterator[Any]:
    if intake.ended:
        return
    for item in items:
        yield item
        if intake.ended:
            return


class _Late(Recipe):
    """A callable that makes what is read: each run's is steered when it is made."""

    __slots__ = ("_intake", "_of")

    def __init__(self, intake: Intake, source: Source) -> None:
        super().__init__(source.kind, (), source.made)
        self._intake = intake
        self._of = source

    def made(self) -> Source:
        made = self._of.made()
        value: Any = made.value
        inlet: Inlet[Any] = value if isinstance(value, Inlet) else Inlet(made)  # pyright: ignore[reportUnknownVariableType]
        return Source.returned(self._intake.inlet(inlet))

    def __repr__(self) -> str:
        return repr(self._of)
