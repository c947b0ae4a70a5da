"""Operators that go on with what they have made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, overload

from streamkit._core.arguments import flag, whole
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.limit import Limit, limit_argument
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy, Suspend, strategy_argument
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator, SourceLike
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.crawl import Crawl

__all__ = ["expand"]

A = TypeVar("A")
_FRONTIER: Final = Suspend(10_000)


def _expand(
    run: Run,
    source: Inlet[Any],
    *,
    function: Callable[[Any], Any],
    concurrency: int | Limit,
    frontier: Strategy,
    depth_first: bool,
    lookahead: int,
) -> Channel:
    channel = run.channel()
    run.pump(source, into=Crawl(run, channel, run.link).seeds)
    return channel


def _frontier(frontier: Strategy, *, depth_first: bool) -> Strategy:
    """Return `frontier` if items wait in it as they are, and can be taken out in the order asked for."""
    strategy_argument("frontier", frontier)
    if frontier.folds or frontier.collects or frontier.marks_gaps:
        raise ValueError(
            "frontier must be a strategy that holds items as they are, such as Suspend(10_000) or "
            f"Spill(10_000), not {shown(frontier)}"
        )
    if depth_first and frontier.spills:
        raise ValueError(
            "frontier must be a strategy that holds items in memory where depth_first=True, "
            f"not {shown(frontier)}, which gives them back in order"
        )
    return frontier


@overload
def expand(
    function: Callable[[A], Awaitable[SourceLike[A]]],
    *,
    concurrency: int | Limit,
    frontier: Strategy = _FRONTIER,
    depth_first: bool = False,
    lookahead: int = 1,
    on_error: OnError | None = None,
) -> Operator[A, A]: ...
@overload
def expand(
    function: Callable[[A], SourceLike[A]],
    *,
    concurrency: int | Limit,
    frontier: Strategy = _FRONTIER,
    depth_first: bool = False,
    lookahead: int = 1,
    on_error: OnError | None = None,
) -> Operator[A, A]: ...
@stage(
    _expand,
    contract=Contract(
        holds="1 + concurrency * lookahead",
        lookahead="1 + concurrency * lookahead",
        spreads=True,
        ordered="'level by level, or the newest first' if concurrency == 1 else 'any'",
        loses="'nothing' if frontier.loses == 'nothing' else 'what would come of items that frontier drops'",
        result="what waits in the frontier to be expanded, and what the streams that function makes hold",
    ),
)
def expand(
    function: Callable[[Any], Any],
    *,
    concurrency: int | Limit,
    frontier: Strategy = _FRONTIER,
    depth_first: bool = False,
    lookahead: int = 1,
    on_error: OnError | None = None,
) -> Operator[Any, Any]:
    """Pass on each item, and the items of the stream that `function` makes of it; those are expanded as well.

        items                     --a----------------|
        stream of a                 --b--c|
        stream of b                     --d|
        expand(f, concurrency=2)  --a--b--c-d--------|

    >>> from streamkit import Stream, ops
    >>> links = {"/": ["/a", "/b"], "/a": ["/a/1", "/a/2"], "/b": ["/b/1"]}
    >>> list(Stream(["/"]) | ops.expand(lambda page: links.get(page, []), concurrency=1))
    ['/', '/a', '/b', '/a/1', '/a/2', '/b/1']

    It is a crawl: of pages that link to pages, folders in folders, replies to replies. An item that comes
    again is expanded again, so let `function` leave out what it has seen, or the crawl may never end.

    Emits when: an item is there, of the source or of a stream that was made; such streams take turns. It is
        passed on before it is expanded.
    Waits when: the consumer does; each stream is read `lookahead` items ahead. Items wait in the frontier
        while all `concurrency` places are taken: an item takes one until its stream has ended and was
        delivered. The source is pulled when a place is free and the frontier is empty: each of its items
        begins a crawl of its own.
    Completes when: the source does, and everything was expanded.
    Closes when: it ends, or the consumer leaves: the source and all streams at once, each in its own task.

    Args:
        function: called with each item; returns a stream, an iterable, an async iterable or a callable that
            makes one, or an awaitable of these; ``[]`` for an item that nothing comes of. It is called in
            the task that reads what it returns.
        concurrency: calls of `function` and streams of the whole crawl at once at most. A ``Limit`` can be
            changed meanwhile.
        frontier: how many items may wait to be expanded, and what becomes of more: a strategy. With
            ``Suspend`` the streams that bring them wait; if all of them do, nothing could go on, and the
            crawl fails. With ``Spill`` they go to disk. One that drops items drops what would come of them:
            they were passed on.
        depth_first: whether the item that was found last is expanded first. The frontier then holds the
            items of one stream for each level, and not all of the widest level.
        lookahead: items that each stream may be ahead.
        on_error: what is done where `function` fails, such as ``Resume()``: the item was passed on, and
            nothing comes of it. By default, the stream fails. An error of the stream that it has returned is
            none of its own.

    Raises:
        TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
        ValueError: `concurrency` or `lookahead` is less than 1, or `frontier` is a strategy that makes
            something else of the items, or gives them back in another order than is asked for.
        BufferOverflowError: (when run) the frontier is full, and so are all places.

    With one place, the order is that of RxPY and of Reactor's ``expand``, for each item of the source. Those
    read all of the source first, expand any number of items at once (Reactor one), and keep what waits
    without a limit.
    """
    flag("depth_first", depth_first)
    return Operator(
        expand,
        function=guarded("function", function, on_error),
        concurrency=limit_argument("concurrency", concurrency, calls=False),
        frontier=_frontier(frontier, depth_first=depth_first),
        depth_first=depth_first,
        lookahead=whole("lookahead", lookahead, least=1),
    )
