"""Operators that act when a stream fails, or has ended in any way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import callback
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.contract import PASSED_ON, Contract
from streamkit._core.errors import ErrorTypes, error_types
from streamkit._core.show import named
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep, SourceLike
from streamkit._engine.plan.link import Inlet, returned_by
from streamkit._engine.run.paired import followed_anyway
from streamkit._stages.entry import Entry
from streamkit._stages.in_place import following

__all__ = ["catch", "on_close"]

B = TypeVar("B")


class _Handler(Entry):
    """Calls `function` with the first error, if that is one of `errors`."""

    shelters = True

    def __init__(self, function: Callable[[Exception], Any], errors: ErrorTypes) -> None:
        self.function = function
        self.errors = errors

    def ended(self) -> Inlet[Any] | None:
        self.done = True
        return None

    def takes(self, error: Exception) -> bool:
        return isinstance(error, self.errors)

    async def failed(self, error: Exception) -> Any:
        self.done = True
        made: Any = self.function(error)
        # an observable of RxPY is awaitable too
        made = await pending(made) if is_awaitable(made) and not hasattr(made, "subscribe") else made
        return returned_by(self.function, made)


@overload
def catch(
    function: Callable[[Exception], Awaitable[SourceLike[B]]], *, errors: ErrorTypes = Exception
) -> Joined[B]: ...
@overload
def catch(function: Callable[[Exception], SourceLike[B]], *, errors: ErrorTypes = Exception) -> Joined[B]: ...
@stage(
    following(_Handler),
    pumps=False,
    pairs=followed_anyway,
    relays=True,
    contract=Contract(keeps="True", result="what the stream that function makes holds"),
)
def catch(function: Callable[[Exception], Any], *, errors: ErrorTypes = Exception) -> Joined[Any]:
    """When the source fails, go on with the stream that `function` makes of the error.

        items                 --a--b--X
        catch(lambda e: "c")  --a--b--(c|)

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
            stream that `function` returned, are never caught. Nor is an error of the program itself: a
            ``RecursionError``, and a second run of a one-shot source, which would look like an empty one.

    Raises:
        TypeError: `function` is not callable, or a type of error; or `errors` is not one or more types
            of Exception.
        ValueError: `errors` has ``RecursionError`` or ``SourceConsumedError``.

    A stream that goes on with itself, to connect again for ever, is flat: its last connection needs no more
    memory or time than its first.
    """
    error_types("errors", errors, "a type of Exception, or a tuple of them")
    given: object = function
    if isinstance(given, type) and issubclass(given, BaseException):
        raise TypeError(
            f"function must be a callable that makes a stream of the error, not the type {named(given)}: "
            f"write catch(function, errors={named(given)})"
        )
    return Joined(catch, function=callback("function", function), errors=errors)


@step(each="emit(item)", closes="function", contract=PASSED_ON)
def on_close(function: Callable[[], object]) -> Keep:
    """Call `function` once when the stream is over, however it has ended.

        items       --a--b--|
        on_close(f) --a--b--|
                            f

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.on_close(lambda: print("closed")))
    closed
    ['a', 'b']

    Emits when: an item comes.
    Waits when: the consumer does; at the end, until what `function` returns has been awaited.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves; then everything before it is closed, and `function` is
        called: after the last item, after an error, after a cancellation, and when the consumer has left.

    Args:
        function: called without arguments in each run, when the sources before it were cleaned up; may
            return an awaitable.

    Raises:
        TypeError: `function` is not callable.

    An error of `function` ends the stream, or is attached to the error that the stream has ended with. Of
    several in a pipe, the first is called first. A job that was never awaited, and a stream whose iterator
    was never asked for, have not run: then it is not called. It is not told how the stream has ended:
    ``catch`` is for errors, ``concat`` for what comes after the last item.
    """
    return Keep(on_close, function=callback("function", function))
