"""Checks of arguments. Each error names the argument, the value and what is allowed."""

from __future__ import annotations

import math
import operator
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from datetime import datetime
from inspect import isawaitable, iscoroutinefunction
from typing import Any, SupportsFloat, SupportsIndex, TypeVar, cast

from streamkit._core.show import shown

__all__ = [
    "Composed",
    "Unawaited",
    "at_once",
    "awaitable",
    "callback",
    "date",
    "discard",
    "flag",
    "is_said",
    "iterable",
    "makes_coroutine",
    "mapping",
    "number",
    "seconds",
    "whole",
]


T = TypeVar("T")
K = TypeVar("K")


class Composed:
    """What operators are: their base, by which a check can tell them from other callables."""

    __slots__ = ()

    @property
    def links(self) -> tuple[Any, ...]:
        """The operators in it, in order."""
        raise NotImplementedError  # pragma: no cover - every kind of operator has its own


class Unawaited:
    """What has an ``__await__`` only to say that it cannot be awaited."""

    __slots__ = ()


def awaitable(value: object) -> bool:
    """Whether `value` can be awaited; a stream only says what to write instead."""
    return isawaitable(value) and not isinstance(value, Unawaited)


def is_said(question: Callable[[Any], bool], value: object) -> bool:
    """What `question` says of `value`; no, if it raises what a ``__getattr__`` of the value does."""
    try:
        return question(value)
    except Exception:
        return False


def makes_coroutine(value: object) -> bool:
    """Whether `value` is a coroutine function, or an object that can be called like one."""
    return is_said(iscoroutinefunction, value) or iscoroutinefunction(getattr(type(value), "__call__", None))  # noqa: B004


def whole(name: str, value: SupportsIndex, *, least: int | None = None, most: int | None = None) -> int:
    """Return `value` as an int, if it is a whole number (of at least `least`, and at most `most`)."""
    if type(value) is int and (least is None or value >= least) and (most is None or value <= most):
        return value
    allowed = "a whole number" if least is None else f"a whole number of at least {least}"
    allowed += "" if most is None else f", and at most {most}"
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}")
    try:
        found = operator.index(value)
    except Exception as error:  # of its `__index__`, as an array of several numbers has one
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}") from error
    if (least is not None and found < least) or (most is not None and found > most):
        raise ValueError(f"{name} must be {allowed}, not {shown(value)}")
    return found


def seconds(name: str, value: object, *, positive: bool = True) -> float:
    """Return `value` as a finite float above 0; 0 is allowed if not `positive`."""
    allowed = f"a finite number of seconds {'above' if positive else 'of at least'} 0"
    found = _finite(name, value, allowed)
    if found < 0 or (positive and found == 0):
        raise ValueError(f"{name} must be {allowed}, not {shown(value)}")
    return found


def date(name: str, value: object) -> datetime:
    """Return `value` as a date that has a time zone."""
    if not isinstance(value, datetime):
        raise TypeError(f"{name} must be a datetime with a time zone, not {shown(value)}")
    if value.utcoffset() is None:
        raise ValueError(
            f"{name} must have a time zone, as datetime(2026, 1, 1, tzinfo=UTC) has, not {shown(value)}"
        )
    return value


def number(name: str, value: object, *, least: float | None = None, above: float | None = None) -> float:
    """Return `value` as a finite float, of at least `least`, or above `above`."""
    allowed = "a finite number" + (f" of at least {least}" if least is not None else "")
    allowed += f" above {above}" if above is not None else ""
    found = _finite(name, value, allowed)
    if (least is not None and found < least) or (above is not None and found <= above):
        raise ValueError(f"{name} must be {allowed}, not {shown(value)}")
    return found


def _finite(name: str, value: object, allowed: str) -> float:
    """`value` as a finite float, if it is one number: of Python, or of a library that has its own."""
    kind = type(value)
    numeric = hasattr(kind, "__float__") or hasattr(kind, "__index__")
    if isinstance(value, bool) or not numeric or hasattr(kind, "__len__"):
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}")
    try:
        found = float(cast("SupportsFloat | SupportsIndex", value))
    except OverflowError as error:
        raise ValueError(f"{name} must be {allowed}, not {shown(value)}") from error
    except Exception as error:  # of its `__float__`
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}") from error
    if not math.isfinite(found):
        raise ValueError(f"{name} must be {allowed}, not {shown(value)}")
    return found


def flag(name: str, value: bool) -> bool:
    """Return `value` if it is True or False."""
    if value is True or value is False:
        return value
    raise TypeError(f"{name} must be True or False, not {shown(value)}")


def iterable(name: str, value: Iterable[T]) -> Iterable[T]:
    """Return `value` if a plain ``for`` can go through it."""
    try:
        iter(value)
    except Exception as error:  # of its `__iter__`, too
        raise TypeError(f"{name} must be an iterable, not {shown(value)}") from error
    return value


def mapping(name: str, value: Mapping[K, T]) -> Mapping[K, T]:
    """Return `value` if it is a mapping, such as a dict."""
    if isinstance(value, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        return value
    raise TypeError(f"{name} must be a mapping, such as a dict, not {shown(value)}")


def discard(value: object) -> None:
    """Close an awaitable that nobody will await, so that Python does not warn of it beside our error."""
    close = getattr(value, "close", None)
    if awaitable(value) and close is not None:
        close()


def at_once(name: str, result: Any) -> Any:
    """Return `result` of a callback; an awaitable is an error, because a buffer cannot wait."""
    if awaitable(result):
        discard(result)
        raise TypeError(f"{name} must return at once, not the awaitable {shown(result)}")
    return result


def callback(name: str, value: Callable[..., Any], *, waits: bool = True) -> Callable[..., Any]:
    """Return `value` if it is callable; unless `waits`, it may be no coroutine function."""
    if isinstance(value, Composed):
        raise TypeError(f"{name} must be a callable, not the operator {shown(value)}")
    if callable(value):
        if not waits and makes_coroutine(value):
            raise TypeError(f"{name} must be a plain function, not the coroutine function {shown(value)}")
        return value
    if awaitable(value):
        discard(value)
        raise TypeError(
            f"{name} must be a callable, not the awaitable {shown(value)}: "
            "pass the function without calling it"
        )
    hint = (
        "; to read items from it, use it as a source" if isinstance(value, (Iterable, AsyncIterable)) else ""
    )
    raise TypeError(f"{name} must be a callable, not {shown(value)}{hint}")
