"""Sinks that run a stream for its effects."""

from __future__ import annotations

from asyncio import Queue
from collections.abc import Callable
from typing import Any, TypeVar

from streamkit._core.arguments import callback, is_said, makes_coroutine
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.limit import Limit, limit_argument
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._core.workers import Lasting, Workers
from streamkit._engine.face.shapes import Always
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Sink
from streamkit.operators.transform import map as map_items

__all__ = ["drain", "for_each", "to_queue"]

A = TypeVar("A")


@step(each="function(item)", result="None")
def for_each(
    function: Callable[[A], Any],
    *,
    concurrency: int | Limit = 1,
    key: Callable[[A], Any] | Absent = ABSENT,
    on: Workers | None = None,
    chunk: int | Lasting = 1,
    on_error: OnError | None = None,
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
        concurrency: calls in flight at most: a whole number, or a ``Limit``, which can be changed meanwhile.
            Where it is not 1, this is ``map(function, concurrency=concurrency, ordered=False) | drain()``,
            and holds what that does.
        key: called with each item. Items for which it returns the same are worked on one after the other.
        on: where the calls are made, as for ``map``: ``map(function, on=on, ordered=False) | drain()``.
        chunk: how many items are sent there together.
        on_error: what is done where `function` or `key` fails, such as ``Resume()``; by default, the stream
            fails.

    Raises:
        TypeError: `function` or `key` is not callable, or `concurrency` is neither a whole number nor a
            limit; (when run) what `key` returned cannot be hashed.
        ValueError: `concurrency` is less than 1.
    """
    if on is not None or chunk != 1:
        named: Any = {"concurrency": concurrency, "key": key, "on": on, "chunk": chunk, "on_error": on_error}
        sink: Sink[A, None] = map_items(function, ordered=False, **named) | drain()
        return sink
    guarded_function = guarded("function", function, on_error)
    if key is not ABSENT:
        callback("key", key)
    if limit_argument("concurrency", concurrency) == 1:
        return Sink(for_each, function=guarded_function)
    if key is ABSENT:
        return map_items(function, concurrency=concurrency, ordered=False, on_error=on_error) | drain()
    return map_items(function, concurrency=concurrency, key=key, on_error=on_error) | drain()


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


@step(
    each="await queue.put(item)",
    finish="""
        if end is not ABSENT:
            await queue.put(end)
    """,
    result="None",
    contract=Contract(result="what is in the queue"),
)
def to_queue(queue: Queue[A], *, end: object = ABSENT) -> Sink[A, None]:
    """Put the items into a queue of asyncio's.

    >>> import asyncio
    >>> from streamkit import Stream, ops
    >>> async def main() -> list[str]:
    ...     queue: asyncio.Queue[str] = asyncio.Queue()
    ...     await (Stream("ab") | ops.to_queue(queue))
    ...     return [queue.get_nowait(), queue.get_nowait()]
    >>> asyncio.run(main())
    ['a', 'b']

    Completes when: the source does, and all was put in.
    Closes when: it ends. The queue stays as it is.

    It waits while the queue is full, and then the source does. ``streamkit.from_queue(queue, end=end)`` reads
    such a queue. After an error or a cancellation, `end` is not put in: whoever awaits the job tells others.

    Args:
        queue: a queue whose ``put`` is awaited: of asyncio, or of another library that has such a one.
        end: what is put in when the source has completed; nothing, if it is not given.

    Raises:
        TypeError: `queue` has no ``put`` that is awaited.
        QueueShutDown: (when run) the queue was shut down (Python 3.13).
    """
    if not is_said(lambda each: makes_coroutine(each.put), queue):
        hint = ""
        if is_said(lambda each: callable(each.put), queue):
            hint = ": write for_each(partial(asyncio.to_thread, queue.put))"
        raise TypeError(f"queue must be a queue of asyncio, not {shown(queue)}{hint}")
    return Sink(to_queue, queue=queue, end=end)
