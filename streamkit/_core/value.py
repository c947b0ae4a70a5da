"""Values: immutable objects, which are equal if their class and their parts are."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final, Self, dataclass_transform

from streamkit._core.show import shown

__all__ = ["Record", "Value", "alike", "copied", "hashed"]

_WIDE: Final = 200


def hashed(value: object) -> int:
    """A hash of anything: what cannot be hashed has one in common."""
    try:
        return hash(value)
    except Exception:
        return 0


def alike(one: Any, other: Any) -> bool:
    """Whether arguments are the same or equal, and have one `hashed`.

    What ``==`` cannot say of a user's objects is no: it may raise, or return an array that is neither true
    nor false.
    """
    if one is other:
        return True
    if hashed(one) != hashed(other):
        return False
    try:
        return bool(one == other)
    except Exception:
        return False


def copied(value: Any, memo: dict[int, Any]) -> Any:
    """A deep copy for a copy of what has it, or the value itself where Python cannot copy it.

    A lock, a generator or a connection is shared by all copies; they stand for one thing in the world.
    """
    try:
        return deepcopy(value, memo)
    except Exception:
        return value


class Value:
    """An immutable object. Its ``__init__`` sets its parts, once, with `_made_of`."""

    def _made_of(self, **parts: Any) -> None:
        self.__dict__.update(parts)

    def but(self, **parts: Any) -> Self:
        """A copy with other `parts`, which are not checked."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__, **parts)
        return other

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self!r} cannot be changed: make another")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self!r} cannot be changed: make another")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, others = self.__dict__, other.__dict__
        return mine.keys() == others.keys() and all(alike(mine[name], others[name]) for name in mine)

    def __hash__(self) -> int:
        return hash((type(self), frozenset([(name, hashed(value)) for name, value in self.__dict__.items()])))

    def __repr__(self) -> str:
        parts = ", ".join([f"{name}={shown(value, _WIDE)}" for name, value in self.__dict__.items()])
        return f"{type(self).__name__}({parts})"


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record(Value):
    """A value whose parts and defaults are the annotations of its class; all are keyword arguments.

    It is no dataclass and no ``NamedTuple``, because defining one takes a millisecond at each import.
    """

    def __init__(self, **parts: Any) -> None:
        kind, made = type(self), self.__dict__
        made.update(parts)
        names = kind.__annotations__
        if made.keys() != names.keys():
            missing = [name for name in names if name not in made]
            made.update({name: getattr(kind, name) for name in missing if hasattr(kind, name)})
            if wrong := ", ".join(sorted(made.keys() ^ names.keys())):
                raise TypeError(f"{kind.__name__} is made of {', '.join(names)}; unknown or missing: {wrong}")
