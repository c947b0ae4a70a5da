"""Calls of what users call: wrong arguments are answered in one way, whatever was called.

Python's own words name functions that users do not know (``Lossy.__init__()``), and never say which arguments
there are. Only a caller can catch them, so each public function is called by one that does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any, Final, TypeVar

__all__ = ["Quick", "answering"]

F = TypeVar("F", bound=Callable[..., Any])

_MISSING: Final = object()
_WORDS: Final = "streamkit._core.miscalls"


class Quick:
    """What is known of a function of ours that users call, so that a call takes less time."""

    plain: Callable[[Any], Any] | None = None
    """Called with a plain function, where that is all that is given."""
    body: CodeType | None = None
    """Its own code, where no call reaches that but through what answers it."""


def answering(function: F, quick: Quick = Quick()) -> F:  # noqa: B008 - it is read only
    """`function` for users: a call with arguments that it does not take is answered with those that it does.

    >>> from streamkit import ops
    >>> ops.take(3, start=1)
    Traceback (most recent call last):
    TypeError: ops.take(count) takes no start
    """
    # `call` gets other globals than these
    load, words, missing, kind = import_module, _WORDS, _MISSING, FunctionType

    def call(first: Any = missing, /, *others: Any, **named: Any) -> Any:
        try:
            if others or named:
                return function(*(() if first is missing else (first, *others)), **named)
            if first is missing:
                return function()
            if type(first) is kind and (plain := quick.plain) is not None:
                return plain(first)
            return function(first)  # most calls have one argument, and take half as long so
        except TypeError as error:
            trace = error.__traceback__
            if trace is None or trace.tb_next is not None:
                raise  # it came from inside
        # loaded here, because a program without mistakes has no use for it
        raise TypeError(load(words).miscalled(function, () if first is missing else (first, *others), named))

    # with the globals of `function`, it belongs to the same module for all who ask, as `doctest` does
    plain: Any = function
    made: Any = FunctionType(
        call.__code__, plain.__globals__, plain.__name__, call.__defaults__, call.__closure__
    )
    update_wrapper(made, function)
    answers: F = made
    return answers
