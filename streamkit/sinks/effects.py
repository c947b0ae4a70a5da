"""Sinks that run a stream for its effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from streamkit._core.arguments import whole
from streamkit._core.guarded import guarded
from streamkit._core.on_error import OnError
from streamkit._engine.face.shapes import Always
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Sink
from streamkit.operators.transform import map as map_items

__all__ = ["drain", "for_each"]

A = TypeVar("A")


@step(each="function(item)", result="None")
def for_each(
    function: Callable[[A], Any], *, concurrency: int = 1, on_error: OnError | None = None
) -> Sink[A, None]:
    """Call `function` with each item; awaited, if it returns an awaitable.

    >>> from streamkit import Stream, ops
    >>> (Stream("ab") | ops.for_each(print)).run()
    a
    b

    Completes when: the source does, and every call has returned.
    Closes when: it ends; calls in flight are cancelled first.

    Args:
        function: called with each item; its result is ignored.
        concurrency: calls in flight at most.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `function` is not callable, or `concurrency` is not a whole number.
        ValueError: `concurrency` is less than 1.
    """
    guarded_function = guarded("function", function, on_error)
    concurrency = whole("concurrency", concurrency, least=1)
    if concurrency > 1:
        return map_items(function, concurrency=concurrency, ordered=False, on_error=on_error) | drain()
    return Sink(for_each, function=guarded_function)


@step(each="pass", result="None")
def drain() -> Always[None]:
    """Run the stream for its effects; the items are thrown away.

    `Valve.drain` is something else: it ends a stream early.

    >>> from streamkit import Stream, ops
    >>> (Stream("ab") | ops.tap(print) | ops.drain()).run()
    a
    b

    Completes when: the source does.
    Closes when: it ends.
    """
    return Always(drain)
