"""The catalogue: what is known of every operator, in one place.

A declaration is written once, by the decorators `step` and `stage`, beside the function that users call.
Tests, docs and `explain` walk the catalogue; nothing else keeps a list of operators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from inspect import CO_VARARGS
from typing import Any

from streamkit._core.contract import Contract
from streamkit._core.lazy import load
from streamkit._core.show import shown

__all__ = ["Declaration", "advice", "advise", "catalogue", "declared", "parameters_of", "register"]


class Declaration:
    """One form of one operator, and what it promises. Declarations are compared by identity.

    The two kinds of declaration add how the form runs: a step has pieces of a loop, a stage has a function.
    """

    stage: Callable[..., Any] | None = None
    """The function that runs it; None for a step."""
    pumps: bool = False
    """Whether the stage reads its source in a task of its own."""
    buffers: bool = False
    """Whether the stage is only a buffer. The stage after it can then take over its ``strategy``."""
    forks: bool = False
    """Whether the step hands each item to all of its ``branches``, which are spliced into the same loop."""
    groups: bool = False
    """Whether the step splices its ``pipe`` into the same loop, with a state for each key."""
    generates: bool = False
    """Whether the stage is an async generator. Otherwise it is a channel, which is read directly."""
    direct: bool = False
    """Whether a task of the stage may run the reader's loop to deliver an item, while the reader waits."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        contract: Contract,
        *,
        parameters: tuple[str, ...] = (),
        sink: bool = False,
    ) -> None:
        self.name = name
        self.function = function
        """The function that users call. The pieces of a step may use the global names of its module."""
        self.contract = contract
        self.parameters = parameters
        self.sink = sink

    @cached_property
    def callbacks(self) -> frozenset[str]:
        """Parameters that the pieces of a step call. Their results are awaited if they are awaitable."""
        return frozenset()

    @cached_property
    def variable(self) -> tuple[str, ...]:
        """Parameters whose values decide how a step is compiled."""
        return ()

    def __repr__(self) -> str:
        return f"<{'stage' if self.stage else 'step'} {self.name}>"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return _recall, (self.function.__module__, self.function.__qualname__)


def parameters_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters of a function; `inspect.signature` takes a hundred times as long."""
    code = function.__code__
    named = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & CO_VARARGS)
    return code.co_varnames[:named]


_declarations: dict[tuple[str, str], Declaration] = {}


def register(declaration: Declaration) -> None:
    """Enter `declaration`, and set it on its function. A reloaded module replaces its own."""
    function = declaration.function
    _declarations[function.__module__, function.__qualname__] = declaration
    function.__streamkit__ = declaration  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


def catalogue() -> Iterator[Declaration]:
    """Every operator and sink of the library, and those that users have declared so far."""
    load()
    return iter(tuple(_declarations.values()))


_advice: dict[Declaration, Callable[[Exception], str]] = {}


def advise(function: Callable[..., Any], words: Callable[[Exception], str]) -> None:
    """Have errors of this operator note what to write instead, where a usual mistake has made them.

    `words` says it of an error, and nothing of those that have another cause.
    """
    _advice[declared(function)] = words


def advice(declaration: Declaration, error: Exception) -> str:
    """What to write instead, for an error of this operator; nothing, if that is not known."""
    words = _advice.get(declaration)
    return "" if words is None else words(error)


def declared(function: Callable[..., Any]) -> Declaration:
    """The declaration that a decorator put on `function`."""
    try:
        declaration: Declaration = function.__streamkit__  # type: ignore[attr-defined]  # pyright: ignore
    except AttributeError:
        raise TypeError(
            f"{shown(function)} is no operator: decorate it with step(...) or stage(...)"
        ) from None
    return declaration


def _recall(module: str, name: str) -> Declaration:
    __import__(module)
    try:
        return _declarations[module, name]
    except KeyError:
        raise LookupError(f"module {module} declares no operator named {name}") from None
