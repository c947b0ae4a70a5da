"""Windows: a pipe of its own for the items that belong together by number, by time or by what they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, overload

from streamkit._core import arguments
from streamkit._core.arguments import callback, whole
from streamkit._core.calls import answering
from streamkit._core.guarded import guarded, unguarded
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._core.windows import (
    MOST,
    Hopping,
    Sliding,
    Tumbling,
    Until,
    Window,
    Windows,
    windows_argument,
)
from streamkit._engine.compile.loop import fits
from streamkit._engine.face.job import Job
from streamkit._engine.face.mistakes import instead
from streamkit._engine.face.shapes import Always, ListOf, Lists, One
from streamkit._engine.face.stream import Keep, Operator, Pipe, Sink, Stream
from streamkit._engine.face.windowed import WindowedAs, WindowedItems, WindowedLists
from streamkit._engine.plan.link import Inlet, flattened
from streamkit._stages import window_steps as steps
from streamkit._stages.panes import bounds
from streamkit._stages.window_stages import clocked, counted, routed

__all__ = ["window"]

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")


def _options(
    kind: Windows, timestamp: Any, lateness: Any, on_late: Any, idle: Any, max_held: Any
) -> dict[str, Any]:
    """The arguments after the pipe, checked, alone and together."""
    lateness = arguments.seconds("lateness", lateness, positive=False)
    if on_late is not ABSENT:
        callback("on_late", on_late)
    if idle is not ABSENT:
        idle = arguments.seconds("idle", idle)
    if timestamp is not ABSENT:
        if not kind.timed:
            raise ValueError(f"timestamp must be given for windows by time only, not for {kind!r}")
    else:
        for name, value in (("lateness", lateness or ABSENT), ("on_late", on_late), ("idle", idle)):
            if value is not ABSENT:
                raise ValueError(f"{name} must be given with timestamp= only, not {shown(value)} without it")
    waits = kind.in_order and (lateness > 0 or isinstance(kind, Sliding))
    if max_held is not ABSENT:
        max_held = whole("max_held", max_held, least=1)
    if waits is (max_held is ABSENT):
        told = "must be given" if waits else f"must not be given, as {shown(max_held)} is,"
        raise ValueError(
            f"max_held {told} for {kind!r} with lateness={lateness}: it is for windows that keep items: "
            "Sliding(seconds=), and Session with lateness="
        )
    most = kind.most(lateness)
    if most > MOST:
        raise ValueError(
            f"window must have at most {MOST} windows open at once, not more, as {kind!r} with "
            f"lateness={lateness} has: each item may have to go into each of them"
        )
    return {
        "timestamp": timestamp,
        "lateness": lateness,
        "on_late": on_late,
        "idle": idle,
        "max_held": max_held,
    }


def _stepped(kind: Windows, pipe: Any, given: dict[str, Any], label: Any) -> Operator[Any, Any]:
    """The step that runs `pipe` for each window, behind what makes pairs of time and item, if need be."""
    timestamp, lateness, idle = given["timestamp"], given["lateness"], given["idle"]
    match kind:
        case Until(predicate=predicate):
            predicate = guarded("predicate", predicate, given["on_error"])
            return steps.boxed(kind, pipe, _predicate=predicate, _label=label)
        case Tumbling(count=int()):
            return steps.boxed(kind, pipe, _label=label)
        case Hopping(count=int()):
            return steps.several(kind, pipe, _most=kind.most(0.0), _label=label)
        case Sliding(count=int()):
            return steps.slid(kind, pipe, _label=label)
        case _:
            pass
    before: Any = None
    common: dict[str, Any] = {"timestamp": timestamp}
    if timestamp is ABSENT or idle is not ABSENT:
        before = clocked(kind, timestamp=timestamp, lateness=lateness, idle=idle)
        common["_pairs"] = True
    if lateness and kind.in_order:
        ordered = steps.in_order(kind, lateness=lateness, max_held=given["max_held"], **common)
        before = ordered if before is None else before | ordered
        common["_pairs"] = True
    common |= {"on_late": given["on_late"], "_label": label}
    made: Operator[Any, Any]
    if isinstance(kind, Sliding):
        made = steps.slid(kind, pipe, max_held=given["max_held"], _timed=True, **common)
    elif isinstance(kind, Tumbling):
        made = steps.tumbled(kind, pipe, lateness=lateness, _most=kind.most(lateness), **common)
    else:
        most = kind.most(lateness)
        made = steps.several(kind, pipe, lateness=lateness, _most=most, _timed=True, **common)
    joined: Operator[Any, Any] = made if before is None else before | made
    return joined


Timestamp: TypeAlias = Callable[[A], Awaitable[float]] | Callable[[A], float]
OnLate: TypeAlias = Callable[[A], object]


@overload
def window(  # type: ignore[overload-overlap]
    kind: Windows, pipe: Keep | One, *, max_held: int = ..., on_error: OnError | None = ...
) -> WindowedItems: ...
@overload
def window(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
    kind: Windows, pipe: ListOf | Lists, *, max_held: int = ..., on_error: OnError | None = ...
) -> WindowedLists: ...
@overload
def window(  # type: ignore[overload-overlap]
    kind: Windows, pipe: Always[R], *, max_held: int = ..., on_error: OnError | None = ...
) -> WindowedAs[R]: ...
@overload
def window(
    kind: Windows, pipe: Operator[A, B] | Sink[A, B], *, max_held: int = ..., on_error: OnError | None = ...
) -> Operator[A, tuple[Window, B]]: ...
@overload
def window(
    kind: Windows,
    pipe: Callable[[Stream[A]], Inlet[B] | Job[B]],
    *,
    max_held: int = ...,
    on_error: OnError | None = ...,
) -> Operator[A, tuple[Window, B]]: ...
@overload
def window(
    kind: Windows,
    pipe: Keep,
    *,
    timestamp: Timestamp[A],
    lateness: float = ...,
    on_late: OnLate[A] = ...,
    idle: float = ...,
    max_held: int = ...,
    on_error: OnError | None = ...,
) -> Operator[A, tuple[Window, A]]: ...
@overload
def window(
    kind: Windows,
    pipe: Operator[A, B] | Sink[A, B],
    *,
    timestamp: Timestamp[A],
    lateness: float = ...,
    on_late: OnLate[A] = ...,
    idle: float = ...,
    max_held: int = ...,
    on_error: OnError | None = ...,
) -> Operator[A, tuple[Window, B]]: ...
@overload
def window(
    kind: Windows,
    pipe: Callable[[Stream[A]], Inlet[B] | Job[B]],
    *,
    timestamp: Timestamp[A],
    lateness: float = ...,
    on_late: OnLate[A] = ...,
    idle: float = ...,
    max_held: int = ...,
    on_error: OnError | None = ...,
) -> Operator[A, tuple[Window, B]]: ...
@answering
def window(
    kind: Windows,
    pipe: Any,
    *,
    timestamp: Any = ABSENT,
    lateness: float = 0.0,
    on_late: Any = ABSENT,
    idle: float | Absent = ABSENT,
    max_held: int | Absent = ABSENT,
    on_error: OnError | None = None,
) -> Any:
    """Give each window of the stream a pipe of its own, and pass on what comes out of it, with its bounds.

        items                            --1--2--3--------4--|
        window(Tumbling(count=2), sum)   -----(0-2, 3)----(2-4, 7)|

    A sink passes on its result as ``(Window(start, end), result)`` when the window ends; a pipe of operators
    passes on each of its items as ``(Window(start, end), item)``:

    >>> from operator import add
    >>> from streamkit import Hopping, Session, Sliding, Stream, Tumbling, Until, ops
    >>> list(Stream([1, 2, 3, 4, 5]) | ops.window(Tumbling(count=2), ops.fold(add, 0)))
    [(Window(start=0, end=2), 3), (Window(start=2, end=4), 7), (Window(start=4, end=5), 5)]
    >>> [items for _, items in Stream("abcd") | ops.window(Hopping(count=3, every=2), ops.to_list())]
    [['a', 'b', 'c'], ['c', 'd']]
    >>> [items for _, items in Stream("abc") | ops.window(Sliding(count=2), ops.to_list())]
    [['a'], ['a', 'b'], ['b', 'c']]
    >>> [items for _, items in Stream("ab cd") | ops.window(Until(str.isspace), ops.to_list())]
    [['a', 'b', ' '], ['c', 'd']]

    Without `timestamp`, time is that of arrival: seconds since the run began, when an item is taken from what
    is before ``window``. A window ends by the clock, also when nothing comes. With `timestamp`, time is what
    that says of an item; it goes on by the items. The *watermark* is the greatest time so far, less
    `lateness`, and a window ends when the watermark has come to its end:

    >>> times = [1, 4, 12, 3, 13, 25, 7]
    >>> late = []
    >>> minutes = ops.window(
    ...     Tumbling(seconds=10), ops.to_list(), timestamp=float, lateness=5, on_late=late.append
    ... )
    >>> for (start, end), items in Stream(times) | minutes:
    ...     print(start, end, items)
    0.0 10.0 [1, 4, 3]
    10.0 20.0 [12, 13]
    20.0 30.0 [25]
    >>> late
    [7]

    An item is late if all the windows that it belongs to have ended. It goes to `on_late`; without that, it
    is dropped, and counted as dropped in ``handle.buffers()``. An item with a time far ahead ends all windows
    before it, and makes what follows late.

    Windows get their items as they come. Sessions and ``Sliding(seconds=)`` get them in order of their times
    (items of the same time, as they came): with `lateness`, an item waits until the watermark has come to it.
    A window without an item is never begun, and not passed on. Windows by count that are not full at the end
    of the source are passed on as they are, with the bounds that they have. An item of a pipe of operators
    has the bounds that its window has at that moment: the end of a session moves with each item.

    In `group_by`, each key has windows and a watermark of its own; windows by event time are run inside its
    loop if `on_late` is given. A ``group_by`` in the pipe of a window has one watermark, and one timer, for
    all keys.

    A pipe of steps runs inside the loop that reads the source. If a callback there returns an awaitable, what
    comes after it waits. If the pipe has a stage, each window has a task, and results come as these are done.

    Emits when: the pipe of a window does; a sink does when its window ends. When the source ends, all windows
        end, in the order of their ends.
    Waits when: the consumer does; or a window begins while one that has ended is busy still, and there are as
        many as may be open at once (pipes with stages only).
    Completes when: the source does, and every window has ended.
    Closes when: it ends, or the consumer leaves; then no window emits anything more.

    Args:
        kind: which items belong together: `Tumbling`, `Hopping`, `Sliding`, `Session` or `Until`.
        pipe: operators, or operators and a sink, that each window runs for itself.
        timestamp: called with each item; returns its time in seconds, as a number, or an awaitable of it. For
            windows by time only.
        lateness: seconds that an item may come late, measured in the times of items.
        on_late: called with each item that is late; what it returns is awaited if it is awaitable. So
            ``emitter.send`` of a `push` stream makes the late items a stream of their own. An error of it
            ends the stream, as one of dead letters does.
        idle: seconds without an item after which the watermark goes on as the clock does, in steps of as
            much, until every window has ended. Only with `timestamp`. Time in which the consumer is busy does
            not count.
        max_held: items that wait for the watermark, or that a ``Sliding(seconds=)`` window has, at most. For
            sessions with `lateness`, and for ``Sliding(seconds=)``.
        on_error: what is done where `timestamp`, or the predicate of ``Until``, fails, such as ``Resume()``;
            by default, the stream fails.

    Raises:
        TypeError: an argument has the wrong type; (when run) `timestamp` returns no number.
        ValueError: `lateness` is below 0, or `idle` not above 0, or one of them not finite; an argument is
            given where it means nothing, or `max_held` is missing; more than 100,000 windows would be open at
            once; (when run) `timestamp` returns NaN, or what is not finite.
        BufferOverflowError: (when run) `max_held` is not enough.

    Deliberately otherwise than in RxPY (``window_with_time``, ``buffer_with_time``): empty windows are not
    passed on. Otherwise than in bytewax: an item behind the watermark is not late as long as its window is
    open. Otherwise than in Beam: a window is passed on once.
    """
    windows_argument("kind", kind)
    if timestamp is not ABSENT:
        timestamp = guarded("timestamp", timestamp, on_error)
    elif on_error is not None and not isinstance(kind, Until):
        unguarded("timestamp", on_error)
    if not isinstance(pipe, Pipe):
        raise TypeError(f"pipe must be operators, or operators and a sink, not {shown(pipe)}{instead(pipe)}")
    given = _options(kind, timestamp, lateness, on_late, idle, max_held)
    given["on_error"] = on_error
    loses = kind.timed and timestamp is not ABSENT and on_late is ABSENT
    inside = [link.declaration for link in flattened(pipe.links)]
    if not any(each.stage or each.catches or each.nests for each in inside):
        made = _stepped(kind, pipe, given, bounds)
        if fits(made.links[-1].key):
            return made | counted(kind) if loses else made
    first = pipe.links[0]
    strategy = first.arguments["strategy"] if first.declaration.buffers else None
    items = _stepped(kind, steps.relayed(), given, steps.itself)
    return items | routed(kind, pipe, _most=kind.most(given["lateness"]), _strategy=strategy)
