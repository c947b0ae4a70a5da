"""A lane whose items are put in and taken out by hand: what it says to its channel, and what it keeps."""

import gc
import weakref
from itertools import islice
from operator import add
from typing import Any

import pytest

from streamkit import (
    Conflate,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Gap,
    KeepLatest,
    Spill,
    Strategy,
    Suspend,
    push,
)
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.flooding import FoldingLane, SheddingLane
from streamkit._engine.buffer.kinds import SpillLane
from streamkit._engine.buffer.lane import NEVER, Lane
from streamkit._engine.buffer.rounds import from_each, in_turn


class Item:
    """Something whose end can be seen."""


def filled(strategy: Strategy, *items: Any) -> tuple[Channel, Lane]:
    channel = Channel(clock=lambda: 0.0)
    lane = channel.lane(strategy)
    for item in items:
        lane.put(item)
    return channel, lane


@pytest.mark.parametrize(
    ("strategy", "left"),
    [(DropYoungest(2), [1, 3]), (DropIncoming(2), [1, 2]), (DropOldest(2), [2, 3]), (KeepLatest(), [3])],
)
def test_what_comes_while_it_floods_leaves_what_the_strategy_says_and_is_not_kept(
    strategy: Strategy, left: list[int]
) -> None:
    _, lane = filled(strategy, 1, 2)
    assert isinstance(lane, SheddingLane)
    item = Item()
    gone = weakref.ref(item)
    lane.shed(item)
    lane.shed(2)
    lane.shed(3)
    del item
    gc.collect()
    assert [lane.held.popleft() for _ in range(len(lane.held))] == left
    assert gone() is None


def test_each_item_that_could_not_be_folded_is_refused() -> None:
    _, lane = filled(Conflate(lambda one, other: other), 1)
    assert isinstance(lane, FoldingLane)
    lane.unfolded()
    lane.unfolded()
    assert lane.stats().refused == 2


@pytest.mark.parametrize("strategy", [Suspend(8), Spill(2)])
def test_it_is_loosened_by_the_item_that_leaves_few(strategy: Strategy) -> None:
    _, lane = filled(strategy, *range(5))
    assert isinstance(lane, SpillLane) == isinstance(strategy, Spill)
    lane.watch_low()
    for _ in range(5 - lane.low):
        assert lane.mark != NEVER
        lane.take()
    assert lane.mark == NEVER
    lane.discard([])


def test_the_channel_is_ready_as_long_as_it_holds_something() -> None:
    channel, lane = filled(Suspend(4), 1, 2)
    assert (lane.take(), channel.ready, channel.pop(), channel.ready) == (1, True, 2, False)


def test_nor_is_it_when_a_gap_at_the_end_was_taken() -> None:
    channel, lane = filled(DropIncoming(1, gaps=True), 1, 2)
    assert lane.take() == 1
    lane.close()
    assert (channel.ready, lane.take(), channel.ready) == (True, Gap(1), False)


def test_an_error_of_on_drop_is_raised_where_the_reader_leaves() -> None:
    def fails(item: Any, why: str) -> None:
        raise LookupError(why)

    channel, _ = filled(DropOldest(2, on_drop=fails), 1)
    with pytest.raises(LookupError, match="closed"):
        channel.leave()


def test_an_error_of_a_fold_shows_the_fold() -> None:
    def joined(one: int, other: int) -> int:
        raise LookupError(other)

    stream, emitter = push(Conflate(joined))
    emitter.offer(1)
    emitter.offer(2)
    with pytest.raises(LookupError) as caught:
        list(stream)
    assert "joined" in [entry.name for entry in caught.traceback]


class TestInTurn:
    def test_about_as_many_come_as_are_asked_for(self) -> None:
        channel, lane = filled(Suspend(9), 1, 2, 3)
        other = channel.lane(Suspend(9))
        other.extend([4, 5, 6])
        assert [*from_each(channel, 4)] == [1, 4, 2, 5]
        assert [*from_each(channel, 9)] == [3, 6]
        assert lane.delivered == other.delivered == 3

    def test_one_that_was_emptied_meanwhile_is_found_again(self) -> None:
        channel, lane = filled(Suspend(9), 1)
        other = channel.lane(Suspend(9))
        other.put(2)
        lane.pop()
        assert [*from_each(channel, 9)] == [2]
        lane.put(3)
        assert [*from_each(channel, 9)] == [3]

    def test_each_comes_with_its_lane_also_of_one_that_folds(self) -> None:
        channel, lane = filled(Suspend(9), 1, 2)
        other = channel.lane(Conflate(add))
        other.extend([3, 4])
        lane.watch_low()
        assert [*islice(in_turn(channel.queue), 9)] == [(lane, 1), (other, 7), (lane, 2)]
        assert (channel.ready, lane.mark, lane.delivered, other.delivered) == (False, NEVER, 2, 1)
        lane.put(5)
        assert [*islice(in_turn(channel.queue), 9)] == [(lane, 5)]

    def test_a_lane_is_loosened_by_the_item_that_leaves_few(self) -> None:
        channel, lane = filled(Suspend(8), *range(5))
        lane.watch_low()
        items = in_turn(channel.queue)
        for number in range(3):
            assert lane.mark != NEVER
            assert next(items) == (lane, number)
        assert lane.mark == NEVER

    def test_of_whole_rounds_no_more_come_either(self) -> None:
        channel, lane = filled(Suspend(20), *range(8))
        channel.lane(Suspend(20)).extend([*range(8)])
        assert [*channel.drained(4)] == [0, 0, 1, 1]
        channel.count()
        assert lane.delivered == 2

    def test_a_gap_comes_first_also_where_the_reader_lets_nobody_run(self) -> None:
        channel, _ = filled(DropOldest(2, gaps=True), 1, 2, 3)
        channel.alone = True
        assert [*channel.drained(9)] == [Gap(1), 2, 3]
