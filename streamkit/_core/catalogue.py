"""The catalogue: what is known of every operator, in one place.

A declaration is written once, by the decorators `step` and `stage`, beside the function that users call.
Tests, docs and `explain` walk the catalogue; nothing else keeps a list of operators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from inspect import isasyncgenfunction
from typing import Any

from streamkit._core.contract import Contract
from streamkit._core.lazy import load
from streamkit._core.value import Record

__all__ = ["Declaration", "Pieces", "Reading", "catalogue", "declared", "register"]


class Pieces(Record):
    """A step as text: what it does at the start, with each item, at the end, and (a sink) what it returns."""

    setup: str = ""
    each: str = ""
    finish: str = ""
    result: str = ""


class Reading(Record):
    """What the pieces of a step make of its parameters."""

    callbacks: frozenset[str] = frozenset()
    """Those that they call, and whose awaitable results are therefore awaited."""
    optional: frozenset[str] = frozenset()
    """Those that they compare with ABSENT; each presence is compiled apart."""


class Declaration:
    """One form of one operator: how it runs, and what it promises. Compared by identity."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        contract: Contract,
        *,
        pieces: Pieces | None = None,
        stage: Callable[..., Any] | None = None,
        new_run: Any = None,
        sink: bool = False,
        pumps: bool = False,
        buffers: bool = False,
        forks: bool = False,
        groups: bool = False,
        direct: bool = False,
        parameters: tuple[str, ...] = (),
        read: Callable[[], Reading] = Reading,
    ) -> None:
        self.name = name
        self.function = function
        """The function that users call; its globals are what the pieces may name."""
        self.contract = contract
        self.pieces = pieces
        """How it runs, if it is a step."""
        self.stage = stage
        """How it runs, if it is a stage."""
        self.new_run = new_run
        """If it is a stage, makes what that is handed, of the link and the book that it is entered in."""
        self.sink = sink
        self.pumps = pumps
        """Whether the stage reads what is before it in a task of its own."""
        self.buffers = buffers
        """Whether the stage is nothing but a buffer, whose ``strategy`` the stage after it can take over."""
        self.forks = forks
        """Whether the step hands each item to each of its ``branches``, which are spliced with it."""
        self.groups = groups
        """Whether the step runs its ``pipe``, spliced with it, with a state of its own for each key."""
        self.direct = direct
        """Whether the tasks of the stage may run its reader's loop, while that waits, to deliver an item."""
        self.parameters = parameters
        self.generates = isasyncgenfunction(stage)
        """Whether the stage is an async generator, and no channel that is read directly."""
        self._read = read

    @cached_property
    def reading(self) -> Reading:
        """What the pieces make of the parameters, worked out when it is first asked for."""
        return self._read()

    @cached_property
    def callbacks(self) -> frozenset[str]:
        """Parameters that the pieces call."""
        return self.reading.callbacks

    @cached_property
    def variable(self) -> tuple[str, ...]:
        """Parameters whose values decide how the step is compiled."""
        decisive = self.reading.callbacks | self.reading.optional
        return tuple([name for name in self.parameters if name in decisive])

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
