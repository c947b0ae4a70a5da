"""The JSON Schema of graphs, made from the catalogue: with it, editors complete and check what is typed."""

from __future__ import annotations

import inspect
from typing import Any, Final

from streamkit.graph.cases import KEYS
from streamkit.graph.registry import Registry
from streamkit.graph.vocabulary import (
    VALUES,
    Kind,
    Parameter,
    Role,
    Sort,
    is_choice,
    join_names,
    join_of,
    kind_names,
    kind_of,
    parameters,
)

__all__ = ["json_schema"]

_TYPES: Final = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
_NODE: Final[dict[str, Any]] = {"type": "string", "description": "the name of a node"}
_MOMENTS: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "description": "items; or tables of an item, or an error, and the second at which it comes",
    },
}


def json_schema(registry: Registry | None = None) -> dict[str, Any]:
    """The JSON Schema of a file with a graph; with the names of a registry, if it is given.

    >>> sorted(json_schema()["properties"])
    ['nodes', 'tests']
    """
    named: dict[str, Any] = {"type": "string", "description": "a name of the registry"}
    if registry is not None and not registry.allow_modules:
        named["enum"] = list(registry.names)
    kinds = {name: kind_of(name) for name in sorted(kind_names())}
    definitions: dict[str, Any] = {f"node-{name}": _node(kind) for name, kind in kinds.items()}
    definitions |= {f"join-{name}": _join(name) for name in sorted(join_names())}
    definitions |= {f"value-{sort.value}": _values(sort) for sort in VALUES}
    definitions["named"] = named
    definitions["pipe"] = _pipe(kinds)
    nodes = [each for each in definitions if each.startswith(("node-", "join-"))]
    definitions["node"] = {"anyOf": [_to(name) for name in nodes]}
    definitions["graph"] = {
        "type": "object",
        "properties": {
            "nodes": _nodes(),
            "inputs": {"type": "array", "items": {"type": "string"}},
            "output": _NODE,
        },
        "required": ["nodes"],
        "additionalProperties": False,
    }
    test = {
        "name": {"type": "string"},
        "context": {},
        "sources": _MOMENTS,
        "expect": _MOMENTS,
        "error": {"type": "string"},
        "seconds": {"type": "number"},
    }
    assert test.keys() == {*KEYS}
    tests = {"type": "array", "items": {"type": "object", "properties": test, "additionalProperties": False}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A graph of streamkit",
        "type": "object",
        "properties": {"nodes": _nodes(), "tests": tests},
        "required": ["nodes"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _to(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _nodes() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": _to("node")}


def _node(kind: Kind) -> dict[str, Any]:
    """A node of one kind: its own key, its arguments, and what nodes of every kind may have."""
    properties: dict[str, Any] = {kind.name: _own(kind)}
    properties |= {name: _argument(each) for name, each in kind.parameters.items() if each is not kind.first}
    required = [kind.name]
    required += [each.name for each in kind.parameters.values() if each.required and each is not kind.first]
    function = kind.first is not None and (kind.first.sort is Sort.FUNCTION or kind.function is None)
    if function and kind.role is not Role.GRAPH:
        properties["args"] = {"type": "object", "description": "keyword arguments of the function"}
    if kind.role is Role.GRAPH:
        properties["input"] = _inputs()
    elif kind.role is not Role.SOURCE:
        properties |= {"input": _inputs(), "join": _joins(), "aligned": {"type": "boolean"}}
        properties.setdefault("strategy", _to(f"value-{Sort.STRATEGY.value}"))
        required.append("input")
    return {
        "type": "object",
        "description": _summary(kind),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _join(name: str) -> dict[str, Any]:
    kind = join_of(name)
    properties: dict[str, Any] = {each.name: _argument(each) for each in kind.parameters.values()}
    properties |= {"join": _joins(name), "input": _inputs(), "aligned": {"type": "boolean"}}
    properties["strategy"] = _to(f"value-{Sort.STRATEGY.value}")
    return {
        "type": "object",
        "description": _summary(kind),
        "properties": properties,
        "required": ["join", "input"],
        "additionalProperties": False,
    }


def _summary(kind: Kind) -> str:
    if kind.function is None:
        return {
            "source": "A function, an iterable or a stream of the registry; or a list of items.",
            "operator": "An operator that the registry has by this name, or what makes it.",
            "sink": "A sink of the registry, or a function that is called with each item.",
            "graph": "A graph inside of this node.",
        }[kind.name]
    return (inspect.getdoc(kind.function) or "").split("\n", 1)[0]


def _inputs() -> dict[str, Any]:
    return {"anyOf": [_NODE, {"type": "array", "items": _NODE}]}


def _joins(only: str = "") -> dict[str, Any]:
    names = [only] if only else sorted(join_names())
    options = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    each = {name: {"type": "object", "properties": _options(join_of(name).parameters)} for name in names}
    return {"anyOf": [{"enum": names}, {**options, "properties": each}]}


def _options(known: Any) -> dict[str, Any]:
    return {name: _argument(each) for name, each in known.items()}


def _own(kind: Kind) -> dict[str, Any]:
    """The value of the key that names the kind."""
    first = kind.first
    if kind.role is Role.GRAPH:
        return _to("graph")
    if kind.name == "source":
        return {"anyOf": [_to("named"), {"type": "array"}]}
    if first is None:
        return {"const": True}
    return _argument(first) if first.required else {"anyOf": [{"const": True}, _argument(first)]}


def _argument(parameter: Parameter) -> dict[str, Any]:
    sort = parameter.sort
    if sort in (Sort.FUNCTION, Sort.OBJECT):
        return _to("named")
    if sort is Sort.STREAM:
        return _NODE
    if sort is Sort.PIPE:
        return _to("pipe")
    if sort in VALUES:
        return _to(f"value-{sort.value}")
    parts = [each.strip() for each in parameter.text.split("|") if each.strip() not in ("Absent", "None")]
    if parameter.several or not parts or any(part not in _TYPES for part in parts):
        return {}
    return {"type": [_TYPES[part] for part in parts]} if len(parts) > 1 else {"type": _TYPES[parts[0]]}


def _values(sort: Sort) -> dict[str, Any]:
    """Values that are written by their class."""
    classes = VALUES[sort]
    if is_choice(classes[0]):
        choices: Any = classes[0]
        return {"enum": [each.value for each in choices]}
    plain = [each.__name__ for each in classes if not any(one.required for one in _known(each).values())]
    tables = {each.__name__: _value(each) for each in classes}
    written = {
        "type": "object",
        "properties": tables,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    found: list[dict[str, Any]] = [written]
    found += [{"enum": plain}] if plain else []
    if sort in (Sort.LIMIT, Sort.LASTING, Sort.BACKOFF, Sort.RATE):
        found.append({"type": "number"})
    else:
        found.append(_to("named"))
    return {"anyOf": found}


def _value(made: type[Any]) -> dict[str, Any]:
    known = _known(made)
    options = {
        "type": "object",
        "properties": _options(known),
        "required": [each.name for each in known.values() if each.required],
        "additionalProperties": False,
    }
    first = next(iter(known.values()), None)
    return options if first is None else {"anyOf": [options, {"not": {"type": "object"}, **_argument(first)}]}


def _known(made: Any) -> Any:
    return parameters(made)


def _pipe(kinds: dict[str, Kind]) -> dict[str, Any]:
    """A list of operators, the last of which may be a sink."""
    parts = [
        {key: value for key, value in _node(kind).items() if key != "required"} | {"required": [name]}
        for name, kind in kinds.items()
        if kind.function is not None and kind.role is not Role.SOURCE
    ]
    return {"anyOf": [_to("named"), {"type": "array", "items": {"anyOf": parts}}]}
