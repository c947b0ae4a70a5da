"""Sinks that add up the items, or join them two by two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import fsum, inf, isfinite, isnan, nan
from typing import Any, SupportsFloat, SupportsIndex, TypeAlias, TypeVar, overload

from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._engine.face.shapes import OneOf
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Sink
from streamkit.sinks.choose import empty_error

__all__ = ["mean", "reduce", "sum"]

A = TypeVar("A")
T = TypeVar("T")

_Real: TypeAlias = SupportsFloat | SupportsIndex
_MANY = 512
"""Numbers that `mean` collects before it adds them: in one call, it adds them three times as fast."""


@overload
def reduce(function: Callable[[A, A], Awaitable[A]], *, on_error: OnError | None = None) -> Sink[A, A]: ...
@overload
def reduce(function: Callable[[A, A], A], *, on_error: OnError | None = None) -> Sink[A, A]: ...
@overload
def reduce(
    function: Callable[[A, A], Awaitable[A]], *, default: T, on_error: OnError | None = None
) -> Sink[A, A | T]: ...
@overload
def reduce(
    function: Callable[[A, A], A], *, default: T, on_error: OnError | None = None
) -> Sink[A, A | T]: ...
@step(
    setup="state = ABSENT",
    each="""
        if state is ABSENT:
            state = item
        else:
            state = function(state, item)
    """,
    finish="""
        if state is ABSENT:
            if default is ABSENT:
                raise empty_error("reduce")
            state = default
    """,
    result="state",
    uses=(empty_error,),
    contract=Contract(result="the state that function returned last"),
)
def reduce(
    function: Callable[..., Any], *, default: Any = ABSENT, on_error: OnError | None = None
) -> Sink[Any, Any]:
    """Fold the items into one value, from the first item on.

    >>> from operator import mul
    >>> from streamkit import Stream, ops
    >>> (Stream([2, 3, 4]) | ops.reduce(mul)).run()
    24

    Completes when: the source does.
    Closes when: it ends.

    To begin with another value than the first item, use ``fold(function, initial)``.

    Args:
        function: called with the state so far and the item; returns the new state, or an awaitable of it.
        default: the result of an empty stream.
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `function` is not callable.
        EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
    """
    return Sink(reduce, function=guarded("function", function, on_error), default=default)


@overload
def sum() -> OneOf[int]: ...
@overload
def sum(*, start: T) -> OneOf[T]: ...
@step(setup="total = start", each="total = total + item", result="total")
def sum(*, start: Any = 0) -> OneOf[Any]:
    """Add the items to `start`, with ``+``.

    >>> from streamkit import Stream, ops
    >>> (Stream([1, 2, 3]) | ops.sum()).run()
    6

    Completes when: the source does.
    Closes when: it ends.

    The builtin ``sum`` corrects the rounding of floats from Python 3.12 on; this adds them one after the
    other, on every version. `mean` rounds once.

    Args:
        start: what the first item is added to, and the result of an empty stream. It is not changed.

    Raises:
        TypeError: `start` is a text or bytes, which ``"".join`` joins in linear time; when run: an item
            cannot be added.
    """
    if isinstance(start, (str, bytes, bytearray)):
        raise TypeError(
            f"start must be a number, or what else can be added, not the text {shown(start)}: "
            'collect with to_list() and write "".join(texts)'
        )
    return OneOf[Any](sum, start=start)


def real(item: Any) -> float:
    """`item` as a float; TypeError if it is no real number, as a text is none."""
    return fsum((item,))


def exact(numbers: list[float]) -> list[float]:
    """A few numbers that have exactly the sum of `numbers`, the largest first."""
    found = list[float]()
    while rest := fsum(numbers):
        if not isfinite(rest):
            return [each for each in (inf, -inf) if each in numbers] + ([nan] if isnan(rest) else [])
        found.append(rest)
        numbers.append(-rest)
    return found


@overload
def mean() -> Sink[_Real, float]: ...
@overload
def mean(*, default: T) -> Sink[_Real, float | T]: ...
@step(
    setup="number = 0\nheld = []",
    each="""
        held.append(item if type(item) is float else real(item))
        number += 1
        if len(held) > _MANY:
            held = exact(held)
    """,
    finish="""
        if number:
            average = fsum(held) / number
        elif default is ABSENT:
            raise empty_error("mean")
        else:
            average = default
    """,
    result="average",
    uses=(empty_error, fsum),
    contract=Contract(result="some 500 numbers"),
)
def mean(*, default: Any = ABSENT) -> Sink[Any, Any]:
    """The arithmetic mean of the items, as a float.

    >>> from streamkit import Stream, ops
    >>> (Stream([1, 2, 4.5]) | ops.mean()).run()
    2.5

    Completes when: the source does.
    Closes when: it ends.

    It is ``statistics.fmean`` of a stream: the sum is exact and rounded once, however long the stream is and
    whatever its order. Of decimals and fractions, too, it is a float.

    Args:
        default: the result of an empty stream.

    Raises:
        TypeError: (when run) an item is no real number.
        ValueError: (when run) both infinities are among the items.
        OverflowError: (when run) an item or the sum is more than a float can be.
        EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
    """
    return Sink(mean, default=default)
