"""Reading item by item, where a lane allows no rounds: something comes each time, writers are woken."""

from collections.abc import Iterator
from typing import Any

import pytest

from streamkit import Conflate, DropOldest, Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.rounds import popped, rounds
from streamkit.testing import run

CAPACITY = 8


def one_by_one(channel: Channel, most: int) -> Iterator[Any]:
    while channel.ready:
        yield from channel.drained(most)


async def filled(channel: Channel, capacity: int) -> tuple[Lane, Any]:
    """A lane that is full, and what its writer waits for."""
    lane = channel.lane(Suspend(capacity))
    for number in range(capacity):
        lane.put(number)
    return lane, lane.vacancy()


@pytest.mark.parametrize("most", [1, 2, 3, 100])
@pytest.mark.parametrize("strategy", [DropOldest(9), DropOldest(9, gaps=True), Suspend(9)])
def test_each_call_gives_something_as_long_as_there_is_something(strategy: Strategy, most: int) -> None:
    async def main() -> None:
        channel = Channel()
        lanes = [channel.lane(strategy) for _ in range(3)]
        for number in range(4):
            for place, lane in enumerate(lanes):
                lane.put((number, place))
        found, calls = list[Any](), 0
        while channel.ready:
            before = len(found)
            found += channel.drained(most)
            assert len(found) > before
            calls += 1
        assert found == [(number, place) for number in range(4) for place in range(3)]
        assert [lane.stats().delivered for lane in lanes] == [4] * 3
        assert calls <= 12

    run(main)


@pytest.mark.parametrize("beside", [None, Conflate(max), DropOldest(20), DropOldest(20, gaps=True)])
@pytest.mark.parametrize(("capacity", "low"), [(1, 0), (2, 1), (3, 1), (CAPACITY, 2), (9, 2)])
def test_a_writer_is_woken_when_a_quarter_is_left(beside: Strategy | None, capacity: int, low: int) -> None:
    async def main() -> None:
        channel = Channel()
        if beside is not None:  # a lane that is read item by item
            other = channel.lane(beside)
            for number in range(20):
                other.put(number)
        lane, writer = await filled(channel, capacity)
        woken = list[int]()
        for _ in one_by_one(channel, 1):
            if writer.done():
                woken.append(len(lane.held))
        assert max(woken) == low

    run(main)


@pytest.mark.parametrize("most", [1, 3, 100])
def test_a_lane_that_is_read_alone_ends_where_it_is_empty(most: int) -> None:
    async def main() -> None:
        channel = Channel()
        lane, writer = await filled(channel, CAPACITY)
        found = list[Any]()
        while channel.ready:
            some = [*channel.drained(most)]
            assert len(some) <= most
            found += some
        assert found == [*range(CAPACITY)]
        assert writer.done()
        assert (lane.stats().delivered, lane.listed) == (CAPACITY, False)
        lane.put("later")
        assert [*channel.drained(most)] == ["later"]

    run(main)


def test_no_more_are_taken_than_are_asked_for_where_each_is_popped() -> None:
    channel = Channel(clock=lambda: 0.0)
    lane = channel.lane(DropOldest(9))
    for number in range(5):
        lane.put(number)
    assert [*popped(channel, 2)] == [0, 1]
    assert [*popped(channel, 9)] == [2, 3, 4]


def test_a_reader_that_is_alone_notes_what_each_lane_holds_though_there_are_no_rounds() -> None:
    channel = Channel(clock=lambda: 0.0)
    lanes = [channel.lane(Suspend(9)) for _ in range(2)]
    for lane, many in zip(lanes, (1, 3), strict=True):
        held: Any = lane.held
        held.extend(range(many))  # as a writer appends what it was granted
    assert rounds(lanes, 100, alone=True) == 0
    assert [lane.most for lane in lanes] == [1, 3]
