"""A picture of a graph: SVG, which needs no other program.

Nodes stand in rows, each below those that it reads. A line that passes a row has a place of its own there, so
that it runs behind no box.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import Final

from streamkit.graph.diagram import waits_at, words_of
from streamkit.graph.nodes import Edge, Node
from streamkit.graph.vocabulary import Role
from streamkit.graph.wiring import Wiring

__all__ = ["as_svg"]

_HIGH: Final = 44
"""Of a box."""
_GAP: Final = 24
_ROW: Final = 84
"""From one row to the next."""
_CHAR: Final = 7.2
"""The width of a letter."""
_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>'
)
_FILLS: Final = {Role.SOURCE: "#e3f1e3", Role.SINK: "#f3e6d8", Role.JOIN: "#ece4f5"}
_ROUND: Final = {Role.SOURCE: 22, Role.SINK: 0, Role.JOIN: 14}


class _Layout:
    """Where everything stands. A place in a row is a node, by its name, or a line that passes, by number."""

    def __init__(self, wiring: Wiring) -> None:
        self.nodes = wiring.nodes
        self.rows: list[list[str | int]] = []
        self.above: dict[str | int, list[str | int]] = {}
        """By place, those in the row above that lines lead to it from."""
        self.ways: list[tuple[Node, Edge, list[str | int]]] = []
        """Each edge with the places that its line goes through."""
        self._fill(wiring)
        self._sort()
        self.wide = {
            name: max(64.0, _CHAR * max(map(len, (name, words_of(node)[1]))) + 20)
            for name, node in self.nodes.items()
        }
        own = [sum(self._width(each) + _GAP for each in row) - _GAP for row in self.rows]
        self.width = max(own, default=0.0) + 2 * _GAP
        self.height = max(len(self.rows) * _ROW - _ROW + _HIGH, 0) + 2 * _GAP
        self.middle: dict[str | int, float] = {}
        self.top: dict[str | int, int] = {}
        for number, (row, width) in enumerate(zip(self.rows, own, strict=True)):
            left = (self.width - width) / 2
            for place in row:
                self.middle[place] = left + self._width(place) / 2
                self.top[place] = _GAP + number * _ROW
                left += self._width(place) + _GAP

    def _width(self, place: str | int) -> float:
        return self.wide[place] if isinstance(place, str) else 0.0

    def _fill(self, wiring: Wiring) -> None:
        """Put nodes and passing lines into rows."""
        ranks: dict[str, int] = {}
        passing = 0
        for node in wiring.order:
            ranks[node.name] = rank = max([ranks[edge.source] + 1 for edge in node.edges], default=0)
            self.rows += [[] for _ in range(rank + 1 - len(self.rows))]
            self.rows[rank].append(node.name)
            self.above[node.name] = []
            for edge in node.edges:
                way: list[str | int] = [edge.source]
                for row in range(ranks[edge.source] + 1, rank):
                    self.rows[row].append(passing)
                    self.above[passing] = [way[-1]]
                    way.append(passing)
                    passing += 1
                self.above[node.name].append(way[-1])
                self.ways.append((node, edge, [*way, node.name]))

    def _sort(self) -> None:
        """In each row, put places near the middle of those above that lines lead to them from."""
        near: dict[str | int, float] = {}
        for row in self.rows:
            for place in row:
                above = [near[each] for each in self.above[place]]
                near[place] = sum(above) / len(above) if above else 0.5
            row.sort(key=lambda place: (near[place], isinstance(place, int), str(place)))
            near.update({place: (number + 0.5) / len(row) for number, place in enumerate(row)})


def as_svg(wiring: Wiring) -> str:
    """The graph as a picture."""
    layout = _Layout(wiring)
    size = f'width="{layout.width:.0f}" height="{layout.height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width:.0f} {layout.height}" {size} '
        'font-family="sans-serif" font-size="12">',
        _TIP,
    ]
    for node, edge, way in layout.ways:
        lines += _line(node, edge, [(layout.middle[each], layout.top[each]) for each in way])
    for name in wiring.nodes:
        if name in layout.middle:  # those of a cycle stand nowhere
            lines += _box(wiring.nodes[name], layout)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _line(node: Node, edge: Edge, places: list[tuple[float, int]]) -> list[str]:
    path = f"M{places[0][0]:.1f} {places[0][1] + _HIGH}"
    for (x1, y1), (x2, y2) in pairwise(places):
        bend = (y2 - y1 - _HIGH) / 2
        path += f"C{x1:.1f} {y1 + _HIGH + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2}"
        if (x2, y2) != places[-1]:
            path += f"V{y2 + _HIGH}"
    lines = [f'<path d="{path}" fill="none" stroke="#555" marker-end="url(#tip)"/>']
    if words := waits_at(node, edge):
        (x1, y1), (x2, y2) = places[-2:]
        place = f'x="{(x1 + x2) / 2:.1f}" y="{(y1 + _HIGH + y2) / 2:.1f}"'
        lines.append(f'<text {place} text-anchor="middle" fill="#555" font-size="10">{escape(words)}</text>')
    return lines


def _box(node: Node, layout: _Layout) -> list[str]:
    middle, top, wide = layout.middle[node.name], layout.top[node.name], layout.wide[node.name]
    role = node.kind.role
    shape = f'height="{_HIGH}" rx="{_ROUND.get(role, 4)}" fill="{_FILLS.get(role, "#e4edf7")}"'
    text = f'<text x="{middle:.1f}" text-anchor="middle"'
    return [
        f'<rect x="{middle - wide / 2:.1f}" y="{top}" width="{wide:.1f}" {shape} stroke="#555"/>',
        f'{text} y="{top + 19}" font-weight="bold">{escape(node.name)}</text>',
        f'{text} y="{top + 35}">{escape(words_of(node)[1])}</text>',
    ]
