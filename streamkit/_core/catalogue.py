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

__all__ = ["Declaration", "catalogue", "declared", "parameters_of", "register"]


class Declaration:
    """One form of one operator: what it promises. Compared by identity.

    How it runs is for its two kinds to say: a step has pieces of one loop, a stage a function of its own.
    """

    stage: Callable[..., Any] | None = None
    """How it runs, if it is a stage."""
    pumps: bool = False
    """Whether the stage reads what is before it in a task of its own."""
    buffers: bool = False
    """Whether the stage is nothing but a buffer, whose ``strategy`` the stage after it can take over."""
    forks: bool = False
    """Whether the step hands each item to each of its ``branches``, which are spliced with it."""
    groups: bool = False
    """Whether the step runs its ``pipe``, spliced with it, with a state of its own for each key."""
    generates: bool = False
    """Whether the stage is an async generator, and no channel that is read directly."""
    direct: bool = False
    """Whether the tasks of the stage may run its reader's loop, while that waits, to deliver an item."""

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
        """The function that users call; its globals are what the pieces of a step may name."""
        self.contract = contract
        self.parameters = parameters
        self.sink = sink

    @cached_property
    def callbacks(self) -> frozenset[str]:
        """Parameters that the pieces of a step call, and whose awaitable results are therefore awaited."""
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
    """Enter `declaration`, and hang it on its function; a module that is loaded anew replaces its own."""
    function = declaration.function
    _declarations[function.__module__, function.__qualname__] = declaration
    function.__streamkit__ = declaration  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


def catalogue() -> Iterator[Declaration]:
    """Every operator and sink: all of the library, and those of others that were declared so far."""
    load()
    return iter(tuple(_declarations.values()))


def declared(function: Callable[..., Any]) -> Declaration:
    """The declaration that a decorator put on `function`."""
    try:
        declaration: Declaration = function.__streamkit__  # type: ignore[attr-defined]  # pyright: ignore
    except AttributeError:
        raise TypeError(f"{function!r} is no operator: decorate it with step(...) or stage(...)") from None
    return declaration


def _recall(module: str, name: str) -> Declaration:
    __import__(module)
    try:
        return _declarations[module, name]
    except KeyError:
        raise LookupError(f"module {module} declares no operator named {name}") from None
