"""Intake: what a job takes in from its sources, which can be ended from outside; what is inside is finished.

A job is steered before it runs: each source that was written in it, also those of the streams that a ``merge``
is given, becomes one that ends when the intake does. A source that holds items for its reader ends by itself,
behind them. A synchronous one is asked for slices, and gives no more: that costs nothing per item. What is
read asynchronously gets an ``ops.valve``, which can interrupt a pull that waits. Streams that callbacks make
are work that has begun, and go on to their end.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterator, Sequence
from threading import RLock
from typing import Any, TypeVar
from weakref import WeakSet

from streamkit._core.catalogue import declared
from streamkit._engine.buffer.threads import SharedChannel
from streamkit._engine.compile.key import Kind
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Pipe, Stream, rebuilt
from streamkit._engine.plan.link import Inlet, Link, shares
from streamkit._engine.plan.source import Opened, Recipe, Source
from streamkit._engine.run.run import Run
from streamkit._stages.inbox import InboxSource
from streamkit._stages.push import Emitter, PushSource
from streamkit._stages.threaded import ThreadSource
from streamkit.operators.restart import repeat
from streamkit.operators.steer import Valve, valve

__all__ = ["Intake"]

R = TypeVar("R")


class Intake:
    """The intake of the runs of steered jobs; any thread, and any signal handler, may end it."""

    def __init__(self) -> None:
        self.ended = False
        self.emitters: dict[Source, Emitter[Any]] = {}
        """What fills each inbox, in the order in which they stand in the jobs."""
        self._pushed: dict[Source, PushSource] = {}
        self._lock = RLock()
        self._valve = Valve()
        self._channels: WeakSet[SharedChannel] = WeakSet()
        """Of sources that end by themselves."""

    def steered(self, job: Job[R]) -> Job[R]:
        """A job that does the same; its sources end when this intake does, and its inboxes can be filled."""
        _, (inlet, links) = job.__reduce__()
        source, found = self._of(inlet.source, (*inlet.links, *links))
        return Job(Inlet(source), tuple(found))

    def end(self) -> None:
        """Take in no more; what is inside is finished, and the jobs then end as they always do."""
        with self._lock:
            self.ended = True
            channels = [*self._channels]
        self._valve.drain()
        for channel in channels:
            channel.finish()

    def add(self, channel: SharedChannel) -> None:
        """A source was found, or opened, that ends by itself."""
        with self._lock:
            self._channels.add(channel)
            ended = self.ended
        if ended:
            channel.finish()

    def inlet(self, inlet: Inlet[Any]) -> Stream[Any]:
        """`inlet`, steered."""
        source, links = self._of(inlet.source, inlet.links)
        return Stream(source, tuple(links))

    def _of(self, source: Source, links: Sequence[Link]) -> tuple[Source, list[Link]]:
        found = [self._link(link) for link in links]
        # a source that has ended would be begun again at once, for ever; and a shared one is not ours to end
        behind = max([place for place, link in enumerate(links, 1) if _begins(link)], default=0)
        if behind:
            found.insert(behind, self._stop())
        elif isinstance(source, InboxSource):
            source = self._filled(source)
        elif isinstance(source, PushSource):
            self.add(source.value)
        elif isinstance(source, ThreadSource):
            source = _Steered(self, source)
        elif source.makes:
            source = _Late(self, source)
        elif _slices(source):
            source = _Steered(self, source)
        else:
            found.insert(0, self._stop())
        return source, found

    def _filled(self, source: InboxSource) -> PushSource:
        if source not in self._pushed:
            self._pushed[source], self.emitters[source] = source.made_for_run()
            self.add(self._pushed[source].value)
        return self._pushed[source]

    def _stop(self) -> Link:
        return valve(self._valve).links[0]

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


def _begins(link: Link) -> bool:
    return link.declaration is _REPEAT or shares(link)


_REPEAT = declared(repeat)


def _slices(source: Source) -> bool:
    """Whether it is an iterable that loops take in slices."""
    return type(source).open is Source.open and not isinstance(source.value, AsyncIterable)


class _Steered(Source):
    """A source whose items end when the intake does."""

    __slots__ = ("_intake", "_of", "strategy")

    def __init__(self, intake: Intake, source: Source) -> None:
        super().__init__(())
        self._intake = intake
        self._of = source
        self.strategy = source.strategy

    def open(self, *, blocking: bool = False) -> Opened:
        opened = self._of.open(blocking=blocking)
        if opened.kind is Kind.CHANNEL:
            self._intake.add(opened.buffer)
        else:
            opened.items = _Slices(self._intake, opened.items)
        return opened

    def attached(self, run: Run) -> Source:
        return self

    @property
    def native(self) -> Any:
        return None

    @property
    def blocking(self) -> bool:
        return self._of.blocking

    @property
    def kind(self) -> str:
        return self._of.kind

    def __repr__(self) -> str:
        return repr(self._of)


class _Slices:
    """The items of a list or an iterator, which a loop takes in slices: none when the intake has ended."""

    __slots__ = ("_intake", "_items")

    def __init__(self, intake: Intake, items: Any) -> None:
        self._intake = intake
        self._items = items

    def __getitem__(self, part: slice) -> Any:
        return () if self._intake.ended else self._items[part]

    def __iter__(self) -> Iterator[Any]:
        return iter(() if self._intake.ended else self._items)


class _Late(Recipe):
    """A callable that makes what is read: each run's is steered when it is made."""

    __slots__ = ("_intake", "_of")

    def __init__(self, intake: Intake, source: Source) -> None:
        super().__init__(source.kind, (), source.made)
        self._intake = intake
        self._of = source

    def made(self) -> Source:
        made = self._of.made()
        inlet: Inlet[Any] = made.value if isinstance(made.value, Inlet) else Inlet(made)
        return Source.returned(self._intake.inlet(inlet))

    def __repr__(self) -> str:
        return repr(self._of)
