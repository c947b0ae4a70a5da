"""Operators that make something of each item."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, TypeVarTuple, overload

from streamkit._core.arguments import flag, whole
from streamkit._core.catalogue import advise
from streamkit._core.contract import Contract
from streamkit._core.errors import RunningLoopError
from streamkit._core.guarded import protected
from streamkit._core.limit import Limit, limit_argument
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._core.workers import Lasting, Workers
from streamkit._engine.compile.loop import NAMED
from streamkit._engine.face.shapes import Items, Numbered, Pairs
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Operator, plainly
from streamkit._engine.run.paired import followed_anyway
from streamkit._stages.elsewhere import elsewhere
from streamkit._stages.map import pooled

__all__ = ["enumerate", "flatten", "map", "pairwise", "scan", "starmap"]

A = TypeVar("A")
B = TypeVar("B")
As = TypeVarTuple("As")


_ONE: Final = 1
_NONE: Final = 0
"""The defaults, which need no check; CPython has each of these numbers once."""


@stage(
    pooled,
    name="map",
    direct=True,
    pairs=followed_anyway,
    contract=Contract(
        holds="concurrency + lookahead",
        lookahead="concurrency + lookahead",
        ordered="ordered if key is ABSENT else 'for each key'",
        aligned="ordered and key is ABSENT",
    ),
)
def _concurrent_map(
    function: Callable[..., Any],
    *,
    concurrency: int | Limit = 1,
    ordered: bool = True,
    key: Any = ABSENT,
    lookahead: int = 0,
) -> Operator[Any, Any]:
    return Operator(
        _concurrent_map,
        function=function,
        concurrency=concurrency,
        ordered=ordered,
        key=key,
        lookahead=lookahead,
    )


@overload
def map(
    function: Callable[[A], Awaitable[B]],
    *,
    concurrency: int | Limit = 1,
    ordered: bool = True,
    key: Callable[[A], Any] = ...,
    lookahead: int = 0,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@overload
def map(
    function: Callable[[A], B],
    *,
    concurrency: int | Limit = 1,
    ordered: bool = True,
    key: Callable[[A], Any] = ...,
    lookahead: int = 0,
    on: Workers | None = None,
    chunk: int | Lasting = 1,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@overload
def map(
    *,
    on: Workers,
    chunk: int | Lasting = 1,
    ordered: bool = True,
    key: Callable[[Any], Any] = ...,
    on_error: OnError | None = None,
) -> Operator[Any, Any]: ...
@step(each="emit(function(item))")
def map(
    function: Any = ABSENT,
    *,
    concurrency: int | Limit = 1,
    ordered: bool = True,
    key: Any = ABSENT,
    lookahead: int = 0,
    on: Workers | None = None,
    chunk: int | Lasting = 1,
    on_error: OnError | None = None,
) -> Operator[Any, Any]:
    """Pass on what `function` returns for each item; awaited, if it is awaitable.

        items    --1---2---3--|
        map(x*2) --2---4---6--|

    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 2, 3]) | ops.map(str))
    ['1', '2', '3']

    Emits when: `function` has returned and, with `ordered`, every earlier item has been passed on; with
        `key`, every earlier one of the same key.
    Waits when: the consumer does, or all `concurrency` places are taken.
    Completes when: the source does, and every item has been passed on.
    Closes when: it ends, or the consumer leaves; calls in flight are cancelled first.

    Args:
        function: called with each item. What it returns is awaited if it is awaitable, or a future of an
            executor.
        concurrency: calls in flight at most; finished results that wait for their turn count as well.
            With 1, each is awaited in the loop that reads the source, without a task. A ``Limit`` can be
            changed meanwhile, and shared; an ``Adaptive`` one finds out how many are good.
        ordered: whether results keep the order of the items, or come as they are ready.
        key: called with each item. Items for which it returns the same are called one after the other, and
            their results keep that order; results of other keys may overtake them, whatever `ordered` says.
            An item whose key is at work waits in a place, or in the `lookahead`.
        lookahead: items read ahead besides those in flight. A ``buffer(strategy)`` before a concurrent
            ``map`` does the same.
        on: where the calls are made, such as ``Threads(8)`` or ``Processes(4)`` of ``streamkit.executors``;
            by default, here. It says itself how many there are at once. Without a `function`, each worker
            calls what it has prepared.
        chunk: how many items are sent there together; or ``Lasting(seconds)``, which finds out.
        on_error: what is done where `function` or `key` fails, such as ``Resume()``; by default, the stream
            fails.

    Raises:
        TypeError: `function` or `key` is not callable, or another argument has the wrong type; (when run)
            what `key` returned cannot be hashed.
        RuntimeError: (when run) the limit is used in another event loop.
        ValueError: `concurrency` is less than 1, `lookahead` below 0, or above it with a `concurrency` of 1.

    While a sink waits for a concurrent ``map``, the tasks that call `function` also run the callbacks of the
    steps after it and of the sink. Those see the context variables of the task that waits.

    An error of `function` ends the stream, unless `on_error` says otherwise; with `concurrency`, other calls
    are cancelled, and results that are ready are delivered first (with `ordered`, those before the first
    missing one).
    """
    if on is not None or function is ABSENT or chunk is not _ONE:
        if concurrency != 1 or lookahead:
            raise ValueError(
                "concurrency and lookahead must not be given with on, which says how many calls there are"
            )
        return elsewhere(function, on=on, chunk=chunk, ordered=ordered, key=key, on_error=on_error)
    function = protected("function", function, on_error)
    if concurrency is _ONE and ordered is True and key is ABSENT and lookahead is _NONE:
        return Operator(map, function=function)
    concurrency = limit_argument("concurrency", concurrency)
    flag("ordered", ordered)
    if key is not ABSENT:
        key = protected("key", key, on_error)
    lookahead = whole("lookahead", lookahead, least=0)
    if lookahead and concurrency == 1:  # a limit of 1 may be changed
        raise ValueError(
            f"lookahead must be 0 where concurrency is 1, not {lookahead}: put buffer(strategy) before it"
        )
    if concurrency != 1:
        return _concurrent_map(
            function, concurrency=concurrency, ordered=ordered, key=key, lookahead=lookahead
        )
    return Operator(map, function=function)


plainly(map, Operator)


@overload  # a type checker does not know how many elements a list has
def starmap(
    function: Callable[[*As], Awaitable[B]], *, on_error: OnError | None = None
) -> Operator[tuple[*As] | list[Any], B]: ...
@overload
def starmap(
    function: Callable[[*As], B], *, on_error: OnError | None = None
) -> Operator[tuple[*As] | list[Any], B]: ...
@step(each="emit(function(*item))")
def starmap(function: Callable[..., Any], *, on_error: OnError | None = None) -> Operator[Any, Any]:
    """Pass on what `function` returns for the elements of each item as its arguments.

        items        --(2,5)---(3,2)--|
        starmap(pow) --32------9------|

    >>> from streamkit import Stream, ops
    >>> list(Stream([(2, 5), (3, 2)]) | ops.starmap(pow))
    [32, 9]

    Emits when: `function` has returned.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        function: called with the elements of each item; may return an awaitable.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `function` is not callable, or `on_error` is something else.
    """
    return Operator(starmap, function=protected("function", function, on_error, spread=True))


plainly(starmap, Operator)


@step(each="for each in item:\n    emit(each)", contract=Contract(spreads=True, opens=True))
def flatten() -> Items:
    """Pass on the elements of each item, an iterable, one by one.

        items   --[1,2]---[]---[3]--|
        flatten --1-2----------3----|

    >>> from streamkit import Stream, ops
    >>> list(Stream(["ab", "", "c"]) | ops.flatten())
    ['a', 'b', 'c']

    Emits when: an element is asked for; the next item is pulled when all its elements were passed on.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.
    """
    return Items(flatten)


def _of_flatten(error: Exception) -> str:
    """What to write where the items of ``flatten`` are streams or async iterables."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    in_loop = last is not None and last.tb_frame.f_code.co_filename.startswith(NAMED)
    if isinstance(error, RunningLoopError) or (in_loop and type(error) is TypeError):
        return (
            "flatten reads iterables: of streams and async iterables, "
            "write ops.flat_map(lambda stream: stream, concurrency=1)"
        )
    return ""


advise(flatten, _of_flatten)


@step(setup="number = start - 1", each="number += 1\nemit((number, item))")
def enumerate(start: int = 0) -> Numbered:
    """Pass on each item with its number, counted from `start`.

        items     --a------b------|
        enumerate --(0,a)--(1,b)--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.enumerate())
    [(0, 'a'), (1, 'b')]

    Emits when: an item comes.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        start: the number of the first item.

    Raises:
        TypeError: `start` is not a whole number.
    """
    return Numbered(enumerate, start=whole("start", start))


@step(
    setup="last = ABSENT",
    each="""
        if last is not ABSENT:
            emit((last, item))
        last = item
    """,
    keeps="1",
    contract=Contract(holds="1", weight="2"),
)
def pairwise() -> Pairs:
    """Pass on each item with the one before it.

        items    --a--b------c------|
        pairwise -----(a,b)--(b,c)--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.pairwise())
    [('a', 'b'), ('b', 'c')]

    Emits when: the second and every later item comes.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.
    """
    return Pairs(pairwise)


@overload
def scan(
    function: Callable[[B, A], Awaitable[B]], initial: B, *, on_error: OnError | None = None
) -> Operator[A, B]: ...
@overload
def scan(function: Callable[[B, A], B], initial: B, *, on_error: OnError | None = None) -> Operator[A, B]: ...
@overload
def scan(function: Callable[[A, A], A], *, on_error: OnError | None = None) -> Operator[A, A]: ...
@step(
    setup="""
        if initial is ABSENT:
            state = ABSENT
        else:
            state = initial
    """,
    each="""
        if initial is ABSENT:
            if state is not ABSENT:
                state = function(state, item)
            else:
                state = item
        else:
            state = function(state, item)
        emit(state)
    """,
    keeps="0",
    contract=Contract(result="the state that function returned last"),
)
def scan(
    function: Callable[..., Any], initial: Any = ABSENT, *, on_error: OnError | None = None
) -> Operator[Any, Any]:
    """Fold the items, passing on each intermediate state.

        items              --1--2--3--|
        scan(operator.add) --1--3--6--|

    >>> from operator import add
    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 2, 3]) | ops.scan(add))
    [1, 3, 6]

    Emits when: `function` has returned the new state; without `initial`, the first item as it is.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        function: called with the state so far and the item; returns the new state.
        initial: the state before the first item. It is not passed on by itself, and not copied: give a
            mutable one only if each run may go on with it.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.
            An item that is dropped leaves the state as it is.

    Raises:
        TypeError: `function` is not callable, or `on_error` is something else.
    """
    return Operator(scan, function=protected("function", function, on_error), initial=initial)
