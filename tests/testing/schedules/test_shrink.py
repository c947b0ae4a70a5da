"""Shrinking: what is left fails, nothing of it can be left out, and a budget is kept."""

from collections.abc import Iterable, Sequence
from random import Random

import pytest
from hypothesis import example, given, strategies as st

from streamkit.testing.schedules.course import Course
from streamkit.testing.schedules.faults import Fault, Faults
from streamkit.testing.schedules.orders import Given, Order
from streamkit.testing.schedules.shrink import fewest, shrunk
from streamkit.testing.schedules.tokens import Park, Schedule

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
    """Fails where all of `needed` are parked, or one of `instead`."""

    def __init__(
        self, needed: Sequence[int], instead: Sequence[int] = (), *, fault: int | None = None
    ) -> None:
        self.needed = set(needed)
        self.instead = set(instead)
        self.fault = fault
        self.runs = 0

    def __call__(self, order: Order, faults: tuple[Fault, ...]) -> Course | None:
        self.runs += 1
        parks = [pick for pick in range(PICKS) if order.parks(pick)]
        if self.fault is not None and self.fault not in {each.step for each in faults}:
            return None
        return course(parks, faults) if self.needed <= {*parks} or self.instead & {*parks} else None


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
    best = shrunk(course([4, 11, 30]), Machine([4, 11, 30], instead=[44]), Random(1))
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
