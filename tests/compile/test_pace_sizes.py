"""Pace: how many items a loop takes before it looks at the clock again, and when it lets others run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streamkit._engine.compile.pace import LARGEST, Begun, Handed, Pace, Resumed, Thrown, steady
from tests.compile.clocks import Clock


def sizes(made: Pace, clock: Clock, *seconds: float) -> list[int]:
    found = list[int]()
    for each in seconds:
        clock.now += each
        made.due()
        found.append(made.size)
    return found


def test_slices_grow_while_they_take_no_time_up_to_the_largest(clock: Clock) -> None:
    made = Pace()
    assert made.size == 1
    assert sizes(made, clock, *[0.124] * 7) == [4, 16, 64, 256, 1024, LARGEST, LARGEST]


@pytest.mark.parametrize("seconds", [0.125, 0.3, 0.5])
def test_a_slice_that_takes_its_share_stays_as_large(clock: Clock, seconds: float) -> None:
    made = Pace()
    made.size = 64
    assert sizes(made, clock, seconds, seconds) == [64, 64]


def test_one_that_takes_more_is_smaller_next_and_never_empty(clock: Clock) -> None:
    made = Pace()
    made.size = 64
    # a quarter of what it may take: of one second, 64 items had one, so the next has 16
    assert sizes(made, clock, 1.0, 0.75, 100.0) == [16, 5, 1]


def test_one_that_takes_less_than_its_share_is_as_large_next_whoever_has_run_meanwhile(clock: Clock) -> None:
    class Shared(Pace):
        def others(self, now: float) -> float:
            return now

    assert sizes(Shared(), clock, *[0.12] * 9)[-1] == LARGEST


def test_it_is_time_when_the_budget_is_spent_and_not_again_before_others_have_run(clock: Clock) -> None:
    made = Pace()
    clock.now += 0.75
    assert not made.due()
    clock.now += 0.25
    assert made.due()
    assert made.due()
    made.rested()
    assert not made.due()
    clock.now += 1.0
    assert made.due()


def test_what_begins_with_streams_inside_has_the_count_to_the_next_look() -> None:
    made = Pace()
    made.size = 16
    nested, left = made.begin()
    assert (nested, left) == ({}, 16)
    assert nested is made.nested is not Pace.nested


def test_the_end_of_a_pull_that_was_closed_is_told_from_others() -> None:
    made = Pace()
    assert not made.over
    for error, given_up in ((ValueError(), False), (asyncio.CancelledError(), True)):
        assert made.closed(error) is False
        assert made.given_up is given_up
    asked = list[BaseException]()
    made.closing = lambda error: asked.append(error) or True
    assert made.over
    error = GeneratorExit()
    assert made.closed(error) is True
    assert asked == [error]


class Counting:
    """An iterator of a user's, which begins anew when it is asked for."""

    def __iter__(self) -> Counting:
        self.number = 0
        return self

    def __next__(self) -> int:
        self.number += 1
        return self.number


class Plain:
    def __init__(self) -> None:
        self.left = [1, 2]

    def __next__(self) -> int:
        return self.left.pop(0)


def test_an_iterator_that_begins_anew_is_asked_once() -> None:
    items = steady(iter(Counting()))
    assert [next(iter(items)) for _ in range(3)] == [1, 2, 3]
    plain = steady(Plain())
    assert [next(iter(plain)) for _ in range(2)] == [1, 2]
    for usual in (iter([1]), iter({}), (each for each in ""), map(str, [])):
        assert steady(usual) is usual


async def numbers() -> Any:
    for number in range(3):
        yield number


def test_steps_that_were_taken_early_come_first() -> None:
    asyncio.run(_taken_early())


async def _taken_early() -> None:
    items = numbers()
    resumed = Resumed([Handed("first"), Handed("second")], items)
    assert aiter(resumed) is resumed
    assert [item async for item in resumed] == ["first", "second", 0, 1, 2]
    ended = Resumed([Handed("last"), Handed(None, ended=True)], numbers())
    assert [item async for item in ended] == ["last"]
    begun = Begun(items)
    assert aiter(begun) is items


def test_what_is_in_the_hand_comes_before_what_was_taken_early() -> None:
    asyncio.run(_in_hand())


async def _in_hand() -> None:
    made = Pace()
    made.source = numbers()
    made.handed.append(Handed("early"))
    assert [item async for item in made.resumed("in hand")] == ["in hand", "early", 0, 1, 2]
    assert [item async for item in made.resumed("in hand", numbers())] == ["in hand", 0, 1, 2]


def test_an_error_that_waits_for_the_next_step_is_thrown_there() -> None:
    asyncio.run(_thrown())


async def _thrown() -> None:
    items = numbers()
    assert await anext(items) == 0
    resumed = Resumed([Thrown(items.athrow, KeyError("late"))], items)
    with pytest.raises(KeyError, match="late"):
        await anext(resumed)
    assert [item async for item in resumed] == []
    assert not Thrown.ended
