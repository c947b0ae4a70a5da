"""Paired runs: of stages whose items come with the delivery that each stands for."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.paired import paired_lane
from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.key import End, Kind, Pairs
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.plan.tracked import refused
from streamkit._engine.run.form import PAIRS
from streamkit._engine.run.pump import Pump
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import begin, loop_of, start

__all__ = ["PairedRun", "followed_anyway", "run_of"]

C = TypeVar("C", bound=Channel)


class PairedRun(Run):
    """One execution of a stage behind a tracked source: all that it reads, and gives, are pairs.

    What comes of a stream that has no such source has pairs made of it, with the delivery that concerns
    nobody.
    """

    tracked = True
    begins: Mapping[Any, Any] = {}
    form = PAIRS

    def __init__(self, link: Link, book: Book | None = None) -> None:
        refused([link])
        super().__init__(link, book)
        self.starts = _paired

    def adopt(self, channel: C) -> C:
        channel.made = paired_lane
        return super().adopt(channel)

    def fill(
        self, lane: Target, inlet: Inlet[Any], book: Book | None, blamed: Link | None = None
    ) -> Awaitable[None]:
        if lane.bare:
            return start(inlet.source, inlet.links, lane.end, Pump(self, lane, blamed), book)  # type: ignore[no-any-return]
        return super().fill(lane, inlet, book, blamed)

    def opened(self, kind: Kind, items: Any, **how: Any) -> Opened:
        return super().opened(kind, items, pairs=Pairs.TAKES, **how)


def _paired(source: Source, links: Sequence[Link], end: End, pace: Pace, book: Book | None) -> Any:
    """`start`, for what reads pairs."""
    if book is not None:
        links = counted(links, book)
    opened, rest, relays = begin(source, links, book)
    pace.book, pace.pairs = book, True
    if opened.pairs is None:
        opened.pairs = Pairs.GIVES
    return loop_of(opened, rest, relays, end, pace)


def followed_anyway(arguments: Mapping[str, Any]) -> None:
    """Says of a stage that it can follow deliveries whatever its arguments are: ``stage(pairs=...)``."""


def run_of(link: Link, inlet: Inlet[Any], book: Book | None) -> Run:
    """The run of a stage over `inlet`."""
    return PairedRun(link, book) if inlet.source.tracked else Run(link, book)
