"""The catalogue: what is known of every operator, in one place.

A declaration is written once, by the decorators `step` and `stage`, beside the function that users call.
Tests, docs and `explain` walk the catalogue; nothing else keeps a list of operators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from inspect import isasyncgenfunction
from typing import Any

from streamkit._core.contract import Contract

__all__ = ["Declaration", "Pieces", "catalogue", "declared", "register"]


@dataclass(frozen=True)
class Pieces:
    """A step as text: what it does at the start, with each item, at the end, and (a sink) what it returns."""

    setup: str = ""
    each: str = ""
    finish: str = ""
    result: str = ""


@dataclass(frozen=True, eq=False)
class Declaration:
    """One form of one operator: how it runs, and what it promises. Compared by identity."""

    name: str
    function: Callable[..., Any]
    """The function that users call; its globals are what the pieces may name."""
    contract: Contract
    pieces: Pieces | None = None
    """How it runs, if it is a step."""
    stage: Callable[..., Any] | None = None
    """How it runs, if it is a stage."""
    sink: bool = False
    pumps: bool = False
    """Whether the stage reads what is before it in a task of its own."""
    buffers: bool = False
    """Whether the stage is nothing but a buffer, whose ``strategy`` the stage after it can take over."""
    forks: bool = False
    """Whether the step hands each item to each of its ``branches``, which are spliced with it."""
    groups: bool = False
    """Whether the step runs its ``pipe``, which is spliced with it, with a state of its own for each key."""
    direct: bool = False
    """Whether the tasks of the stage may run its reader's loop, while that waits, to deliver an item."""
    parameters: tuple[str, ...] = ()
    variable: tuple[str, ...] = ()
    """Parameters whose values decide how the step is compiled: `callbacks` and `optional`."""
    callbacks: frozenset[str] = field(default_factory=frozenset[str])
    """Parameters that the pieces call, and whose awaitable results are therefore awaited."""
    optional: frozenset[str] = field(default_factory=frozenset[str])
    """Parameters that the pieces compare with ABSENT; each presence is compiled apart."""

    @property
    def generates(self) -> bool:
        """Whether the stage is an async generator, and no channel that is read directly."""
        return isasyncgenfunction(self.stage)

    def __repr__(self) -> str:
        return f"<{'stage' if self.stage else 'step'} {self.name}>"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return _recall, (self.function.__module__, self.function.__qualname__)


_declarations: dict[tuple[str, str], Declaration] = {}


def register(declaration: Declaration) -> None:
    """Enter `declaration`, and hang it on its function; a module that is loaded anew replaces its own."""
    function = declaration.function
    _declarations[function.__module__, function.__qualname__] = declaration
    function.__streamkit__ = declaration  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


def catalogue() -> Iterator[Declaration]:
    """Every operator and sink declared so far, in order of declaration."""
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
