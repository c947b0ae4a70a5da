"""Sinks that keep the items."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded, unguarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._engine.face.shapes import DictOf, ListOf, SetOf
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Sink

__all__ = ["to_dict", "to_list", "to_set"]

A = TypeVar("A")
K = TypeVar("K")
V = TypeVar("V")


@step(
    setup="items = []",
    each="items.append(item)",
    result="items",
    contract=Contract(result="every item"),
)
def to_list() -> ListOf:
    """Collect the items into a list.

    >>> from streamkit import Stream, ops
    >>> (Stream("ab") | ops.to_list()).run()
    ['a', 'b']

    Completes when: the source does.
    Closes when: it ends.
    """
    return ListOf(to_list)


@step(
    setup="items = set()",
    each="items.add(item)",
    result="items",
    contract=Contract(result="every different item"),
)
def to_set() -> SetOf:
    """Collect the different items into a set.

    >>> from streamkit import Stream, ops
    >>> sorted((Stream("abab") | ops.to_set()).run())
    ['a', 'b']

    Completes when: the source does.
    Closes when: it ends.

    Of items that are equal, it keeps the first, as ``set`` does.

    Raises:
        TypeError: (when run) an item cannot be hashed.
    """
    return SetOf(to_set)


@overload
def to_dict() -> DictOf: ...
@overload
def to_dict(
    *,
    key: Callable[[A], Awaitable[K]],
    value: Callable[[A], Awaitable[V]],
    on_error: OnError | None = None,
) -> Sink[A, dict[K, V]]: ...
@overload
def to_dict(
    *, key: Callable[[A], Awaitable[K]], value: Callable[[A], V], on_error: OnError | None = None
) -> Sink[A, dict[K, V]]: ...
@overload
def to_dict(
    *, key: Callable[[A], K], value: Callable[[A], Awaitable[V]], on_error: OnError | None = None
) -> Sink[A, dict[K, V]]: ...
@overload
def to_dict(
    *, key: Callable[[A], K], value: Callable[[A], V], on_error: OnError | None = None
) -> Sink[A, dict[K, V]]: ...
@overload
def to_dict(*, key: Callable[[A], Awaitable[K]], on_error: OnError | None = None) -> Sink[A, dict[K, A]]: ...
@overload
def to_dict(*, key: Callable[[A], K], on_error: OnError | None = None) -> Sink[A, dict[K, A]]: ...
@step(
    setup="items = {}",
    each="""
        if key is ABSENT:
            name, kept = item
            items[name] = kept
        elif value is ABSENT:
            name = key(item)
            items[name] = item
        else:
            name = key(item)
            items[name] = value(item)
    """,
    result="items",
    contract=Contract(result="a value for each key"),
)
def to_dict(*, key: Any = ABSENT, value: Any = ABSENT, on_error: OnError | None = None) -> Any:
    """Collect pairs into a dict, or the items by a `key` of each.

    >>> from streamkit import Stream, ops
    >>> (Stream([("a", 1), ("b", 2), ("a", 3)]) | ops.to_dict()).run()
    {'a': 3, 'b': 2}
    >>> (Stream(["tea", "ale"]) | ops.to_dict(key=len, value=str.upper)).run()
    {3: 'ALE'}

    Completes when: the source does.
    Closes when: it ends.

    As in ``dict``, of one key the last value wins, in the place of the first.

    Args:
        key: called with each item; returns its key, or an awaitable of that. Without it, the items are pairs
            of a key and a value.
        value: called with each item, after `key`; returns its value, or an awaitable of that. Without it, the
            value is the item.
        on_error: what is done where `key` or `value` fails, such as ``Resume()``; by default, the stream
            fails.

    Raises:
        TypeError: `key` or `value` is not callable, or `value` is given without `key`; when run: a key cannot
            be hashed, or an item cannot be unpacked.
        ValueError: (when run) an item is no pair.
    """
    if key is ABSENT:
        if value is not ABSENT:
            raise TypeError(f"value must be given together with key, not alone: {shown(value)}")
        unguarded("key", on_error)
        return DictOf(to_dict, key=key, value=value)
    key = guarded("key", key, on_error)
    if value is not ABSENT:
        value = guarded("value", value, on_error)
    keyed: Sink[Any, dict[Any, Any]] = Sink(to_dict, key=key, value=value)
    return keyed
