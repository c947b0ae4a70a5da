"""Planted bugs are found, replayed and shrunk; their twins are not blamed. All figures: ``make planted``."""

from __future__ import annotations

import pytest

from tests.planted.garden import PLANTS
from tests.planted.measure import MOST_SWITCHES, find, right_for, shows_unexplored
from tests.planted.plant import Plant

KINDS = {
    "a dropped wake-up",
    "a swallowed CancelledError",
    "an unclosed sibling",
    "an off-by-one bound",
    "an item lost on timeout",
    "a second cancel in clean-up",
    "a result pinned",
    "a lane not retired",
    "check-then-act over an await",
    "a lock released by the wrong task",
    "a future whose callbacks run after close",
    "a counter updated across an await",
    "a producer that is not waited for",
    "a queue get that loses its item when cancelled",
    "an Event cleared after it was awaited",
    "double close of a source",
    "a task reference dropped",
    "gather siblings left running",
    "an error of a sibling lost",
    "order inversion in a concurrent map",
    "a stale timer that fires after it was re-armed",
    "a semaphore released twice",
}
"""What goes wrong in concurrent programs; each is planted at least once."""

LONG = {"conflict_twice"}
"""Plants that take hundreds of runs to be found, and to be shrunk."""

each = pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)


def test_there_is_a_plant_of_every_kind_in_streamkit_and_in_programs() -> None:
    assert {plant.kind for plant in PLANTS.values()} >= KINDS
    library = [plant for plant in PLANTS.values() if plant.changes]
    assert len(library) >= 10
    assert len(PLANTS) - len(library) >= 10


@each
def test_a_plant_does_not_show_in_the_order_of_asyncio(plant: Plant) -> None:
    assert shows_unexplored(plant) is None


def _is_found(plant: Plant, seeds: range) -> None:
    with plant.planted():
        for seed in seeds:
            found = find(plant, seed)
            assert found is not None, f"not found with seed {seed}"
            assert found.replayed, f"not replayed with seed {seed}: {found.token}"
            assert found.switches <= MOST_SWITCHES, found.token


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param(plant, marks=pytest.mark.full) if name in LONG else plant
        for name, plant in PLANTS.items()
    ],
    ids=PLANTS,
)
def test_a_plant_is_found_replayed_and_shrunk(plant: Plant) -> None:
    _is_found(plant, range(1))


@pytest.mark.full
@each
def test_a_plant_is_found_with_any_seed(plant: Plant) -> None:
    """A few of them: `make planted` tries a hundred."""
    _is_found(plant, range(1, 4))


@pytest.mark.full
def test_what_is_found_with_many_switches_leaves_runs_to_find_others() -> None:
    """This seed finds it with seven, of which none can be left out; three are enough."""
    found = find(PLANTS["conflict_twice"], 98)
    assert found is not None
    assert found.switches == 3


@each
def test_the_same_without_the_bug_is_right(plant: Plant) -> None:
    right_for(plant, range(1), schedules=12)


@pytest.mark.full
@each
def test_the_same_without_the_bug_is_right_in_a_thousand_schedules(plant: Plant) -> None:
    right_for(plant, range(1))
