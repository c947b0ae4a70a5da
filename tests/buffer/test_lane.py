"""Lanes: what a writer may append without a call, and what is known of it afterwards."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

import streamkit
from streamkit import EMPTY, DropIncoming, DropOldest, Gap, Stream, Suspend, ops
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.compile.key import End
from streamkit.testing import run
from tests.tiers import examples

CAPACITY = 6
SUSPEND = Suspend(CAPACITY)
TIMES = st.integers(1, CAPACITY + 1)
PLACES = st.integers(0, 2)


class Writer:
    """Writes into a lane as the loop of a pump does, and knows what it should hold."""

    def __init__(self, channel: Channel, place: int, strategy: Strategy) -> None:
        self.lane = channel.lane(strategy)
        self.place = place
        self.free = self.written = self.read = self.most = 0
        self.woken = asyncio.get_running_loop().create_future()
        self.woken.set_result(None)

    @property
    def holds(self) -> int:
        return self.written - self.read

    def write(self) -> None:
        lane, item = self.lane, (self.place, self.written)
        if not self.woken.done():
            return
        assert not lane.full(), "a writer was woken, though there is no room"
        if self.free and lane.listed:
            self.free -= 1
            lane.held.append(item)
        elif lane.put(item):
            self.woken = lane.vacancy()
        else:
            self.free = lane.granted(self.free)
        self.written += 1
        self.most = max(self.most, self.holds)

    def check(self) -> None:
        stats = self.lane.stats()
        assert (stats.offered, stats.delivered, stats.held) == (self.written, self.read, self.holds)
        assert stats.held_at_most == self.most <= CAPACITY
        assert self.woken.done() or self.holds > self.lane.low, "a writer waits, though there is room"


class Reader:
    """Reads a channel by turns, and tells each writer what was read of it."""

    def __init__(self, writers: int, *, alone: bool, strategy: Strategy = SUSPEND) -> None:
        self.channel = Channel()
        self.channel.alone = alone
        self.writers = [Writer(self.channel, place, strategy) for place in range(writers)]
        self.items: Iterator[Any] = iter(())
        self.before: list[set[int]] = [set() for _ in self.writers]
        """For each place, those whose turn is before the next of that place."""

    def write(self, place: int) -> None:
        self.writers[place % len(self.writers)].write()

    def read(self) -> None:
        """Take one item, if there is one."""
        for _ in range(2):
            for item in self.items:
                self.note(*item)
                return
            if self.channel.ready:
                self.items = self.channel.drained(100)

    def read_slice(self, most: int) -> None:
        if self.channel.ready:
            for item in self.channel.drained(most):
                self.note(*item)

    def note(self, place: int, number: int) -> None:
        assert number == self.writers[place].read
        self.writers[place].read += 1
        assert not self.before[place], "it had two turns while another waited"
        self.before[place] = {writer.place for writer in self.writers if writer.holds} - {place}
        for waiting in self.before:
            waiting.discard(place)

    def check(self) -> None:
        for writer in self.writers:
            writer.check()


class TestGranted:
    @settings(max_examples=examples(200))
    @example(writers=1, steps=[("write", 0, 3), ("read", 0, 1), ("write", 0, 2), ("read", 0, 1)])
    @given(
        writers=st.integers(1, 3),
        steps=st.lists(st.tuples(st.sampled_from(["write", "read", "look"]), PLACES, TIMES), max_size=40),
    )
    def test_all_is_known_of_what_is_appended_while_others_read(
        self, writers: int, steps: list[tuple[str, int, int]]
    ) -> None:
        async def main() -> None:
            reader = Reader(writers, alone=False)
            for step, place, times in steps:
                for _ in range(times):
                    if step == "write":
                        reader.write(place)
                    elif step == "read":
                        reader.read()
                    else:
                        reader.check()
            reader.check()

        run(main)

    @given(
        writers=st.integers(1, 3),
        slices=st.lists(st.tuples(st.lists(st.tuples(PLACES, TIMES), max_size=4), TIMES), max_size=12),
    )
    def test_and_of_what_is_appended_between_the_slices_of_a_reader_that_is_alone(
        self, writers: int, slices: list[tuple[list[tuple[int, int]], int]]
    ) -> None:
        async def main() -> None:
            reader = Reader(writers, alone=True)
            for written, most in slices:
                for place, times in written:
                    for _ in range(times):
                        reader.write(place)
                reader.read_slice(most)
                reader.channel.rest()  # as he says before others run
                reader.check()

        run(main)

    def test_nothing_is_appended_any_more_once_the_lane_refuses(self) -> None:
        async def main() -> None:
            reader = Reader(1, alone=True)
            (writer,) = reader.writers
            writer.write()
            assert writer.free == CAPACITY - 2
            reader.channel.fail(ValueError("of another"))
            with pytest.raises(Abandoned):
                writer.write()
            assert writer.lane.stats().refused == 1

        run(main)

    def test_what_is_held_is_read_to_its_end_after_an_error(self) -> None:
        async def main() -> None:
            reader = Reader(3, alone=True)
            for place, times in ((0, 2), (1, 5), (2, 3)):
                for _ in range(times):
                    reader.write(place)
            reader.read()
            reader.channel.fail(ValueError("of another"))
            for _ in range(9):
                reader.read()
            assert [writer.read for writer in reader.writers] == [2, 5, 3]
            reader.check()

        run(main)

    def test_what_was_held_at_most_is_known_of_a_lane_that_may_drop(self) -> None:
        async def main() -> None:
            reader = Reader(1, alone=True, strategy=DropOldest(CAPACITY))
            for _ in range(4):
                reader.write(0)
            reader.read_slice(1)
            reader.check()

        run(main)

    def test_what_was_held_at_most_is_known_after_the_reader_has_left(self) -> None:
        async def main() -> None:
            reader = Reader(1, alone=True)
            for _ in range(4):
                reader.write(0)
            reader.channel.leave()
            stats = reader.writers[0].lane.stats()
            assert (stats.held_at_most, stats.dropped, stats.held) == (4, 4, 0)

        run(main)


class TestAlone:
    @pytest.mark.parametrize("sources", [1, 2, 5])
    def test_writers_that_wait_go_on_when_the_loop_breathes(
        self, sources: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each item costs the consumer so much that it breathes after it; nothing is ever awaited."""
        now = [0.0]
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: now[0])
        ahead: list[int] = []
        pulled = 0

        async def ready() -> AsyncIterator[int]:
            nonlocal pulled
            for number in range(40):
                pulled += 1
                yield number

        def slow(_: int) -> None:
            now[0] += 1.0
            ahead.append(pulled - len(ahead))

        stream: Any = Stream(ready) | ops.buffer(Suspend(8))
        if sources > 1:
            stream = streamkit.merge(*[ready] * sources, lookahead=8)

        async def main() -> None:
            await (stream | ops.for_each(slow))

        run(main)
        assert len(ahead) == 40 * sources
        assert min(ahead[: 30 * sources]) > sources  # little was left, but the writers were woken before

    def test_what_a_step_emits_in_many_places_goes_into_a_buffer(self) -> None:
        branches = [ops.map(lambda item, by=number: item * by) for number in range(120)]

        async def ready() -> AsyncIterator[int]:
            for number in range(3):
                yield number

        async def main() -> None:
            stream = Stream(ready) | ops.broadcast(*branches) | ops.buffer(Suspend(8))
            assert await (stream | ops.to_list()) == [item * by for item in range(3) for by in range(120)]

        run(main)


class TestGaps:
    def test_nothing_is_seen_before_something_comes(self) -> None:
        async def main() -> None:
            lane = Channel().lane(DropIncoming(2, gaps=True))
            assert lane.peek() is EMPTY
            lane.put("a")
            assert (lane.peek(), lane.take(), lane.peek()) == ("a", "a", EMPTY)

        run(main)

    def test_one_at_the_end_is_read_though_the_lane_was_never_found_empty(self) -> None:
        """Its reader takes from the lane, and has not looked for more."""

        async def main() -> None:
            channel = Channel()
            lane = channel.lane(DropIncoming(1, gaps=True))
            assert [lane.put(item) for item in "abc"] == [False] * 3
            assert lane.pop() == "a"
            lane.close()
            assert (channel.pop(), channel.pop()) == (Gap(2), EMPTY)
            stats = lane.stats()
            assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (3, 1, 2, 0)

        run(main)


def test_a_kind_of_lane_says_what_it_keeps_of_the_others() -> None:
    class Plain(Lane):
        plain = True

    class Other(Lane):
        """It says nothing, and may change anything."""

    class Driven(Plain):
        inline = True
        end = End.DRIVE

    kinds: list[type[Lane]] = [Plain, Other, Driven]
    assert [(kind.plain, kind.inline, kind.end) for kind in kinds] == [
        (True, False, End.FILL),
        (False, False, End.PUMP),
        (False, True, End.DRIVE),
    ]
