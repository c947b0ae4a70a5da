"""Supervision against a model that has no event loop, over random trees, each for an hour of virtual time."""

import pytest

from streamkit.testing import run
from tests.flow.model import simulated
from tests.flow.trees import Event, run_tree

MANY, FEW = 1_000, 20


def in_order(events: list[Event]) -> list[str]:
    """Events; of one instant, sorted: what is seen of several flows in no time has no order."""
    return sorted(map(str, events), key=lambda text: (float(text.split("=")[1].split(",")[0]), text))


def compare(seed: int) -> int:
    main, flow = run_tree(seed)
    seen = run(main)
    expected = simulated(seed, flow)
    assert in_order(seen.events) == in_order(expected.events), f"tree {seed}"
    assert seen.states == expected.states, f"tree {seed}"
    assert seen.outcome == expected.outcome, f"tree {seed}"
    return len(seen.events)


def test_it_is_as_in_the_model_and_nothing_is_left() -> None:
    assert sum(compare(seed) for seed in range(FEW)) > 50 * FEW


@pytest.mark.full
def test_it_is_as_in_the_model_in_all_trees() -> None:
    assert sum(compare(seed) for seed in range(FEW, MANY)) > 50 * MANY
