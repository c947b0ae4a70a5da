"""Operators that make a stream hot: it runs once, for readers that come and go."""

from __future__ import annotations

from typing import Any, Final, Literal, overload

from streamkit._core.arguments import seconds, whole
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.markers import ABSENT, Absent, Gap
from streamkit._core.strategy import Collect, Lossy, Strategy, Suspend, strategy_argument
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.face.shapes import Joined, Lists
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep, Pipe
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.joining import Expected, Shares

__all__ = ["share"]

_ONE: Final = Suspend(1)


def _share(
    run: Run,
    source: Inlet[Any],
    *,
    replay: int,
    strategy: Strategy,
    linger: float,
    readers: int,
    _shares: Shares,
    _expected: Inlet[Any] | Absent = ABSENT,
) -> Channel:
    if _expected is not ABSENT and isinstance(_expected.source, Expected):
        _expected.source.taken = True
    return _shares.joined(run, source)


@stage(
    _share,
    name="share",
    pairs=followed_anyway,
    shares=True,
    contract=Contract(
        holds="replay + (strategy.limit if strategy.overflows else unbounded)",
        # where no reader is waited for, each may hold other items that were replayed to it
        again_holds="strategy.limit if strategy.waits else "
        "replay + (strategy.limit if strategy.overflows else unbounded)",
        lookahead="strategy.limit if strategy.waits else unbounded",
        weight="max(strategy.limit, replay) if strategy.collects else 1",
        keeps="not (strategy.collects or strategy.folds)",
        loses="strategy.loses",
    ),
)
def _shared(
    replay: int = 0,
    *,
    strategy: Strategy = _ONE,
    linger: float = 0.0,
    readers: int = 1,
    _shares: Any = ABSENT,
    _expected: Any = ABSENT,
) -> Keep | Lists | Joined[Gap]:
    kind = Lists if strategy.collects else Joined[Gap] if strategy.marks_gaps else Keep
    arguments = {"replay": replay, "strategy": strategy, "linger": linger, "readers": readers}
    return kind(_shared, **arguments, _shares=_shares, _expected=_expected)


def among(readers: int, strategy: Strategy) -> list[Pipe]:
    """``share(readers=readers)`` where it is known which readers they are: one operator for each.

    One whose run has ended before it came is waited for no more. A graph is built of these.
    """
    shares = Shares(readers)
    expected = [Inlet[Any](Expected(shares)) for _ in range(readers)]
    return [_shared(strategy=strategy, readers=readers, _shares=shares, _expected=each) for each in expected]


@overload  # a Collect is a Strategy too, and the first that fits counts
def share(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
    replay: int = 0, *, strategy: Collect, linger: float = 0.0, readers: int = 1
) -> Lists: ...
@overload  # a Lossy[bool] is one whose gaps=True, or a value that is known at run time only
def share(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
    replay: int = 0, *, strategy: Lossy[Literal[False]], linger: float = 0.0, readers: int = 1
) -> Keep: ...
@overload
def share(  # type: ignore[overload-overlap]
    replay: int = 0, *, strategy: Lossy[bool], linger: float = 0.0, readers: int = 1
) -> Joined[Gap]: ...
@overload
def share(replay: int = 0, *, strategy: Strategy = _ONE, linger: float = 0.0, readers: int = 1) -> Keep: ...
@answering
def share(replay: int = 0, *, strategy: Strategy = _ONE, linger: float = 0.0, readers: int = 1) -> Any:
    """Run the source once, for all who read the stream: they come and go at any time.

        items          --a--b--c--d--|
        first reader   --a--b--c--d--|
        reader, late         --c--d--|
        with replay=1        b-c--d--|

    >>> import asyncio
    >>> from streamkit import Stream, ops
    >>> async def numbers():
    ...     print("opened")
    ...     for number in (1, 2, 3):
    ...         yield number
    >>> async def main():
    ...     shared = Stream(numbers) | ops.share(replay=2)
    ...     print(await asyncio.gather(shared | ops.to_list(), shared | ops.count()))
    ...     print(await (shared | ops.to_list()))
    >>> asyncio.run(main())
    opened
    [[1, 2, 3], 3]
    [2, 3]

    The run begins with the first pull of the first reader, or, of `readers` of them, with that of the last:
    so those miss nothing. Who comes later gets the last `replay` items, and then what comes from now on. Each
    reader has a buffer of its own, under `strategy`: by default, the slowest holds all. To give one reader
    another strategy, begin its pipe with a buffer: ``shared | ops.buffer(DropOldest(8)) | ...``. What a
    strategy raises, `BufferOverflowError` or the error of an ``on_drop``, ends the stream of its reader only.

    Behind a durable source, an item is acknowledged when all readers are done with it that there were when
    it came. What is replayed to who comes later concerns no delivery.

    Emits when: an item comes from the source; for who comes late, at once what is replayed.
    Waits when: the buffer of some reader is full and its strategy waits; nobody reads; or fewer than
        `readers` have come.
    Completes when: the source does. Who comes after that gets the replayed items and the end, or the error.
    Closes when: the last reader has left, and `linger` seconds have passed in which nobody came.

    The next reader after that begins a new run, with nothing to replay, and waits for as many `readers`;
    while the source still closes, it waits for that. While the stream lingers, nothing is pulled; what comes
    of a pull that is under way is kept to be replayed.

    Args:
        replay: how many items are kept for readers that come later. They come one by one, before others,
            whatever the strategy; under ``Collect``, as one list.
        strategy: how many items are held for each reader, and what happens to one more.
        linger: seconds for which the source stays open when nobody reads any more.
        readers: how many must have come before the source is opened, whether or not they are still there.
            Where one stream is read by two ways that meet again, as in ``shared.zip(shared | ops.map(f))``,
            these are 2. If fewer come, those wait for ever.

    Streams that are equal share a run, so ``stream | shared | a`` and ``stream | shared | b`` do, where
    ``shared = ops.share()``. Two operators made by two calls share nothing; neither does a pickled copy.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `replay` or `linger` is below 0, `linger` is not finite, or `readers` is below 1.
        RuntimeError: (when run) it is read in another event loop, and still runs.

    It is RxPY's ``share()``, with `replay`, its ``replay(n)`` with ``ref_count()``, and with `readers`, the
    ``refCount(n)`` of Reactor and RxJava. Other than there, readers can make the source wait, and a second
    run replays nothing of the first.
    """
    readers = whole("readers", readers, least=1)
    return _shared(
        whole("replay", replay, least=0),
        strategy=strategy_argument("strategy", strategy),
        linger=seconds("linger", linger, positive=False),
        readers=readers,
        _shares=Shares(readers),
    )
