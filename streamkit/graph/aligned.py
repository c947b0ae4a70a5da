"""Aligned zips: an item that is dropped on one way takes those of the other ways along.

Several ways lead from one node to a zip. Where a function on one of them fails with an item, and its policy
drops that, or where a filter drops it, the zip would pair what belongs to different items from then on. With
``aligned = true``, a mark takes the place of a dropped item instead. The functions behind it let it pass, and
the zip leaves out each row that has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from inspect import isawaitable
from typing import Any, Final

from streamkit import ops
from streamkit._core.arguments import makes_coroutine
from streamkit._core.markers import DROPPED
from streamkit._core.on_error import OnError, Replace, Retry
from streamkit._core.show import named
from streamkit._core.value import hashed
from streamkit._engine.face.stream import Pipe
from streamkit.graph.mistakes import Fault, Report
from streamkit.graph.nodes import Node
from streamkit.graph.wiring import Wiring

__all__ = ["LEAVES_OUT", "aligned", "ways"]

_CAN: Final = frozenset({"map", "filter", "tap"})
"""Operators that a mark can pass by."""


class _Mark(Enum):
    """Takes the place of an item that was dropped."""

    GONE = "gone"


_GONE: Final = _Mark.GONE


def _whole(row: tuple[Any, ...]) -> bool:
    return _GONE not in [each for each in row if type(each) is _Mark]


LEAVES_OUT: Final[Pipe] = ops.filter(_whole)
"""What stands behind the zip."""


def ways(wiring: Wiring, report: Report) -> set[str]:
    """The names of the nodes on the ways to aligned zips; a way that cannot be aligned is a mistake."""
    found: set[str] = set()
    for node in wiring.order:
        if not node.aligned or not node.inputs or node.name in report.broken:
            continue
        trails = [_trail(wiring.nodes, edge.source) for edge in node.inputs]
        shared = set(trails[0]).intersection(*trails)
        for edge, trail in zip(node.inputs, trails, strict=True):
            way = trail[: next((place for place, name in enumerate(trail) if name in shared), 0)]
            if not shared:
                words = f"{edge.source} and the others come from no node in common"
                report.add(Fault.WRONG_ARGUMENT, (*node.path, "aligned"), words, node=node.name)
                break
            for name in way:
                between = wiring.nodes[name]
                buffers = between.join is not None or "strategy" in between.keys
                if between.kind.name not in _CAN or buffers or between.keys.get("ordered") is False:
                    words = f"{name} stands on the way to {node.name}, which is aligned"
                    hint = "only map, filter and tap can stand there, in order, and without a strategy"
                    report.add(Fault.WRONG_ARGUMENT, between.path, words, hint, node=name)
                elif len(wiring.readers[name]) > 1:
                    words = f"{name} is read by others than the way to {node.name}, which is aligned"
                    report.add(Fault.WRONG_ARGUMENT, between.path, words, node=name)
            found.update(name for name in way if name not in report.broken)
    return found


def _trail(nodes: Mapping[str, Node], name: str) -> list[str]:
    """The nodes that `name` comes from, it first, as long as each reads one other."""
    trail = [name]
    while len(edges := nodes[trail[-1]].edges) == 1:
        trail.append(edges[0].source)
    return trail


def aligned(name: str, function: Callable[[Any], Any], options: Mapping[str, Any]) -> Pipe:
    """The operator of a way, `name` of `function` with these `options`, so that it marks what it drops."""
    kind = _Awaits if makes_coroutine(function) else _Calls
    given: dict[str, Any] = {**options, "on_error": _marking(options.get("on_error"))}
    found: Pipe = ops.map(kind(name, function), **given)
    return found


class _Past:
    """Calls `function` with items, and lets marks pass; what leaves is what operator `name` would pass on."""

    def __init__(self, name: str, function: Callable[[Any], Any]) -> None:
        self.name, self.function = name, function
        self.__name__ = named(function)  # as it is shown in a pipe

    def made(self, item: Any, result: Any) -> Any:
        """What leaves, after the function has returned `result`."""
        if self.name == "map":
            return _GONE if result is DROPPED else result
        return item if self.name == "tap" or result else _GONE

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and (other.name, other.function) == (self.name, self.function)

    def __hash__(self) -> int:
        return hash((self.name, hashed(self.function)))


class _Calls(_Past):
    def __call__(self, item: Any) -> Any:
        return item if item is _GONE else self.made(item, self.function(item))


class _Awaits(_Past):
    async def __call__(self, item: Any) -> Any:
        return item if item is _GONE else self.made(item, await self.function(item))


def _marking(policy: OnError | None) -> OnError | None:
    """`policy`; one that drops puts the mark there instead."""
    if isinstance(policy, Retry):
        then: Any = _marking(policy.then)
        return Retry(policy.attempts, policy.backoff, errors=policy.errors, then=then)
    if policy is None or not policy.drops:
        return policy

    def gone(item: Any, error: Exception) -> Any:
        made = policy.instead(item, error)
        return _marked(made) if isawaitable(made) else _GONE

    return Replace(gone, errors=policy.errors)


async def _marked(waited: Any) -> Any:
    await waited
    return _GONE
