"""Checks of the arguments of `check_operator`, `check_sink` and `check_source`, at the call.

What is wrong with them would else be told as a law that the operator breaks, or by a line in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from streamkit._core.arguments import Composed
from streamkit._core.show import named, shown

__all__ = ["calls", "error_class", "functions", "iterable"]


def iterable(name: str, value: Any) -> Iterable[Any]:
    """`value`, if it can be gone through."""
    try:
        iter(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an iterable, such as a list or a string, not {shown(value)}"
        ) from None
    found: Iterable[Any] = value
    return found


def functions(callbacks: Any) -> Sequence[Callable[..., Any]]:
    """The functions that an operator is to be called with."""
    if callable(callbacks):
        raise TypeError(
            f"callbacks must be a list of functions, not one: write callbacks=[{named(callbacks)}]"
        )
    found = (*iterable("callbacks", callbacks),)
    for function in found:
        if not callable(function):
            raise TypeError(f"callbacks must be callables, not {shown(function)}")
    return found


def calls(refuses: Any) -> Mapping[str, Callable[[], object]]:
    """The names of arguments, each with a call that must raise."""
    found: Mapping[Any, Any] = {} if refuses is None else refuses
    if not isinstance(found, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(
            'refuses must be a dict of names and calls, as in {"count": lambda: take(-1)}, '
            f"not {shown(refuses)}"
        )
    for name, call in found.items():
        if not isinstance(name, str):
            raise TypeError(f"refuses must have names of arguments as keys, not {shown(name)}")
        if not callable(call) or isinstance(call, Composed):  # a call of that would raise for another reason
            raise TypeError(
                f"refuses must have a call without arguments for {name!r}, as in lambda: take(-1), "
                f"not {shown(call)}"
            )
    return found


def error_class(name: str, value: type[Exception]) -> None:
    """Refuse what is no class of exceptions."""
    kind: Any = value
    if not isinstance(kind, type) or not issubclass(kind, Exception):
        raise TypeError(f"{name} must be a class of exceptions, such as ValueError, not {shown(value)}")
