"""What a node can be, and which arguments it takes: read from the signatures of the catalogue's functions.

Nothing here lists an operator. What sort of value a parameter takes is found in its annotations, those of the
overloads included, because the function behind them often says ``Any``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Final, get_overloads

from streamkit import ops
from streamkit._core.backoff import Backoff
from streamkit._core.lazy import listed
from streamkit._core.limit import Adaptive, Limit
from streamkit._core.on_error import Replace, Resume, Retry, Return
from streamkit._core.strategy import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    KeepLatest,
    Suspend,
    Unbounded,
)
from streamkit._core.value import Record
from streamkit._core.windows import Hopping, Session, Sliding, Tumbling, Until
from streamkit._core.workers import Lasting
from streamkit.operators.group import OnFull
from streamkit.operators.throttle import RateLimit
from streamkit.sources.timing import interval, never, timer
from streamkit.sources.values import empty

__all__ = [
    "JOINS",
    "VALUES",
    "Kind",
    "Parameter",
    "Role",
    "Sort",
    "is_choice",
    "join_names",
    "join_of",
    "kind_names",
    "kind_of",
    "parameters",
]


class Role(StrEnum):
    """What a node does with items."""

    SOURCE = "source"
    OPERATOR = "operator"
    JOIN = "join"
    SINK = "sink"
    GRAPH = "graph"


class Sort(StrEnum):
    """What sort of value an argument is, as data."""

    DATA = "data"
    FUNCTION = "function"
    """The name of a function of the registry."""
    OBJECT = "object"
    """The name of anything else there: an executor, a queue, a type of error."""
    PIPE = "pipe"
    """A list of operators."""
    STREAM = "stream"
    """The name of a node."""
    POLICY = "on_error"
    STRATEGY = "strategy"
    WINDOWS = "windows"
    LIMIT = "limit"
    LASTING = "lasting"
    BACKOFF = "backoff"
    RATE = "rate"
    ON_FULL = "on_full"


VALUES: Final[Mapping[Sort, tuple[type[Any], ...]]] = {
    Sort.POLICY: (Resume, Replace, Retry, Return),
    # no Spill: a file of data must not say which directory is written; give one by the registry
    Sort.STRATEGY: (
        Suspend,
        Fail,
        DropIncoming,
        DropOldest,
        DropYoungest,
        DropAll,
        KeepLatest,
        Conflate,
        Collect,
        Unbounded,
    ),
    Sort.WINDOWS: (Tumbling, Hopping, Sliding, Session, Until),
    Sort.LIMIT: (Limit, Adaptive),
    Sort.LASTING: (Lasting,),
    Sort.BACKOFF: (Backoff,),
    Sort.RATE: (RateLimit,),
    Sort.ON_FULL: (OnFull,),
}
"""The values that are written by their class: ``"KeepLatest"``, ``{ Suspend = 8 }``."""

_MARKS: Final = (
    (r"Workers|Valve|Queue|ErrorTypes|\bWhen\b", Sort.OBJECT),
    (r"OnError|Resume", Sort.POLICY),
    (r"Strategy|Collect", Sort.STRATEGY),
    (r"Windows", Sort.WINDOWS),
    (r"Backoff", Sort.BACKOFF),
    (r"RateLimit", Sort.RATE),
    (r"OnFull", Sort.ON_FULL),
    (r"^Callable", Sort.FUNCTION),
    (r"\bKeep\b|\bListOf\b|Sink\[|\bInto\b|\bPipe\b", Sort.PIPE),
    (r"SourceLike|Signal", Sort.STREAM),
    (r"Limit", Sort.LIMIT),
    (r"Lasting", Sort.LASTING),
    (r"Callable|OnDrop|OnRetry|Letters", Sort.FUNCTION),
)
_CALLED: Final = {"timestamp", "on_late"}
"""Parameters that take a function, as no annotation says."""
_TAKES: Final = re.compile(r"Callable\[\[([^\]]*)\]")


class Parameter(Record):
    """One parameter of a function of the catalogue."""

    name: str
    sort: Sort
    required: bool
    positional: bool
    """Whether it is given by its place, as the first is."""
    several: bool
    """Whether it takes any number of values: ``*items``."""
    takes: int
    """With how many values a function is called that is given here; -1 if that is not known."""
    text: str
    """Its annotation."""


class Kind(Record):
    """What a node is: an operator, a sink, a join, a source, a graph."""

    name: str
    role: Role
    function: Callable[..., Any] | None = None
    """The function of the catalogue; None where the registry has what is called."""
    parameters: Mapping[str, Parameter]
    first: Parameter | None = None
    """The parameter that the value of the node's own key is for."""

    @property
    def sorts(self) -> frozenset[Sort]:
        """The sorts of all of its parameters."""
        return _sorts(self.function)


@cache
def parameters(function: Callable[..., Any]) -> Mapping[str, Parameter]:
    """The parameters of `function`, with what sort of value each takes."""
    more: dict[str, list[str]] = {}
    for overload in get_overloads(function):
        for name, parameter in inspect.signature(overload).parameters.items():
            more.setdefault(name, []).append(str(parameter.annotation))
    found: dict[str, Parameter] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        own = "" if parameter.annotation is parameter.empty else str(parameter.annotation)
        text = own if own not in ("", "Any") else " | ".join(dict.fromkeys(more.get(name, ())))
        sort = next((sort for mark, sort in _MARKS if re.search(mark, text)), Sort.DATA)
        sort = Sort.FUNCTION if name in _CALLED and sort is Sort.DATA else sort
        takes = {0 if not each.strip() else each.count(",") + 1 for each in _TAKES.findall(text)}
        several = parameter.kind is parameter.VAR_POSITIONAL
        found[name] = Parameter(
            name=name,
            sort=sort,
            required=parameter.default is parameter.empty and not several,
            positional=parameter.kind is not parameter.KEYWORD_ONLY,
            several=several,
            takes=takes.pop() if len(takes) == 1 and "..." not in text else -1,
            text=text or "Any",
        )
    return found


JOINS: Final = {"latest": "combine_latest"}
"""Names of joins that are those of an operator by another name."""

_OF_STREAMS: Final = frozenset({"broadcast", "share", "partition", "route", "balance", "on"})
"""Operators that say how streams part: of a graph, its inputs say that."""


@cache
def _sorts(function: Callable[..., Any] | None) -> frozenset[Sort]:
    return frozenset() if function is None else frozenset(each.sort for each in parameters(function).values())


_NO_PARAMETERS: Final[Mapping[str, Parameter]] = {}
_BY_NAME: Final = Parameter(
    name="", sort=Sort.OBJECT, required=True, positional=True, several=False, takes=0, text="str"
)
_OWN: Final = {
    "source": Role.SOURCE,
    "operator": Role.OPERATOR,
    "sink": Role.SINK,
    "graph": Role.GRAPH,
}
"""Kinds whose functions are those of the registry, or a graph of its own."""
_SOURCES: Final = {each.__name__: each for each in (interval, timer, never, empty)}


@cache
def kind_names() -> frozenset[str]:
    """The keys of which a node has one, which says what it is."""
    return frozenset(listed("streamkit.ops")) - _OF_STREAMS - join_names() | {*_OWN, *_SOURCES}


@cache
def join_names() -> frozenset[str]:
    """The names of joins: the operators that read any number of streams."""
    found = [name for name in listed("streamkit.ops") if _joins(name)]
    return frozenset(found) | {*JOINS}


def _joins(name: str) -> bool:
    function = getattr(ops, name)
    code = getattr(function, "__wrapped__", function).__code__
    return bool(code.co_flags & inspect.CO_VARARGS) and "sources" in code.co_varnames


@cache
def kind_of(name: str) -> Kind:
    """The kind of node that has this key."""
    if name in _OWN:
        known = _NO_PARAMETERS
        if name == "sink":
            known = {key: each for key, each in parameters(ops.for_each).items() if key != "function"}
        return Kind(name=name, role=_OWN[name], parameters=known, first=_BY_NAME)
    function: Callable[..., Any] = _SOURCES.get(name) or getattr(ops, name)
    role = Role.SOURCE if name in _SOURCES else Role.OPERATOR
    if function.__module__.startswith("streamkit.sinks"):
        role = Role.SINK
    known = parameters(function)
    first = next((each for each in known.values() if each.positional), None)
    return Kind(name=name, role=role, function=function, parameters=known, first=first)


@cache
def join_of(name: str) -> Kind:
    """A join, by the name that stands behind ``join =``."""
    function: Callable[..., Any] = getattr(ops, JOINS.get(name, name))
    known = {key: each for key, each in parameters(function).items() if not each.several}
    return Kind(name=name, role=Role.JOIN, function=function, parameters=known)


def is_choice(value: type[Any]) -> bool:
    """Whether values of this class are words: an enum."""
    return issubclass(value, Enum)
