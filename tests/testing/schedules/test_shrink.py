"""Shrinking: what is left fails, nothing of it can be left out, and a budget is kept."""

from collections.abc import Iterable, Sequence
from random import Random

import pytest
from hypothesis import example, given, strategies as st

from streamkit.testing.schedules.course import Course
from streamkit.testing.schedules.faults import Fault, Faults
from streamkit.testing.schedules.orders import BEFORE, Given, Order
from streamkit.testing.schedules.shrink import fewest, shrunk
from streamkit.testing.schedules.tokens import Park, Rank, Schedule, Take

numbers = st.sets(st.integers(0, 30))


@given(numbers, numbers)
def test_what_is_needed_is_left(needed: set[int], other: set[int]) -> None:
    items = sorted(needed | other)
    assert fewest(items, lambda left: needed <= set(left)) == tuple(sorted(needed))


@given(st.lists(st.integers(0, 20), max_size=20), st.randoms(use_true_random=False))
def test_nothing_more_can_be_left_out(items: list[int], random: Random) -> None:
    """Also where more switches may undo what fewer do: it need not fail again when one is put back."""
    known: dict[tuple[int, ...], bool] = {tuple(items): True}

    def fails(left: tuple[int, ...]) -> bool:
        return known.setdefault(left, random.random() < 0.3)

    left = fewest(items, fails)
    assert fails(left)
    assert not any(fails(left[:place] + left[place + 1 :]) for place in range(len(left)))


@given(st.integers(1, 200), st.integers(0, 199))
@example(1, 0)
def test_one_of_many_is_found_fast(count: int, needed: int) -> None:
    tries = 0

    def fails(left: tuple[int, ...]) -> bool:
        nonlocal tries
        tries += 1
        return needed in left

    needed %= count
    assert fewest(range(count), fails) == (needed,)
    assert tries <= 4 * count.bit_length() + 4


class Machine:
    """Fails where all of `needed` are parked, or all of one of `others`."""

    def __init__(self, needed: Sequence[int], *others: Sequence[int], fault: int | None = None) -> None:
        self.ways = [{*needed}, *map(set, others)]
        self.fault = fault
        self.runs = 0

    def __call__(self, order: Order, faults: tuple[Fault, ...]) -> Course | None:
        self.runs += 1
        parks = [pick for pick in range(PICKS) if order.parks(pick)]
        if self.fault is not None and self.fault not in {each.step for each in faults}:
            return None
        return course(parks, faults) if any(way <= {*parks} for way in self.ways) else None


PICKS = 50


def course(parks: Iterable[int], faults: tuple[Fault, ...] = ()) -> Course:
    made = Course()
    made.switches = [Park(pick, 0) for pick in parks]
    made.faults = [*faults]
    made.counts, made.chosen = [2] * PICKS, [0] * PICKS
    return made


def parks(*picks: int) -> tuple[Park, ...]:
    return tuple(Park(pick, 0) for pick in picks)


def test_a_schedule_shrinks_to_what_it_needs() -> None:
    faults = (Fault(Faults.CANCEL, 3), Fault(Faults.SHUTDOWN, 5))
    best = shrunk(course(range(PICKS), faults), Machine([4, 30], fault=3), Random(1))
    assert best == Schedule(parks(4, 30), faults[:1])


def test_another_schedule_with_fewer_switches_is_found() -> None:
    best = shrunk(course([4, 11, 30]), Machine([4, 11, 30], [44]), Random(1))
    assert best == Schedule(parks(44))


def test_no_more_runs_than_allowed() -> None:
    machine = Machine([1, 2, 3, 4])
    best = shrunk(course(range(PICKS)), machine, Random(1), runs=3)
    assert machine.runs == 3
    assert machine(Given(best), ()) is not None


@pytest.mark.parametrize("runs", range(1, 40, 7))
def test_whatever_the_budget_the_best_fails(runs: int) -> None:
    machine = Machine([1, 20, 40])
    best = shrunk(course(range(PICKS)), machine, Random(1), runs=runs)
    again = machine(Given(best), ())
    assert again is not None
    assert again.schedule == best


def test_one_park_in_the_place_of_two() -> None:
    """Of five needed ones, the two of each pair can be replaced, and then no more."""
    machine = Machine([3, 9, 20, 31, 40], [3, 9, 20, 35], [35, 20, 7])
    best = shrunk(course([3, 9, 20, 31, 40]), machine, Random(1), runs=20_000)
    assert {*best.switches} == {*parks(7, 20, 35)}


class Ranked:
    """Fails where lane 2 has a higher rank than lane 3, or something goes first at a pick: see `ways`."""

    def __init__(self, *, walked: int | None = None, followed: bool = False) -> None:
        self.walked = walked
        self.followed = followed

    def __call__(self, order: Order, faults: tuple[Fault, ...]) -> Course | None:
        made = course([])
        made.switches += [Rank(lane, rank) for lane in range(5) if (rank := order.rank(lane))]
        takes = [Take(pick, taken) for pick in range(PICKS) if (taken := order.take(pick, 2)) is not None]
        if self.followed and order.parks(0) == (BEFORE,):
            made.switches += parks(8)
            return made
        made.switches += takes
        walked = self.walked is not None and Take(self.walked, 1) in takes
        return made if order.rank(2) > order.rank(3) or walked else None


def test_ranks_are_as_few_and_low_as_they_can_be() -> None:
    found = course([])
    found.switches = [Rank(1, 30), Rank(2, 700), Rank(3, 20), Rank(4, 5)]
    assert shrunk(found, Ranked(), Random(1)) == Schedule((Rank(2, 1),))


def test_parks_that_lead_to_the_same_course_stand_in_for_ranks() -> None:
    found = course([])
    found.switches = [Rank(1, 30), Rank(2, 700)]
    assert shrunk(found, Ranked(followed=True), Random(1)) == Schedule(parks(8))


def test_a_walk_is_shrunk_if_nothing_else_fails() -> None:
    found = course([])
    found.switches = [Take(pick, 1) for pick in range(0, 50, 2)]
    assert shrunk(found, Ranked(walked=8), Random(1)) in (
        Schedule((Take(8, 1),)),
        Schedule((Rank(2, 1),)),  # by PCT
    )


def test_a_walk_that_nothing_stands_in_for_is_shrunk_to_what_it_needs() -> None:
    needed = [Take(pick, 1) for pick in (6, 18, 30, 42)]

    def walked(order: Order, faults: tuple[Fault, ...]) -> Course | None:
        made = course([])
        made.switches += [Take(pick, taken) for pick in range(PICKS) if (taken := order.take(pick, 2))]
        return made if {*needed} <= {*made.switches} else None

    found = course([])
    found.switches = [Take(pick, 1) for pick in range(0, PICKS, 2)]
    assert shrunk(found, walked, Random(1), runs=20_000) == Schedule(tuple(needed))
