"""Branches as arguments: which may stand beside each other, which are spliced, and what each begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from streamkit._core.show import shown
from streamkit._core.strategy import Strategy
from streamkit._engine.face.mistakes import instead
from streamkit._engine.face.stream import Pipe

__all__ = ["AHEAD", "BUFFERED", "LOSES", "all_sinks", "entries", "splices"]

BUFFERED: Final = "sum(0 if s is None else s.limit if s.overflows else unbounded for s in _strategies)"
AHEAD: Final = "sum(0 if s is None else s.limit if s.waits else unbounded for s in _strategies)"
LOSES: Final = "', '.join(s.loses for s in _strategies if s and s.loses != 'nothing') or 'nothing'"
"""Formulas of contracts: what the buffers at the start of the branches hold, read ahead and lose."""


def all_sinks(branches: Sequence[Any], name: str = "branches") -> bool:
    """Whether all of the argument `name` are sinks.

    Raises:
        TypeError: one is no operator and no sink, or some are operators and some are sinks.
        ValueError: there is none.
    """
    if not branches:
        raise ValueError(f"{name} must be one or more, not none")
    for branch in branches:
        if not isinstance(branch, Pipe):
            raise TypeError(f"{name} must be operators or sinks, not {shown(branch)}{instead(branch)}")
    sinks = [branch.links[-1].declaration.sink for branch in branches]
    if any(sinks) and not all(sinks):
        raise TypeError(
            f"{name} must be all operators or all sinks, not both: {', '.join(map(repr, branches))}"
        )
    return all(sinks)


def splices(branches: Sequence[Pipe]) -> bool:
    """Whether all branches are steps that end with the source, and none is known to wait."""
    links = [link for branch in branches for link in branch.links]
    return not any(link.declaration.stage is not None or link.waits or link.stops for link in links)


def entries(branches: Sequence[Pipe]) -> tuple[Strategy | None, ...]:
    """The strategy of the buffer that each branch begins with, if it does.

    The channel of the branch takes it over, and saves a task.
    """
    return tuple([_entry(branch) for branch in branches])


def _entry(branch: Pipe) -> Strategy | None:
    first = branch.links[0]
    strategy: Strategy | None = first.arguments["strategy"] if first.declaration.buffers else None
    return strategy
