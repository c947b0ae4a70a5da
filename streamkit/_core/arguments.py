"""Checks of arguments. Each error names the argument, the value and what is allowed."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Callable, Iterable
from inspect import isawaitable, iscoroutinefunction
from typing import Any

__all__ = ["Composed", "callback", "discard", "flag", "number", "seconds", "whole"]


class Composed:
    """What operators are: their base, by which a check can tell them from other callables."""

    __slots__ = ()


def whole(name: str, value: int, *, least: int | None = None) -> int:
    """Return `value` if it is a whole number (of at least `least`)."""
    allowed = "a whole number" if least is None else f"a whole number of at least {least}"
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{name} must be {allowed}, not {value!r}")
    number = value.__index__()
    if least is not None and number < least:
        raise ValueError(f"{name} must be {allowed}, not {value!r}")
    return number


def seconds(name: str, value: object, *, positive: bool = True) -> float:
    """Return `value` as a finite float above 0; 0 is allowed if not `positive`."""
    allowed = f"a finite number of seconds {'above' if positive else 'of at least'} 0"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {allowed}, not {value!r}")
    if not math.isfinite(value) or value < 0 or (positive and value == 0):
        raise ValueError(f"{name} must be {allowed}, not {value!r}")
    return float(value)


def number(name: str, value: object, *, least: float | None = None, above: float | None = None) -> float:
    """Return `value` as a finite float, of at least `least`, or above `above`."""
    allowed = "a finite number" + (f" of at least {least}" if least is not None else "")
    allowed += f" above {above}" if above is not None else ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {allowed}, not {value!r}")
    if (
        not math.isfinite(value)
        or (least is not None and value < least)
        or (above is not None and value <= above)
    ):
        raise ValueError(f"{name} must be {allowed}, not {value!r}")
    return float(value)


def flag(name: str, value: bool) -> bool:
    """Return `value` if it is True or False."""
    if value is True or value is False:
        return value
    raise TypeError(f"{name} must be True or False, not {value!r}")


def discard(value: object) -> None:
    """Close an awaitable that nobody will await, so that Python does not warn of it beside our error."""
    close = getattr(value, "close", None)
    if isawaitable(value) and close is not None:
        close()


def callback(name: str, value: Callable[..., Any], *, waits: bool = True) -> Callable[..., Any]:
    """Return `value` if it is callable; unless `waits`, it may be no coroutine function."""
    if isinstance(value, Composed):
        raise TypeError(f"{name} must be a callable, not the operator {value!r}")
    if callable(value):
        if not waits and iscoroutinefunction(value):
            raise TypeError(f"{name} must be a plain function, not the coroutine function {value!r}")
        return value
    if isawaitable(value):
        discard(value)
        raise TypeError(
            f"{name} must be a callable, not the awaitable {value!r}: pass the function without calling it"
        )
    hint = (
        "; to read items from it, use it as a source" if isinstance(value, (Iterable, AsyncIterable)) else ""
    )
    raise TypeError(f"{name} must be a callable, not {value!r}{hint}")
