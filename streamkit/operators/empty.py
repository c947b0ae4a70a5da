"""Operators for streams without items, or of which the items do not matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never, TypeVar, overload

from streamkit._core.arguments import callback
from streamkit._core.contract import PASSED_ON, Contract
from streamkit._core.errors import EmptyStreamError
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep, Operator

__all__ = ["default_if_empty", "fail_if_empty", "ignore_items"]

T = TypeVar("T")


@step(each="pass", contract=Contract(keeps="True", at_end=True))
def ignore_items() -> Operator[Any, Never]:
    """Leave out every item: what is left is the end of the source, or its error.

        items        --a--b--c--|
        ignore_items -----------|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.tap(print) | ops.ignore_items() | ops.concat(["done"]))
    a
    b
    ['done']

    Emits when: never.
    Waits when: never.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    It is called ``ignore_elements`` in RxPY. The sink that does the same is ``drain``.
    """
    return Operator(ignore_items)


@step(
    setup="empty = True",
    each="""
        empty = False
        emit(item)
    """,
    finish="if empty: emit(default)",
    contract=PASSED_ON,
)
def default_if_empty(default: T) -> Joined[T]:
    """Pass on what comes; `default` if nothing has come when the source ends.

        items               ---------|
        default_if_empty(0) ---------(0|)

    >>> from streamkit import Stream, ops
    >>> list(Stream([]) | ops.default_if_empty(0))
    [0]
    >>> list(Stream([1, 2]) | ops.default_if_empty(0))
    [1, 2]

    Emits when: an item comes; `default` when the source has ended, and not when it has failed.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        default: what to pass on instead of items; RxPY takes None where it is not given.
    """
    return Joined(default_if_empty, default=default)


def none_came() -> EmptyStreamError:
    """The error of ``fail_if_empty``, where the user has given none."""
    return EmptyStreamError("fail_if_empty() of an empty stream")


@overload
def fail_if_empty() -> Keep: ...
@overload
def fail_if_empty(error: Callable[[], Exception]) -> Keep: ...
@step(
    setup="empty = True",
    each="""
        empty = False
        emit(item)
    """,
    finish="""
        if empty:
            if error is ABSENT:
                raise none_came()
            else:
                raise error()
    """,
    contract=PASSED_ON,
)
def fail_if_empty(error: Any = ABSENT) -> Keep:
    """Pass on what comes; fail if nothing has come when the source ends.

        items         ---------|
        fail_if_empty ---------X

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.fail_if_empty())
    ['a', 'b']
    >>> list(Stream([]) | ops.fail_if_empty(lambda: KeyError("no such user")))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    KeyError: 'no such user'
    in fail_if_empty(<lambda>) at ...

    Emits when: an item comes.
    Waits when: the consumer does.
    Completes when: the source does, after at least one item.
    Closes when: it ends, or the consumer leaves.

    Args:
        error: a type of error, or a function that makes one: each run raises its own. By default, an
            `EmptyStreamError`.

    Raises:
        TypeError: `error` is not callable.
        EmptyStreamError: (when run) the source is empty, and no `error` is given; a ``LookupError`` too.
    """
    if isinstance(error, BaseException):
        raise TypeError(
            f"error must be a type of error, or a function that makes one, not {shown(error)}: "
            f"write lambda: {shown(error)}"
        )
    return Keep(fail_if_empty, error=error if error is ABSENT else callback("error", error))
