"""What a callback returned: a value, or something to await."""

from __future__ import annotations

import asyncio
from asyncio import wrap_future
from collections.abc import Coroutine, Generator
from concurrent.futures import Future
from inspect import CO_ITERABLE_COROUTINE
from types import GeneratorType, NoneType
from typing import Any

from streamkit._core.arguments import awaitable

__all__ = ["PLAIN", "Settling", "awaits", "is_awaitable", "kind_of", "let_go", "pending"]

PLAIN = frozenset((NoneType, bool, int, float, str, bytes, list, tuple, dict, set))
"""Types of values that are not awaitable: those that callbacks return most."""


def is_awaitable(value: Any) -> bool:
    """Whether `value` must be awaited: by ``await``, or, for a future of an executor, through `pending`."""
    return type(value) not in PLAIN and (awaitable(value) or isinstance(value, Future))


def awaits(value: Any, plain: set[type]) -> bool:
    """`is_awaitable`, for a value whose type is not in `plain`; there goes a type whose values are not."""
    return kind_of(value, plain) is None


def kind_of(value: Any, plain: set[type]) -> Any:
    """None if `value` must be awaited; else its type, or True, where others of that type must be."""
    kind: type = type(value)  # pyright: ignore[reportUnknownVariableType] - a type of anything
    if kind in plain:
        return kind
    if kind is GeneratorType:  # its function says whether it is one of `types.coroutine`
        return None if value.gi_code.co_flags & CO_ITERABLE_COROUTINE else True
    if is_awaitable(value):
        return None
    plain.add(kind)
    return kind


def pending(value: Any) -> Any:
    """`value`, which `is_awaitable`, as something that ``await`` takes; in a task."""
    if isinstance(value, Future):
        future: Future[Any] = value  # pyright: ignore[reportUnknownVariableType] - of any result
        return wrap_future(future)
    return value


def let_go(waiting: Any) -> None:
    """Cancel or close `waiting`, which a callback returned and nobody will await."""
    if isinstance(waiting, asyncio.Future):
        waiting.cancel()
    elif isinstance(waiting, Coroutine):
        waiting.close()


class Settling(Coroutine[Any, Any, Any]):
    """`steps`, a coroutine of ours that awaits `made`, which a callback returned.

    A coroutine that is closed before it has begun only drops what it was called with, and Python warns of a
    coroutine among that. So `close` of this one lets go of `made`, too.
    """

    __slots__ = ("_made", "_steps")

    def __init__(self, steps: Coroutine[Any, Any, Any], made: Any) -> None:
        self._steps = steps
        self._made = made

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._steps.__await__()

    def send(self, value: Any) -> Any:
        return self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        return self._steps.throw(*error)

    def close(self) -> None:
        self._steps.close()
        let_go(self._made)
