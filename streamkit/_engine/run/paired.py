"""Paired runs: of stages whose items come with the delivery that each stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.guarded import Dropped
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.paired import paired_lane
from streamkit._engine.compile.key import End, Kind, Mode, Pairs, mode_of
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.plan.tracked import refused
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import begin, loop_of

__all__ = ["PairedRun", "followed_anyway", "of_item", "paired", "run_of"]

C = TypeVar("C", bound=Channel)


class PairedRun(Run):
    """One execution of a stage behind a tracked source: all that it reads, and gives, are pairs.

    What comes of a stream that has no such source has pairs made of it, with the delivery that concerns
    nobody.
    """

    tracked = True
    begins: Mapping[Any, Any] = {}

    def __init__(self, link: Link, book: Book | None = None) -> None:
        refused([link])
        super().__init__(link, book)
        self.starts = _paired

    def adopt(self, channel: C) -> C:
        channel.made = paired_lane
        return super().adopt(channel)

    def opened(self, kind: Kind, items: Any, **how: Any) -> Opened:
        return super().opened(kind, items, pairs=Pairs.TAKES, **how)


def paired(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`function`, a callback of such a stage, called with the item of a pair; a pair of its result.

    An item that it drops is settled.
    """

    async def waited(token: Any, result: Any) -> Any:
        try:
            return token, await pending(result)
        except Dropped:
            token.settle()
            raise

    async def awaited(pair: Any) -> Any:
        token, item = pair
        try:
            return token, await function(item)
        except Dropped:
            token.settle()
            raise

    def called(pair: Any) -> Any:
        token, item = pair
        try:
            result = function(item)
        except Dropped:
            token.settle()
            raise
        return waited(token, result) if is_awaitable(result) else (token, result)

    return awaited if mode_of(function) is Mode.ASYNC else called


def of_item(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`function`, which says something of an item, called with the pair of that."""
    return lambda pair: function(pair[1])


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
