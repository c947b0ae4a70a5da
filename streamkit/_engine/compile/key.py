"""Shapes: what decides the code of a loop, and is looked up to find it compiled already.

A shape is a `Kind` of source, a `StepKey` of each step, and an `End`. `mode_of` says what a step key must
know of a callback, and `nested_mode` of one that makes a stream of each item.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from enum import StrEnum
from types import CodeType, FunctionType, MethodType
from typing import Any

from streamkit._core.arguments import makes_coroutine
from streamkit._core.catalogue import Declaration
from streamkit._core.guarded import Guarded
from streamkit._core.markers import ABSENT
from streamkit._engine.compile.callables import computes, operates

__all__ = ["End", "Kind", "Mode", "Pairs", "StepKey", "key_of", "mode_of", "nested_mode"]

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
    SHED = "shed"
    """Into one that loses items while it is full, and tells nobody: a coroutine."""
    LATEST = "latest"
    """Into one that keeps the latest item only: a coroutine."""
    STAMP = "stamp"
    """As LATEST, into one that notes when that came: a coroutine."""
    FOLD = "fold"
    """Into one that folds items while it is full: a coroutine."""
    DRIVE = "drive"
    """Into a driven lane, where the pump parks when it is full: a coroutine."""
    HAND = "hand"
    """To a reader, when it asks: into its own loop, where it lets others run that: a coroutine."""
    STAGE = "stage"
    """To the stage, or the cut-off rest of the segment, that reads them: an async generator."""
    RELAY = "relay"
    """As STAGE, where a pump reads on behind that stage: it may throw a cancellation in, for the source."""
    USER = "user"
    """To the user's ``async for``: an async generator that yields once before it begins."""
    PLAIN = "plain"
    """To a plain ``for``: a generator."""


class Pairs(StrEnum):
    """Whether a loop has to do with pairs of a delivery and an item. Most have not: that is None."""

    TAKES = "takes"
    """It reads such pairs, and gives such, unless a sink or a user takes what comes out of it."""
    GIVES = "gives"
    """It reads items, and gives pairs of those and of one delivery that its pace has."""


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
    STREAMS = "g"
    """An async generator function."""
    ANY = "n"
    """Any other callable that makes a stream of each item."""
    ABSENT = "x"
    """Not given: `ABSENT`."""


class StepKey:
    """What decides the code of one step: its declaration and the modes of its arguments.

    `key_of` makes each once. So they are compared by identity, and a shape that was seen is found at once.
    """

    __slots__ = ("branches", "declaration", "drops", "modes", "templates")

    def __init__(
        self,
        declaration: Declaration,
        modes: tuple[Mode | None, ...],
        branches: tuple[tuple[StepKey, ...], ...],
        drops: tuple[str, ...],
    ) -> None:
        self.declaration: Declaration = declaration
        self.modes: dict[str, Mode] = {
            name: mode for name, mode in zip(declaration.variable, modes, strict=True) if mode is not None
        }
        self.branches: tuple[tuple[StepKey, ...], ...] = branches
        """The steps of each branch, if the step forks; of the one pipe that each group runs, if it groups."""
        self.drops: tuple[str, ...] = drops
        """The callbacks that may return DROPPED: the rest of ``each`` is left out then."""
        self.templates: dict[Any, Any] = {}
        """What parts of the pieces become in loops (`names.Names.ready`)."""


def key_of(
    declaration: Declaration, arguments: Mapping[str, Any], branches: tuple[tuple[StepKey, ...], ...] = ()
) -> StepKey:
    """The key of a step with these `arguments`, and with the steps of these `branches` inside.

    Raises:
        TypeError: a callback may drop the item where there is none.
    """
    variable, code = declaration.variable, None
    if len(variable) == 1:
        value = arguments[variable[0]]
        if type(value) is FunctionType:  # of most steps it decides alone, as what it is, not as its mode
            code = value.__code__
            seen: tuple[CodeType, StepKey] | None = declaration.seen.codes.get(id(code))
            if seen is not None and not branches:
                return seen[1]
    modes: tuple[Mode | None, ...] = ()
    drops: tuple[str, ...] = ()
    for name in variable:
        value = arguments[name]
        if value is ABSENT:
            modes += (Mode.ABSENT,)
        elif name in declaration.callbacks:
            modes += (mode_of(value),)
            if isinstance(value, Guarded) and value.drops:
                drops += (name,)
        elif name == declaration.nests:
            modes += (nested_mode(value),)
        else:
            modes += (None,)
    parts = (modes, branches, drops) if branches or drops else modes
    found = declaration.seen.keys.get(parts)
    key: StepKey = _new(declaration, modes, branches, drops, parts) if found is None else found
    if code is not None and not branches:
        if len(declaration.seen.codes) >= _KEYS:
            declaration.seen.codes.clear()
        declaration.seen.codes[id(code)] = code, key
    return key


def _new(
    declaration: Declaration,
    modes: tuple[Mode | None, ...],
    branches: tuple[tuple[StepKey, ...], ...],
    drops: tuple[str, ...],
    parts: tuple[Any, ...],
) -> StepKey:
    """A key that is made of `parts`, and kept."""
    if late := declaration.late.intersection(drops):
        raise TypeError(
            f"{min(late)} of {declaration.name} is called where there is no item that could be dropped"
        )
    if (
        len(declaration.seen.keys) >= _KEYS
    ):  # of ever other branches: the loops of those that go are compiled anew
        declaration.seen.keys.clear()
    key: StepKey = declaration.seen.keys.setdefault(parts, StepKey(declaration, modes, branches, drops))
    if not parts:  # one with branches has them among its parts
        declaration.seen.only = key
    return key


_KEYS = 256
"""How many keys of one step are kept, and how many functions whose key is known."""


def mode_of(value: Any) -> Mode:
    """What is known, before the run, of what a callable returns."""
    if type(value) is FunctionType:
        return _mode_of_code(value.__code__)
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


@functools.lru_cache(maxsize=1024)
def _mode_of_code(code: CodeType) -> Mode:
    if code.co_flags & _COROUTINE:
        return Mode.ASYNC
    return Mode.UNKNOWN if operates(code) else Mode.MIXED


def nested_mode(value: Any) -> Mode:
    """What is known, before the run, of the streams that a callable makes."""
    known = type(value) is FunctionType and bool(value.__code__.co_flags & inspect.CO_ASYNC_GENERATOR)
    return Mode.STREAMS if known else Mode.ANY
