"""Operators that make one stream of several, in an order: by key, by priority, in turns."""

from __future__ import annotations

from asyncio import sleep
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from heapq import heappop, heappush, heapreplace
from typing import Any, TypeAlias, TypeVar

from streamkit._core.again import throw
from streamkit._core.arguments import flag, whole
from streamkit._core.awaiting import PLAIN, awaits, pending
from streamkit._core.contract import PER_SOURCE, Contract
from streamkit._core.errors import replaces_cancellation
from streamkit._core.guarded import guarded, unguarded
from streamkit._core.markers import ABSENT, DROPPED, Absent
from streamkit._core.on_error import OnError
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.compile.pace import Pace
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import SourceLike
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.inputs import ahead, fed, streams

__all__ = ["interleave", "merge_prioritized", "merge_sorted"]

B = TypeVar("B")
Rank: TypeAlias = Callable[[Any], Awaitable[Any]]
"""What makes the key of an item; DROPPED if the item is dropped, because it cannot be told."""
Heap: TypeAlias = list[tuple[Any, int]]
"""The key of the first item of each source, with the place of the source."""


class _UnrankedError(Exception):
    """There is no key for an item: the error of the function that makes it has failed the channel."""


class _Reversed:  # noqa: PLW1641 - it is only compared
    """A key that is the less, the greater its `key` is."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __lt__(self, other: _Reversed) -> bool:
        less: bool = other.key < self.key
        return less

    def __eq__(self, other: object) -> bool:
        equal: bool = isinstance(other, _Reversed) and self.key == other.key
        return equal


def _ranked(run: Run, channel: Channel, key: Any, *, reverse: bool) -> Rank | None:
    """What makes the key of an item; None where that is the item itself."""
    if key is ABSENT and not reverse:
        return None
    plain = {*PLAIN}

    async def rank(item: Any) -> Any:
        if key is ABSENT:
            return _Reversed(item)
        try:
            found = key(item)
            if awaits(found, plain):
                found = await pending(found)
        except Exception as error:
            if replaces_cancellation(error):
                run.reraise(error)
            channel.fail(run.blame(error))
            raise _UnrankedError from None
        return _Reversed(found) if reverse and found is not DROPPED else found

    return rank


async def _merge_sorted(
    run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...], key: Any, reverse: bool, lookahead: int
) -> AsyncIterator[Any]:
    channel = run.channel()
    if run.tracked:  # pairs are not what is compared
        key = run.form.of(_itself if key is ABSENT else key)
    rank = _ranked(run, channel, key, reverse=reverse)
    lanes = [channel.lane(Suspend(lookahead)) for _ in range(1 + len(sources))]
    for inlet, lane in zip((source, *sources), lanes, strict=True):
        run.pump(inlet, into=lane)
    heap: Heap = []
    for place, lane in enumerate(lanes):
        if await channel.has(lane):
            await _push(run, heap, rank, place, lane, channel)
    stores, pops = [lane.held for lane in lanes], [lane.pop for lane in lanes]
    while heap:
        place = heap[0][1]  # no name for the key, which may be the item: nothing is held meanwhile
        held = stores[place]
        more, skips = len(held) == 1, False
        if more:
            heappop(heap)
        elif rank is None:  # the key of the next item replaces that of this one: half of what two steps cost
            heapreplace(heap, (held[1], place))
        else:
            try:
                rest = await rank(held[1])
            except _UnrankedError:
                heappop(heap)
            else:
                if rest is DROPPED:
                    more = skips = True
                    heappop(heap)
                else:
                    heapreplace(heap, (rest, place))
                del rest
        yield pops[place]()
        if skips:
            run.form.left_out(pops[place]())
        if more and (held or await channel.has(lanes[place])):
            await _push(run, heap, rank, place, lanes[place], channel)
    if channel.error is not None:
        throw(channel.error, channel.trace)


def _itself(item: Any) -> Any:
    return item


async def _push(run: Run, heap: Heap, rank: Rank | None, place: int, lane: Lane, channel: Channel) -> None:
    """Put the key of the first item in `lane` into the heap, if there is a key for it.

    Items that are dropped are taken out before that.
    """
    if rank is None:
        heappush(heap, (lane.held[0], place))
        return
    pace: Pace | None = None
    try:
        while (key := await rank(lane.held[0])) is DROPPED:
            run.form.left_out(lane.pop())
            pace = pace or Pace()
            if pace.due():
                await pace.breathe()
            if not (lane.held or await channel.has(lane)):
                return
        heappush(heap, (key, place))
    except _UnrankedError:
        return


@stage(
    _merge_sorted,
    joins=True,
    pairs=followed_anyway,
    contract=Contract(
        holds="lookahead",
        lookahead="lookahead",
        others_hold="lookahead",
        others_lookahead="lookahead",
        keeps="True",
        ordered="'by key, if each source is'",
    ),
)
def merge_sorted(
    *sources: SourceLike[B],
    key: Callable[[Any], Any] | Absent = ABSENT,
    reverse: bool = False,
    lookahead: int = 1,
    on_error: OnError | None = None,
) -> Joined[B]:
    """Merge this stream with `sources`, each of which is in order: what comes out is in order, too.

        items         --1--------4------7--|
        source        -----2--3-----9-------|
        merge_sorted  -----1-----(23)--4---7--9|

    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 4, 7]) | ops.merge_sorted([2, 3, 9]))
    [1, 2, 3, 4, 7, 9]
    >>> list(Stream(["a", "ccc"]) | ops.merge_sorted(["bb", "dddd"], key=len))
    ['a', 'bb', 'ccc', 'dddd']

    It is ``heapq.merge`` over streams: of items that are equal, those of the source that stands first come
    first. No order is checked: where a source is out of order, an item comes when those before it in its own
    source have come, and nothing is lost. After an error, what is held comes in order, and then the error.

    Emits when: every source that has not ended has an item: the least of them.
    Waits when: a source that has not ended has none, or the consumer does.
    Completes when: every source has.
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.
        key: called with each item; what it returns is compared, instead of the items. Keys are compared by
            ``==`` and ``<``.
        reverse: the greatest comes first; each source is in that order, too.
        lookahead: items that each source may be ahead. More of them cost fewer turns of the event loop. A
            buffer before this operator adds to it.
        on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails. Keys
            that cannot be compared end the stream.

    Raises:
        TypeError: an argument has the wrong type; (when run) two items, or their keys, cannot be compared.
        ValueError: `lookahead` is less than 1, or `on_error` is given without `key`.
    """
    if key is ABSENT:
        unguarded("key", on_error)
    else:
        key = guarded("key", key, on_error)
    return Joined(
        merge_sorted,
        sources=streams("merge_sorted", sources),
        key=key,
        reverse=flag("reverse", reverse),
        lookahead=whole("lookahead", lookahead, least=1),
    )


async def _merge_prioritized(
    run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...], lookahead: int
) -> AsyncIterator[Any]:
    channel = run.channel()
    lanes = fed(run, channel, (source, *sources), ahead(lookahead))
    places = {lane: place for place, lane in enumerate(lanes)}
    full: list[int] = []  # a heap of the places of lanes that have something
    taken = len(lanes)  # the first place that was taken from since the pumps had a turn
    while True:
        for lane in channel.arrived():
            heappush(full, places[lane])
        if not full:
            if not await channel.wait():
                return
            taken = len(lanes)
        elif taken < full[0] and channel.error is None:
            await sleep(0)  # one that is always ready may bring its next item, or it would take turns
            taken = len(lanes)
        else:
            lane = lanes[full[0]]
            taken = min(taken, full[0])
            item = lane.take()
            if not lane.held:
                lane.delist()
                heappop(full)
            yield item
            del item  # nothing is held while the sources have nothing


@stage(
    _merge_prioritized,
    joins=True,
    pairs=followed_anyway,
    contract=PER_SOURCE,
)
def merge_prioritized(*sources: SourceLike[B], lookahead: int = 1) -> Joined[B]:
    """Pass on items as they come; where several sources have one, this stream's first, then by their place.

        items              --a---------b--|
        source             --1--2--3--4---|
        consumer           --x-----x--x-x-x-x
        merge_prioritized  --a-----1--2-b-3-4|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.merge_prioritized([1, 2], "xy"))
    ['a', 'b', 1, 2, 'x', 'y']

    The priority is strict: while a source always has an item ready, those behind it get no turn, however long
    that is. They wait, and lose nothing. ``merge`` takes turns. (Pekko's ``mergePrioritized`` draws lots, by
    weights.)

    Emits when: an item is there: of the first source that has one.
    Waits when: the consumer does; each source is read `lookahead` items ahead.
    Completes when: every source has.
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them; the preferred one first.
        lookahead: items that each source may be ahead.

    Raises:
        TypeError: a source is none of these, or `lookahead` is not a whole number.
        ValueError: `lookahead` is less than 1.
    """
    return Joined(
        merge_prioritized,
        sources=streams("merge_prioritized", sources),
        lookahead=whole("lookahead", lookahead, least=1),
    )


async def _interleave(
    run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...], count: int, lookahead: int
) -> AsyncIterator[Any]:
    channel = run.channel()
    turns = deque(fed(run, channel, (source, *sources), ahead(lookahead)))
    while turns:
        lane = turns.popleft()
        left = count
        while left and (lane.held or await channel.has(lane)):
            left -= 1
            yield lane.pop()
        if not left:
            turns.append(lane)
    if channel.error is not None:
        throw(channel.error, channel.trace)


@stage(
    _interleave,
    pairs=followed_anyway,
    contract=PER_SOURCE,
)
def interleave(*sources: SourceLike[B], count: int = 1, lookahead: int = 1) -> Joined[B]:
    """Pass on an item of this stream, then one of each of `sources` in turn, and so on.

        items       --a-----b------------c--|
        source      -----1-----2--3--4------|
        interleave  --a--1--b--2---------(c3)--(4|)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.interleave([1, 2]))
    ['a', 1, 'b', 2, 'c']
    >>> list(Stream("abcd") | ops.interleave([1, 2, 3], count=2))
    ['a', 'b', 1, 2, 'c', 'd', 3]

    The order is always the same: a source whose turn it is, and that is slow, is waited for (``merge`` passes
    on what is there). One that has ended is left out, as in ``interleave_longest`` of ``more_itertools``.
    After an error, what is held comes in turn, and then the error.

    Emits when: the source whose turn it is has an item.
    Waits when: it has none, or the consumer does; each source is read `lookahead` items ahead.
    Completes when: every source has.
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.
        count: items of a source in one turn.
        lookahead: items that each source may be ahead.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `count` or `lookahead` is less than 1.
    """
    return Joined(
        interleave,
        sources=streams("interleave", sources),
        count=whole("count", count, least=1),
        lookahead=whole("lookahead", lookahead, least=1),
    )
