"""Nodes on trial: what they have taken, and who gets that if they fail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from streamkit.graph.difference import Difference
from streamkit.graph.nodes import Node
from streamkit.graph.parts import Part
from streamkit.graph.vocabulary import Role
from streamkit.graph.wiring import Wiring

__all__ = ["Heir", "Trial", "heirs"]

Heir: TypeAlias = tuple[str, int]
"""The name of a node, and which of its inputs."""


class Trial:
    """So many items of a new node that have to go well. `proved` is called when they have.

    Until then those are kept of which nothing has come out, so that another node can have them.
    """

    def __init__(self, items: int, heir: Heir | None, proved: Callable[[], object]) -> None:
        self.heir = heir
        """Who gets them if it fails; None if they would not be there without it."""
        self.kept: list[Any] = []
        self.one: bool = False
        """Whether it has done with an item when it asks for the next, as a sink that keeps none."""
        self.met: bool = False
        """Whether an item has come."""
        self.over: bool = False
        self.failed: bool = False
        """Whether its error is that of the change, and not of the graph."""
        self._left = items
        self._proved = proved

    def asks(self) -> None:
        """It asks for an item: those that it took before have gone well."""
        if self.one:
            self.kept.clear()
        if not self._left:
            self.end()

    def took(self, item: Any) -> None:
        self.met = True
        if not self.over:
            self._left -= 1
            if self.heir is not None:
                self.kept.append(item)

    def gave(self, *, begins: bool) -> None:
        """Something has come out; that counts where nothing goes in, as it `begins` there."""
        self.met = True
        self.kept.clear()
        if begins and not self.over:
            self.asks()
            self._left -= 1

    def end(self) -> None:
        """It counts as sound, or is asked no more."""
        if not self.over:
            self.over = True
            self.kept.clear()
            self._proved()


def heirs(old: Wiring, new: Wiring, found: Difference, parts: Mapping[str, Part]) -> dict[str, Heir | None]:
    """Of each node that is new, who gets its items if it fails: what stood there, or who reads it.

    Raises:
        ValueError: of one of them it cannot be known which items those are, or nobody could have them.
    """
    if found.removed:
        names = " and ".join(found.removed)
        raise ValueError(f"rollback must be 0 for this change: it takes out {names}, which would begin anew")
    return {
        name: _heir(old, new, {*found.added, *found.changed}, new.nodes[name], parts[name])
        for name in (*found.added, *found.changed)
    }


def _heir(old: Wiring, new: Wiring, fresh: Collection[str], node: Node, part: Part) -> Heir | None:
    before, heir = old.nodes.get(node.name), (node.name, 0)
    if before is None:
        stay = [(reader, edge) for reader, edge in new.readers[node.name] if reader.name in old.nodes]
        if not stay and not _meets(old, new, node.name):
            return None
        if len(stay) != 1 or stay[0][0].name in fresh or len(new.readers[node.name]) != 1:
            raise _refused(node, "it is read by several nodes, or by one that is new, and no other could")
        reader, edge = stay[0]
        heir = reader.name, reader.edges.index(edge)
        before = old.nodes[reader.name]
        source = before.edges[heir[1]].source
    else:
        source = before.edges[0].source if len(before.edges) == 1 else ""
    if len(node.edges) != 1 or node.edges[0].source != source or source in fresh:
        raise _refused(node, "it does not read what was read in its place before")
    pipe = part.pipe
    if pipe is None or part.buffer is not None or any(link.declaration.stage for link in pipe.links):
        raise _refused(node, "it is no step: it may hold several items in tasks or in a buffer")
    if node.kind.role is Role.SINK and len(pipe.links) > 1:
        raise _refused(node, "its sink has operators before it, so it is not known which items are done")
    return heir


def _meets(old: Wiring, new: Wiring, name: str) -> bool:
    """Whether what comes from the node of this `name` goes to one that there was before, over others."""
    left, seen = [name], {name}
    while left:
        for reader, _ in new.readers[left.pop()]:
            if reader.name in old.nodes:
                return True
            if reader.name not in seen:
                seen.add(reader.name)
                left.append(reader.name)
    return False


def _refused(node: Node, why: str) -> ValueError:
    kind = "source" if node.kind.role is Role.SOURCE else "node"
    return ValueError(f"rollback must be 0 for this change, because of the {kind} {node.name}: {why}")
