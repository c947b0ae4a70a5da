"""Operators that combine streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, TypeVar, overload

from streamkit._core.again import throw
from streamkit._core.arguments import flag, whole
from streamkit._core.contract import PER_SOURCE, Contract
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.face.shapes import Joined, Zipped2, Zipped3, Zipped4, ZippedAny
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import SourceLike
from streamkit._engine.plan.fuse import fused, spread
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.entry import Entry, Several
from streamkit._stages.filling import filled, fills
from streamkit._stages.in_place import following
from streamkit._stages.inputs import ahead, driven, fed, streams
from streamkit._stages.native import in_place, in_turns, rows, uneven

__all__ = ["concat", "merge", "zip"]

B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


def _merge(run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...], lookahead: int) -> Channel:
    channel, buffer = run.channel(), ahead(lookahead)
    for inlet in (source, *sources):
        _merged(run, channel, inlet, buffer)
    return channel


def _merged(run: Run, channel: Channel, inlet: Inlet[Any], ahead: Suspend | None) -> None:
    """Read one of the sources into a lane of its own."""
    inlet, strategy, buffer = fused(inlet, ahead)
    strategy = strategy or Suspend(1)
    lane = channel.lane(strategy)
    if not fills(inlet, strategy) and (inlet.links or not inlet.source.makes):
        run.pump(inlet, into=lane, blamed=buffer)
        return

    def join(inlet: Inlet[Any]) -> Inlet[Any] | None:
        """Where `inlet` ends in a ``merge`` like ours, its sources join ours."""
        first, *others = spread([inlet], run.link)
        for other in others:
            _merged(run, channel, other, ahead)
        return None if first is inlet else first

    run.spawn(partial(filled, run, lane, inlet, join if buffer is None else _alone, buffer), channel, lane)


def _alone(_: Inlet[Any]) -> None:
    """A ``merge`` before a buffer is none of ours."""


in_place(_merge, in_turns)


@stage(
    _merge,
    joins=True,
    pairs=followed_anyway,
    contract=PER_SOURCE,
)
def merge(*sources: SourceLike[B], lookahead: int = 1) -> Joined[B]:
    """Pass on the items of this stream and of `sources` as they come.

        items      --a-----b-----|
        source     -----1-----2----|
        merge      --a--1--b--2----|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.merge([1, 2]))
    ['a', 1, 'b', 2]

    Emits when: an item is there; sources that are ready take turns, item by item.
    Waits when: the consumer does; each source is read `lookahead` items ahead.
    Completes when: every source has.
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.
        lookahead: items that each source may be ahead.

    Raises:
        TypeError: a source is none of these, or `lookahead` is not a whole number.
        ValueError: `lookahead` is less than 1.
    """
    return Joined(merge, sources=streams("merge", sources), lookahead=whole("lookahead", lookahead, least=1))


async def _zip(
    run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...], lookahead: int, strict: bool, fill: Any
) -> AsyncIterator[Any]:
    channel, inlets = run.channel(), (source, *sources)
    row_of = run.form.row
    if run.tracked and fill is not ABSENT:
        fill = run.form.made(fill)
    reader = None if run.tracked else driven(run, channel, inlets, ahead(lookahead))
    lanes = fed(run, channel, inlets, ahead(lookahead)) if reader is None else reader.lanes
    whole_tuple = not strict and fill is ABSENT
    most = (lookahead + 1) // 2
    """Rows that are given at once: behind the first of them, lanes are filled up."""
    row: Any
    try:
        while True:
            while reader is not None and (count := min(reader.ready(), most)):
                if count == 1:
                    yield reader.row()
                else:
                    for row in reader.rows(count):
                        yield row
                    row = None  # nothing is held while the sources wait
            waiting = [lane for lane in lanes if not lane.held]
            ended = [lane for lane in waiting if not lane.open]
            if waiting and channel.error is not None:
                throw(channel.error, channel.trace)
            if ended and whole_tuple:
                return
            if len(ended) < len(waiting):
                if reader is None:
                    await channel.change()
                elif reader.late:
                    await reader.rest()
                else:
                    reader.waits()
                    await channel.change()
                    reader.rested()
                continue
            if len(waiting) == len(lanes):
                return
            if waiting and strict:
                raise run.blame(ValueError(uneven([bool(lane.held) for lane in lanes])))
            if reader is not None:
                reader.takes()
            yield row_of([lane.pop() if lane.held else fill for lane in lanes])
    finally:
        if reader is not None:
            reader.stop()


in_place(_zip, rows)


@overload
def zip(source: SourceLike[B], /, *, lookahead: int = 1, strict: bool = False) -> Zipped2[B]: ...
@overload
def zip(
    source: SourceLike[B], source2: SourceLike[C], /, *, lookahead: int = 1, strict: bool = False
) -> Zipped3[B, C]: ...
@overload
def zip(
    source: SourceLike[B],
    source2: SourceLike[C],
    source3: SourceLike[D],
    /,
    *,
    lookahead: int = 1,
    strict: bool = False,
) -> Zipped4[B, C, D]: ...
@overload
def zip(*sources: SourceLike[Any], lookahead: int = 1, strict: bool = False, fill: Any) -> ZippedAny: ...
@stage(
    _zip,
    pairs=followed_anyway,
    contract=Contract(
        holds="lookahead",
        lookahead="lookahead",
        per_source=True,
        together=True,
        aligned="True",
        loses="'nothing' if strict or fill is not ABSENT else 'items of longer sources that were read ahead'",
    ),
)
def zip(*sources: SourceLike[Any], lookahead: int = 1, strict: bool = False, fill: Any = ABSENT) -> Any:
    """Pass on tuples of one item of this stream and one of each of `sources`.

        items   --a-----b-----c--|
        source  -----1-----2--|
        zip     -----(a,1)-(b,2)-|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.zip([1, 2]))
    [('a', 1), ('b', 2)]
    >>> list(Stream("abc") | ops.zip([1, 2], fill=None))
    [('a', 1), ('b', 2), ('c', None)]

    Emits when: every source has an item.
    Waits when: the consumer does; each source is read `lookahead` items ahead.
    Completes when: a source has ended and its items are used up; with `strict` or `fill`, all sources have.
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.
        lookahead: items that each source may be ahead.
        strict: fail with ValueError if the sources do not end together.
        fill: replaces the missing items of sources that have ended, until all have.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `lookahead` is less than 1, or both `strict` and `fill` are given; when running, with
            `strict`: the sources did not end together.
    """
    if flag("strict", strict) and fill is not ABSENT:
        raise ValueError(f"strict must be False where fill is given, not True with fill={shown(fill)}")
    least = whole("lookahead", lookahead, least=1)
    return ZippedAny(zip, sources=streams("zip", sources), lookahead=least, strict=strict, fill=fill)


class _Then(Entry):
    """Goes on with each of `sources` in turn."""

    def __init__(self, sources: tuple[Inlet[Any], ...]) -> None:
        self.sources = sources
        self.begun = 0

    def ended(self) -> Inlet[Any] | None:
        lists = self.lists()
        if len(lists) > 1:
            return Inlet(Several(lists))
        place = self.begun - len(lists)
        self.begun = place + 1
        self.done = self.begun >= len(self.sources)
        return self.sources[place] if place < len(self.sources) else None

    def lists(self) -> list[Any]:
        begun = self.begun
        while self.begun < len(self.sources) and self.sources[self.begun].native is not None:
            self.begun += 1
        self.done = self.begun >= len(self.sources)
        return [inlet.native for inlet in self.sources[begun : self.begun]]


@stage(
    following(_Then),
    pumps=False,
    relays=True,
    joins=True,
    pairs=followed_anyway,
    contract=Contract(keeps="True"),
)
def concat(*sources: SourceLike[B]) -> Joined[B]:
    """Pass on the items of this stream, then those of each of `sources` in turn.

        items   --a--b--|
        source          --1--2--|
        concat  --a--b----1--2--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.concat([1, 2]))
    ['a', 'b', 1, 2]

    Emits when: an item comes.
    Waits when: the consumer does.
    Completes when: the last source does; each is opened when the one before it has ended.
    Closes when: each source as it ends; the current one, if the stream fails or the consumer leaves.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.

    Raises:
        TypeError: a source is neither a stream, an iterable, an async iterable nor a callable.
    """
    return Joined(concat, sources=streams("concat", sources))
