"""Operators that make tuples of the latest items of several streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar, overload

from streamkit._core.again import throw
from streamkit._core.arguments import whole
from streamkit._core.contract import Contract
from streamkit._core.markers import EMPTY
from streamkit._core.strategy import KeepLatest
from streamkit._engine.buffer.rounds import in_turn
from streamkit._engine.face.shapes import Zipped2, Zipped3, Zipped4, ZippedAny
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import SourceLike
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import beside_others, followed_anyway, kept_until_the_next
from streamkit._engine.run.run import Run
from streamkit._stages.inputs import ahead, fed, streams

__all__ = ["combine_latest", "fork_join", "with_latest_from", "zip_latest"]

B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


async def _combine_latest(
    run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...], lookahead: int
) -> AsyncIterator[Any]:
    channel = run.channel()
    lanes = fed(run, channel, (source, *sources), ahead(lookahead))
    places = {lane: place for place, lane in enumerate(lanes)}
    latest, row = run.form.latest(len(lanes)), run.form.again
    missing = {*lanes}  # those that have brought nothing yet

    def over() -> bool:
        return channel.ready or channel.over or any(lane.exhausted for lane in missing)

    while True:
        for lane, item in in_turn(channel.queue):
            latest[places[lane]] = item
            if missing:
                missing.discard(lane)
                if missing:
                    continue
            yield row(latest)
        if missing and channel.error is None and any(lane.exhausted for lane in missing):
            return
        if missing and not channel.over:
            await channel.until(over)
        elif not await channel.wait():
            latest.clear()
            return


@overload  # of one source, and not of a list of them behind a star: that is the last
def combine_latest(source: SourceLike[B], /, *, lookahead: int = 1) -> Zipped2[B]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def combine_latest(
    source: SourceLike[B], source2: SourceLike[C], /, *, lookahead: int = 1
) -> Zipped3[B, C]: ...
@overload
def combine_latest(
    source: SourceLike[B], source2: SourceLike[C], source3: SourceLike[D], /, *, lookahead: int = 1
) -> Zipped4[B, C, D]: ...
@overload
def combine_latest(*sources: SourceLike[Any], lookahead: int = 1) -> ZippedAny: ...
@stage(
    _combine_latest,
    pairs=kept_until_the_next,
    contract=Contract(
        holds="lookahead",
        lookahead="lookahead",
        per_source=True,
        together=True,
        loses="'items that a later one replaces before every source has brought one'",
    ),
)
def combine_latest(*sources: SourceLike[Any], lookahead: int = 1) -> Any:
    """Whenever an item comes, of this stream or of `sources`, pass on a tuple of the latest item of each.

        items           --a--------b---------|
        source          -----1--2-----3--|
        combine_latest  -----x--x--x--x------|
                          (a,1)(a,2)(b,2)(b,3)

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.combine_latest([1, 2]))
    [('a', 1), ('b', 1), ('b', 2)]

    Each item makes one tuple, also where the consumer is slow: the sources wait then. For the newest state
    only, put ``buffer(KeepLatest())`` behind it.

    Emits when: every source has brought an item, and one comes; sources that are ready take turns.
    Waits when: a source has brought none yet, or the consumer does; each is read `lookahead` items ahead.
    Completes when: every source has, or one ends without an item: no tuple can come then. (RxPY reads the
        others to their ends.)
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.
        lookahead: items that each source may be ahead.

    Raises:
        TypeError: a source is none of these, or `lookahead` is not a whole number.
        ValueError: `lookahead` is less than 1.
    """
    return ZippedAny(
        combine_latest,
        sources=streams("combine_latest", sources),
        lookahead=whole("lookahead", lookahead, least=1),
    )


async def _with_latest_from(
    run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...]
) -> AsyncIterator[Any]:
    channel = run.channel()
    others = fed(run, channel, sources, KeepLatest())  # begun first: what they have at once is not missed
    (main,) = fed(run, channel, (source,))
    latest: list[Any] = [EMPTY] * len(others)
    while True:
        error = channel.error  # looked at first: nothing comes after it
        for place, lane in enumerate(others):
            if lane.held:
                latest[place] = lane.pop()
        missing = [lane for lane, item in zip(others, latest, strict=True) if item is EMPTY]
        if main.held and missing:
            run.form.left_out(main.pop())
        elif main.held:
            yield run.form.row([main.pop(), *latest])
        elif error is not None:
            throw(error, channel.trace)
        elif main.exhausted or any(lane.exhausted for lane in missing):
            return
        else:
            await channel.change()


@overload  # of one source, and not of a list of them behind a star: that is the last
def with_latest_from(source: SourceLike[B], /) -> Zipped2[B]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def with_latest_from(source: SourceLike[B], source2: SourceLike[C], /) -> Zipped3[B, C]: ...
@overload
def with_latest_from(
    source: SourceLike[B], source2: SourceLike[C], source3: SourceLike[D], /
) -> Zipped4[B, C, D]: ...
@overload
def with_latest_from(*sources: SourceLike[Any]) -> ZippedAny: ...
@stage(
    _with_latest_from,
    pairs=beside_others,
    contract=Contract(
        holds="1",
        lookahead="1",
        others_hold="1",
        others_lookahead="unbounded",
        together=True,
        loses="'all but the latest item of each of the sources, and what comes before they have one'",
    ),
)
def with_latest_from(*sources: SourceLike[Any]) -> Any:
    """Pass on each item of this stream in a tuple with the latest one of each of `sources`.

        items             --a--------b--c------|
        source            -----1--2--------3---|
        with_latest_from  -----------x--x------|
                                 (b,2) (c,2)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.with_latest_from([1, 2]))
    [('a', 2), ('b', 2), ('c', 2)]

    The items of this stream set the pace; those of `sources` never wait. What comes before each of them has
    an item is left out. Of what comes in the same turn of the event loop, the items of `sources` come first.
    An item that waits for the consumer gets what is the latest when it is asked for.

    Emits when: an item of this stream comes, and each of `sources` has brought one.
    Waits when: the consumer does: this stream is read one item ahead, the others as fast as they are.
    Completes when: this stream does, or one of `sources` ends without an item: no tuple can come then. (RxPY
        reads this stream to its end.)
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.

    Raises:
        TypeError: a source is none of these.
    """
    return ZippedAny(with_latest_from, sources=streams("with_latest_from", sources))


async def _zip_latest(run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...]) -> AsyncIterator[Any]:
    channel = run.channel()
    lanes = fed(run, channel, (source, *sources), KeepLatest())
    while True:
        error = channel.error  # looked at first: nothing comes after it
        if all(lane.held for lane in lanes):
            yield run.form.row([lane.pop() for lane in lanes])
        elif error is not None:
            throw(error, channel.trace)
        elif any(lane.exhausted for lane in lanes):
            return
        else:
            await channel.change()


@overload  # of one source, and not of a list of them behind a star: that is the last
def zip_latest(source: SourceLike[B], /) -> Zipped2[B]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def zip_latest(source: SourceLike[B], source2: SourceLike[C], /) -> Zipped3[B, C]: ...
@overload
def zip_latest(
    source: SourceLike[B], source2: SourceLike[C], source3: SourceLike[D], /
) -> Zipped4[B, C, D]: ...
@overload
def zip_latest(*sources: SourceLike[Any]) -> ZippedAny: ...
@stage(
    _zip_latest,
    pairs=followed_anyway,
    contract=Contract(
        holds="1",
        lookahead="unbounded",
        others_hold="1",
        others_lookahead="unbounded",
        together=True,
        loses="'items that a later one of the same source replaces before every other has one'",
    ),
)
def zip_latest(*sources: SourceLike[Any]) -> Any:
    """Pass on tuples of the latest item of this stream and of each of `sources`; each item once at most.

        items       --a--b-----c---------d--|
        source      --------1-----2--3------|
        zip_latest  --------x-----x------x--|
                        (b,1) (c,2)  (d,3)

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.zip_latest([1, 2, 3]))
    [('b', 3)]

    So nothing in a tuple was in one before, and nothing is older than it has to be: frames of a camera with
    readings of a sensor. ``zip`` leaves nothing out, and lets the faster source wait. ``combine_latest`` uses
    an item again until the next one comes, as ``zipLatest`` of Pekko does; this is the one of RxPY.

    Emits when: every source has an item that was in no tuple yet.
    Waits when: one has none. The sources never wait: of each, the latest item is kept.
    Completes when: a source has, and its last item was in a tuple or cannot be in one.
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.

    Raises:
        TypeError: a source is none of these.
    """
    return ZippedAny(zip_latest, sources=streams("zip_latest", sources))


async def _fork_join(run: Run, source: Inlet[Any], *, sources: tuple[Inlet[Any], ...]) -> AsyncIterator[Any]:
    channel = run.channel()
    lanes = fed(run, channel, (source, *sources), KeepLatest())
    await channel.until(lambda: channel.over or any(lane.exhausted for lane in lanes))
    if channel.error is not None:
        throw(channel.error, channel.trace)
    if all(lane.held for lane in lanes):
        yield run.form.row([lane.pop() for lane in lanes])


@overload  # of one source, and not of a list of them behind a star: that is the last
def fork_join(source: SourceLike[B], /) -> Zipped2[B]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def fork_join(source: SourceLike[B], source2: SourceLike[C], /) -> Zipped3[B, C]: ...
@overload
def fork_join(
    source: SourceLike[B], source2: SourceLike[C], source3: SourceLike[D], /
) -> Zipped4[B, C, D]: ...
@overload
def fork_join(*sources: SourceLike[Any]) -> ZippedAny: ...
@stage(
    _fork_join,
    pairs=followed_anyway,
    contract=Contract(
        holds="0",
        lookahead="unbounded",
        others_hold="0",
        others_lookahead="unbounded",
        together=True,
        at_end=True,
        loses="'all but the last item of each source'",
    ),
)
def fork_join(*sources: SourceLike[Any]) -> Any:
    """When this stream and all of `sources` have ended, pass on one tuple: the last item of each.

        items      --a--b--|
        source     -----1-----2--|
        fork_join  --------------(b,2)|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.fork_join([1, 2, 3]))
    [('b', 3)]

    Emits when: the last source ends.
    Waits when: one has not ended. All are read at once, as fast as they are.
    Completes when: every source has, or one ends without an item: no tuple can come then.
    Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

    Args:
        sources: streams, iterables, async iterables, or callables that make them.

    Raises:
        TypeError: a source is none of these.
    """
    return ZippedAny(fork_join, sources=streams("fork_join", sources))
