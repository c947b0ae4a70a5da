"""Shared channels that are called in the middle of a change: that is answered, and done when it is complete.

Who changes a channel holds its lock. A signal handler, or a ``__del__``, may call it in the same thread then:
here, the test does so itself. `tests/stages/test_push_interrupted.py` interrupts each step of each change.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from operator import add
from typing import Any

import pytest

from streamkit import (
    EMPTY,
    BufferOverflowError,
    Collect,
    Conflate,
    DropIncoming,
    DropOldest,
    Fail,
    Offered,
    Strategy,
    Suspend,
    push,
)
from streamkit._engine.buffer.meanwhile import SPARE
from streamkit._engine.buffer.threads import SharedChannel, Waiter
from streamkit.testing import run
from tests.laws.push_account import check_sum, every_strategy
from tests.stages.test_push_interrupted import CAPACITY, INTERRUPTIONS, Producer, read

ACCEPTED, DROPPED, FULL, CLOSED = Offered


@pytest.mark.spread
@pytest.mark.parametrize("held", [0, 1, CAPACITY])
@pytest.mark.parametrize("interruption", INTERRUPTIONS)
@every_strategy
def test_each_item_becomes_what_was_answered(name: str, interruption: str, held: int) -> None:
    producer = Producer(name, CAPACITY)
    producer.offer(held)
    channel: Any = producer.stream.source.value
    with channel.lock:
        INTERRUPTIONS[interruption](producer)
    producer.offer()
    producer.emitter.close()
    read(producer)
    producer.check()


ANSWERS: list[tuple[Strategy, list[Offered], list[Any]]] = [
    (Suspend(2), [ACCEPTED, FULL, FULL], [1, 2]),
    (Fail(2), [ACCEPTED, FULL, CLOSED], [1, 2]),
    (DropIncoming(2), [ACCEPTED, DROPPED, DROPPED], [1, 2]),
    (DropOldest(2), [ACCEPTED, ACCEPTED, ACCEPTED], [3, 4]),
    (Conflate(add), [ACCEPTED, ACCEPTED, ACCEPTED], [10]),
]


@pytest.mark.parametrize(("strategy", "answers", "left"), ANSWERS, ids=lambda value: repr(value))
def test_nothing_is_changed_before_the_change_is_complete(
    strategy: Strategy, answers: list[Offered], left: list[Any]
) -> None:
    stream, emitter = push(strategy)
    assert emitter.offer(1) is ACCEPTED
    channel: Any = stream.source.value
    with channel.lock:
        assert [emitter.offer(item) for item in (2, 3, 4)] == answers
        assert len(channel.lanes[0].held) == 1
        check_sum(emitter.stats())
    assert emitter.close() is not strategy.fails
    stats = emitter.stats()
    assert (stats.offered, stats.held) == (4, len(left))
    check_sum(stats)
    found: list[Any] = []

    async def main() -> None:
        async for item in stream:
            found.append(item)

    if strategy.fails:
        with pytest.raises(BufferOverflowError, match=r"4|3"):
            run(main)
    else:
        run(main)
    assert found == left


class Held(Waiter):
    """Notes when it is told of its outcome."""

    def __init__(self, item: Any) -> None:
        super().__init__(item)
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class Blocked(Held):
    """Its thread would do nothing else meanwhile."""

    holds = True


def shared(*items: Any) -> SharedChannel:
    channel = SharedChannel(Suspend(2))
    for item in items:
        assert channel.offer(item) is ACCEPTED
    return channel


def test_what_was_held_at_most_in_a_burst_is_known_behind_an_interruption() -> None:
    channel, many = SharedChannel(Suspend(SPARE + 9)), 9
    for item in range(many):  # as many as are taken in without a look
        channel.offer(item)
    with channel.lock:
        assert channel.offer(many) is ACCEPTED
        (stats,) = channel.stats()
        assert stats.held_at_most == many
    channel.released()
    assert [channel.pop() for _ in range(many + 1)] == [*range(many + 1)]
    (stats,) = channel.stats()
    assert (stats.offered, stats.held_at_most) == (many + 1, many + 1)


def test_what_is_dropped_in_a_change_is_told_of_behind_it() -> None:
    told = list[Any]()
    channel = SharedChannel(DropIncoming(1, on_drop=lambda item, reason: told.append((item, reason))))
    channel.offer(1)
    with channel.lock:
        assert (channel.offer(2), told) == (DROPPED, [])
    channel.released()
    assert told == [(2, "full")]


def test_what_the_reader_has_in_hand_and_has_not_counted_yet_is_held_still() -> None:
    channel: Any = shared(1, 2)
    channel.lanes[0].held.popleft()
    (stats,) = channel.stats()
    assert (stats.offered, stats.delivered, stats.held) == (2, 0, 2)
    check_sum(stats)


class TestWaiting:
    def test_one_who_cannot_be_let_in_lines_up_behind_the_change(self) -> None:
        channel = shared(1, 2)
        with channel.lock:
            waiter: Any = channel.offer(3, Held)
            assert (waiter.outcome, waiter.woken) == (None, 0)
        assert channel.pop() == 1
        channel.released()
        assert [channel.pop() for _ in range(2)] == [2, 3]
        assert (waiter.outcome, waiter.woken) == (ACCEPTED, 1)

    def test_one_is_let_in_where_the_reader_takes_all_at_once(self) -> None:
        channel, roomy = SharedChannel(Collect(2)), list[int]()
        assert [channel.offer(1), channel.offer(2)] == [ACCEPTED] * 2
        waiter: Any = channel.offer(3, Held)
        assert (waiter.outcome, channel.pop(), waiter.outcome) == (None, [1, 2], ACCEPTED)
        channel.roomy = lambda: roomy.append(len(channel.lanes[0].held))
        assert (channel.pop(), roomy) == ([3], [0])

    def test_one_is_not_overtaken_though_there_is_room(self) -> None:
        channel = SharedChannel(Suspend(8))
        for item in range(8):
            assert channel.offer(item) is ACCEPTED
        waiter: Any = channel.offer(8, Held)
        assert [channel.pop(), channel.pop(), waiter.outcome] == [0, 1, None]
        with channel.lock:
            assert channel.offer(9) is FULL
        channel.released()
        assert [channel.pop() for _ in range(8)] == [*range(2, 9), EMPTY]
        assert waiter.outcome is ACCEPTED

    def test_one_that_holds_its_thread_is_refused_for_it_would_hold_the_change(self) -> None:
        channel = shared(1, 2)
        with channel.lock:
            assert channel.offer(3, Blocked) is FULL
        (stats,) = channel.stats()
        assert (stats.offered, stats.refused, stats.held) == (3, 1, 2)

    def test_one_that_lines_up_at_the_end_is_refused(self) -> None:
        channel = shared(1, 2)
        with channel.lock:
            waiter: Any = channel.offer(3, Held)
            assert channel.end() is True
            assert channel.end() is False
            assert channel.offer(4) is CLOSED
        channel.released()
        assert (waiter.outcome, waiter.woken) == (CLOSED, 1)
        assert channel.end() is False
        (stats,) = channel.stats()
        assert (stats.offered, stats.refused, stats.held) == (4, 2, 2)

    def test_one_that_comes_when_it_has_ended_is_refused(self) -> None:
        channel = shared(1, 2)
        with channel.lock:
            assert channel.end(LookupError("over")) is True
            late: list[Any] = []
            channel._later(lambda: late.append(channel.offer(3, Held)))
        channel.released()
        assert (late, str(channel.error)) == ([CLOSED], "over")

    def test_one_that_is_let_in_may_offer_the_next_at_once(self) -> None:
        """A future calls nobody when it is set, but what else wakes a producer may."""
        channel, outcomes = shared(1, 2), []

        class Eager(Held):
            def wake(self) -> None:
                outcomes.append(channel.offer(self.item + 1))

        channel.offer(3, Eager)
        assert channel.pop() == 1
        assert outcomes == [FULL]
        assert [channel.pop() for _ in range(2)] == [2, 3]
        (stats,) = channel.stats()
        assert (stats.offered, stats.delivered, stats.refused) == (4, 3, 1)

    def test_one_that_gives_up_keeps_its_place_until_then(self) -> None:
        channel = shared(1, 2)
        waiter: Any = channel.offer(3, Held)
        with channel.lock:
            assert channel.give_up(waiter) is False
            assert waiter.outcome is None
        channel.released()
        assert waiter.outcome is FULL
        assert channel.give_up(waiter) is False
        (stats,) = channel.stats()
        assert (stats.offered, stats.refused, stats.held) == (3, 1, 2)


class Looking(deque[Any]):
    """What a channel holds; each look at how many there are is followed by the last of `acts`."""

    acts: list[Callable[[], object]]

    def __len__(self) -> int:
        size = super().__len__()
        if self.acts:
            self.acts.pop()()
        return size


class TestTakenIn:
    """Offers that interrupt one another when they have looked, and not appended yet."""

    CAPACITY = 6

    def crowded(self) -> tuple[Any, list[Any]]:
        """A channel that is full, and what was taken in: more than it has places for."""
        channel: Any = SharedChannel(Suspend(self.CAPACITY))
        outcomes = {0: channel.offer(0)}

        def offer(*items: int) -> None:
            outcomes.update({item: channel.offer(item) for item in items})

        held = Looking([0])
        held.acts = [lambda: offer(3, 4, 5, 6, 7, 8), lambda: offer(2)]
        channel._held = channel.lanes[0].held = held
        offer(1)
        accepted = [item for item, outcome in outcomes.items() if outcome is ACCEPTED]
        assert {*outcomes.values()} == {ACCEPTED, FULL}
        assert len(accepted) > self.CAPACITY
        assert channel.offer(9) is FULL  # and what has interrupted is done before
        assert len(held) == self.CAPACITY
        return channel, sorted(accepted)

    def test_those_without_a_place_get_the_next(self) -> None:
        channel, accepted = self.crowded()
        found = []
        while (item := channel.pop()) is not EMPTY:
            found.append(item)
        assert sorted(found) == accepted
        (stats,) = channel.stats()
        check_sum(stats)

    @pytest.mark.parametrize("end", [None, LookupError("over")])
    def test_or_one_at_the_end(self, end: LookupError | None) -> None:
        channel, accepted = self.crowded()
        assert channel.end(end) is True
        assert channel.error is end
        assert sorted(channel.pop() for _ in accepted) == accepted
        assert channel.pop() is EMPTY
        (stats,) = channel.stats()
        assert stats.delivered == len(accepted)


@pytest.mark.parametrize("look", range(8))
def test_the_place_of_one_that_is_let_in_is_given_to_nobody_else(look: int) -> None:
    channel: Any = shared(1, 2)
    waiter = channel.offer(3, Held)
    held, outcomes = Looking([1, 2]), list[Any]()
    held.acts = [lambda: outcomes.append(channel.offer(4)), *[lambda: None] * look]
    channel._held = channel.lanes[0].held = held
    assert channel.pop() == 1
    assert (outcomes, waiter.outcome, [*held]) == ([FULL], ACCEPTED, [2, 3])


@pytest.mark.parametrize("look", range(5))
def test_nor_is_that_of_one_that_is_put_in(look: int) -> None:
    channel: Any = shared(1)
    held, outcomes = Looking([1]), list[Any]()
    held.acts = [lambda: outcomes.append(channel.offer(3)), *[lambda: None] * look]
    channel._held = channel.lanes[0].held = held
    outcomes.append(channel.offer(2))
    assert (sorted(outcomes, key=str), len(held)) == ([ACCEPTED, FULL], 2)


class ClosedJustNow:
    """A loop that was open when it was looked at."""

    def is_closed(self) -> bool:
        return False

    def call_soon_threadsafe(self, *_: Any) -> None:
        raise RuntimeError("Event loop is closed")


class TestLoopsThatWereClosed:
    def test_what_is_held_is_dropped_though_the_loop_was_open_a_moment_ago(self) -> None:
        dropped: list[Any] = []
        channel: Any = SharedChannel(
            DropOldest(2, on_drop=lambda item, reason: dropped.append((item, reason)))
        )
        channel.loop, channel._reader = ClosedJustNow(), object()
        channel.offer(1)
        assert dropped == [(1, "closed")]
        assert channel.offer(2) is CLOSED
        (stats,) = channel.stats()
        assert (stats.offered, stats.dropped, stats.refused) == (2, 1, 1)

    def test_one_who_lines_up_in_the_change_that_finds_it_out_is_refused(self) -> None:
        channel: Any = shared(1, 2)
        with channel.lock:
            waiter: Any = channel.offer(3, Held)
            channel._abandon()  # as `wake` does
        channel.released()
        assert (waiter.outcome, waiter.woken) == (CLOSED, 1)
        (stats,) = channel.stats()
        assert (stats.offered, stats.dropped, stats.refused) == (3, 2, 1)


def test_who_waits_for_a_change_of_a_channel_that_has_ended_is_not_held() -> None:
    async def main() -> None:
        channel = shared(1).begin()
        channel.end()
        async with asyncio.timeout(1.0):
            await channel.change()
        assert channel.lanes[0].take() == 1

    run(main)


def test_a_reader_that_leaves_in_a_change_has_left_behind_it() -> None:
    dropped: list[Any] = []

    async def main() -> None:
        stream, emitter = push(DropOldest(2, on_drop=lambda item, reason: dropped.append((item, reason))))
        channel: Any = stream.source.value
        emitter.offer(1)
        channel.begin()
        with channel.lock:
            channel.leave()
            assert emitter.offer(2) is CLOSED
            assert dropped == []
        channel.released()
        assert dropped == [(1, "closed")]
        assert emitter.offer(3) is CLOSED
        check_sum(emitter.stats())

    run(main)
