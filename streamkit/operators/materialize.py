"""Operators that make items of what happens to a stream, and the other way round."""

from __future__ import annotations

from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

from streamkit._core.again import origin, throw
from streamkit._core.show import shown
from streamkit._core.value import Value
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Shape, Stream

__all__ = ["Done", "Failed", "Next", "Notification", "dematerialize", "materialize"]

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Next(Value, Generic[A_co]):
    """An item that has come."""

    value: A_co

    def __init__(self, value: A_co) -> None:
        self.__dict__["value"] = value


class Failed(Value):
    """The stream has failed."""

    error: Exception

    def __init__(self, error: Exception) -> None:
        self._made_of(error=error)


class Done(Value):
    """The stream has ended."""


Notification: TypeAlias = Next[A] | Failed | Done
"""What ``materialize`` passes on."""


class Notifications(Shape):
    """``A`` to ``Next[A] | Failed | Done``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A]) -> Stream[Notification[A]]:
        result: Stream[Notification[A]] = self.apply(stream)
        return result


class Values(Shape):
    """``Next[A] | Failed | Done`` to ``A``."""

    __slots__ = ()

    def __call__(self, stream: Stream[Notification[A]]) -> Stream[A]:
        result: Stream[A] = self.apply(stream)
        return result


@step(each="emit(Next(item))", finish="emit(Done())", failed="emit(Failed(error))")
def materialize() -> Notifications:
    """Pass on each item as ``Next(value)``, and the end as ``Done()`` or ``Failed(error)``; then end.

        items       --a--------b--------X
        materialize --Next(a)--Next(b)--Failed(X)|

    >>> from streamkit import Stream, ops
    >>> list(Stream("a") | ops.materialize())
    [Next(value='a'), Done()]
    >>> list(Stream([2, 0]) | ops.map(lambda number: 4 // number) | ops.materialize())
    [Next(value=2), Failed(error=ZeroDivisionError('integer division or modulo by zero'))]

    Emits when: an item comes; the source ends; or it, or an operator before this one, fails.
    Waits when: the consumer does.
    Completes when: the source does, or has failed, after that item.
    Closes when: it ends, or the consumer leaves.

    So the error of a stream can be looked at, sent or kept as an item is; ``dematerialize`` makes it an error
    again. To go on with another stream, use ``catch``; for an error of a callback that ends nothing,
    `on_error` of the operator that calls it.

    An error of the program, which no operator takes, fails the stream here as well: a ``RecursionError``, and
    a second run of a one-shot source.
    """
    return Notifications(materialize)


def raised(notification: Any) -> NoReturn:
    """Raise what a `Failed` says; what is no notification is an error, too."""
    if isinstance(notification, Failed):
        throw(notification.error, origin(notification.error))
    raise TypeError(
        f"dematerialize reads Next(value), Failed(error) and Done(), as materialize() makes them, "
        f"not {shown(notification)}"
    )


@step(
    each="""
        if isinstance(item, Next):
            emit(item.value)
        elif isinstance(item, Done):
            stop()
        else:
            raised(item)
    """,
)
def dematerialize() -> Values:
    """Pass on the value of each ``Next``, end at ``Done``, and fail at ``Failed``: ``materialize`` undone.

        items         --Next(a)--Next(b)--Done--Next(c)--|
        dematerialize --a--------b--------|

    >>> from streamkit import Done, Next, Stream, ops
    >>> list(Stream([Next("a"), Done(), Next("b")]) | ops.dematerialize())
    ['a']

    Emits when: a ``Next`` comes.
    Waits when: the consumer does.
    Completes when: a ``Done`` comes, or the source completes.
    Closes when: it ends, or the consumer leaves.

    Raises:
        TypeError: (when run) an item is something else.
        Exception: (when run) that of a ``Failed``.
    """
    return Values(dematerialize)
