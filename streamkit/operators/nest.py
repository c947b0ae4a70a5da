"""Operators that make a stream of each item, and join those."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, overload

from streamkit._core.arguments import whole
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.limit import Limit, limit_argument
from streamkit._core.on_error import OnError
from streamkit._core.strategy import DropIncoming
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Operator, SourceLike
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.apart import NESTED
from streamkit._engine.run.paired import followed_anyway, kept_until_the_next
from streamkit._engine.run.run import Run
from streamkit._stages.flat_map import Places
from streamkit._stages.in_place import unwound
from streamkit._stages.switch import Exhausted, switched

__all__ = ["concat_map", "exhaust_map", "flat_map", "switch_map"]

A = TypeVar("A")
B = TypeVar("B")
OnDrop: TypeAlias = Callable[[Any, str], object]


def _at_once(
    run: Run, source: Inlet[Any], *, function: Callable[[Any], Any], lookahead: int, concurrency: int = 1
) -> Channel:
    channel = run.channel()
    run.pump(source, into=Places(run, channel, run.link))
    return channel


@stage(
    _at_once,
    name="flat_map",
    pairs=followed_anyway,
    contract=Contract(
        holds="concurrency * (1 + lookahead)",
        lookahead="concurrency * (1 + lookahead)",
        spreads=True,
        ordered="'within each inner stream'",
        result="what the streams that function makes hold",
    ),
)
def _flat_map_at_once(
    function: Callable[[Any], Any], *, concurrency: int | Limit, lookahead: int = 1
) -> Operator[Any, Any]:
    return Operator(_flat_map_at_once, function=function, concurrency=concurrency, lookahead=lookahead)


@stage(
    _at_once,
    name="concat_map",
    pairs=followed_anyway,
    contract=Contract(
        holds="1 + lookahead",
        lookahead="1 + lookahead",
        spreads=True,
        result="what the streams that function makes hold",
    ),
)
def _concat_map_ahead(function: Callable[[Any], Any], *, lookahead: int = 0) -> Operator[Any, Any]:
    return Operator(_concat_map_ahead, function=function, lookahead=lookahead)


NESTED.append(unwound)

_IN_TURN = Contract(holds="1", spreads=True, result="what the streams that function makes hold")
"""Of one stream after the other, each read in the loop: the item is held until its stream has ended."""


@overload
def flat_map(
    function: Callable[[A], Awaitable[SourceLike[B]]],
    *,
    concurrency: int | Limit,
    lookahead: int | None = None,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@overload
def flat_map(
    function: Callable[[A], SourceLike[B]],
    *,
    concurrency: int | Limit,
    lookahead: int | None = None,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@step(each="emit(item)", nests="function", contract=_IN_TURN)
def flat_map(
    function: Callable[[Any], Any],
    *,
    concurrency: int | Limit,
    lookahead: int | None = None,
    on_error: OnError | None = None,
) -> Operator[Any, Any]:
    """Pass on the items of the streams that `function` makes of each item, several of them at once.

        items                      --a--b--c--|
        stream of a                  --1--2--3|
        stream of b                     -4-----5|
        stream of c                           --6|
        flat_map(f, concurrency=2) ----1-42--3-56|

    >>> from streamkit import Stream, ops
    >>> list(Stream([3, 2]) | ops.flat_map(range, concurrency=2))
    [0, 0, 1, 1, 2]
    >>> list(Stream(["ab", "cd"]) | ops.flat_map(str.upper, concurrency=1))
    ['A', 'B', 'C', 'D']

    With a `concurrency` of 1, the inner streams are read where the loop runs that reads the source, as by a
    nested ``async for``: without a task, and nothing is read ahead.

    Emits when: an item of an inner stream is there; inner streams that are ready take turns, item by item.
    Waits when: the consumer does; each inner stream is read `lookahead` items ahead. Or all `concurrency`
        places are taken: an item takes one until its inner stream has ended and was delivered.
    Completes when: the source does, and every inner stream has.
    Closes when: it ends, or the consumer leaves: the source and all inner streams at once, each
        in its own task; with a `concurrency` of 1, the inner stream and then the source.

    Args:
        function: called with each item; returns a stream, an iterable, an async iterable or a callable that
            makes one, or an awaitable of these. It is called in the task that reads what it returns. Streams
            that never wait follow each other in one task, each with context variables of its own.
        concurrency: inner streams read at once at most. With 1 they follow each other, in order. A ``Limit``
            can be changed meanwhile.
        lookahead: items that each inner stream may be ahead. By default 1, or what a ``buffer(strategy)`` at
            the end of an inner stream says; with a `concurrency` of 1 none, and with any number the inner
            streams have tasks of their own there, too.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.
            An error of the stream that it has returned is none of its own.

    Raises:
        TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
        ValueError: `concurrency` is less than 1; or `lookahead` is, where several are read at once.

    An error of the source, of `function` or of an inner stream ends the stream: all others are cancelled,
    and items that are held are delivered first.
    """
    made = guarded("function", function, on_error)
    limit = limit_argument("concurrency", concurrency, calls=False)
    in_turn = not isinstance(limit, Limit) and limit == 1
    if lookahead is not None:
        whole("lookahead", lookahead, least=0 if in_turn else 1)
    if in_turn and not lookahead:
        return Operator(flat_map, function=made, concurrency=limit, lookahead=lookahead)
    return _flat_map_at_once(made, concurrency=limit, lookahead=lookahead or 1)


@overload
def concat_map(
    function: Callable[[A], Awaitable[SourceLike[B]]], *, lookahead: int = 0, on_error: OnError | None = None
) -> Operator[A, B]: ...
@overload
def concat_map(
    function: Callable[[A], SourceLike[B]], *, lookahead: int = 0, on_error: OnError | None = None
) -> Operator[A, B]: ...
@step(each="emit(item)", nests="function", contract=_IN_TURN)
def concat_map(
    function: Callable[[Any], Any], *, lookahead: int = 0, on_error: OnError | None = None
) -> Operator[Any, Any]:
    """Pass on the items of the streams that `function` makes of each item, one stream after the other.

        items         --a--b------c--|
        stream of a     --1--2|
        stream of b           -3--4|
        stream of c                --5|
        concat_map(f) ----1--2-3--4--5|

    >>> from streamkit import Stream, ops
    >>> list(Stream(["ab", "c"]) | ops.concat_map(str.upper))
    ['A', 'B', 'C']

    It is ``flat_map`` at a concurrency of 1: both are read in the loop, as by a nested ``async for``.

    Emits when: an item of the current inner stream is there.
    Waits when: the consumer does; the inner stream is read `lookahead` items ahead. The source waits until
        the current inner stream has ended and was delivered.
    Completes when: the source does, and the last inner stream has.
    Closes when: it ends, or the consumer leaves: the inner stream and then the source; with a `lookahead`,
        both at once, each in its own task.

    Args:
        function: called with each item; returns a stream, an iterable, an async iterable or a callable that
            makes one, or an awaitable of these. It is called in the task that reads what it returns, when
            the stream before that has ended.
        lookahead: items that an inner stream may be ahead, which then has a task of its own.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
        ValueError: `lookahead` is negative.

    Unlike RxPY's, the source is not read while an inner stream is: nothing queues up. Streams that end in a
    ``concat_map`` themselves are read as one, however deep they are nested.
    """
    made = guarded("function", function, on_error)
    if whole("lookahead", lookahead, least=0):
        return _concat_map_ahead(made, lookahead=lookahead)
    return Operator(concat_map, function=made, lookahead=lookahead)


@overload
def switch_map(
    function: Callable[[A], Awaitable[SourceLike[B]]], *, lookahead: int = 1, on_error: OnError | None = None
) -> Operator[A, B]: ...
@overload
def switch_map(
    function: Callable[[A], SourceLike[B]], *, lookahead: int = 1, on_error: OnError | None = None
) -> Operator[A, B]: ...
@stage(
    switched,
    pairs=kept_until_the_next,
    contract=Contract(
        holds="2 + lookahead",
        lookahead="1 + lookahead",
        spreads=True,
        loses="'what is left of a stream when a newer item comes'",
        result="what the streams that function makes hold",
    ),
)
def switch_map(
    function: Callable[[Any], Any], *, lookahead: int = 1, on_error: OnError | None = None
) -> Operator[Any, Any]:
    """Pass on the items of the stream that `function` makes of the newest item.

        items         --a-------b-----c--|
        stream of a     --1--2--3--4|
        stream of b             --5--6|
        stream of c                   --7|
        switch_map(f) ----1--2----5--6--7|

    >>> from streamkit import Stream, ops
    >>> list(Stream(["ab"]) | ops.switch_map(str.upper))
    ['A', 'B']

    A newer item cancels the stream before it, or the call of `function` that makes that. When its clean-up
    has ended, the newer stream is opened: no two are open at once, and no item of an older stream comes
    after one of a newer.

    Emits when: an item of the current inner stream is there, and no newer item of the source.
    Waits when: the consumer does: the source is read one item ahead, the inner stream `lookahead`. So a
        consumer that is slow holds up the source, too. With ``buffer(KeepLatest())`` before ``switch_map``,
        the source goes on meanwhile.
    Completes when: the source does, and the last inner stream has.
    Closes when: it ends, or the consumer leaves: the source and the inner stream at once, each in its own
        task. What the clean-up of a cancelled stream raises ends the stream.

    Args:
        function: called with an item; returns a stream, an iterable, an async iterable or a callable that
            makes one, or an awaitable of these. It is called in the task that reads what it returns.
        lookahead: items that an inner stream may be ahead. They are dropped, and counted as ``closed``,
            where a newer item comes before they leave.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
        ValueError: `lookahead` is less than 1.

    Of a source whose items are ready at once, only the last item's stream is passed on. RxPY, which runs a
    stream that is ready when it is made, passes on all of each.
    """
    return Operator(
        switch_map,
        function=guarded("function", function, on_error),
        lookahead=whole("lookahead", lookahead, least=1),
    )


def _exhaust_map(
    run: Run, source: Inlet[Any], *, function: Callable[[Any], Any], lookahead: int, on_drop: OnDrop | None
) -> Channel:
    channel = run.channel()
    strategy = DropIncoming(1, on_drop=run.form.told(on_drop))
    run.pump(source, into=Exhausted(run, channel, run.link, strategy))
    return channel


@overload
def exhaust_map(
    function: Callable[[A], Awaitable[SourceLike[B]]],
    *,
    lookahead: int = 1,
    on_drop: OnDrop | None = None,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@overload
def exhaust_map(
    function: Callable[[A], SourceLike[B]],
    *,
    lookahead: int = 1,
    on_drop: OnDrop | None = None,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@stage(
    _exhaust_map,
    pairs=followed_anyway,
    contract=Contract(
        holds="1 + lookahead",
        lookahead="unbounded",
        spreads=True,
        loses="'items that come while a stream is read'",
        result="what the streams that function makes hold",
    ),
)
def exhaust_map(
    function: Callable[[Any], Any],
    *,
    lookahead: int = 1,
    on_drop: OnDrop | None = None,
    on_error: OnError | None = None,
) -> Operator[Any, Any]:
    """Pass on the items of the stream that `function` makes of an item; drop items that come meanwhile.

        items          --a--b------c--|
        stream of a      --1--2|
        stream of c                --3|
        exhaust_map(f) ----1--2------3|

    >>> from streamkit import Stream, ops
    >>> list(Stream(["ab", "cd"]) | ops.exhaust_map(str.upper))
    ['A', 'B']

    Emits when: an item of the current inner stream is there.
    Waits when: the consumer does; the inner stream is read `lookahead` items ahead. The source never waits:
        its items are dropped until the current inner stream has ended and was delivered.
    Completes when: the source does, and the last inner stream has.
    Closes when: it ends, or the consumer leaves: the source and the inner stream at once, each in its own
        task.

    Args:
        function: called with an item; returns a stream, an iterable, an async iterable or a callable that
            makes one, or an awaitable of these. It is called in the task that reads what it returns.
        lookahead: items that an inner stream may be ahead. With the default, a ``buffer(strategy)`` at the
            end of an inner stream decides instead.
        on_drop: called with each item that is dropped, and why, as in `DropIncoming`.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
        ValueError: `lookahead` is less than 1.
    """
    return Operator(
        exhaust_map,
        function=guarded("function", function, on_error),
        lookahead=whole("lookahead", lookahead, least=1),
        on_drop=DropIncoming(1, on_drop=on_drop).on_drop,
    )
