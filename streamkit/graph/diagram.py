"""Diagrams of a graph as text: for Mermaid and for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from streamkit.graph.nodes import Edge, Node
from streamkit.graph.values import table
from streamkit.graph.vocabulary import Role
from streamkit.graph.wiring import Wiring

__all__ = ["as_dot", "as_mermaid", "waits_at", "words_of"]


def words_of(node: Node) -> tuple[str, str]:
    """Its name within its graph; and what it does, with how it joins its inputs."""
    joins = node.join is not None and node.kind.role is not Role.JOIN
    does = node.join.name if node.join is not None and not joins else node.does
    return node.name.rpartition(".")[2], f"{node.join.name} | {does}" if joins and node.join else does


def waits_at(node: Node, edge: Edge) -> str:
    """What is written at an edge: what it is for, or how items wait there."""
    if edge.parameter:
        return edge.parameter
    strategy = node.keys.get("strategy")
    keys = table(strategy)
    if keys:
        return ", ".join(name if each == {} else f"{name} {_short(each)}" for name, each in keys.items())
    return "" if strategy is None else str(strategy)


def _short(value: Any) -> str:
    options = table(value)
    return str(value) if options is None else ", ".join(f"{name} {each}" for name, each in options.items())


def _levels(nodes: Mapping[str, Node]) -> Iterator[tuple[str, Node | str | None]]:
    """Indents and nodes in the order of their names; a name where a graph inside begins, None at its end."""
    opened: list[str] = []
    for name, node in sorted(nodes.items(), key=lambda each: each[0].split(".")):
        parts = name.split(".")[:-1]
        while opened != parts[: len(opened)]:
            yield "  " * len(opened), None
            opened.pop()
        for part in parts[len(opened) :]:
            opened.append(part)
            yield "  " * len(opened), part
        yield "  " * (len(opened) + 1), node
    for depth in range(len(opened), 0, -1):
        yield "  " * depth, None


def as_mermaid(wiring: Wiring) -> str:
    """The graph as text for Mermaid."""
    ids = {name: f"n{number}" for number, name in enumerate(wiring.nodes)}
    shapes = {Role.SOURCE: ("([", "])"), Role.SINK: ("[[", "]]"), Role.JOIN: ("{{", "}}")}
    lines = ["flowchart TD"]
    for indent, node in _levels(wiring.nodes):
        if node is None:
            lines.append(f"{indent}end")
        elif isinstance(node, str):
            lines.append(f'{indent}subgraph g{len(lines)}["{_quoted(node)}"]')
        else:
            begin, end = shapes.get(node.kind.role, ("[", "]"))
            title, does = map(_quoted, words_of(node))
            lines.append(f'{indent}{ids[node.name]}{begin}"{title}<br>{does}"{end}')
    for node in wiring.nodes.values():
        for edge in node.edges:
            words = waits_at(node, edge)
            arrow = f'-- "{_quoted(words)}" -->' if words else "-->"
            lines.append(f"  {ids[edge.source]} {arrow} {ids[node.name]}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """`text` for Mermaid, where letters are written by their numbers."""
    return "".join(each if each.isalnum() or each in " ._-,|/" else f"#{ord(each)};" for each in text)


def as_dot(wiring: Wiring) -> str:
    """The graph as text for Graphviz."""
    shapes = {Role.SOURCE: "oval", Role.SINK: "box3d", Role.JOIN: "hexagon"}
    lines = ["digraph {", "  node [shape=box];"]
    for indent, node in _levels(wiring.nodes):
        if node is None:
            lines.append(f"{indent}}}")
        elif isinstance(node, str):
            lines.append(f"{indent}subgraph cluster_{len(lines)} {{ label={_named(node)};")
        else:
            label, shape = "\n".join(words_of(node)), shapes.get(node.kind.role, "box")
            lines.append(f"{indent}{_named(node.name)} [label={_named(label)}, shape={shape}];")
    for node in wiring.nodes.values():
        for edge in node.edges:
            words = waits_at(node, edge)
            label = f" [label={_named(words)}]" if words else ""
            lines.append(f"  {_named(edge.source)} -> {_named(node.name)}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _named(text: str) -> str:
    """`text` for Graphviz."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"'
