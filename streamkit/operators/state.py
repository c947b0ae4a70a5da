"""Operators that keep a state of the user's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import callback
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Operator

__all__ = ["stateful_map"]

A = TypeVar("A")
B = TypeVar("B")
S = TypeVar("S")


@overload
def stateful_map(
    setup: Callable[[], S],
    function: Callable[[S, A], Awaitable[tuple[S, B]]],
    *,
    finish: Callable[[S], B] = ...,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@overload
def stateful_map(
    setup: Callable[[], S],
    function: Callable[[S, A], tuple[S, B]],
    *,
    finish: Callable[[S], B] = ...,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@step(
    setup="state = setup()",
    each="""
        state, value = function(state, item)
        emit(value)
    """,
    finish="""
        if finish is ABSENT:
            pass
        else:
            emit(finish(state))
    """,
    keeps="0",
    contract=Contract(result="the state that function returned last"),
)
def stateful_map(
    setup: Callable[[], Any],
    function: Callable[..., Any],
    *,
    finish: Any = ABSENT,
    on_error: OnError | None = None,
) -> Operator[Any, Any]:
    """Pass on what `function` makes of each item and of a state, of which it also returns the next.

        items                               --3--1--5--|
        stateful_map(int, (total+x, total)) --0--3--4--|

    >>> from streamkit import Stream, ops
    >>> list(Stream([3, 1, 5]) | ops.stateful_map(int, lambda total, x: (total + x, total)))
    [0, 3, 4]
    >>> def number(seen: dict[str, int], word: str) -> tuple[dict[str, int], int]:
    ...     return seen, seen.setdefault(word, len(seen))
    >>> list(Stream(["a", "b", "a"]) | ops.stateful_map(dict, number, finish=len))
    [0, 1, 0, 2]

    Emits when: `function` has returned; at the end of the source, what `finish` returns.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    ``scan`` passes on the state itself. This is the ``statefulMap`` of Pekko, but for its end: `finish` is
    not called after an error, or where the consumer leaves. What must be closed in every case is no state:
    open it around the stream.

    Args:
        setup: called without an argument, once in each run, before an item is pulled; returns the state.
        function: called with the state and the item; returns the next state and what to pass on: two values.
        finish: called with the state when the source has ended; what it returns is passed on last.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.
            An item that is dropped leaves the state as it is.

    All three may return awaitables.

    Raises:
        TypeError: `setup`, `function` or `finish` is not callable; (when run) `function` has not returned two
            values.
    """
    callback("setup", setup)
    function = guarded("function", function, on_error)
    if finish is not ABSENT:
        callback("finish", finish)
    return Operator(stateful_map, setup=setup, function=function, finish=finish)
