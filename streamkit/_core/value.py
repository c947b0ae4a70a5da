"""Values: objects that cannot be changed, and equal others that are made of the same."""

from __future__ import annotations

from typing import Any

__all__ = ["Value"]


class Value:
    """An immutable object; what it is made of is set once, by `_made_of` in its ``__init__``.

    A dataclass would do the same, but takes a millisecond to define: half of the time of importing streamkit.
    """

    def _made_of(self, **parts: Any) -> None:
        self.__dict__.update(parts)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self!r} cannot be changed: make another")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self!r} cannot be changed: make another")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        shown = ", ".join([f"{name}={value!r}" for name, value in self.__dict__.items()])
        return f"{type(self).__name__}({shown})"
