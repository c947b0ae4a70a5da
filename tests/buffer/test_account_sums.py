"""Counts that go on: of a lane that follows another, of buffers that are summed, of an item in a hand."""

from collections.abc import Callable
from typing import Any

import pytest

from streamkit import BufferStats, Conflate, DropIncoming, DropOldest, KeepLatest, Strategy, Suspend
from streamkit._engine.buffer.account import MOST_SUMS, Sums
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.driven import HandLane, TurnLane
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.latest import LatestLane
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.buffer.threads import SharedChannel


def stats_of(operator: str = "hold", strategy: Strategy | None = None, **counts: float) -> BufferStats:
    none = dict.fromkeys(("offered", "delivered", "dropped", "folded", "refused", "held", "held_at_most"), 0)
    return BufferStats(**{"operator": operator, "strategy": strategy, "seconds_full": 0.0} | none | counts)


ONE = stats_of(
    offered=41, delivered=1, dropped=2, folded=4, refused=8, held=16, held_at_most=19, seconds_full=0.5
)
OTHER = stats_of(
    offered=410, delivered=10, dropped=20, folded=40, refused=80, held=160, held_at_most=170, seconds_full=2.0
)
BOTH = stats_of(
    offered=451, delivered=11, dropped=22, folded=44, refused=88, held=176, held_at_most=170, seconds_full=2.5
)


class TestSums:
    @pytest.mark.parametrize("order", [(ONE, OTHER), (OTHER, ONE)])
    def test_add_every_count_and_keep_the_most(self, order: tuple[BufferStats, BufferStats]) -> None:
        sums = Sums()
        for stats in order:
            sums.add(stats)
        assert sums.stats() == [BOTH]

    def test_say_the_arguments_that_all_had_alike(self) -> None:
        alike, differing = Sums(), Sums()
        for _ in range(2):
            alike.add(stats_of("hold(2)"))
        for number in range(2):
            differing.add(stats_of(f"hold({number})"))
        assert [each.operator for each in (*alike.stats(), *differing.stats())] == ["hold(2)", "hold(...)"]

    def test_have_the_place_that_all_had(self) -> None:
        sums = Sums()
        sums.add(stats_of().but(place=3))
        sums.add(stats_of().but(place=3))
        assert [each.place for each in sums.stats()] == [3]
        sums.add(stats_of().but(place=4))
        assert [each.place for each in sums.stats()] == [None]

    def test_keep_sizes_and_kinds_apart(self) -> None:
        sums = Sums()
        for strategy in (Suspend(1), Suspend(2), DropOldest(2), None, Suspend(1)):
            sums.add(stats_of(strategy=strategy, offered=1))
        assert [(each.strategy, each.offered) for each in sums.stats()] == [
            (Suspend(1), 2),
            (Suspend(2), 1),
            (DropOldest(2), 1),
            (None, 1),
        ]

    def test_are_no_more_than_there_may_be_and_one_of_the_rest_of_each_name(self) -> None:
        sums = Sums()
        for size in range(1, MOST_SUMS + 6):
            sums.add(stats_of(strategy=Suspend(size), offered=1))
        for name in ("zip", "zip(2)"):
            sums.add(stats_of(name, offered=1))
        counts = [(each.operator, each.offered) for each in sums.stats()]
        assert counts == [("hold", 1)] * MOST_SUMS + [("hold", 5), ("zip(...)", 2)]

    def test_get_the_name_of_who_asks_where_they_have_none(self) -> None:
        sums = Sums()
        sums.add(stats_of(""), stats_of("zip"))
        assert [each.operator for each in sums.stats("merge")] == ["merge", "zip"]


class TestFollowing:
    @pytest.mark.parametrize(
        ("strategy", "use"),
        [
            (Suspend(9), lambda lane: lane.put(0)),
            (Suspend(9), lambda lane: (lane.put(0), lane.pop())),
            (DropOldest(1), lambda lane: lane.put(0)),
            (DropIncoming(1), lambda lane: lane.put(0)),
            (Conflate(max), lambda lane: lane.put(0)),
            (Suspend(9), lambda lane: lane.account.refuse()),
            (DropOldest(9), lambda lane: lane.turn_away(0)),
        ],
    )
    def test_a_lane_adds_what_the_one_before_has_counted(
        self, strategy: Strategy, use: Callable[[Lane], object]
    ) -> None:
        before, lane = Channel(clock=lambda: 0.0).lane(strategy), Channel(clock=lambda: 0.0).lane(strategy)
        for _ in range(3):
            use(before)
        for _ in range(2):
            use(lane)
        first, own = before.stats(), lane.stats()
        lane.follow(before)
        after = lane.stats()
        assert (own.offered, first.offered, after.offered) == (2, 3, 5)
        for count in ("delivered", "dropped", "folded", "refused"):
            assert getattr(after, count) == getattr(own, count) + getattr(first, count)
        assert after.held_at_most == max(own.held_at_most, first.held_at_most)

    def test_it_was_full_for_as_long_as_both(self) -> None:
        now = 0.0
        channel = Channel(clock=lambda: now)
        before, lane = channel.lane(Suspend(1)), channel.lane(Suspend(1))
        for each, seconds in ((before, 3.0), (lane, 4.0)):
            each.put("item")
            now += seconds
            each.pop()
        lane.follow(before)
        assert (before.stats().seconds_full, lane.stats().seconds_full) == (3.0, 7.0)

    @pytest.mark.parametrize("counts", [(5, 3), (3, 5)])
    def test_so_does_one_that_threads_fill(self, counts: tuple[int, int]) -> None:
        before, anew = SharedChannel(Suspend(20)), SharedChannel(Suspend(20))
        for channel, count in zip((before, anew), counts, strict=True):
            for number in range(count):
                channel.offer(number)
        for _ in range(counts[0]):
            before.pop()
        anew.lanes[0].follow(before.lanes[0])
        (stats,) = anew.stats()
        assert (stats.offered, stats.delivered, stats.held) == (8, counts[0], counts[1])
        assert stats.held_at_most == 5

    def test_it_has_the_place_of_the_one_before(self) -> None:
        channel = Channel(clock=lambda: 0.0)
        lanes = [channel.lane(Suspend(1)) for _ in range(3)]
        assert [lane.stats().place for lane in lanes] == [0, 1, 2]
        lanes[0].follow(lanes[2])
        assert lanes[0].stats().place == 2


class TestInHand:
    @pytest.mark.parametrize(("offered", "held"), [(10, 4), (11, 5), (12, 4), (9, 4)])
    def test_one_item_that_is_counted_nowhere_counts_as_held(self, offered: int, held: int) -> None:
        stats = stats_of(offered=offered, delivered=3, dropped=1, folded=1, refused=1, held=4)
        assert stats.with_one_in_hand() == stats.but(held=held)


def test_what_a_writer_puts_in_after_the_reader_has_gone_is_refused() -> None:
    lane = Channel(clock=lambda: 0.0).lane(Suspend(2))
    lane.put("item")
    lane.discard([])
    for _ in range(3):
        with pytest.raises(Abandoned):
            lane.put("late")
    stats = lane.stats()
    assert (stats.offered, stats.dropped, stats.refused, stats.held) == (4, 1, 3, 0)


def test_a_lane_alone_bears_no_name() -> None:
    channel: Any = Channel(clock=lambda: 0.0)
    strategies = (None, Suspend(2), DropOldest(2), Conflate(max))
    alone = (HandLane(channel, channel), TurnLane(channel, Suspend(2)), LatestLane(channel, KeepLatest()))
    for lane in (*map(channel.lane, strategies), SharedChannel(Suspend(9)).lanes[0], *alone):
        assert (lane.stats().operator, lane.stats("hold").operator) == ("", "hold")
