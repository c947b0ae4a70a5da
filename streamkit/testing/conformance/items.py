"""Items that can be followed: whether each is still inside a pipeline, or kept alive by it."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from streamkit._core.show import shown
from streamkit.operators.materialize import Next

__all__ = ["Item", "followed", "followed_kind", "items_in", "plain"]


class Item:
    """An item that can be followed: it is itself wherever it goes."""

    __slots__ = ("__weakref__", "number")

    number: int

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<{self.number}>"


_FOLLOWING = "_streamkit_item"
"""The attribute by which an instance of a subclass of `int` or `str` keeps the `Item` it stands for."""

_subclasses: dict[type[Any], type[Any]] = {}
_standing: dict[int, tuple[weakref.ref[Any], Item]] = {}
"""Objects of users, by their ids, and the items that they stand for."""


def items_in(value: Any) -> Iterator[Item]:
    """The items in what an operator passed on."""
    if isinstance(value, Item):
        yield value
        return
    found = _item_of(value)
    if found is not None:
        yield found
    elif isinstance(value, (list, tuple)):
        for each in cast("Sequence[Any]", value):
            yield from items_in(each)
    elif isinstance(value, Next):
        yield from items_in(cast("Any", value).value)
    elif isinstance(value, dict):
        yield from items_in([*_values(value).values()])


def _values(value: Any) -> dict[Any, Any]:
    return value  # type: ignore[no-any-return]


def _item_of(value: Any) -> Item | None:
    if type(value) in _subclasses.values():
        found: dict[str, Any] = value.__dict__
        return found.get(_FOLLOWING)
    standing = _standing.get(id(value))
    return standing[1] if standing is not None and standing[0]() is value else None


def plain(value: Any) -> Any:
    """`value` with the numbers of its items, and Python's own types, so that two runs compare."""
    kind: Any = value.__class__
    if isinstance(value, Item):
        return value.number
    if isinstance(value, Next):
        return Next(plain(cast("Any", value).value))
    if isinstance(value, (list, tuple)):
        kind = _original(kind)
        return getattr(kind, "_make", kind)(plain(each) for each in cast("Sequence[Any]", value))
    if isinstance(value, dict):
        return {key: plain(each) for key, each in _values(value).items()}
    return kind.__mro__[1](value) if kind in _subclasses.values() else value


def _original(kind: type[Any]) -> Any:
    return kind.__mro__[1] if kind in _subclasses.values() else kind


_FINAL: tuple[Any, ...] = (int, float, complex, str, bytes, tuple, frozenset, list, dict, set, bytearray)
"""Types of which an instance of a subclass is given: it equals the value, and can be followed."""


def followed(value: Any, item: Item) -> Any:
    """Something equal to `value`, a new object, that keeps `item` alive for as long as it lives.

    >>> one, item = followed(7, Item(7)), Item(8)
    >>> one + 1, one == 7, [*items_in([one])]
    (8, True, [<7>])
    >>> followed(None, item) is None  # of which there is but one
    True
    """
    kind: Any = value.__class__
    if kind in _FINAL:
        if kind not in _subclasses:
            _subclasses[kind] = type(kind.__name__, (kind,), {"__reduce__": _reduced, "__repr__": _shown})
        made = _subclasses[kind](value)
        setattr(made, _FOLLOWING, item)
        return made
    try:
        made = copy.copy(value)
        ref = weakref.ref(made, _forgetting(id(made)))
    except Exception:  # no copy, or one that cannot be followed: `followed_kind` tells of it
        return value
    if made is not value:
        _standing[id(made)] = ref, item
    return made


def _reduced(value: Any) -> tuple[Any, tuple[Any]]:
    """A copy in another process is one of Python's own type."""
    kind: Any = _original(value.__class__)
    return kind, (kind(value),)


def _shown(value: Any) -> str:
    """As Python's own type does: a set names a type that is not its own."""
    kind: Any = _original(value.__class__)
    return repr(kind(value))


def _forgetting(number: int) -> Callable[[Any], None]:
    def forget(_: Any) -> None:
        _standing.pop(number, None)

    return forget


def followed_kind(value: Any) -> str:
    """Why values like this one cannot be followed; empty if they can.

    >>> followed_kind(5), followed_kind(None)
    ('', 'None cannot be followed: no copy of it can be told apart')
    """
    item = Item(0)
    made = followed(value, item)
    if item in items_in(made):
        return ""
    return f"{shown(value)} cannot be followed: no copy of it can be told apart"
