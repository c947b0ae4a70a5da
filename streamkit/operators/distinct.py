"""Operators that leave out what has come before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, overload

from streamkit._core.arguments import whole
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded, unguarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep, Operator, Pipe

__all__ = ["distinct"]

A = TypeVar("A")


@step(
    name="distinct",
    setup="seen = OrderedDict()",
    each="""
        if key is ABSENT:
            value = item
        else:
            value = key(item)
        if value in seen:
            seen.move_to_end(value)
        else:
            seen[value] = None
            if len(seen) > last:
                seen.popitem(last=False)
            emit(item)
    """,
    uses=(OrderedDict,),
    contract=Contract(keys="last", keeps="True"),
)
def _of_the_last(key: Any = ABSENT, *, last: int) -> Pipe:
    return (Keep if key is ABSENT else Operator[Any, Any])(_of_the_last, key=key, last=last)


@overload
def distinct(*, last: int = ...) -> Keep: ...
@overload
def distinct(
    key: Callable[[A], Awaitable[Hashable]], *, last: int = ..., on_error: OnError | None = None
) -> Operator[A, A]: ...
@overload
def distinct(
    key: Callable[[A], Hashable], *, last: int = ..., on_error: OnError | None = None
) -> Operator[A, A]: ...
@step(
    setup="seen = set()",
    each="""
        if key is ABSENT:
            value = item
        else:
            value = key(item)
        if value not in seen:
            seen.add(value)
            emit(item)
    """,
    contract=Contract(keys="unbounded", keeps="True"),
)
def distinct(key: Any = ABSENT, *, last: Any = ABSENT, on_error: OnError | None = None) -> Any:
    """Leave out items that are equal to one that came before, however long ago.

        items    --a--b--a--c--b--|
        distinct --a--b-----c-----|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abacb") | ops.distinct())
    ['a', 'b', 'c']
    >>> list(Stream(["ant", "bee", "ape"]) | ops.distinct(lambda word: word[0], last=1000))
    ['ant', 'bee']

    Emits when: an item comes whose key was not seen before; with `last`, was not one of the last ones.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    It keeps the key of every different item, so a stream without end of ever new keys needs `last`. With it,
    the keys that were seen last are kept, each once; a key that is seen again counts as new then.

    RxPY also takes a function that compares two keys. Here they are looked up, and so must be hashable.

    Args:
        key: called with each item; returns what is compared, or an awaitable of that. Without it, items are.
        last: how many keys to keep, at most. Without it, there is no limit.
        on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `key` is not callable, or `last` not a whole number; (when run) a key is not hashable.
        ValueError: `last` is less than 1.
    """
    if key is not ABSENT:
        key = guarded("key", key, on_error)
    else:
        unguarded("key", on_error)
    if last is not ABSENT:
        return _of_the_last(key, last=whole("last", last, least=1))
    return (Keep if key is ABSENT else Operator[Any, Any])(distinct, key=key)
