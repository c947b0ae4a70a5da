"""Methods: every operator and sink of the library is a method of `Stream` too.

``stream.map(f)`` is ``stream | ops.map(f)``. What type checkers and editors read of them is `methods.pyi`,
which `pages/methods.py` writes from the operators. At run time they are made of the names that
``streamkit.ops`` lists, each when it is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, TypeVar

from streamkit._core.lazy import from_door, listed

__all__ = ["Methods"]

T_co = TypeVar("T_co", covariant=True)
_OPS = "streamkit.ops"


class Methods(Generic[T_co]):
    """What streams inherit the methods from."""

    __slots__ = ()


class _Method:
    """An operator that was not used as a method yet."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, stream: Any, owner: type) -> Any:
        method: Any = _made(from_door(_OPS, self._name))
        setattr(Methods, self._name, method)
        return method.__get__(stream, owner)


def _made(operator: Callable[..., Any]) -> Any:
    def method(self: Any, /, *arguments: Any, **named: Any) -> Any:
        return self | operator(*arguments, **named)

    update_wrapper(method, operator)
    method.__qualname__ = f"Stream.{operator.__name__}"
    return method


for _name in listed(_OPS):
    setattr(Methods, _name, _Method(_name))
