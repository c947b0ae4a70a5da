"""Paired runs: of stages whose items come with the delivery that each stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.key import End, Kind, Pairs
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.plan.tracked import refused
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import begin, loop_of

__all__ = ["PairedRun", "run_of"]


class PairedRun(Run):
    """One execution of a stage behind a tracked source: all that it reads, and gives, are pairs.

    What comes of a stream that has no such source has pairs made of it, with the delivery that concerns
    nobody.
    """

    tracked = True

    def __init__(self, link: Link, book: Book | None = None) -> None:
        refused([link])
        super().__init__(link, book)
        self.starts = _paired

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


def run_of(link: Link, inlet: Inlet[Any], book: Book | None) -> Run:
    """The run of a stage over `inlet`."""
    return PairedRun(link, book) if inlet.source.tracked else Run(link, book)
