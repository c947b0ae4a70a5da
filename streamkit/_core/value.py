"""Values: objects that cannot be changed, and equal others that are made of the same."""

from __future__ import annotations

from typing import Any, Self, dataclass_transform

__all__ = ["Record", "Value"]


class Value:
    """An immutable object; what it is made of is set once, by `_made_of` in its ``__init__``."""

    def _made_of(self, **parts: Any) -> None:
        self.__dict__.update(parts)

    def but(self, **parts: Any) -> Self:
        """The same with other `parts`, which are not checked."""
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
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), frozenset(self.__dict__.items())))

    def __repr__(self) -> str:
        shown = ", ".join([f"{name}={value!r}" for name, value in self.__dict__.items()])
        return f"{type(self).__name__}({shown})"


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record(Value):
    """A value made of what is annotated in its class, where defaults stand too; all by keyword.

    A dataclass or a ``NamedTuple`` would do the same, but takes a millisecond to define, at each import.
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
