"""Rounds over the lanes of a channel: in turn, counted to the item, cut short where a lane needs a look."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import EMPTY, BufferStats, DropOldest, Stream, Suspend, ops
from streamkit._engine.buffer.account import MANY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit.testing import run


def named(name: str, count: int, before: float = 0.0) -> Callable[[], AsyncIterator[str]]:
    """A source of `name` 0, 1, ..., whose items are ready, after some seconds."""

    async def source() -> AsyncIterator[str]:
        if before:
            await asyncio.sleep(before)
        for number in range(count):
            yield f"{name}{number}"

    return source


def filled(*counts: int, capacity: int = 64) -> tuple[Channel, list[Lane]]:
    channel = Channel()
    lanes = [channel.lane(Suspend(capacity)) for _ in counts]
    for lane, count in zip(lanes, counts, strict=True):
        for number in range(count):
            lane.put((lane, number))
    return channel, lanes


def delivered(lanes: list[Lane]) -> list[int]:
    return [lane.stats().delivered for lane in lanes]


class TestDrained:
    @given(
        counts=st.lists(st.integers(0, 9), min_size=2, max_size=5),
        most=st.integers(1, 40),
        capacity=st.sampled_from([9, 10, 64]),
    )
    def test_goes_around_item_by_item_whatever_each_lane_holds(
        self, counts: list[int], most: int, capacity: int
    ) -> None:
        async def main() -> None:
            channel, lanes = filled(*counts, capacity=capacity)
            found: list[Any] = []
            while channel.ready and await channel.wait():
                found += channel.drained(most)
            rounds = range(max(counts, default=0))
            expected = [
                (lane, number)
                for number in rounds
                for lane, count in zip(lanes, counts, strict=True)
                if number < count
            ]
            assert found == expected
            assert delivered(lanes) == counts

        run(main)

    @given(taken=st.integers(0, 20), asked=st.booleans())
    def test_counts_are_those_of_the_moment(self, taken: int, asked: bool) -> None:
        async def main() -> None:
            channel, lanes = filled(7, 7, 7)
            items = channel.drained(100)
            for done in range(taken):
                next(items)
                if asked:  # asking changes nothing
                    assert sum(delivered(lanes)) == done + 1
            expected = [len(range(place, taken, 3)) for place in range(3)]
            assert delivered(lanes) == expected
            channel.leave()
            assert [lane.stats().dropped for lane in lanes] == [7 - count for count in expected]
            assert all(lane.stats().held == 0 for lane in lanes)

        run(main)

    def test_a_lane_that_comes_in_is_next_after_the_round(self) -> None:
        async def main() -> None:
            channel, (a, b, c) = filled(5, 5, 0)
            items = channel.drained(100)
            found = [next(items) for _ in range(3)]  # in the midst of the second round
            c.put((c, 0))
            found += items
            assert await channel.wait()
            found += channel.drained(1)
            assert found == [(a, 0), (b, 0), (a, 1), (b, 1), *found[4:]]
            assert (c, 0) in [*found, *channel.drained(2)][: 2 * 2 + 3]

        run(main)

    @pytest.mark.parametrize("others", [2, 3, 10])
    def test_a_lane_that_comes_in_waits_for_one_item_of_each_other_at_most(self, others: int) -> None:
        async def waited(before: int) -> int:
            channel, lanes = filled(*[20] * others, 0)
            late, place = lanes[-1], 0
            while await channel.wait():
                for item in channel.drained(100):
                    if item[0] is late:
                        return place - before
                    place += 1
                    if place == before:
                        late.put((late, 0))
            raise AssertionError

        async def main() -> None:
            assert max([await waited(before) for before in range(1, 3 * others)]) < others

        run(main)

    def test_a_writer_that_begins_to_wait_is_woken_when_little_is_left(self) -> None:
        async def main() -> None:
            channel, (a, _) = filled(6, 6, capacity=8)
            items = channel.drained(100)
            next(items)
            for number in range(6, 9):  # `a` is full again, in the midst of the first round
                a.put((a, number))
            assert a.full()
            writer = asyncio.create_task(a.room())
            await asyncio.sleep(1.0)
            woken: list[int] = []
            writer.add_done_callback(lambda _: woken.append(a.count))
            while not woken:
                if next(items, None) is None:
                    assert await channel.wait()
                    items = channel.drained(100)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            assert woken[0] in (1, 2)  # a quarter of 8
            assert a.stats().seconds_full == 1.0

        run(main)


class TestMerge:
    def test_who_comes_late_is_served_at_once_though_the_others_hold_much(self) -> None:
        async def main() -> None:
            job = streamkit.merge(named("a", 60), named("b", 60), named("c", 3, before=10.5), lookahead=16)
            places: list[int] = []
            async with job.open() as items:
                place = 0
                async for item in items:
                    if item[0] == "c":
                        places.append(place)
                    place += 1
                    await asyncio.sleep(1.0)
            assert places[0] <= 11 + 2 * 2
            assert [later - earlier for earlier, later in zip(places, places[1:], strict=False)] == [3, 3]

        run(main)

    @pytest.mark.parametrize("sources", [2, 3, 10])
    def test_each_item_is_counted_when_a_callback_looks(self, sources: int) -> None:
        async def main() -> None:
            seen: list[int] = []

            def look(_: str) -> None:
                stats: tuple[BufferStats, ...] = handle.buffers()
                seen.append(sum(each.delivered for each in stats))
                assert all(each.offered == each.delivered + each.held for each in stats)
                assert all(each.held_at_most <= 16 for each in stats)

            inlets = [named(chr(97 + number), 40) for number in range(sources)]
            handle = (streamkit.merge(*inlets, lookahead=16) | ops.for_each(look)).start()
            await handle
            assert seen == [*range(1, 40 * sources + 1)]

        run(main)

    def test_one_that_drops_what_it_holds_goes_along(self) -> None:
        async def main() -> None:
            lossy = Stream(named("a", 50)) | ops.buffer(DropOldest(4))
            found = await (streamkit.merge(lossy, named("b", 50), lookahead=16) | ops.to_list())
            came = Counter(item[0] for item in found)
            assert came["b"] == 50
            assert 4 <= came["a"] <= 50
            assert found[-1] == "a49" or found[-1].startswith("b")

        run(main)

    def test_an_error_comes_after_all_that_is_held(self) -> None:
        async def failing() -> AsyncIterator[str]:
            for number in range(10):
                yield f"x{number}"
            raise ValueError("broken")

        async def main() -> None:
            found: list[str] = []
            with pytest.raises(ValueError, match="broken"):
                await (streamkit.merge(named("a", 10), failing, lookahead=16) | ops.for_each(found.append))
            assert Counter(item[0] for item in found) == {"x": 10, "a": 10}

        run(main)


class TestTurn:
    @given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=5))
    def test_is_what_pop_gives_with_the_lane_that_it_came_from(self, counts: list[int]) -> None:
        async def main() -> None:
            channel, lanes = filled(*counts)
            same, _ = filled(*counts)
            while (item := same.pop()) is not EMPTY:
                lane, found = channel.turn()
                assert found[0] is lane
                assert (lanes.index(found[0]), found[1]) == (same.lanes.index(item[0]), item[1])
            assert channel.turn() == (None, EMPTY)
            assert delivered(lanes) == counts
            assert not channel.ready

        run(main)

    def test_finds_what_comes_later(self) -> None:
        async def main() -> None:
            channel, (first, second) = filled(1, 0)
            assert channel.turn() == (first, (first, 0))
            second.put("late")
            assert channel.turn() == (second, "late")

        run(main)

    def test_goes_past_a_lane_whose_items_were_taken_already(self) -> None:
        async def main() -> None:
            channel, (first, second) = filled(1, 2)
            assert first.pop() == (first, 0)
            assert [channel.turn() for _ in range(3)] == [
                (second, (second, 0)),
                (second, (second, 1)),
                (None, EMPTY),
            ]
            first.put("late")
            assert channel.turn() == (first, "late")

        run(main)


class Halves(Lane):
    """Gives the half of each even number, and nothing for others."""

    def pop(self) -> Any:
        number = super().pop()
        return EMPTY if number % 2 else number // 2


def test_a_lane_that_makes_nothing_of_an_item_is_passed_over() -> None:
    async def main() -> None:
        channel = Channel()
        halves, other = Halves(channel, Suspend(9)), channel.lane(Suspend(9))
        channel.adopt(halves)
        for number in range(4):
            halves.put(number)
        for name in "ab":
            other.put(name)
        assert [*channel.drained(9)] == [0, "a", "b", 1]
        assert not channel.ready
        assert delivered([halves, other]) == [4, 2]

    run(main)


class TestRetire:
    def test_a_lane_that_is_read_in_rounds_and_holds_something_is_refused(self) -> None:
        async def main() -> None:
            channel, (first, second) = filled(4, 4)
            channel.alone = True
            items = channel.drained(8)
            assert next(items) == (first, 0)
            with pytest.raises(RuntimeError, match="readers that take items with take"):
                channel.retire(second)
            assert [*items][-1] == (second, 3)
            channel.rest()
            channel.retire(second)
            assert (channel.lanes, delivered([first, second])) == ([first], [4, 4])

        run(main)

    def test_the_counts_of_lanes_that_have_ended_are_not_summed_after_an_error(self) -> None:
        """Who made them may look at them: the channel gets no more."""

        async def main() -> None:
            channel, lanes = filled(*[1] * MANY)
            for lane in lanes:
                assert lane.take() == (lane, 0)
                lane.close()
            channel.fail(LookupError("first"))
            late = channel.lane(Suspend(1))
            assert [stats.delivered for stats in channel.stats()] == [*[1] * len(lanes), 0]
            assert channel.lanes == [*lanes, late]

        run(main)


class TestArrived:
    """The lanes that have something now and had nothing before."""

    def test_tells_of_each_lane_once_until_it_was_emptied(self) -> None:
        async def main() -> None:
            channel, (one, two) = filled(2, 0)
            assert channel.arrived() == [one]
            assert channel.arrived() == []
            one.put("more")
            two.put("late")
            assert channel.arrived() == [two]
            two.take()
            two.put("again")
            assert channel.arrived() == [two]
            while one.take() is not EMPTY:
                one.peek()
            one.put("at last")
            assert channel.arrived() == [one]

        run(main)


class TestHas:
    """Waiting for one lane, whatever is in the others."""

    def test_waits_for_that_lane_only(self) -> None:
        async def main() -> None:
            channel, (one, two) = filled(1, 0)
            asyncio.get_running_loop().call_later(1.0, one.put, "more")
            asyncio.get_running_loop().call_later(2.0, two.put, "late")
            assert await channel.has(two)
            assert asyncio.get_running_loop().time() == 2.0
            assert two.take() == "late"
            assert await channel.has(one)
            assert asyncio.get_running_loop().time() == 2.0

        run(main)

    def test_is_false_when_nothing_more_comes_into_it(self) -> None:
        async def main() -> None:
            channel, (one, two) = filled(1, 1)
            one.close()
            assert await channel.has(one)
            one.take()
            assert not await channel.has(one)
            asyncio.get_running_loop().call_later(1.0, channel.fail, OSError("first"))
            assert await channel.has(two)
            two.take()
            assert not await channel.has(two)
            with pytest.raises(OSError, match="first"):
                await channel.wait()

        run(main)

    def test_many_lanes_one_after_the_other_cost_no_more_each_than_few(self) -> None:
        async def looked_at(size: int) -> int:
            looks = 0

            class Looked(Lane):
                def relist(self) -> None:
                    nonlocal looks
                    looks += 1
                    super().relist()

            channel = Channel()
            lanes = [Looked(channel, Suspend(1)) for _ in range(size)]
            for lane in lanes:
                channel.adopt(lane)
            for lane in lanes:
                asyncio.get_running_loop().call_soon(lane.put, 1)
                await channel.has(lane)
            return looks

        assert run(lambda: looked_at(300)) == 300
