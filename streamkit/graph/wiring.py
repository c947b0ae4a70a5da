"""The edges between nodes: which nodes read each one, in which order they are made, and mistakes in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from streamkit.graph.mistakes import Fault, Report
from streamkit.graph.nodes import Edge, Node
from streamkit.graph.values import table
from streamkit.graph.vocabulary import Role

__all__ = ["IN_STEP", "ONE_FOR_ONE", "Wiring", "check_wiring"]

ONE_FOR_ONE: Final = frozenset(
    {"map", "starmap", "enumerate", "tap", "timestamp", "time_interval", "delay", "throttle", "on_close"}
)
"""Operators that emit one item for each, which is why two ways of them stay in step."""
IN_STEP: Final = frozenset({"zip", "interleave", "merge_sorted"})
"""Joins that wait for one input, and hold back the others meanwhile."""
_IN_TURN: Final = frozenset({"concat"})
"""Joins that read an input when those before it have ended."""


class Wiring:
    """The nodes of a graph, and the edges between them."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes
        self.readers: dict[str, list[tuple[Node, Edge]]] = {name: [] for name in nodes}
        """By the name of a node, who reads it, once for each time that it does."""
        for node in nodes.values():
            for edge in node.edges:
                self.readers[edge.source].append((node, edge))
        self.order: list[Node] = []
        """All nodes, each behind those that it reads; those of a cycle, and behind one, are not in it."""
        left = {name: len(node.edges) for name, node in nodes.items()}
        ready = deque(node for name, node in nodes.items() if not left[name])
        while ready:
            node = ready.popleft()
            self.order.append(node)
            for reader, _ in self.readers[node.name]:
                left[reader.name] -= 1
                if not left[reader.name]:
                    ready.append(reader)

    def cycles(self) -> list[list[Edge]]:
        """One cycle of each tangle of nodes that read each other, as edges against the stream."""
        done = {node.name for node in self.order}
        found: list[list[Edge]] = []
        for begin in self.nodes if len(done) < len(self.nodes) else ():
            trail, at = list[Edge](), begin
            places: dict[str, int] = {}
            while at not in done and at not in places:
                left = [edge for edge in self.nodes[at].edges if edge.source not in done]
                if not left:  # it is behind a cycle that was found
                    break
                places[at] = len(trail)
                trail.append(left[0])
                at = left[0].source
            if at in places:
                found.append(trail[places[at] :])
            done.update(places)
        return found


def check_wiring(wiring: Wiring, report: Report) -> None:
    """Tell `report` what is wrong with how the nodes hang together."""
    nodes = wiring.nodes
    for cycle in wiring.cycles():
        around = [edge.source for edge in cycle]
        owners = [around[-1], *around[:-1]]
        first = owners.index(min(owners))
        names = [*owners[first:], *owners[:first]]
        words = f"{' -> '.join([names[0], *reversed(names)])} goes in a circle"
        report.add(Fault.CYCLE, cycle[first].path, words, node=names[0])
    for name, node in nodes.items():
        ends = node.kind.role is Role.SINK
        readers = wiring.readers[name]
        if ends:
            for reader, edge in readers:
                words = f"{name} is a sink, which nothing comes out of"
                report.add(Fault.SINK_AS_INPUT, edge.path, words, node=reader.name)
        elif not readers and not report.broken & {name, name.rpartition(".")[0]}:
            words = f"nothing reads {name}"
            report.add(Fault.UNUSED_OUTPUT, node.path, words, "give it to a sink, or leave it out", node=name)
    _Rhythms(wiring, report).check()


class _Rhythms:
    """Finds joins that could wait for ever.

    A join that is in step waits for the input that has fewer items, and so holds back the other. Where both
    come from one node, or from nodes that such joins have bound together, that holds back their source, too.
    """

    def __init__(self, wiring: Wiring, report: Report) -> None:
        self.wiring = wiring
        self.report = report
        self.origin: dict[str, str] = {}
        """By node, the one that sets its rhythm: nodes with the same have as many items, one for one."""
        self.forks: dict[str, int] = {}
        """By node, the nodes with several readers that it comes from, a bit for each."""
        self.bits: dict[str, int] = {}
        self.bound: list[int] = []
        """Sets of such nodes that joins bind together."""
        self.pairs: set[frozenset[str]] = set()
        """Rhythms that some join keeps in step already."""

    def check(self) -> None:
        for node in self.wiring.order:
            name, sources = node.name, [edge.source for edge in node.edges]
            above = 0
            for source in sources:
                above |= self.forks[source]
            self.late(node, above)
            if len(self.wiring.readers[name]) > 1:
                above |= 1 << self.bits.setdefault(name, len(self.bits))
            self.forks[name] = above
            same = node.kind.name in ONE_FOR_ONE and len(sources) == 1 and not _drops(node)
            self.origin[name] = self.origin[sources[0]] if same else name
            if node.join is not None and node.join.name in IN_STEP and len(node.inputs) > 1:
                self.join(node)

    def join(self, node: Node) -> None:
        """Tell of a join whose inputs may not have as many items, and hold back each other."""
        first = node.inputs[0].source
        seen = self.forks[first]
        waits = not node.aligned and "strategy" not in node.keys
        for edge in node.inputs[1:]:
            pair = frozenset((self.origin[first], self.origin[edge.source]))
            forks = self.forks[edge.source]
            meets = any(each & seen and each & forks for each in (seen & forks, *self.bound))
            if waits and meets and len(pair) > 1 and pair not in self.pairs:
                words = f"{edge.source} and {first} hold back each other, and may not have as many items"
                hint = "say how the others wait, as in strategy = { Suspend = 100 }"
                assert node.join is not None
                hint += ", or aligned = true" if node.join.name == "zip" else ""
                self.report.add(Fault.MISSING_STRATEGY, edge.path, words, hint, node=node.name)
                waits = False
            self.pairs.add(pair)
            seen |= forks
        apart = [each for each in self.bound if not each & seen]
        for each in self.bound:
            seen |= each if each & seen else 0
        self.bound = [*apart, seen]

    def late(self, node: Node, above: int) -> None:
        """Tell of what is read late or never, while others that read the same node wait for that reader."""
        name = node.join.name if node.join is not None else ""
        for edge in node.edges:
            later = edge.parameter == "fallback" or (name in _IN_TURN and edge is not node.inputs[0])
            if (name == "race" or later) and self.forks[edge.source]:
                what = name or node.kind.name
                words = f"{what} may never read {edge.source}, whose source others read, who would wait"
                self.report.add(Fault.WRONG_INPUT, edge.path, words, node=node.name)
        if node.kind.name == "take" and node.keys.get("take") == 0 and above:
            words = "a node that takes nothing never reads, and others would wait for it"
            self.report.add(Fault.WRONG_ARGUMENT, (*node.path, "take"), words, node=node.name)


_KEEP_ALL: Final = frozenset({"Suspend", "Fail", "Unbounded"})
_KEEP_EACH: Final = frozenset({"Replace", "Return", "Retry"})
"""Strategies and policies that lose nothing."""


def _drops(node: Node) -> bool:
    """Whether an item may be missing behind `node`: as its function failed, or as its buffer was full."""
    keys = node.keys
    return not (_named(keys.get("on_error"), _KEEP_EACH) and _named(keys.get("strategy"), _KEEP_ALL))


def _named(raw: object, names: frozenset[str]) -> bool:
    """Whether `raw` is nothing, or a value of one of these classes, in which there is no other."""
    keys = table(raw)
    if keys is None:
        return raw is None or (isinstance(raw, str) and raw in names)
    then = [each.get("then") for each in map(table, keys.values()) if each]
    return keys.keys() <= names and all(_named(each, names) for each in then)
