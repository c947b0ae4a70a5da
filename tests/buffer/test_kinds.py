"""The kinds of lanes: what each shows of its next item, gives, and counts."""

import asyncio
from collections.abc import Callable
from operator import add
from typing import Any

import pytest

from streamkit import (
    EMPTY,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    Gap,
    Spill,
    Strategy,
    Stream,
    Suspend,
    ops,
)
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit.testing import run
from tests.buffer.test_account import balanced


def lane_of(strategy: Strategy | None) -> Lane:
    return Channel(clock=lambda: 0.0).lane(strategy)


def gaps(capacity: int = 2) -> Strategy:
    return DropOldest(capacity, gaps=True)


KINDS: list[tuple[Strategy | None, list[Any], list[Any]]] = [
    (None, [1], [1]),
    (Suspend(4), [1, 2, 3], [1, 2, 3]),
    (DropOldest(2), [1, 2, 3], [2, 3]),
    (Conflate(add), [1, 2, 3], [6]),
    (Collect(4), [1, 2, 3], [[1, 2, 3]]),
    (Collect(4), [1], [[1]]),
    (gaps(), [1, 2], [1, 2]),
    (gaps(), [1, 2, 3, 4], [Gap(2), 3, 4]),
    (DropIncoming(2, gaps=True), [1, 2, 3, 4], [1, 2, Gap(2)]),
    (Spill(1), [1, 2, 3], [1, 2, 3]),
]


@pytest.mark.parametrize(("strategy", "items", "found"), KINDS)
def test_what_it_shows_is_what_it_gives(
    strategy: Strategy | None, items: list[Any], found: list[Any]
) -> None:
    lane = lane_of(strategy)
    assert lane.peek() is EMPTY
    assert lane.take() is EMPTY
    for item in items:
        lane.put(item)
    lane.close()
    given = list[Any]()
    while (shown := lane.peek()) is not EMPTY:
        assert lane.peek() == shown
        item = lane.take()
        assert item == shown
        given.append(item)
        assert balanced(lane.stats())
    assert given == found
    assert lane.take() is EMPTY
    stats = lane.stats()
    lost = stats.dropped + stats.folded
    assert (stats.offered, stats.delivered, stats.held) == (len(items), len(items) - lost, 0)


@pytest.mark.parametrize(("strategy", "items", "found"), KINDS)
def test_what_is_left_is_dropped_once(strategy: Strategy | None, items: list[Any], found: list[Any]) -> None:
    lane = lane_of(strategy)
    for item in items:
        lane.put(item)
    lane.close()
    held = lane.stats().held
    before = lane.stats().dropped
    lane.discard([])
    assert (lane.stats().dropped, lane.stats().held) == (before + held, 0)
    assert balanced(lane.stats())
    with pytest.raises(Abandoned):
        lane.put("late")


class TestGaps:
    def test_one_at_the_end_is_no_item_and_is_told_of_once(self) -> None:
        lane = lane_of(DropIncoming(1, gaps=True))
        for number in range(3):
            lane.put(number)
        assert lane.stats().held == 1
        lane.close()
        lane.close()
        assert (lane.stats().held, lane.exhausted) == (1, False)
        assert [lane.take(), lane.take(), lane.take()] == [0, Gap(2), EMPTY]
        assert lane.exhausted
        assert lane.stats().delivered == 1

    def test_one_that_comes_when_the_lane_is_empty_wakes_the_reader(self) -> None:
        channel = Channel(clock=lambda: 0.0)
        lane = channel.lane(DropIncoming(1, gaps=True))
        lane.put("a")
        lane.put("b")
        assert channel.pop() == "a"
        assert not channel.ready
        lane.close()
        assert channel.ready
        assert [channel.pop(), channel.pop()] == [Gap(1), EMPTY]

    def test_none_where_nothing_is_missing(self) -> None:
        lane = lane_of(gaps())
        lane.put("a")
        lane.take()
        lane.close()
        assert (lane.take(), lane.exhausted) == (EMPTY, True)


def test_a_hand_over_is_full_until_the_reader_asks() -> None:
    channel: Any = Channel(clock=lambda: 0.0)
    lane = channel.lane()
    assert lane.full()
    channel._reader = object()  # as while it waits for an item
    assert not lane.full()
    channel._reader = None
    lane.put("item")
    lane.keep(lane.take())
    channel._reader = object()
    assert lane.full()  # the item has its only place until it is released
    channel._reader = None
    lane.refuse()
    assert not lane.full()


@pytest.mark.parametrize("capacity", [1, 2, 3, 5])
def test_on_drop_is_told_of_all_that_one_item_displaces(capacity: int) -> None:
    told = list[tuple[Any, str]]()
    lane = lane_of(DropAll(capacity, on_drop=lambda item, why: told.append((item, why))))
    for number in range(capacity + 1):
        lane.put(number)
    assert told == [(number, "full") for number in range(capacity)]
    assert lane.take() == capacity
    assert lane.stats().dropped == capacity


def test_one_that_was_never_used_has_held_nothing() -> None:
    stats = lane_of(Suspend(3)).stats()
    assert (stats.offered, stats.held, stats.held_at_most, stats.seconds_full) == (0, 0, 0, 0.0)


def test_the_seconds_that_it_was_full_add_up() -> None:
    now = 0.0
    lane = Channel(clock=lambda: now).lane(Suspend(1))
    for seconds in (1.0, 2.0, 4.0):
        lane.put("item")
        now += seconds
        assert lane.stats().seconds_full == now
        lane.take()
    now += 100.0
    assert lane.stats().seconds_full == 7.0
    lane.put("item")
    now += 8.0
    lane.discard([])
    now += 100.0
    assert lane.stats().seconds_full == 15.0


@pytest.mark.parametrize(
    ("lose", "told"),
    [
        (lambda lane: lane.turn_away("b"), [("b", "closed")]),
        (lambda lane: lane.turn_away("b", "late"), [("b", "late")]),
        (lambda lane: lane.discard([]), [("a", "closed")]),
    ],
)
def test_on_drop_is_told_why(lose: Callable[[Lane], None], told: list[tuple[str, str]]) -> None:
    heard = list[tuple[Any, str]]()
    lane = lane_of(DropOldest(2, on_drop=lambda item, why: heard.append((item, why))))
    lane.put("a")
    lose(lane)
    assert heard == told
    assert lane.stats().dropped == 1
    assert balanced(lane.stats())


def test_what_is_kept_counts_as_held_until_it_is_released() -> None:
    lane = lane_of(Suspend(5))
    for number in range(4):
        lane.put(number)
    for _ in range(3):
        lane.keep(lane.take())
    seen = [(lane.stats().delivered, lane.stats().held, lane.limit)]
    assert lane.release(but=1) == [0, 1]
    seen.append((lane.stats().delivered, lane.stats().held, lane.limit))
    assert lane.release(since=1) == []
    assert lane.release() == [2]
    seen.append((lane.stats().delivered, lane.stats().held, lane.limit))
    assert seen == [(0, 4, 2), (2, 2, 4), (3, 1, 5)]
    assert lane.stats().held_at_most == 4


def test_where_all_the_room_is_taken_by_what_is_kept_the_strategy_says_what_is_dropped() -> None:
    lane = lane_of(DropIncoming(1))
    lane.put(0)
    lane.keep(lane.take())
    lane.put(1)
    stats = lane.stats()
    assert (lane.limit, stats.dropped, stats.refused, stats.held) == (0, 1, 0, 1)
    assert balanced(stats)


class Unreadable:
    """It can be written to a disk, and not read."""

    def __reduce__(self) -> Any:
        return unread, ()


def unread() -> None:
    raise LookupError("unreadable")


class Ending:
    """One that ends an iterator when it is read, which the loop that has the buffer inside must not be."""

    def __reduce__(self) -> Any:
        return next, (iter(()),)


async def slowly(item: Any) -> Any:
    await asyncio.sleep(1.0)
    return item


SPILLS: dict[str, Any] = {
    "buffer, and a step": ops.buffer(Spill(2)) | ops.map(str),
    "buffer, which another takes over": ops.buffer(Spill(2)) | ops.zip(range(99)),
    "buffer, whose items leave in lists": ops.buffer(Spill(2)) | ops.batch_within(4, seconds=5.0),
    "buffer, and workers": ops.buffer(Spill(2)) | ops.map(str, concurrency=2),
    "buffer, and others beside it": ops.buffer(Spill(2)) | ops.merge([]),
    "buffer, and branches": ops.buffer(Spill(2)) | ops.broadcast(ops.map(str), ops.map(str)),
    "broadcast, of a branch": ops.broadcast(ops.for_each(str), ops.buffer(Spill(2)) | ops.for_each(slowly)),
    "group_by, of a group": ops.group_by(bool, ops.buffer(Spill(2)) | ops.map(slowly), max_groups=1),
    "share": ops.share(strategy=Spill(2)),
}


def test_an_item_that_cannot_be_read_names_the_operator_whose_buffer_it_was_in_and_no_other() -> None:
    items = [*range(1, 9), Unreadable(), 10]
    for name, way in SPILLS.items():
        stream: Any = Stream(items) | way
        job: Any = stream | ops.for_each(slowly) if isinstance(stream, Stream) else stream
        with pytest.raises(LookupError, match="unreadable") as caught:
            run(job)
        notes = caught.value.__notes__
        assert len(notes) == 1, f"{name}: {notes}"
        assert notes[0].startswith(f"in {name.partition(',')[0]}("), f"{name}: {notes}"


@pytest.mark.parametrize("name", ["buffer, and a step", "buffer, and workers"])
def test_an_item_that_ends_an_iterator_when_it_is_read_is_an_error(name: str) -> None:
    stream = Stream([*range(1, 9), Ending(), 10]) | SPILLS[name]
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        run(lambda: stream | ops.for_each(slowly))
    assert isinstance(caught.value.__cause__, StopIteration)
    assert caught.value.__notes__[0].startswith("in buffer(")
