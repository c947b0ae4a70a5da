"""What each step costs beside the loop by hand, in opcodes: at most a tenth more, and every step is there."""

from typing import Any

import pytest

from benchmarks.workloads.row import ALLOWED, Row
from benchmarks.workloads.steps import AT_ONCE, ROWS
from streamkit import Stream, Tumbling, ops
from streamkit._core.catalogue import catalogue
from streamkit._engine.plan.link import flattened
from tests.compile.test_opcodes import per_item, still
from tests.files import over
from tests.tiers import stride

__all__ = ["still"]  # the clock by which loops size their slices stands still here, too

STEPS = [
    each
    for each in catalogue()
    if each.stage is None
    and each.function.__module__.startswith(("streamkit.operators.", "streamkit.sinks."))
]
every_row = pytest.mark.parametrize("row", [*ROWS.values()][:: stride(3)], ids=[*ROWS][:: stride(3)])


def measured(row: Row) -> set[Any]:
    return {link.declaration for link in flattened(row.ours().links)}


@every_row
def test_an_item_costs_at_most_a_tenth_more_than_by_hand(row: Row) -> None:
    ours, by_hand = per_item(row.run_ours), per_item(row.run_by_hand)
    assert ours <= row.allowed * by_hand, (
        f"{ours:.2f} opcodes per item, {by_hand:.2f} by hand: {ours / by_hand:.3f}"
    )


@over(ROWS)
def test_what_costs_more_says_why(name: str) -> None:
    row = ROWS[name]
    assert (row.allowed > ALLOWED) == bool(row.why)


@over(STEPS, named=lambda each: f"{each.name}-{each.function.__name__}")
def test_every_step_has_a_row(step: Any) -> None:
    found = any(step in measured(row) for row in ROWS.values())
    assert found != (step.name in AT_ONCE), (
        f"benchmarks/workloads/{'sinks' if step.sink else 'steps'}.py: add a Row for {step.name}"
    )


WINDOWS = 84
"""For an item of a window of each key: to take up the window, and to put it away; a tenth of it ends one."""


async def windows(items: int) -> int:
    each = ops.window(Tumbling(count=10), ops.count())
    grouped = ops.group_by(lambda number: number % 8, each, max_groups=8)
    return await (Stream(range(items)) | grouped | ops.count())


def test_an_item_of_a_window_by_key_costs_so_many_opcodes() -> None:
    assert per_item(windows) <= WINDOWS
