"""A row: a step of the catalogue alone, to a list, and the loop by hand that does the same."""

from __future__ import annotations

from asyncio import get_running_loop
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from benchmarks.workload import HAND, OURS, Goals, Workload
from streamkit import ABSENT, TimeInterval, Timestamped, ops

__all__ = ["ALLOWED", "ALONE", "Row", "workload"]

ALONE = "step: "
"""How the names of the workloads of one step begin."""
ALLOWED = 1.10
"""How many times the loop by hand a step may cost."""


@dataclass(frozen=True)
class Row:
    """A step, and the lines of the loop by hand that does the same."""

    ours: Callable[[], Any]
    """The operator, or the sink."""
    each: str
    """What the loop does with each `item`; ``out`` is the list that items go into."""
    setup: str = ""
    finish: str = ""
    result: str = "out"
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the loop takes as arguments, as ours does: a global costs less to call than a local."""
    source: Callable[[int], Any] = range
    compared: Callable[[Any], Any] = lambda found: found
    """What must be the same of the results of both."""
    allowed: float = ALLOWED
    """How many times the opcodes by hand each item may cost."""
    why: str = ""
    """Why that is more than elsewhere."""

    async def run_ours(self, count: int) -> Any:
        """Run the step over so many items: to a list, if it is no sink."""
        pipe: Any = self.ours()
        sink = pipe if pipe.links[-1].declaration.sink else pipe | ops.to_list()
        return self.compared(await (self.source(count) | sink))

    async def run_by_hand(self, count: int) -> Any:
        """Run the loop by hand over so many items: in a coroutine, where an async program has it."""
        return self.compared(await _written(self)(self.source(count), **self.given))

    def __hash__(self) -> int:
        return id(self)


def workload(name: str, row: Row) -> Workload:
    """The step of `row`, as something that is measured."""
    goals: dict[int, Goals] = {} if row.why else {1: {HAND: ALLOWED}}
    found = Workload(f"{ALONE}{name}", "step", (1,), goals=goals, peers=())
    found.contenders[HAND] = lambda _, count: row.run_by_hand(count)
    found.contenders[OURS] = lambda _, count: row.run_ours(count)
    return found


@cache
def _written(row: Row) -> Callable[..., Any]:
    lines = [f"async def by_hand({', '.join(['source', *row.given])}):"]
    lines += [f"    {line}" for line in ["out = []", *row.setup.splitlines(), "for item in source:"]]
    lines += [f"        {line}" for line in row.each.splitlines()]
    lines += [f"    {line}" for line in [*row.finish.splitlines(), f"return {row.result}"]]
    names: dict[str, Any] = {
        "OrderedDict": OrderedDict,
        "deque": deque,
        "get_running_loop": get_running_loop,
        "TimeInterval": TimeInterval,
        "Timestamped": Timestamped,
        "ABSENT": ABSENT,
    }
    exec("\n".join(lines), names)
    found: Callable[..., Any] = names["by_hand"]
    return found
