"""Paired runs: of stages whose items come with the delivery that each stands for."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from streamkit._core.delivery import NO_DELIVERY, Delivery
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.driven import DrivenLane
from streamkit._engine.buffer.paired import paired_lane
from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.key import End, Kind, Pairs
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.plan.tracked import comes_of, refused, tracked
from streamkit._engine.run.apart import PAIRED
from streamkit._engine.run.followed import shapes
from streamkit._engine.run.form import PAIRS
from streamkit._engine.run.pump import DrivenPump, Pump
from streamkit._engine.run.reading import Reading
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import begin, segment, start

__all__ = ["PairedRun", "beside_others", "followed_anyway", "kept_until_the_next", "restarts", "run_of"]

C = TypeVar("C", bound=Channel)


class PairedRun(Run):
    """One execution of a stage behind a tracked source: all that it reads, and gives, are pairs.

    What comes of a stream that has no such source has pairs made of it, with the delivery that concerns
    nobody.
    """

    tracked = True
    begins = PAIRED
    form = PAIRS

    def __init__(self, link: Link, book: Book | None = None) -> None:
        refused([link])
        super().__init__(link, book)
        self.starts = _paired

    def adopt(self, channel: C) -> C:
        channel.made = paired_lane
        return super().adopt(channel)

    def fill(
        self,
        lane: Target,
        inlet: Inlet[Any],
        book: Book | None,
        blamed: Link | None = None,
        token: Delivery = NO_DELIVERY,
    ) -> Awaitable[None]:
        """As of any run; the items of a stream that has no tracked source stand for `token`."""
        pace = DrivenPump(self, lane) if isinstance(lane, DrivenLane) else Pump(self, lane, blamed)
        pace.token = token
        begins = start if lane.bare else _paired
        filled: Awaitable[None] = begins(inlet.source, inlet.links, lane.end, pace, book)
        return filled

    def reading(self, channel: Channel, origin: Source | None = None) -> Inlet[Any]:
        return Inlet(_PairedReading(channel, origin))

    def opened(self, kind: Kind, items: Any, **how: Any) -> Opened:
        return super().opened(kind, items, pairs=Pairs.TAKES, **how)


class _PairedReading(Reading):
    """A channel of pairs as the source of a stream."""

    __slots__ = ()

    tracked = True

    def open(self, *, blocking: bool = False) -> Opened:
        opened = super().open(blocking=blocking)
        opened.pairs = Pairs.TAKES
        return opened


def _paired(source: Source, links: Sequence[Link], end: End, pace: Pace, book: Book | None) -> Any:
    """`start`, for what reads pairs."""
    if book is not None:
        links = counted(links, book)
    opened, rest, relays = begin(source, links, book)
    pace.book = book
    if relays:
        pace.source = opened.items if opened.follows is None else opened.follows.relayed
    if opened.pairs is None:
        opened.pairs = Pairs.GIVES
    return segment(opened, rest, end, pace, shapes(opened, end, pace, paired=True))


def beside_others(arguments: Mapping[str, Any]) -> str | None:
    """The same, where only the main source may be a durable one: items of the others come out repeatedly."""
    several = next(tracked(arguments["sources"]), None) is not None
    return (
        "passes on items of its other sources again and again: only the first may be durable"
        if several
        else None
    )


def restarts(arguments: Mapping[str, Any]) -> str:
    """Says why a stage that runs its source anew cannot follow deliveries."""
    return (
        "runs its source anew, whose deliveries of before are open still: write on_error=Retry(...) instead"
    )


def followed_anyway(arguments: Mapping[str, Any]) -> None:
    """Says of a stage that it can follow deliveries whatever its arguments are: ``stage(pairs=...)``."""


class _Kept:
    """Says the same of a stage that keeps an item until the next of its source has come."""

    keeps = 1
    """How many items its source must have handed out, before one is acknowledged, to hand out another."""

    def __call__(self, arguments: Mapping[str, Any]) -> str | None:
        others = arguments.get("sources", ())  # the main one is looked at with all that is behind it
        few = next((source for source in tracked(others) if source.most <= self.keeps), None)
        if few is None:
            return None
        return f"keeps an item until the next has come, and {few!r} hands out one: let it hand out two"


kept_until_the_next = _Kept()


def run_of(link: Link, inlet: Inlet[Any], book: Book | None) -> Run:
    """The run of a stage over `inlet`."""
    paired = inlet.source.tracked
    if not paired and book is not None and book.ledgers is not None:
        paired = bool(comes_of((*inlet.links, link)))
    return PairedRun(link, book) if paired else Run(link, book)
