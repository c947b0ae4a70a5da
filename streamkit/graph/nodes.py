"""Nodes: what is written of each, read out of the data, and where its items come from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from streamkit._core.show import shown
from streamkit.graph.mistakes import Fault, Path, Report, Wrong, either, nearest
from streamkit.graph.values import COMMON, DEEP, fitting, listing, table, unknown
from streamkit.graph.vocabulary import Kind, Role, Sort, join_names, join_of, kind_names, kind_of

__all__ = ["UNKNOWN", "Edge", "Node", "read"]

_TOP: Final = frozenset({"nodes", "tests"})
"""Keys of a graph."""
_NESTED: Final = frozenset({"nodes", "inputs", "output"})
"""Keys of a graph inside a node."""
_ZIP: Final = "zip"


UNKNOWN: Final = Kind(name="", role=Role.OPERATOR, parameters={})
"""The kind of a node that does not say what it is."""


class Edge:
    """What a node reads: another node, by its name, and where that is said."""

    __slots__ = ("parameter", "path", "source")

    def __init__(self, source: str, path: Path, parameter: str = "") -> None:
        self.source: str = source
        """The full name of the node that is read."""
        self.path: Path = path
        self.parameter: str = parameter
        """The argument that it is for; nothing, if it is an input."""

    def __repr__(self) -> str:
        return f"<Edge from {self.source}>"


class Node:
    """One node of a graph, as it was written."""

    __slots__ = ("arguments", "edges", "inputs", "join", "keys", "kind", "name", "options", "path")

    def __init__(self, name: str, path: Path, keys: dict[str, Any], kind: Kind) -> None:
        self.name: str = name
        """Its name; of one inside of another, ``other.name``."""
        self.path: Path = path
        self.keys: dict[str, Any] = keys
        """All that is written of it."""
        self.kind: Kind = kind
        self.join: Kind | None = None
        """How several inputs become one; None where there is one."""
        self.options: dict[str, Any] = {}
        """The arguments of its join."""
        self.arguments: dict[str, Any] = {}
        """Those of its operator, as data."""
        self.edges: list[Edge] = []
        """What it reads: its inputs in their order, then the streams among its arguments."""
        self.inputs: list[Edge] = []
        """Its inputs alone."""

    @property
    def aligned(self) -> bool:
        """Whether an item that was dropped on one way takes those of the other ways along."""
        return self.keys.get("aligned") is True

    @property
    def does(self) -> str:
        """What it does, in a few words: ``map work.price``."""
        value = self.keys.get(self.kind.name)
        named = self.kind.role not in (Role.JOIN, Role.GRAPH) and isinstance(value, (str, int, float))
        return f"{self.kind.name} {value}" if named and value is not True else self.kind.name

    def __repr__(self) -> str:
        return f"<Node {self.name}: {self.does}>"


class _Scope:
    """The names that nodes of one level can read: those beside them, and the inputs of their graph."""

    def __init__(self, prefix: str, given: Mapping[str, tuple[_Scope, str]]) -> None:
        self.prefix = prefix
        self.given = given
        """By the name of an input, the level and the name there that it stands for."""
        self.outputs: dict[str, tuple[_Scope, str]] = {}
        """By the name of a node that holds a graph, the level inside and the name of its output."""
        self.names: set[str] = set()
        """Nodes that stand here, but for those that hold graphs."""
        self.graphs: set[str] = set()
        self.told: set[str] = set()
        """Inputs that the graph was not given, of which one mistake tells."""

    @cached_property
    def readable(self) -> frozenset[str]:
        """All names that can be read here, once the level was read."""
        return frozenset(self.names) | self.graphs | self.given.keys()

    def target(self, name: str) -> str | None:
        """The full name of the node that `name` means here; None if there is none, or it never ends."""
        scope, seen = self, set[tuple[int, str]]()
        while (id(scope), name) not in seen:
            seen.add((id(scope), name))
            if name in scope.given:
                scope, name = scope.given[name]
            elif name in scope.outputs:
                scope, name = scope.outputs[name]
            else:
                return scope.prefix + name if name in scope.names else None
        return None


class _Reading:
    """Reads all nodes, those of inner graphs too, into one flat table of them."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.nodes: dict[str, Node] = {}
        self.levels: list[tuple[_Scope, _Scope, Path]] = []
        """Each level with the one inside of it, and where it is said what that is given."""
        self.scopes: dict[str, _Scope] = {}
        """By the full name of a node, the level that it stands in."""

    def level(self, raw: Any, path: Path, scope: _Scope, depth: int) -> None:
        nodes = table(raw)
        if nodes is None:
            self.report.add(Fault.WRONG_ARGUMENT, path, f"nodes must be a table of nodes, not {shown(raw)}")
            return
        for name, keys in nodes.items():
            holds = table(keys) is not None and "graph" in keys
            (scope.graphs if holds else scope.names).add(name)
        for name in sorted(nodes, key=str):
            here = (*path, name)
            if not _is_name(name):
                words = f"the name of a node is a text without a dot, not {shown(name)}"
                self.report.add(Fault.WRONG_ARGUMENT, here, words)
            elif (keys := table(nodes[name])) is None:
                words = f"a node is a table, not {shown(nodes[name])}"
                self.report.add(Fault.WRONG_ARGUMENT, here, words, node=scope.prefix + name)
            elif "graph" in keys:
                self.nested(name, here, keys, scope, depth)
            else:
                self.node(scope.prefix + name, here, keys, scope)

    def node(self, name: str, path: Path, keys: dict[str, Any], scope: _Scope) -> None:
        self.scopes[name] = scope
        try:
            kind = _kind(keys)
        except Wrong as wrong:
            self.report.refused(wrong, path, node=name)
            kind = UNKNOWN  # its inputs can be looked at all the same
        node = self.nodes[name] = Node(name, path, keys, kind)
        for key, value in keys.items() if kind is not UNKNOWN else ():
            parameter = kind.first if key == kind.name else kind.parameters.get(key)
            if key == "join" or (parameter is None and key in COMMON):
                continue
            if parameter is not None and parameter.sort is Sort.STREAM:
                if isinstance(value, str):
                    node.edges.append(Edge(source=value, path=(*path, key), parameter=parameter.name))
                else:
                    words = f"{key} must be the name of a node, not {shown(value)}"
                    self.report.add(Fault.WRONG_ARGUMENT, (*path, key), words, node=name)
            else:
                node.arguments[key] = value
        self.inputs(node)
        if kind is UNKNOWN:
            return
        try:
            _join(node)
        except Wrong as wrong:
            self.report.refused(wrong, path, node=name)

    def inputs(self, node: Node) -> None:
        raw, path = node.keys.get("input"), (*node.path, "input")
        if node.kind.role is Role.SOURCE:
            if raw is not None:
                words = f"{node.kind.name} begins by itself, and reads nothing"
                self.report.add(Fault.WRONG_INPUT, path, words, node=node.name)
            return
        if raw is None and node.kind is UNKNOWN:
            return
        if raw is None or raw == []:
            words = "it reads nothing"
            self.report.add(
                Fault.MISSING_INPUT, node.path, words, 'write input = "name of a node"', node=node.name
            )
            return
        names = listing(raw)
        found = [Edge(source=raw, path=path)] if names is None else []
        found += [Edge(source=each, path=(*path, place)) for place, each in enumerate(names or ())]
        for edge in found:
            if isinstance(edge.source, str):  # pyright: ignore[reportUnnecessaryIsInstance] - data may have anything
                continue
            words = f"an input is the name of a node, not {shown(edge.source)}"
            self.report.add(Fault.WRONG_ARGUMENT, edge.path, words, node=node.name)
            return
        node.inputs = found
        node.edges = found + node.edges

    def nested(self, name: str, path: Path, keys: dict[str, Any], scope: _Scope, depth: int) -> None:
        """A node that holds a graph: its nodes stand in the same table, with its name before theirs."""
        full = scope.prefix + name
        inner = table(keys["graph"])
        if inner is None or depth >= DEEP:
            words = (
                "graph must be a table with nodes" if inner is None else f"graphs nest {DEEP} deep at most"
            )
            self.report.add(Fault.WRONG_ARGUMENT, (*path, "graph"), words, node=full)
            return
        for wrong in [each for each in keys if each not in ("graph", "input")]:
            words = f"a node that holds a graph takes no {shown(wrong)}"
            self.report.add(Fault.UNKNOWN_ARGUMENT, (*path, wrong), words, nearest(wrong, ["input"]))
        for wrong in [each for each in inner if each not in _NESTED]:
            hint = nearest(wrong, _NESTED)
            words = f"a graph takes no {shown(wrong)}"
            self.report.add(Fault.UNKNOWN_ARGUMENT, (*path, "graph", wrong), words, hint)
        raw, given = inner.get("inputs", []), self.given(keys.get("input"))
        inputs = listing(raw) or []
        if listing(raw) is None or len({*map(str, inputs)}) < len(inputs):
            words = f"inputs must be a list of names, each another, not {shown(raw)}"
            self.report.add(Fault.WRONG_ARGUMENT, (*path, "graph", "inputs"), words, node=full)
            scope_told = {raw} if isinstance(raw, str) else {*map(str, inputs)}
            inputs, given = [], []
        elif len(inputs) != len(given) or not all(isinstance(each, str) for each in (*inputs, *given)):
            words = f"its graph has the inputs {shown(inputs)}, and is given {shown(given)}"
            self.report.add(Fault.WRONG_INPUT, path, words, node=full)
            scope_told = {each for each in inputs if isinstance(each, str)}
            inputs, given = [], []
        else:
            scope_told = set[str]()
        level = _Scope(f"{full}.", {key: (scope, value) for key, value in zip(inputs, given, strict=True)})
        level.told = scope_told
        self.levels.append((scope, level, (*path, "input")))
        output = inner.get("output")
        if isinstance(output, str):
            scope.outputs[name] = level, output
        self.level(inner.get("nodes"), (*path, "graph", "nodes"), level, depth + 1)
        if output is None:
            return
        target = level.target(output) if isinstance(output, str) else None
        if target is None:
            words = f"the graph has no node {shown(output)}"
            hint = nearest(output, level.names)
            self.report.add(Fault.UNKNOWN_NAME, (*path, "graph", "output"), words, hint, node=full)

    def given(self, raw: Any) -> list[Any]:
        return [] if raw is None else listing(raw) or [raw]

    def resolve(self) -> None:
        """Have each edge name the node that it means, in full."""
        for scope, level, path in self.levels:
            for inside, (_, name) in level.given.items():
                if scope.target(name) is None:
                    self.missing(scope, name, path, level.prefix.removesuffix("."))
                    level.told.add(inside)
        for name, node in self.nodes.items():
            scope, edges = self.scopes[name], list[Edge]()
            for edge in node.edges:
                target = scope.target(edge.source)
                if target is not None:
                    edge.source = target
                    edges += [edge] if target in self.nodes else []
                else:
                    self.missing(scope, edge.source, edge.path, name)
            if len(edges) < len(node.edges):
                node.inputs = [edge for edge in edges if not edge.parameter]
            node.edges = edges

    def missing(self, scope: _Scope, source: str, path: Path, reader: str) -> None:
        """Tell of a name that no node has, if that was not told already."""
        if source in scope.outputs or source in scope.told:
            return
        words, hint = f"there is no node {shown(source)}", nearest(source, scope.readable)
        if source in scope.graphs:
            words, hint = f"{source} holds a graph without an output", "write output in that graph"
        self.report.add(Fault.UNKNOWN_NAME, path, words, hint, node=reader)


def read(data: Any, report: Report) -> dict[str, Node]:
    """The nodes of `data`, by their full names, in the order of those; mistakes go to `report`."""
    keys = table(data)
    if keys is None or "nodes" not in keys:
        report.add(Fault.WRONG_ARGUMENT, (), "a graph is a table with the key nodes")
        return {}
    for wrong in [each for each in keys if each not in _TOP]:
        words = f"a graph takes no {shown(wrong)}"
        report.add(Fault.UNKNOWN_ARGUMENT, (wrong,), words, nearest(wrong, _TOP))
    reading = _Reading(report)
    reading.level(keys["nodes"], ("nodes",), _Scope("", {}), 0)
    reading.resolve()
    return dict(sorted(reading.nodes.items()))


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name) and "." not in name


def _kind(keys: dict[str, Any]) -> Kind:
    """What the node is, by the one of its keys that says it."""
    names = [key for key in keys if key in kind_names()]
    if len(names) > 1:
        fit = fitting(names, keys)
        if not fit:
            raise Wrong(Fault.NO_KIND, f"{either(names)} say what it does: it can be one of them only")
        names = fit
    if names:
        return kind_of(names[0])
    if "join" in keys:
        return _joined(keys["join"])[0]
    for key in keys:
        if key in join_names():
            raise Wrong(Fault.NO_KIND, f"{key} is a join", f'write join = "{key}"', (key,))
    others = [key for key in keys if key not in COMMON]
    for key in others:
        if hint := nearest(key, [*kind_names(), "join"]):
            raise Wrong(Fault.UNKNOWN_NAME, f"there is no operator {shown(key)}", hint, (key,))
    words = (
        f"none of its keys says what it does: {either([*map(str, others)])}"
        if others
        else "nothing says what it does"
    )
    raise Wrong(Fault.NO_KIND, words)


def _joined(raw: Any) -> tuple[Kind, dict[str, Any]]:
    """A join, with its arguments: ``"zip"``, or ``{ merge = { lookahead = 4 } }``."""
    keys = table(raw)
    name, options = raw, dict[str, Any]()
    if keys is not None and len(keys) == 1:
        name, options = next(iter(keys.items()))
    if not isinstance(name, str) or name not in join_names():
        words = f"join must be zip, merge, latest or another join, not {shown(name)}"
        raise Wrong(Fault.UNKNOWN_NAME, words, nearest(name, join_names()), ("join",))
    kind, given = join_of(name), table(options)
    if given is None:
        raise Wrong(Fault.WRONG_ARGUMENT, f"{name} takes a table, not {shown(options)}", path=("join", name))
    for key in given:
        if key not in kind.parameters:
            raise unknown(kind, key).below("join", name)
    return kind, dict(given)


def _join(node: Node) -> None:
    """How the inputs of `node` become one stream."""
    if node.kind.role is Role.JOIN:
        node.join, node.options = _joined(node.keys["join"])
        node.options |= node.arguments
        node.arguments = {}
        for key in node.options:
            if key not in node.join.parameters:
                del node.options[key]  # it is told here, once
                raise unknown(node.join, key)
    elif "join" in node.keys or len(node.inputs) > 1:
        node.join, node.options = _joined(node.keys.get("join", _ZIP))
    aligned = node.keys.get("aligned", False)
    if aligned is not False and (aligned is not True or node.join is None or node.join.name != _ZIP):
        words = f"aligned must be true or false, and stand on a zip, not {shown(aligned)}"
        raise Wrong(Fault.WRONG_ARGUMENT, words, path=("aligned",))
