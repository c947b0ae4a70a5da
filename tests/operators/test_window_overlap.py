"""window on event time: windows that overlap, and how many of them are open, where numbers are rounded."""

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from streamkit import Hopping, Stream, Tumbling, Window, ops
from streamkit._stages.panes import panes_of
from tests.operators.windowing import Found, by_time, pipes
from tests.tiers import examples

STEPS = st.lists(st.tuples(st.sampled_from([0, 0, 0.1, 1, 3, 9]), st.integers(0, 12)), max_size=25)
"""How far time goes on with each item, and how far the item is behind that."""
LENGTHS = st.sampled_from([0.05, 0.1, 0.21, 0.3, 0.7, 1, 2.5, 3, 7, 10])
LATENESS = st.sampled_from([0, 0, 0.1, 0.3, 1, 5, 30])


def same(time: Any) -> Any:
    return time


def found(times: list[float], kind: Any, pipe: Any = None, **given: Any) -> Found:
    late: list[float] = []
    windows = ops.window(kind, pipe or ops.to_list(), timestamp=same, on_late=late.append, **given)
    return Found(list(Stream(times) | windows), late)


@settings(max_examples=examples(300))
@given(STEPS, st.sampled_from([0.0, -3.0, 1e9]), LENGTHS, LENGTHS, LATENESS)
def test_items_that_come_near_each_other_are_in_all_their_windows(
    steps: list[tuple[float, int]], begin: float, seconds: float, every: float, lateness: float
) -> None:
    reached = accumulate([forward for forward, _ in steps], initial=begin)
    times = [time - behind / 4 for time, (_, behind) in zip(reached, steps, strict=False)]
    assert found(times, Hopping(seconds=seconds, every=every), lateness=lateness) == by_time(
        times, seconds, every, lateness
    )


def test_an_item_before_the_last_one_is_in_a_window_that_ends_between_them() -> None:
    windows, late = found([43, 42.5], Hopping(seconds=10, every=3), lateness=9)
    assert windows[0] == (Window(33, 43), [42.5])
    assert not late


@settings(max_examples=examples(300))
@given(LENGTHS, LENGTHS, LATENESS, st.integers(-9, 10**9))
@example(seconds=0.1, every=0.1, lateness=0.1, first=0)
@example(seconds=0.7, every=0.35, lateness=0.7, first=0)
def test_no_more_windows_are_open_than_the_contract_says(
    seconds: float, every: float, lateness: float, first: int
) -> None:
    for kind in (Hopping(seconds=seconds, every=every), Tumbling(seconds=every)):
        panes = panes_of(kind, lateness)
        for number in range(first, first + 30):
            for time in (number * every, number * every + seconds, number * every + lateness):
                panes.advance(time)
                panes.at(time)
                assert len(panes.rest()) <= kind.most(lateness)


@pytest.mark.parametrize("pipe", pipes(ops.count()), ids=["steps", "tasks"])
def test_pipes_with_tasks_wait_for_no_window_that_would_be_too_many(pipe: Any) -> None:
    times = [number * 0.1 for number in range(40)]
    windows, late = found(times, Tumbling(seconds=0.1), pipe, lateness=0.1)
    assert sum(many for _, many in windows) == 40
    assert not late
