"""What is different between two graphs, and whether that can be made so while the first one runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from itertools import product
from typing import Any, Final, TypeAlias

from streamkit._core.contract import amount
from streamkit._core.value import Record
from streamkit.graph.mistakes import Fault, Path, Report
from streamkit.graph.nodes import Edge, Node
from streamkit.graph.parts import Part
from streamkit.graph.wiring import IN_STEP, ONE_FOR_ONE, Wiring

__all__ = [
    "Conflicts",
    "Difference",
    "Lineup",
    "Steps",
    "above",
    "check_runs",
    "difference",
    "lineups",
]

_REOPEN: Final = frozenset({"retry", "repeat"})
"""Operators that open anew what they read."""


class Difference(Record):
    """The names of the nodes in which a graph is another; ``bool`` says whether there are any."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Those that do something else, or have other arguments, or more or fewer inputs."""
    rewired: tuple[str, ...] = ()
    """Those that do the same, and read other nodes."""
    renewed: tuple[str, ...] = ()
    """Those that are the same, and begin anew: what they have under way goes its old way. `apply` says so."""

    @property
    def replaced(self) -> tuple[str, ...]:
        """Those in whose place others of their name stand."""
        return (*self.changed, *self.renewed)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.rewired)

    def __str__(self) -> str:
        told = [f"{kind} {', '.join(names)}" for kind, names in vars(self).items() if names]
        return "; ".join(told) or "no difference"


def difference(old: Wiring, new: Wiring, ways: Sequence[Set[str]]) -> Difference:
    """What is different in `new`; `ways` are the names on ways to aligned zips in the old one, and in it."""
    both = sorted(old.nodes.keys() & new.nodes.keys())
    changed = [name for name in both if not _same(old.nodes[name], new.nodes[name])]
    changed += [name for name in both if (name in ways[0]) != (name in ways[1]) and name not in changed]
    other = [name for name in both if _sources(old.nodes[name]) != _sources(new.nodes[name])]
    return Difference(
        added=tuple(sorted(new.nodes.keys() - old.nodes.keys())),
        removed=tuple(sorted(old.nodes.keys() - new.nodes.keys())),
        changed=tuple(sorted(changed)),
        rewired=tuple([name for name in other if name not in changed]),
    )


def _sources(node: Node) -> list[str]:
    return [edge.source for edge in node.edges]


def _same(old: Node, new: Node) -> bool:
    """Whether two nodes do the same, with as many inputs, whatever they read."""
    if [edge.parameter for edge in old.edges] != [edge.parameter for edge in new.edges]:
        return False
    said = [
        {key: value for key, value in node.keys.items() if key not in {"input", *_streams(node)}}
        for node in (old, new)
    ]
    return _alike(*said)


def _streams(node: Node) -> Iterator[str | int]:
    """The keys whose values are names of nodes."""
    return (edge.path[-1] for edge in node.edges if edge.parameter)


def _alike(one: Any, other: Any) -> bool:
    """Whether data is the same, of the same types: ``1`` is neither ``true`` nor ``1.0``."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)  # pyright: ignore[reportUnknownVariableType] - of anything
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_alike, one, other))  # pyright: ignore[reportUnknownArgumentType] - of anything
    return bool(one == other)


def check_runs(
    nodes: Mapping[str, Node], parts: Mapping[str, Part], names: Collection[str], report: Report
) -> None:
    """Tell of what cannot stand in a graph that may be changed, among the nodes of these `names`."""
    for name in names:
        pipe, node = parts[name].pipe, nodes[name]
        for link in pipe.links if pipe is not None else ():
            if link.declaration.name in _REOPEN:
                words = f"{link.declaration.name} opens anew what it reads, and that goes on here"
                report.add(Fault.NOT_LIVE, node.path, words, "put it into the source", node=name)


Conflicts: TypeAlias = list[frozenset[str]]
"""The nodes whose items under way would be lost, doubled or mismatched; of each node that would be."""


class Lineup(Record):
    """How a node can go from one node to another while both stay, and miss nothing, and get nothing twice."""

    root: str
    """The node from which both have their items."""
    below: tuple[str, ...]
    """Those on the ways from there to both: what leaves the root with the change goes through all of them."""
    exact: bool
    """Whether each of these gives one item for each."""


def lineups(
    old: Wiring, new: Wiring, found: Difference, parts: Mapping[str, Part]
) -> dict[tuple[str, int], Lineup]:
    """By the name of a node and the place of an input: how that can be lined up, if it can and has to be."""
    stays = (old.nodes.keys() & new.nodes.keys()) - {*found.replaced}
    lined: dict[tuple[str, int], Lineup] = {}
    for name in (each for each in found.rewired if each in stays):
        both = zip(old.nodes[name].edges, new.nodes[name].edges, strict=True)
        for place, (before, after) in enumerate(both):
            if before.source != after.source and {before.source, after.source} <= stays:
                ways = [_way(old, new, stays, parts, each.source) for each in (before, after)]
                root = next((each for each in ways[0] if each in ways[1]), None)
                if root is not None:
                    below = [each for way in ways for each in way[: way.index(root)]]
                    exact = all(_is_exact(parts[each]) for each in below)
                    lined[name, place] = Lineup(root=root, below=tuple(below), exact=exact)
    return lined


def _way(old: Wiring, new: Wiring, stays: Set[str], parts: Mapping[str, Part], name: str) -> list[str]:
    """The node of this name and those above it, as far as a mark goes through all that stand below them."""
    way = [name]
    while True:
        node, part = new.nodes[way[-1]], parts[way[-1]]
        steps = () if part.pipe is None else part.pipe.links
        if (
            len(node.edges) != 1
            or node.edges[0].source not in stays
            or _sources(old.nodes[node.name]) != _sources(node)
            or part.buffer is not None
            or not steps
            or any(
                link.declaration.stage is not None
                or link.declaration.contract.at_end
                or amount(link.declaration.contract.holds, link.arguments)
                for link in steps
            )
        ):
            return way
        way.append(node.edges[0].source)


def _is_exact(part: Part) -> bool:
    links = [link for pipe in (part.buffer, part.pipe) if pipe is not None for link in pipe.links]
    return part.pipe is not None and all(
        (link.declaration.name in ONE_FOR_ONE and link.arguments.get("on_error") is None)
        or (
            link.declaration.name == "buffer"
            and amount(link.declaration.contract.loses, link.arguments) == "nothing"
        )
        for link in links
    )


class Steps:
    """Finds nodes that would miss items, or get some twice, and joins that would not be in step any more.

    Each node that stays goes over to its new readers between two items of its own. Where the ways to a join
    part at a node that stays, and all on them is new, all of them begin with the same item. Where some nodes
    on them stay, these have items of before inside, whose counterparts have gone where they had to go then.
    """

    def __init__(
        self,
        old: Wiring,
        new: Wiring,
        found: Difference,
        parts: Mapping[str, Part],
        report: Report,
        lined: Mapping[tuple[str, int], Lineup],
    ) -> None:
        self.uneven: set[str] = {name for name in found.renewed if not _is_exact(parts[name])}
        """Those that begin anew, and do not give one item for each."""
        self.lined = lined
        self.old = old
        self.new = new
        self.found = found
        self.report = report
        self.conflicts: Conflicts = []
        self.stays: set[str] = (old.nodes.keys() & new.nodes.keys()) - {*found.replaced}
        self.before: dict[str, frozenset[str]] = self._begins(old)
        self.after: dict[str, frozenset[str]] = self._begins(new)

    def _begins(self, wiring: Wiring) -> dict[str, frozenset[str]]:
        """By node, the nodes that stay from which its items come, over others: itself, if it stays."""
        begins: dict[str, frozenset[str]] = {}
        for node in wiring.order:
            above = [begins[edge.source] for edge in node.edges]
            itself = frozenset({node.name})
            begins[node.name] = itself if node.name in self.stays else frozenset[str]().union(*above)
        return begins

    def check(self) -> Conflicts:
        """Tell of changes by which items would be lost, doubled, or joined with those of others."""
        for node in self.new.order:
            if node.name in self.stays:
                both = zip(self.old.nodes[node.name].edges, node.edges, strict=True)
                for place, (old, edge) in enumerate(both):
                    before, after = self.before[old.source], self.after[edge.source]
                    if (up := self.lined.get((node.name, place))) is not None:
                        if not up.exact:
                            self.moved(node, edge)
                    elif before != after:
                        if not self.missed(node, edge.path, before, after):
                            self.moved(node, edge)
                    elif self.uneven and old.source != edge.source:
                        ways = above(self.old, old.source) | above(self.new, edge.source)
                        if ways & self.uneven:
                            self.moved(node, edge)
            elif _in_step(node):
                self.begun(node)
            elif not self.new.readers[node.name] and node.name in self.found.changed:
                sides = ((self.before, self.old.nodes[node.name]), (self.after, node))
                before, after = [
                    frozenset[str]().union(*[begins[edge.source] for edge in each.edges])
                    for begins, each in sides
                ]
                self.missed(node, node.path, before, after)
        return self.conflicts

    def begun(self, node: Node) -> None:
        """Tell of a join that begins over nodes that stay, and have items inside."""
        begins = frozenset[str]().union(*[self.after[edge.source] for edge in node.inputs])
        if len(begins) > 1 and (node.name in self.found.changed or _meet(self.new, begins)):
            words = (
                f"{node.name} would begin in the middle of what {' and '.join(sorted(begins))} have under way"
            )
            self.report.add(Fault.NOT_LIVE, node.path, words, _HINT, node=node.name)
            self.conflicts.append(begins)

    def missed(self, node: Node, path: Path, before: frozenset[str], after: frozenset[str]) -> bool:
        """Tell of a node that would miss items, or get some twice, as it reads from elsewhere now.

        It has had the items of `before` up to now. What the other is about to give it may be of older ones,
        or of newer, if both come from one node.
        """
        for one, other in product(sorted(before - after), sorted(after - before)):
            if any(_meet(wiring, (one, other)) for wiring in (self.old, self.new)):
                words = f"{node.name} would miss what {one} and {other} have under way, or get it twice"
                hint = f"give {one} or {other} a new name, so that it begins anew"
                self.report.add(Fault.NOT_LIVE, path, words, hint, node=node.name)
                self.conflicts.append(frozenset({one, other}))
                return True
        return False

    def moved(self, node: Node, edge: Edge) -> None:
        """Tell of a join behind this `edge` that stays, and would not be in step any more."""
        left, seen = [node], {node.name}
        while left:
            below = left.pop()
            if _in_step(below) and any(
                _meet(wiring, _sources(wiring.nodes[below.name])) for wiring in (self.old, self.new)
            ):
                words = f"{below.name} is in step with its other inputs, and would pair what does not belong"
                self.report.add(Fault.NOT_LIVE, edge.path, words, _HINT, node=node.name)
                self.conflicts.append(frozenset())  # it is the join that would have to begin anew
                return
            for reader, _ in self.new.readers[below.name]:
                if reader.name in self.stays and reader.name not in seen:
                    seen.add(reader.name)
                    left.append(reader)


_HINT: Final = "give all nodes on the ways to it new names, so that they begin together"


def _in_step(node: Node) -> bool:
    return node.join is not None and node.join.name in IN_STEP and len(node.inputs) > 1


def _meet(wiring: Wiring, names: Collection[str]) -> bool:
    """Whether some of these nodes come from one in common, or from each other."""
    met: set[str] = set()
    for name in names:
        found = above(wiring, name)
        if met & found:
            return True
        met |= found
    return False


def above(wiring: Wiring, *names: str) -> set[str]:
    """The nodes of these names, and all from which their items come."""
    found, left = {*names}, [*names]
    while left:
        for edge in wiring.nodes[left.pop()].edges:
            if edge.source not in found:
                found.add(edge.source)
                left.append(edge.source)
    return found
