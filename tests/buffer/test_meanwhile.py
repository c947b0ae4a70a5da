"""What interrupts a change of a shared channel: how it is answered, and that the answers are kept."""

from collections.abc import Callable
from threading import RLock
from typing import Any

import pytest

from streamkit import Conflate, DropIncoming, DropOldest, Fail, Offered, Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.meanwhile import CHAIN, SPARE, Meanwhile

ACCEPTED, DROPPED, FULL, CLOSED = Offered


def nothing() -> None:
    pass


def lane_of(strategy: Strategy, held: int = 0) -> Lane:
    lane = Channel(clock=lambda: 0.0).lane(strategy)
    for number in range(held):
        lane.put(number)
    return lane


def let_in(meanwhile: Meanwhile, lane: Lane, act: Callable[[], object] = nothing) -> int:
    """How many are taken in that come one after another."""
    count = 0
    while meanwhile.answer(lane, waited=False) is ACCEPTED:
        meanwhile.later(act, ACCEPTED)
        count += 1
    return count


@pytest.fixture
def meanwhile() -> Meanwhile:
    return Meanwhile(RLock())


class TestPlaces:
    @pytest.mark.parametrize("putting", [False, True])
    @pytest.mark.parametrize("held", [0, 1, SPARE - 1])
    @pytest.mark.parametrize("capacity", [SPARE - 1, SPARE, SPARE + 1, SPARE + 5])
    def test_as_many_are_taken_in_as_have_one(
        self, meanwhile: Meanwhile, capacity: int, held: int, putting: bool
    ) -> None:
        lane = lane_of(Suspend(capacity), held)
        meanwhile.putting = putting
        spare = 1 if putting or capacity > SPARE else 0  # for the item that the change is about
        expected = max(capacity - held - spare, 0)
        assert let_in(meanwhile, lane) == expected
        meanwhile.catch_up(lane)
        assert not meanwhile.todo
        assert let_in(meanwhile, lane) == expected  # none of these was put in: so again

    def test_those_that_are_done_leave_theirs(self, meanwhile: Meanwhile) -> None:
        lane = lane_of(Suspend(SPARE))
        more = list[int]()
        for number in range(SPARE):
            meanwhile.later(nothing if number else lambda: more.append(let_in(meanwhile, lane)), ACCEPTED)
        meanwhile.catch_up(lane)
        assert more == [1]

    def test_what_was_not_taken_in_needs_none(self, meanwhile: Meanwhile) -> None:
        lane = lane_of(Suspend(SPARE))
        for outcome in (FULL, DROPPED, CLOSED, None):
            meanwhile.later(nothing, outcome)
        assert let_in(meanwhile, lane) == SPARE
        meanwhile.catch_up(lane)

    def test_who_waits_is_not_overtaken(self, meanwhile: Meanwhile) -> None:
        assert meanwhile.answer(lane_of(Suspend(2)), waited=True) is FULL


@pytest.mark.parametrize(
    ("strategy", "answer", "ends"),
    [
        (Suspend(2), FULL, False),
        (Fail(2), FULL, True),
        (DropIncoming(2), DROPPED, False),
        (DropOldest(2), ACCEPTED, False),
    ],
)
def test_where_there_is_no_room_the_strategy_decides(
    meanwhile: Meanwhile, strategy: Strategy, answer: Offered, ends: bool
) -> None:
    lane = lane_of(strategy, held=2)
    assert meanwhile.ending is False
    assert meanwhile.answer(lane, waited=False) is answer
    assert meanwhile.ending is ends
    meanwhile.ending = True
    assert meanwhile.answer(lane, waited=False) is CLOSED


def test_all_that_came_is_done_in_order_also_what_comes_then(meanwhile: Meanwhile) -> None:
    done = list[Any]()
    meanwhile.later(lambda: meanwhile.later(lambda: done.append("c")))
    for item in "ab":
        meanwhile.later(lambda item=item: done.append(item))
    meanwhile.catch_up(lane_of(Suspend(1)))
    assert done == ["a", "b", "c"]


@pytest.mark.parametrize(("strategy", "bound"), [(Conflate(max), True), (Suspend(1), False)])
def test_only_a_fold_offers_without_an_end(meanwhile: Meanwhile, strategy: Strategy, bound: bool) -> None:
    lane = lane_of(strategy)
    for _ in range(2 * CHAIN + 1):
        meanwhile.later(nothing)
    if bound:
        with pytest.raises(RuntimeError, match=r"^Conflate\(.*max.*\): its fold offers an item for each"):
            meanwhile.catch_up(lane)
        assert len(meanwhile.todo) == CHAIN
    meanwhile.catch_up(lane)
    assert not meanwhile.todo
    for count, closes in (CHAIN, False), (CHAIN + 1, True):
        for _ in range(count):
            meanwhile.later(nothing)
        if closes:
            lane.close()
        meanwhile.catch_up(lane)  # it is counted anew; and what is closed folds nothing more
        assert not meanwhile.todo
