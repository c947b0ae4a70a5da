"""Types of items, where annotations name them: what a node gives, and what those that read it can take.

Only what cannot be right is told: two classes of which neither is a kind of the other. What is not known, or
could be, is left to the run.
"""

from __future__ import annotations

import types
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from typing import Any, Final, Union, get_args, get_origin

from streamkit._engine.face.stream import Pipe, Shape
from streamkit.graph.mistakes import Fault, Report
from streamkit.graph.nodes import Node
from streamkit.graph.parts import Parts
from streamkit.graph.registry import Entry, Registry
from streamkit.graph.vocabulary import Role
from streamkit.graph.wiring import Wiring

__all__ = ["typed"]

_CALLS: Final = frozenset(
    {"map", "filter", "tap", "take_while", "skip_while", "for_each", "sink", "flat_map"}
)
"""Those that call a function of the registry with each item."""
_STREAMS: Final = (
    Iterable,
    Iterator,
    Generator,
    AsyncIterable,
    AsyncIterator,
    AsyncGenerator,
    list,
    tuple,
    set,
)
_UNIONS: Final = (Union, types.UnionType)
_LONG: Final = 500
"""Letters of the types that are kept in full."""
_NUMBERS: Final = {float: (int,), complex: (int, float)}
"""What passes as a number of another kind, as type checkers have it."""


def typed(wiring: Wiring, parts: Parts, report: Report) -> None:
    """Tell of each edge over which items go that its reader cannot take."""
    gives: dict[str, Any] = {}
    for node in wiring.order:
        if node.name in report.broken:
            gives[node.name] = Any
            continue
        comes = _comes(node, gives)
        entry = _entry(node, parts.values.registry)
        wanted = _wanted(entry) if entry is not None and node.kind.name in _CALLS else Any
        if not fits(comes, wanted):
            name = "" if entry is None else entry.name
            words = f"{name} takes {_told(wanted)}, and gets {_told(comes)}"
            edges = node.inputs
            path = edges[0].path if edges and node.join is None else node.path
            report.add(Fault.TYPE_MISMATCH, path, words, node=node.name)
        gives[node.name] = _gives(node, entry, comes, parts.found[node.name].pipe)


def _entry(node: Node, registry: Registry) -> Entry | None:
    """The function that is called with the items of `node`, or that makes them."""
    name = node.keys.get(node.kind.name)
    if not isinstance(name, str) or node.kind.name not in _CALLS | {"source"}:
        return None
    found = registry.entry(name, node.kind.name)
    return found if callable(found.value) else None


def _comes(node: Node, gives: Mapping[str, Any]) -> Any:
    """The type of what the operator of `node` reads."""
    types_ = [gives[edge.source] for edge in node.inputs]
    if node.join is None:
        return types_[0] if types_ else Any
    if node.join.name in ("zip", "latest", "combine_latest", "zip_latest", "with_latest_from"):
        found = tuple.__class_getitem__(tuple(types_))
        return found if len(str(found)) <= _LONG else tuple  # zips of zips double it each time
    return types_[0] if all(each == types_[0] for each in types_) else Any


def _wanted(entry: Entry) -> Any:
    """The type of the first parameter of a function."""
    if entry.signature is None:
        return Any
    first = next(iter(entry.signature.parameters.values()), None)
    return Any if first is None else entry.hints.get(first.name, Any)


def _gives(node: Node, entry: Entry | None, comes: Any, pipe: Pipe | None) -> Any:
    name = node.kind.name
    result = Any if entry is None else entry.hints.get("return", Any)
    if node.kind.role is Role.JOIN or _keeps(pipe):
        return comes
    policy = node.keys.get("on_error")
    if name == "map" and policy in (None, "Resume"):
        awaits = get_origin(result) in (Awaitable, Coroutine)
        return Any if awaits else result
    if name == "source" and get_origin(result) in _STREAMS:
        inner = get_args(result)
        return inner[0] if inner and (len(inner) == 1 or get_origin(result) is not tuple) else Any
    return Any


def _keeps(pipe: Pipe | None) -> bool:
    """Whether what leaves an operator is what it has got, as it was; a `Shape` may put others beside that."""
    if pipe is None or isinstance(pipe, Shape):
        return False
    return all(link.declaration.contract.keeps == "True" for link in pipe.links)


def fits(given: Any, wanted: Any) -> bool:
    """Whether items of type `given` may be taken where `wanted` is; true, where nobody knows.

    >>> fits(int, float), fits(str, int), fits(tuple[int, str], tuple[int, int]), fits(int, str | None)
    (True, False, False, False)
    """
    if get_origin(given) in _UNIONS:
        return any(fits(each, wanted) for each in get_args(given))
    if get_origin(wanted) in _UNIONS:
        return any(fits(given, each) for each in get_args(wanted))
    one, other = _class(given), _class(wanted)
    if one is None or other is None:
        return True
    related = issubclass(one, other) or issubclass(other, one) or one in _NUMBERS.get(other, ())
    mine, others = get_args(given), get_args(wanted)
    if related and one is other is tuple and mine and others and Ellipsis not in (*mine, *others):
        return len(mine) == len(others) and all(map(fits, mine, others))
    return related


def _class(hint: Any) -> Any:
    """The class that a type is of; None if it is no class, or any."""
    if hint is None:
        return type(None)
    found = get_origin(hint) or hint
    return found if isinstance(found, type) and found is not object and not _protocol(found) else None


def _protocol(found: type[Any]) -> bool:
    return bool(getattr(found, "_is_protocol", False)) or found is typing.Any


def _told(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
