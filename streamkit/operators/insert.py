"""Operators that put items of their own between those that come, before or behind them."""

from __future__ import annotations

from typing import TypeVar

from streamkit._core.contract import PASSED_ON, Contract
from streamkit._engine.face.shapes import Joined
from streamkit._engine.face.step import step

__all__ = ["end_with", "intersperse", "start_with"]

T = TypeVar("T")


@step(setup="for each in items:\n    emit(each)", each="emit(item)", contract=PASSED_ON)
def start_with(*items: T) -> Joined[T]:
    """Pass on `items` first, then what comes.

        items              ----a--b--|
        start_with("x")    x---a--b--|

    >>> from streamkit import Stream, ops
    >>> list(Stream([3, 4]) | ops.start_with(1, 2))
    [1, 2, 3, 4]

    Emits when: one of `items` is asked for, before the source is pulled; then when an item comes.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        items: what to pass on first. For the items of another stream, write ``streamkit.concat(a, b)``.
    """
    return Joined(start_with, items=items)


@step(each="emit(item)", finish="for each in items:\n    emit(each)", contract=PASSED_ON)
def end_with(*items: T) -> Joined[T]:
    """Pass on what comes, then `items`.

        items            --a--b--|
        end_with("x")    --a--b--(x|)

    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 2]) | ops.end_with(3, 4))
    [1, 2, 3, 4]

    Emits when: an item comes; `items` when the source has ended, and not when it has failed.
    Waits when: the consumer does.
    Completes when: the source does, after `items`.
    Closes when: it ends, or the consumer leaves.

    Args:
        items: what to pass on last. For the items of another stream, write ``concat(stream)``.
    """
    return Joined(end_with, items=items)


@step(
    setup="begun = False",
    each="""
        if begun:
            emit(separator)
        begun = True
        emit(item)
    """,
    contract=Contract(keeps="True", spreads=True),
)
def intersperse(separator: T) -> Joined[T]:
    """Pass on the items with `separator` between them.

        items             --a-----b-------c----|
        intersperse("-")  --a-----(-,b)---(-,c)|

    >>> from streamkit import Stream, ops
    >>> "".join(Stream("abc") | ops.intersperse(", "))
    'a, b, c'

    Emits when: an item comes: the separator, unless it is the first, and then the item.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    The separator leaves when the next item is there, not before, so that none is left over at the end. For
    something in front and behind, add ``start_with`` and ``end_with``.

    Args:
        separator: what to pass on between two items; the same object each time.
    """
    return Joined(intersperse, separator=separator)
