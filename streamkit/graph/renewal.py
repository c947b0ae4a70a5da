"""Nodes that begin anew, though they stay, so that others can be rewired around what they have under way.

Where a node goes from one to another, and what stands between these and their common source has calls in
flight, or a buffer, it would miss what is in there, or get it twice. An operator that keeps nothing from one
item to the next has nothing else to lose: so a second one takes its place, which begins when the first has
ended. All that came before the change goes through the first, by the old ways; all else by the new ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from streamkit._core.limit import Limit
from streamkit.graph.difference import Conflicts, Difference, Lineup, Steps, above, lineups
from streamkit.graph.mistakes import Report
from streamkit.graph.nodes import Node
from streamkit.graph.parts import Part
from streamkit.graph.vocabulary import Role
from streamkit.graph.wiring import Wiring

__all__ = ["renewed"]

_KEEP_NOTHING: Final = frozenset({"map", "starmap", "filter", "tap", "flatten", "buffer", "delay"})
"""Operators that do with each item what they would do with it if it were the first."""


def renewed(
    old: Wiring, new: Wiring, found: Difference, parts: Mapping[str, Part], running: Collection[str]
) -> tuple[Difference, dict[tuple[str, int], Lineup]]:
    """The difference with the nodes that have to begin anew, and what is to be lined up then.

    Of those that are `running`. Where that is not enough, what is left is a mistake of the change.
    """
    while True:
        lined = lineups(old, new, found, parts)
        conflicts = Steps(old, new, found, parts, Report(), lined).check()
        more = _who(old, new, conflicts)
        if not more or not all(
            name in running and _keeps_nothing(new.nodes[name], parts[name]) for name in more
        ):
            return found, lined
        names = {*found.renewed, *more}
        names |= {
            name
            for name in _between(old, new, names)
            if name not in found.changed and name in running and _keeps_nothing(new.nodes[name], parts[name])
        }
        found = found.but(renewed=tuple(sorted(names)))


def _who(old: Wiring, new: Wiring, conflicts: Conflicts) -> set[str]:
    """Of the nodes of each of the `conflicts`, those that are above no other: the others have come from them.

    Nobody, if nothing helps for one of them.
    """
    found: set[str] = set()
    for names in conflicts:
        below = {name: above(old, name) & above(new, name) for name in names}
        lowest = {name for name in names if not any(name in below[other] for other in names - {name})}
        if not lowest:
            return set()
        found |= lowest
    return found


def _between(old: Wiring, new: Wiring, names: set[str]) -> set[str]:
    """Those that get items from one of these nodes, and gave them to one: what is inside has met neither."""
    below = set(names)
    for node in new.order:
        if any(edge.source in below for edge in node.edges):
            below.add(node.name)
    return (below & above(old, *names)) - names


def _keeps_nothing(node: Node, part: Part) -> bool:
    if node.kind.role is Role.JOIN or node.join is not None:
        return False
    pipe = part.pipe
    return (
        node.kind.role is Role.OPERATOR
        and node.kind.function is not None  # what a function of the registry has made may keep anything
        and pipe is not None
        and all(link.declaration.name in _KEEP_NOTHING and not _adapts(link.arguments) for link in pipe.links)
    )


def _adapts(arguments: Mapping[str, Any]) -> bool:
    """Whether what was found out about how much is good at once would be lost."""
    return any(isinstance(value, Limit) for value in arguments.values())
