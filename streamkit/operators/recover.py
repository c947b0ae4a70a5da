"""Operators that go on after an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import callback
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.contract import Contract
from streamkit._core.show import shown
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import SourceLike
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run

__all__ = ["catch"]

B = TypeVar("B")
ErrorTypes = type[Exception] | tuple[type[Exception], ...]


def _is_error_type(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


async def _catch(
    run: Run, source: Inlet[Any], *, function: Callable[[Exception], Any], errors: ErrorTypes
) -> AsyncIterator[Any]:
    items = run.open(source)
    try:
        async for item in items:
            yield item  # nothing is ever thrown in here: an operator never catches its consumer's error
            del item  # nothing is held while the source waits
        return
    except errors as error:
        caught = error
    try:
        fallback: Any = function(caught)
        if is_awaitable(fallback) and not hasattr(fallback, "subscribe"):  # an observable is, too
            fallback = await pending(fallback)
        following: AsyncIterator[Any] = run.open(Inlet[Any](fallback))
    except Exception as error:
        blamed = run.blame(error)
        raise blamed from (caught if blamed.__cause__ is None else blamed.__cause__)
    finally:
        del caught
    async for item in following:
        yield item
        del item


@overload
def catch(
    function: Callable[[Exception], Awaitable[SourceLike[B]]], *, errors: ErrorTypes = Exception
) -> Joined[B]: ...
@overload
def catch(function: Callable[[Exception], SourceLike[B]], *, errors: ErrorTypes = Exception) -> Joined[B]: ...
@stage(
    _catch, pumps=False, contract=Contract(keeps="True", result="what the stream that function makes holds")
)
def catch(function: Callable[[Exception], Any], *, errors: ErrorTypes = Exception) -> Joined[Any]:
    """When the source fails, go on with the stream that `function` makes of the error.

        items                 --a--b--X
        catch(lambda e: "c")  --a--b--c--|

    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 0]) | ops.map(lambda number: 1 // number) | ops.catch(lambda error: [str(error)]))
    [1, 'integer division or modulo by zero']

    Emits when: an item comes, from the source or from the stream after it.
    Waits when: the consumer does.
    Completes when: the source does; after an error, when the stream after it does.
    Closes when: it ends, or the consumer leaves; a failed source is closed before `function` is called.

    Args:
        function: called with the error; returns a stream, an iterable, an async iterable or a callable that
            makes one, or an awaitable of these. ``[]`` ends the stream.
        errors: the types of error that are caught. Errors of operators after ``catch``, and of the
            stream that `function` returned, are never caught.

    Raises:
        TypeError: `function` is not callable, or `errors` is not one or more types of Exception.
    """
    for each in errors if isinstance(errors, tuple) else (errors,):
        if not _is_error_type(each):
            raise TypeError(f"errors must be a type of Exception, or a tuple of them, not {shown(errors)}")
    return Joined(catch, function=callback("function", function), errors=errors)
