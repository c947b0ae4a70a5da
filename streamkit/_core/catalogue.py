"""The catalogue: what is known of every operator, in one place.

A declaration is written once, by the decorators `step` and `stage`, beside the function that users call.
Tests, docs and `explain` walk the catalogue; nothing else keeps a list of operators.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from inspect import CO_VARARGS
from operator import attrgetter
from os import urandom
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from streamkit._core.calls import Quick
from streamkit._core.contract import Contract
from streamkit._core.lazy import load
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown

__all__ = ["Declaration", "advice", "advise", "catalogue", "declared", "parameters_of", "register"]


class Seen:
    """What was found out about how one operator is made; each that is made later asks for it."""

    __slots__ = ("codes", "forms", "keys", "only")

    def __init__(self) -> None:
        self.only: Any = None
        """Its key, where nothing that it is given decides that."""
        self.forms: set[tuple[str, ...]] = set()
        """The names of arguments that it was made with, and that were checked."""
        self.keys: dict[Any, Any] = {}
        """Its keys in the shapes of loops (`compile.key.key_of`), by what they are made of."""
        self.codes: dict[int, tuple[CodeType, Any]] = {}
        """Of a step with one callback, the code of that and its key, by ``id``: the hash of code is slow."""


class Declaration(Quick):
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
        self.seen: Seen = Seen()
        token = urandom(12)
        _alive[token], _tokens[self] = self, token

    @cached_property
    def fingerprint(self) -> tuple[Any, ...]:
        """What must be the same in the declaration that another process has by this name."""
        return (self.name, self.parameters, self.sink)

    @cached_property
    def needed(self) -> frozenset[str]:
        """The arguments without which it cannot run."""
        return frozenset()  # pragma: no cover - both kinds of declarations have their own

    @cached_property
    def taken(self) -> frozenset[str]:
        """All arguments that it can run with; those of a form that takes any are not known."""
        return frozenset(self.parameters)

    @cached_property
    def generates(self) -> bool:
        """Whether it is a stage that is an async generator. Others are channels, which are read directly."""
        return False  # pragma: no cover - only stages are asked, and they have their own

    @cached_property
    def callbacks(self) -> frozenset[str]:
        """Parameters that the pieces of a step call. Their results are awaited if they are awaitable."""
        return frozenset()

    @property
    def closes(self) -> str:
        """The parameter of a step that is called when what is before it was closed; "" if there is none."""
        return ""  # pragma: no cover - only steps are asked, and they have their own

    @property
    def hands_over(self) -> bool:
        """Whether the stage holds nothing: its reader steps the source, the item before in hand."""
        return self.direct and self.contract.holds == "0"

    @property
    def rescues(self) -> str:
        """The parameter of a step that waits in a way of its own; "" if there is none.

        Its value is told the ``pace`` of the loop, by which it hands a cancellation meanwhile to the source.
        """
        return ""

    @property
    def nests(self) -> str:
        """The parameter of a step that makes a stream of each item, which it goes through; "" if none."""
        return ""

    @property
    def catches(self) -> bool:
        """Whether it is a step that makes something of an error of what is before it."""
        return False  # pragma: no cover - only steps are asked, and they have their own

    @property
    def hears(self) -> bool:
        """Whether such an error is told to the loop that it is a step of, and does not just end it."""
        return self.catches or self.contract.regroups

    @cached_property
    def late(self) -> frozenset[str]:
        """Those of the callbacks that are called where there is no item."""
        return frozenset()

    @cached_property
    def variable(self) -> tuple[str, ...]:
        """Parameters whose values decide how a step is compiled."""
        return ()

    def __repr__(self) -> str:
        return f"<{'stage' if self.stage else 'step'} {self.name}>"

    def __copy__(self) -> Declaration:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Declaration:
        return self

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Where it lives, it is found by its token; in another process by its name, if that is its own."""
        function = self.function
        module, name = function.__module__, function.__qualname__
        found = _declarations.get((module, name)) is self and "<locals>" not in name
        return _recall, (module, name, _tokens[self], self.fingerprint if found else None)


def parameters_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters of a function; `inspect.signature` takes a hundred times as long."""
    code = function.__code__
    named = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & CO_VARARGS)
    return code.co_varnames[:named]


_declarations: dict[tuple[str, str], Declaration] = {}


_alive: WeakValueDictionary[bytes, Declaration] = WeakValueDictionary()
"""Every declaration by its token, which means no other, neither here nor in another process."""
_tokens: WeakKeyDictionary[Declaration, bytes] = WeakKeyDictionary()


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
        what = f"{shown(function)} is no operator: decorate it with step(...) or stage(...)"
        missing: Any = ABSENT
        if function is missing:
            what = "the function that makes an operator comes first: write Keep(function, size=size)"
        raise TypeError(what) from None
    return declaration


def _recall(module: str, name: str, token: bytes, fingerprint: tuple[Any, ...] | None) -> Declaration:
    """The declaration that was pickled, and never another.

    `fingerprint` is that of the declaration which its module has by this name; None if it has another, or
    none.
    """
    if token in _alive:
        return _alive[token]
    if fingerprint is None:
        raise LookupError(
            f"operator {name} of {module} was pickled in another process, or is gone, and its module does "
            "not have it by this name: declare it at the top of the module, and give it parameters"
        )
    __import__(module)
    try:
        # the main module of a process that multiprocessing has spawned declares by another name
        found = _declarations.get((module, name)) or declared(attrgetter(name)(sys.modules[module]))
    except (AttributeError, TypeError):
        raise LookupError(f"module {module} declares no operator named {name}") from None
    if found.fingerprint != fingerprint:
        raise LookupError(
            f"module {module} declares another operator named {name} here than where this was pickled"
        )
    return found
