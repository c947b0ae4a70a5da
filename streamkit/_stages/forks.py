"""Branches as arguments: which may stand beside each other, which are spliced, and what each begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from streamkit._core.contract import Contract
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.face.mistakes import instead
from streamkit._engine.face.stream import Pipe
from streamkit._engine.plan.link import Link

__all__ = [
    "AHEAD",
    "BUFFERED",
    "GATHERED",
    "IN_BRANCHES",
    "LOSES",
    "MERGED",
    "all_sinks",
    "entries",
    "lone",
    "splices",
    "stops",
]

BUFFERED: Final = "sum(0 if s is None else s.limit if s.overflows else unbounded for s in _strategies)"
AHEAD: Final = "sum(0 if s is None else s.limit if s.waits else unbounded for s in _strategies)"
LOSES: Final = "', '.join(s.loses for s in _strategies if s and s.loses != 'nothing') or 'nothing'"
"""Formulas of contracts: what the buffers at the start of the branches hold, read ahead and lose."""
IN_BRANCHES: Final = "'within each branch'"
MERGED: Final = Contract(
    holds=f"1 + len(branches) + {BUFFERED}",
    lookahead=f"1 + len(branches) + {AHEAD}",
    keeps="True",
    ordered=IN_BRANCHES,
    loses=LOSES,
)
GATHERED: Final = Contract(holds=f"1 + {BUFFERED}", lookahead=f"len(branches) + {AHEAD}", loses=LOSES)
"""The contracts of those that merge what comes out of branches with tasks, and that gather their results."""


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
            raise TypeError(
                f"{name} must be operators or sinks, not {shown(branch)}{instead(branch, several=True)}"
            )
    sinks = [branch.links[-1].declaration.sink for branch in branches]
    if any(sinks) and not all(sinks):
        raise TypeError(
            f"{name} must be all operators or all sinks, not both: {', '.join(map(repr, branches))}"
        )
    return all(sinks)


def lone(link: Link) -> bool:
    """Whether the pipe of `link` must have a loop of its own, and shares none with other branches or groups.

    They would wait with a stage, and with a callback that waits; an error is for the steps of its own pipe.
    """
    own = link.declaration.stage is not None or link.declaration.catches or link.waits
    return own or any(lone(inner) for branch in link.branches for inner in branch)


def stops(link: Link) -> bool:
    """Whether `link` is a step that may end the stream before the source does, or has such a branch."""
    if link.declaration.stage is not None or link.declaration.groups:
        return False
    return parsed(link.declaration).stops or any(stops(inner) for branch in link.branches for inner in branch)


def splices(branches: Sequence[Pipe]) -> bool:
    """Whether all branches are steps that end with the source, and none is known to wait."""
    links = [link for branch in branches for link in branch.links]
    return not any(lone(link) or stops(link) for link in links)


def entries(branches: Sequence[Pipe]) -> tuple[Strategy | None, ...]:
    """The strategy of the buffer that each branch begins with, if it does.

    The channel of the branch takes it over, and saves a task.
    """
    return tuple([_entry(branch) for branch in branches])


def _entry(branch: Pipe) -> Strategy | None:
    first = branch.links[0]
    strategy: Strategy | None = first.arguments["strategy"] if first.declaration.buffers else None
    return strategy
