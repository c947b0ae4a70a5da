"""Shapes: what decides the code of a loop, and is looked up to find it compiled already.

A shape is a `Kind` of source, a `StepKey` of each step, and an `End`. `mode_of` says what a step key must
know of a callback.
"""

from __future__ import annotations

import functools
import inspect
from enum import StrEnum
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from streamkit._core.arguments import makes_coroutine
from streamkit._core.catalogue import Declaration
from streamkit._engine.compile.callables import computes, operates

__all__ = ["End", "Kind", "Mode", "StepKey", "mode_of"]

_COROUTINE = inspect.CO_COROUTINE


class Kind(StrEnum):
    """What a loop reads from."""

    SLICE = "slice"
    """A range, list or tuple: taken in slices of its own type, at no cost per item."""
    ITER = "iter"
    """Any other synchronous iterator."""
    ASYNC = "async"
    """An asynchronous iterator."""
    CHANNEL = "channel"
    """A `Channel`: read without a generator in between."""
    PUSH = "push"
    """Nothing. A plain generator: each item is sent into it; it yields what must be awaited. See `Ended`."""
    PULL = "pull"
    """A queue of iterables. A plain generator: it yields what comes of them, and EMPTY when there is none."""


class End(StrEnum):
    """Where a loop's items go."""

    RESULT = "result"
    """Into the sink that is its last step: a coroutine."""
    PUMP = "pump"
    """Into a lane of a channel: a coroutine."""
    FILL = "fill"
    """Into a plain lane, which may be appended to without a call: a coroutine."""
    DRIVE = "drive"
    """Into a driven lane, where the pump parks when it is full: a coroutine."""
    STAGE = "stage"
    """To the stage, or the cut-off rest of the segment, that reads them: an async generator."""
    RELAY = "relay"
    """As STAGE, where a pump reads on behind that stage: it may throw a cancellation in, for the source."""
    USER = "user"
    """To the user's ``async for``: an async generator that yields once before it begins."""
    PLAIN = "plain"
    """To a plain ``for``: a generator."""


class Mode(StrEnum):
    """What is known of one argument before the run: the loop is compiled accordingly."""

    SYNC = "s"
    """A callable that returns no awaitable: a class of objects that are none."""
    ASYNC = "a"
    """A coroutine function."""
    UNKNOWN = "u"
    """A callable whose results are all made in one way: the first tells whether they are awaitables."""
    MIXED = "m"
    """Any other: it may return a value now and an awaitable then, so each result is looked at."""
    ABSENT = "x"
    """Not given: `ABSENT`."""


class StepKey(NamedTuple):
    """What decides the code of one step: its declaration and the modes of its arguments."""

    declaration: Declaration
    modes: tuple[tuple[str, Mode], ...]
    branches: tuple[tuple[StepKey, ...], ...] = ()
    """The steps of each branch, if the step forks; of the one pipe that each group runs, if it groups."""
    drops: tuple[str, ...] = ()
    """The callbacks that may return DROPPED: the rest of ``each`` is left out then."""


def mode_of(value: Any) -> Mode:
    """What is known, before the run, of what a callable returns."""
    if type(value) is FunctionType:
        if value.__code__.co_flags & _COROUTINE:
            return Mode.ASYNC
        return Mode.UNKNOWN if operates(value.__code__) else Mode.MIXED
    if type(value) is MethodType:
        return mode_of(value.__func__)
    if isinstance(value, functools.partial):
        return mode_of(value.func)
    if isinstance(value, type):
        plain = type(value) is type and not hasattr(value, "__await__")
        return Mode.SYNC if plain else Mode.MIXED
    if makes_coroutine(value):
        return Mode.ASYNC
    return Mode.UNKNOWN if computes(value) else Mode.MIXED
