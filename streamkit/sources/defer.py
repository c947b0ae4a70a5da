"""Sources that are made when they are read: by a function, or with a resource that is open meanwhile."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
from functools import partial
from typing import Any, TypeVar, overload

from streamkit._core.arguments import awaitable, callback, discard
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.calls import answering
from streamkit._core.contract import PASSED_ON
from streamkit._core.show import named, shown
from streamkit._engine.compile.pace import Resumed, Thrown
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator, SourceLike, Stream
from streamkit._engine.plan.link import Inlet, returned
from streamkit._engine.plan.source import Recipe
from streamkit._engine.run.run import Run
from streamkit._stages.entry import Entry
from streamkit._stages.in_place import following

__all__ = ["defer", "using"]

R = TypeVar("R")
T = TypeVar("T")

_STREAM = "a stream, an iterable or an async iterable"


def _made(function: Callable[..., Any], value: Any) -> Inlet[Any]:
    """What `function` has returned, as a stream."""
    try:
        return returned(value)
    except TypeError:
        discard(value)
        raise TypeError(f"{named(function)} must return {_STREAM}, not {shown(value)}") from None


class _Then(Entry):
    """Goes on with the stream that `make` returns, or an awaitable of it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def ended(self) -> Awaitable[Inlet[Any]]:
        self.done = True
        return self._follows()

    async def _follows(self) -> Inlet[Any]:
        value = self.make()
        return _made(self.make, await pending(value) if is_awaitable(value) else value)


@stage(following(_Then), name="defer", pumps=False, relays=True, contract=PASSED_ON)
def _deferred(make: Callable[[], Any]) -> Operator[Any, Any]:
    """The stream that `make` returns, behind a source of nothing."""
    return Operator(_deferred, make=make)


def _given(value: Any) -> Any:
    return value


@overload
def defer(function: Callable[[], Awaitable[SourceLike[T]]]) -> Stream[T]: ...
@overload
def defer(function: Callable[[], SourceLike[T]]) -> Stream[T]: ...
@answering
def defer(function: Callable[[], Any]) -> Stream[Any]:
    """The stream that `function` makes, anew for each run.

        defer(function)  --a--b--|

    >>> import streamkit
    >>> async def pages() -> list[str]:
    ...     return ["a", "b"]
    >>> list(streamkit.defer(pages))
    ['a', 'b']

    Emits when: the stream does.
    Waits when: `function` does, or the stream, or the consumer.
    Completes when: the stream does.
    Closes when: it ends, or the consumer leaves; a call that waits is cancelled.

    ``Stream(function)`` is the same of a function that waits for nothing, and saves a generator. Streams that
    defer to others, and these to others, for ever, are read by one loop: neither stack nor memory grows.

    Args:
        function: called at the first pull; returns what a stream can begin with, which the run closes, or
            an awaitable of that.

    Raises:
        TypeError: `function` is not callable; when run: what it returns is none of these.
    """
    nothing: Stream[Any] = Stream(())
    made = nothing | _deferred(callback("function", function))
    return Stream(Recipe("defer", (function,), partial(_given, made)))


async def _used(
    run: Run, source: Inlet[Any], *, resource: Callable[[], Any], function: Callable[[Any], Any]
) -> AsyncIterator[Any]:
    async with AsyncExitStack() as stack:
        value = await _entered(stack, resource)
        items: Any = run.open(_made(function, await run.call(function, value)))
        stack.push_async_callback(items.aclose)  # before the resource is left
        reading = items
        while reading is not None:
            async for item in reading:
                try:
                    yield item
                except CancelledError as error:  # it may be for a scope of the stream, or of the resource
                    reading = Resumed([Thrown(items.athrow, error)], items)
                    break
                finally:
                    del item  # nothing is held while the stream waits
            else:
                reading = None


async def _entered(stack: AsyncExitStack, resource: Callable[[], Any]) -> Any:
    """Enter what `resource` makes; it may be awaitable and a context manager, and is then only entered."""
    manager = resource()
    if awaitable(manager) and not isinstance(manager, (AbstractAsyncContextManager, AbstractContextManager)):
        manager = await manager
    if isinstance(manager, AbstractAsyncContextManager):
        return await stack.enter_async_context(manager)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(manager, AbstractContextManager):
        return stack.enter_context(manager)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    raise TypeError(f"{named(resource)} must return a context manager, not {shown(manager)}")


@stage(_used, name="using", pumps=False, relays=True, contract=PASSED_ON)
def _using(resource: Callable[[], Any], function: Callable[[Any], Any]) -> Operator[Any, Any]:
    """The stream of `function`, behind a source of nothing."""
    return Operator(_using, resource=resource, function=function)


@overload
def using(
    resource: Callable[[], AbstractAsyncContextManager[R, Any]],
    function: Callable[[R], Awaitable[SourceLike[T]]],
) -> Stream[T]: ...
@overload
def using(
    resource: Callable[[], AbstractAsyncContextManager[R, Any]], function: Callable[[R], SourceLike[T]]
) -> Stream[T]: ...
@overload
def using(
    resource: Callable[[], AbstractContextManager[R, Any]],
    function: Callable[[R], Awaitable[SourceLike[T]]],
) -> Stream[T]: ...
@overload
def using(
    resource: Callable[[], AbstractContextManager[R, Any]], function: Callable[[R], SourceLike[T]]
) -> Stream[T]: ...
@overload
def using(
    resource: Callable[[], Awaitable[AbstractAsyncContextManager[R, Any] | AbstractContextManager[R, Any]]],
    function: Callable[[R], SourceLike[T]],
) -> Stream[T]: ...
@answering
def using(resource: Callable[[], Any], function: Callable[[Any], Any]) -> Stream[Any]:
    """The stream that `function` makes of a resource, which is open as long as the stream is read.

        with resource()  [              ]
        using            --a--b--------|

    >>> import io
    >>> import streamkit
    >>> list(streamkit.using(lambda: io.StringIO("one line\\nanother"), lambda file: file))
    ['one line\\n', 'another']

    Emits when: the stream does.
    Waits when: the resource is being entered, or `function` waits, or the stream, or the consumer.
    Completes when: the stream does, and the resource was left.
    Closes when: it ends, or the consumer leaves: first the stream, then the resource, in the same task.

    It is the ``async with`` of an async generator. The resource sees an error of the stream, and may replace
    it; one that it suppresses ends the stream. It sees no error of the consumer, but ``GeneratorExit``, when
    the consumer leaves.

    Args:
        resource: called at the first pull; returns an asynchronous or other context manager, or an awaitable
            of one. ``contextlib.closing`` makes one of what has only a ``close``.
        function: called with what the context manager gives; returns what a stream can begin with, or an
            awaitable of that.

    Raises:
        TypeError: an argument is not callable; when run: what one returns is something else.
    """
    callback("resource", resource)
    callback("function", function)
    nothing: Stream[Any] = Stream(())
    used = nothing | _using(resource, function)
    return Stream(Recipe("using", (resource, function), partial(_given, used)))
