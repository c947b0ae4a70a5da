"""Sources that wait for what asyncio has: an awaitable, a queue."""

from __future__ import annotations

import asyncio
from asyncio import Queue, isfuture, wait
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from inspect import iscoroutine
from typing import Any, Final, TypeVar, cast

from streamkit._core.arguments import callback, is_said, makes_coroutine
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.calls import answering
from streamkit._core.errors import SourceConsumedError
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe, Source

__all__ = ["from_awaitable", "from_queue"]

T = TypeVar("T")

_SHUT_DOWN: Final[tuple[type[Exception], ...]] = tuple(
    filter(None, [getattr(asyncio, "QueueShutDown", None)])  # from Python 3.13 on
)


async def _settled(value: Any) -> Any:
    """The result of `value`. A future is only waited for: others may wait too, so nobody cancels it here."""
    future = pending(value)
    if not isfuture(future):
        return await future
    await wait([future])
    return future.result()


class _Result:
    """An asynchronous iterator over the one result of an awaitable, or of what `make` returns."""

    def __init__(self, waited: Any, make: Callable[[], Any] | None) -> None:
        self._waited = waited
        self._make = make
        self._asked = False

    def __aiter__(self) -> _Result:
        return self

    async def __anext__(self) -> Any:
        if self._asked:
            raise StopAsyncIteration
        self._asked = True
        waited, self._waited = self._waited, None
        try:
            if self._make is not None:
                waited = self._make()
                if not is_awaitable(waited):
                    raise TypeError(f"{shown(self._make)} must return an awaitable, not {shown(waited)}")
            return await _settled(waited)
        except StopAsyncIteration as error:  # which would be an end
            raise RuntimeError("what from_awaitable() waits for raised StopAsyncIteration") from error

    async def aclose(self) -> None:
        self._asked = True
        waited, self._waited = self._waited, None
        if iscoroutine(waited):  # which nobody will await; what else can be closed is not ours
            waited.close()


class _Awaited(Recipe):
    """An awaitable; a coroutine can be awaited once only, and then is gone."""

    __slots__ = ("_waited",)

    def __init__(self, waited: Any) -> None:
        super().__init__("from_awaitable", (waited,), partial(_Result, waited, None))
        self._waited = waited

    def made(self) -> Source:
        if iscoroutine(self._waited):
            if self._consumed:
                raise SourceConsumedError(
                    f"{self!r} can be run only once, and was: pass a function that makes a fresh coroutine"
                )
            self._consumed = True
        return super().made()


@answering
def from_awaitable(waited: Awaitable[T] | Callable[[], Awaitable[T]]) -> Stream[T]:
    """One item: the result of an awaitable.

        from_awaitable(fetch())  ------a|

    >>> import asyncio
    >>> import streamkit
    >>> async def fetch() -> str:
    ...     await asyncio.sleep(0)
    ...     return "page"
    >>> list(streamkit.from_awaitable(fetch))
    ['page']

    Emits when: the result is there.
    Waits when: it is not.
    Completes when: the result was passed on.
    Closes when: it ends, or the consumer leaves. A coroutine is cancelled then; a future or a task, which
        others may wait for, goes on, other than under RxPY's ``from_future``.

    Of a coroutine, the stream can be run once; of a future or a task, which keep their result, any number of
    times; and a function makes a fresh awaitable for each run.

    Args:
        waited: an awaitable, as a coroutine, a future of asyncio or of ``concurrent.futures``, or a task; or
            a function that returns one, called at the first pull.

    Raises:
        TypeError: `waited` is neither; when run: the function returns something else.
        SourceConsumedError: (when run) `waited` is a coroutine, and the stream was run before.
    """
    if is_awaitable(waited):
        return Stream(_Awaited(waited))
    function = callback("waited", cast("Any", waited))
    return Stream(Recipe("from_awaitable", (function,), partial(_Result, None, function)))


async def _queued(queue: Any, end: Any) -> AsyncIterator[Any]:
    while True:
        try:
            item = await queue.get()
        except _SHUT_DOWN:  # pragma: no cover - Python 3.13 on
            return
        if item is end:
            return
        yield item
        del item  # nothing is held while the queue is empty


@answering
def from_queue(queue: Queue[T], *, end: object = ABSENT) -> Stream[T]:
    """What is put into a queue of asyncio's.

        put         --a-b-----c--end
        from_queue  --a-b-----c--|

    >>> import asyncio
    >>> import streamkit
    >>> from streamkit import ops
    >>> async def main() -> list[str]:
    ...     queue: asyncio.Queue[str | None] = asyncio.Queue()
    ...     for item in ("a", "b", None):
    ...         queue.put_nowait(item)
    ...     return await (streamkit.from_queue(queue, end=None) | ops.to_list())
    >>> asyncio.run(main())
    ['a', 'b']

    Emits when: an item is in the queue.
    Waits when: none is, or the consumer does: items then stay in the queue.
    Completes when: `end` comes out of the queue, or the queue was shut down and is empty (Python 3.13).
    Closes when: it ends, or the consumer leaves. The queue stays as it is, and another run goes on with it.

    Each item goes to one run, if several read the queue; so does `end`. ``queue.task_done()`` is not called:
    do that where the work on an item is done, if you wait for ``queue.join()``.

    Args:
        queue: a queue whose ``get`` is awaited: of asyncio, or of another library that has such a one.
        end: what stands for the end, compared with ``is``; without it, only ``queue.shutdown()`` ends it.

    Raises:
        TypeError: `queue` has no ``get`` that is awaited.
    """
    if not is_said(lambda each: makes_coroutine(each.get), queue):
        hint = ""
        if is_said(lambda each: callable(each.get_nowait), queue):
            hint = ": write streamkit.from_blocking(iter(queue.get, end))"
        raise TypeError(f"queue must be a queue of asyncio, not {shown(queue)}{hint}")
    options: dict[str, Any] = {} if end is ABSENT else {"end": end}
    last = object() if end is ABSENT else end  # nobody has put this in
    return Stream(Recipe("from_queue", (queue,), partial(_queued, queue, last), **options))
