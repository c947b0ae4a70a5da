"""Operators that choose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, overload

from streamkit._core.arguments import flag, whole
from streamkit._core.contract import PASSED_ON
from streamkit._core.guarded import protected, unguarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep, Operator, Shape, Stream, plainly

__all__ = ["distinct_until_changed", "filter", "skip", "skip_while", "take", "take_while"]

if TYPE_CHECKING:
    from typing_extensions import TypeIs  # which checkers bring along; in `typing` from Python 3.13 on

A = TypeVar("A")
B = TypeVar("B")


class Truthy(Shape):
    """``A | None`` to ``A``."""

    __slots__ = ()

    def __call__(self, stream: Stream[A | None]) -> Stream[A]:
        result: Stream[A] = self.apply(stream)
        return result


@step(name="filter", each="if item:\n    emit(item)", contract=PASSED_ON)
def _filter_true(predicate: None) -> Truthy:
    return Truthy(_filter_true, predicate=predicate)


@overload
def filter(predicate: None) -> Truthy: ...
@overload
def filter(predicate: Callable[[A], TypeGuard[B]], *, on_error: OnError | None = None) -> Operator[A, B]: ...
@overload
def filter(predicate: Callable[[A], TypeIs[B]], *, on_error: OnError | None = None) -> Operator[A, B]: ...
@overload
def filter(
    predicate: Callable[[A], Awaitable[bool]], *, on_error: OnError | None = None
) -> Operator[A, A]: ...
@overload
def filter(predicate: Callable[[A], object], *, on_error: OnError | None = None) -> Operator[A, A]: ...
@step(each="if predicate(item):\n    emit(item)", contract=PASSED_ON)
def filter(predicate: Any, *, on_error: OnError | None = None) -> Any:
    """Pass on the items for which `predicate` is true.

        items       --1--2--3--4--|
        filter(odd) --1-----3-----|

    >>> from streamkit import Stream, ops
    >>> list(Stream(range(6)) | ops.filter(lambda number: number % 2))
    [1, 3, 5]
    >>> list(Stream(["a", "", None]) | ops.filter(None))
    ['a']

    Emits when: `predicate` has returned something true.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    A `predicate` that is a ``TypeGuard`` or a ``TypeIs`` narrows the type of the items.

    Args:
        predicate: called with each item; returns whether to pass it on, or an awaitable of that. With None,
            as with the builtin, those are passed on that are true themselves.
        on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `predicate` is neither callable nor None.
    """
    if predicate is None:
        unguarded("predicate", on_error)
        return _filter_true(predicate)
    found: Operator[Any, Any] = Operator(filter, predicate=protected("predicate", predicate, on_error))
    return found


plainly(filter, Operator)


@step(
    setup="""
        left = count
        if not left:
            stop()
    """,
    each="""
        left -= 1
        emit(item)
        if not left:
            stop()
    """,
    contract=PASSED_ON,
)
def take(count: int) -> Keep:
    """Pass on the first `count` items, then end.

        items   --a--b--c--d--|
        take(2) --a--(b|)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abcd") | ops.take(2))
    ['a', 'b']

    Emits when: an item comes.
    Waits when: the consumer does.
    Completes when: `count` items were passed on (with 0, before any is pulled), or the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        count: how many items to pass on, at most.

    Raises:
        TypeError: `count` is not a whole number.
        ValueError: `count` is negative.
    """
    return Keep(take, count=whole("count", count, least=0))


@overload
def take_while(
    predicate: Callable[[A], Awaitable[bool]], *, inclusive: bool = False, on_error: OnError | None = None
) -> Operator[A, A]: ...
@overload
def take_while(
    predicate: Callable[[A], object], *, inclusive: bool = False, on_error: OnError | None = None
) -> Operator[A, A]: ...
@step(
    each="""
        if not predicate(item):
            if inclusive:
                emit(item)
            stop()
        emit(item)
    """,
    contract=PASSED_ON,
)
def take_while(
    predicate: Callable[..., Any], *, inclusive: bool = False, on_error: OnError | None = None
) -> Operator[Any, Any]:
    """Pass on items as long as `predicate` is true, then end.

        items              --1--2--9--1--|
        take_while(x < 5)  --1--2--|

    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 2, 9, 1]) | ops.take_while(lambda number: number < 5, inclusive=True))
    [1, 2, 9]

    Emits when: `predicate` has returned something true.
    Waits when: the consumer does.
    Completes when: `predicate` returns something false, or the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        predicate: called with each item.
        inclusive: whether the item that ends the stream is passed on too.
        on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `predicate` is not callable, or `inclusive` is neither True nor False.
    """
    return Operator(
        take_while,
        predicate=protected("predicate", predicate, on_error),
        inclusive=flag("inclusive", inclusive),
    )


@step(
    setup="left = count",
    each="""
        if left:
            left -= 1
        else:
            emit(item)
    """,
    contract=PASSED_ON,
)
def skip(count: int) -> Keep:
    """Leave out the first `count` items.

        items   --a--b--c--d--|
        skip(2) --------c--d--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abcd") | ops.skip(2))
    ['c', 'd']

    Emits when: an item comes after the first `count`.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        count: how many items to leave out.

    Raises:
        TypeError: `count` is not a whole number.
        ValueError: `count` is negative.
    """
    return Keep(skip, count=whole("count", count, least=0))


@overload
def skip_while(
    predicate: Callable[[A], Awaitable[bool]], *, on_error: OnError | None = None
) -> Operator[A, A]: ...
@overload
def skip_while(predicate: Callable[[A], object], *, on_error: OnError | None = None) -> Operator[A, A]: ...
@step(
    setup="skipping = True",
    each="""
        if skipping:
            skipping = predicate(item)
        if not skipping:
            emit(item)
    """,
    contract=PASSED_ON,
)
def skip_while(predicate: Callable[..., Any], *, on_error: OnError | None = None) -> Operator[Any, Any]:
    """Leave out items as long as `predicate` is true; from then on pass on all.

        items              --1--2--9--1--|
        skip_while(x < 5)  --------9--1--|

    >>> from streamkit import Stream, ops
    >>> list(Stream([1, 2, 9, 1]) | ops.skip_while(lambda number: number < 5))
    [9, 1]

    Emits when: `predicate` has once returned something false.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        predicate: called with each item until it is first false; may return an awaitable.
        on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `predicate` is not callable.
    """
    return Operator(skip_while, predicate=protected("predicate", predicate, on_error))


plainly(skip_while, Operator)


@overload
def distinct_until_changed() -> Keep: ...
@overload
def distinct_until_changed(
    key: Callable[[A], object], *, on_error: OnError | None = None
) -> Operator[A, A]: ...
@step(
    setup="last = ABSENT",
    each="""
        if key is ABSENT:
            value = item
        else:
            value = key(item)
        if last is ABSENT or value != last:
            last = value
            emit(item)
    """,
    contract=PASSED_ON,
)
def distinct_until_changed(key: Any = ABSENT, *, on_error: OnError | None = None) -> Any:
    """Leave out items that equal the one before them.

        items                  --a--a--b--b--a--|
        distinct_until_changed --a-----b-----a--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("aabba") | ops.distinct_until_changed())
    ['a', 'b', 'a']

    Emits when: an item, or its key, differs from the last one.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        key: called with each item; what it returns is compared, instead of the items.
        on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `key` is not callable.
    """
    if key is ABSENT:
        unguarded("key", on_error)
        return Keep(distinct_until_changed, key=key)
    keyed: Operator[Any, Any] = Operator(distinct_until_changed, key=protected("key", key, on_error))
    return keyed
