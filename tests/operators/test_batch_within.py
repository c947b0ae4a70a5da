"""batch_within: the lists, a slow consumer, and weights."""

import asyncio
from collections.abc import AsyncIterator
from itertools import repeat

from hypothesis import given, strategies as st

from streamkit import BufferStats, Stream, Suspend, ops
from streamkit.testing import run
from tests.marbles import Noted, Source, drawn
from tests.operators.batching import SECONDS, gapped, noted


async def told(stream: Stream[list[str]]) -> list[tuple[float, str]]:
    """When each list came to a sink, which is called as soon as it is full."""
    loop, seen = asyncio.get_running_loop(), list[tuple[float, str]]()
    await (stream | ops.for_each(lambda batch: seen.append((loop.time(), "".join(batch)))))
    return seen


class TestBatches:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b-c--d-----------e--|")) | ops.batch_within(3, seconds=5.0)
        assert noted(stream) == [(6.0, "abc"), (14.0, "d"), (24.0, "e"), (24.0, "|")]

    @given(
        items=st.lists(st.integers(0, 9), max_size=20),
        gaps=st.lists(SECONDS, min_size=20, max_size=20),
        busy=st.lists(SECONDS, max_size=20),
        count=st.integers(1, 6),
        heaviest=st.none() | st.integers(1, 20),
        before=st.sampled_from([0, 1, 5]),
    )
    def test_concatenated_they_are_the_input_and_none_is_too_long_or_too_heavy(
        self,
        items: list[int],
        gaps: list[float],
        busy: list[float],
        count: int,
        heaviest: int | None,
        before: int,
    ) -> None:
        stream = Stream(gapped(items, gaps))
        if before:
            stream |= ops.buffer(Suspend(before))
        if heaviest is None:
            stream |= ops.batch_within(count, seconds=1.0)
        else:
            stream |= ops.batch_within(count, seconds=1.0, weight=int, heaviest=heaviest)
        batches = [batch for _, batch in noted(stream, *busy)[:-1]]
        assert "".join(batches) == "".join(map(str, items))
        for batch in batches:
            assert 1 <= len(batch) <= count
            assert len(batch) == 1 or heaviest is None or sum(map(int, batch)) <= heaviest

    @given(
        gaps=st.lists(st.integers(1, 16).map(lambda quarters: quarters / 4), max_size=12),
        count=st.integers(1, 5),
    )
    def test_a_list_leaves_when_it_is_full_or_its_first_item_has_waited_long_enough(
        self, gaps: list[float], count: int
    ) -> None:
        expected: Noted = []
        now, since, held = 0.0, 0.0, ""
        for number, gap in enumerate(gaps):
            now += gap
            # one that comes when the time ends may go with either list: see below
            if held and now > since + 2.125:
                expected.append((since + 2.125, held))
                held = ""
            since, held = since if held else now, f"{held}{number}"
            if held.count(",") + 1 == count:
                expected.append((now, held))
                held = ""
            elif held:
                held += ","
        end = [(now, held)] if held else []
        seen = noted(
            Stream(gapped([f"{number}," for number in range(len(gaps))], gaps))
            | ops.batch_within(count, seconds=2.125)
        )
        assert [(time, batch.rstrip(",")) for time, batch in seen] == [
            *((time, batch.rstrip(",")) for time, batch in [*expected, *end]),
            (now, "|"),
        ]

    def test_an_item_that_comes_with_the_end_of_the_time_is_in_one_of_the_two(self) -> None:
        seen = noted(Stream(drawn("-a----b------|")) | ops.batch_within(9, seconds=5.0))
        assert seen in (
            [(6.0, "ab"), (13.0, "|")],
            [(6.0, "a"), (11.0, "b"), (13.0, "|")],
        )

    def test_count_of_one_passes_each_on_as_it_comes(self) -> None:
        stream = Stream(drawn("-a--b|")) | ops.batch_within(1, seconds=9.0)
        assert noted(stream) == [(1.0, "a"), (4.0, "b"), (5.0, "|")]

    def test_each_list_is_its_own(self) -> None:
        first, second = Stream("abc") | ops.batch_within(2, seconds=9.0)
        first.clear()
        assert second == ["c"]

    def test_what_is_left_comes_at_the_end_at_once(self) -> None:
        assert noted(Stream(drawn("-ab|")) | ops.batch_within(9, seconds=60.0)) == [(3.0, "ab"), (3.0, "|")]

    def test_empty(self) -> None:
        assert noted(Stream(drawn("---|")) | ops.batch_within(2, seconds=1.0)) == [(3.0, "|")]

    def test_nothing_is_emitted_while_nothing_comes(self) -> None:
        stream = Stream(drawn("--------------------a----|")) | ops.batch_within(2, seconds=1.0)
        assert noted(stream) == [(21.0, "a"), (25.0, "|")]

    def test_what_stays_behind_when_a_list_leaves_waits_as_long_as_any(self) -> None:
        async def source() -> AsyncIterator[int]:
            for item in range(7):
                yield item
            await asyncio.sleep(100.0)

        stream = Stream(source) | ops.buffer(Suspend(10)) | ops.batch_within(3, seconds=5.0)
        assert noted(stream, 20.0) == [(0.0, "012"), (20.0, "345"), (25.0, "6"), (100.0, "|")]

    def test_what_comes_at_the_moment_when_the_time_ends_is_in_time_and_the_next_begins_anew(self) -> None:
        def source(rest: str) -> Source:
            async def letters() -> AsyncIterator[str]:
                loop = asyncio.get_running_loop()
                came = loop.create_future()
                loop.call_at(1.0, came.set_result, None)  # just before the time of the list ends
                yield "a"
                await came
                for item in rest:
                    yield item
                await asyncio.sleep(60.0)

            return letters

        for rest, expected in (("b", [(1.0, "ab")]), ("bc", [(1.0, "ab"), (2.0, "c")])):
            stream = Stream(source(rest)) | ops.batch_within(2, seconds=1.0)
            assert noted(stream) == [*expected, (61.0, "|")]
            assert run(lambda: told(stream)) == expected  # noqa: B023


class TestSlowConsumer:
    def test_the_list_fills_up_and_then_the_source_waits(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(99)) | ops.tap(pulled.append) | ops.batch_within(4, seconds=1.0)
            async with stream.open() as items:
                await asyncio.sleep(9.0)
                assert pulled == []
                for number in range(3):
                    assert await anext(items) == list(range(4 * number, 4 * number + 4))
                    await asyncio.sleep(9.0)
                    assert len(pulled) <= 4 * number + 8

        run(main)

    def test_nothing_is_lost(self) -> None:
        stream = Stream(drawn("-abcdefghij-k|")) | ops.batch_within(3, seconds=2.0)
        seen = noted(stream, *repeat(7.0, 9))
        assert "".join(item for _, item in seen) == "abcdefghijk|"

    def test_time_counts_from_when_the_first_item_came_while_the_consumer_was_busy(self) -> None:
        stream = Stream(drawn("-abc-d---e--------|")) | ops.batch_within(3, seconds=5.0)
        assert noted(stream, 3.0) == [(3.0, "abc"), (10.0, "de"), (18.0, "|")]

    def test_a_list_whose_time_is_over_when_the_consumer_asks_leaves_at_once(self) -> None:
        stream = Stream(drawn("-abc-d--e-----------|")) | ops.batch_within(3, seconds=5.0)
        assert noted(stream, 9.0) == [(3.0, "abc"), (12.0, "de"), (20.0, "|")]

    def test_an_item_that_began_no_list_because_it_was_too_heavy_counts_from_when_it_came(self) -> None:
        stream = Stream(drawn("abc------------------|")) | ops.batch_within(
            9, seconds=5.0, weight=lambda _: 2, heaviest=3
        )
        # c came after 2 s, while the consumer was busy: its time is over when that asks again after 11
        assert noted(stream, 10.0)[:3] == [(1.0, "a"), (11.0, "b"), (11.0, "c")]


class TestWeight:
    def test_a_list_that_is_as_heavy_as_allowed_leaves_at_once(self) -> None:
        stream = Stream(drawn("-2-1-3--1|")) | ops.batch_within(9, seconds=60.0, weight=int, heaviest=3)
        assert noted(stream) == [(3.0, "21"), (5.0, "3"), (9.0, "1"), (9.0, "|")]

    def test_an_item_that_would_make_it_too_heavy_begins_the_next(self) -> None:
        stream = Stream(drawn("-2-2--------1|")) | ops.batch_within(9, seconds=5.0, weight=int, heaviest=3)
        assert noted(stream) == [(3.0, "2"), (8.0, "2"), (13.0, "1"), (13.0, "|")]

    def test_one_that_is_heavier_alone_is_a_list_of_its_own_at_once(self) -> None:
        stream = Stream(drawn("-1-9-1-|")) | ops.batch_within(9, seconds=60.0, weight=int, heaviest=3)
        assert noted(stream) == [(3.0, "1"), (3.0, "9"), (7.0, "1"), (7.0, "|")]
        assert noted(Stream(drawn("-98|")) | ops.batch_within(9, seconds=60.0, weight=int, heaviest=3)) == [
            *((1.0, "9"), (2.0, "8"), (3.0, "|"))
        ]

    def test_zero_weights_fill_a_list_up_to_its_count(self) -> None:
        stream = Stream("00000") | ops.batch_within(2, seconds=60.0, weight=int, heaviest=0.5)
        assert [batch for _, batch in noted(stream)] == ["00", "00", "0", "|"]

    def test_an_item_without_weight_joins_no_list_that_is_full(self) -> None:
        stream = Stream(drawn("-3-0-|")) | ops.batch_within(9, seconds=60.0, weight=int, heaviest=3)
        assert noted(stream) == [(1.0, "3"), (5.0, "0"), (5.0, "|")]

    def test_fractions(self) -> None:
        stream = Stream([0.25] * 9) | ops.batch_within(9, seconds=9.0, weight=lambda item: item, heaviest=1.0)
        assert [len(batch) for batch in stream] == [4, 4, 1]

    def test_an_awaitable_is_awaited(self) -> None:
        async def weight(item: str) -> int:
            await asyncio.sleep(0.5)
            return int(item)

        stream = Stream(drawn("-2-2---|")) | ops.batch_within(9, seconds=60.0, weight=weight, heaviest=3)
        assert noted(stream) == [(3.5, "2"), (7.0, "2"), (7.0, "|")]

    def test_time_counts_from_when_the_first_item_came_while_it_was_weighed(self) -> None:
        async def weight(item: str) -> int:
            await asyncio.sleep(2.0)
            return 1

        stream = Stream(drawn("-ab----------|")) | ops.batch_within(
            9, seconds=6.0, weight=weight, heaviest=99
        )
        assert noted(stream) == [(7.0, "ab"), (13.0, "|")]

    def test_what_is_being_weighed_takes_up_room(self) -> None:
        async def slowly(item: int) -> int:
            await asyncio.sleep(1.0)
            return item

        async def main() -> BufferStats:
            stream = Stream(gapped([0] * 20, [0.0] * 20)) | ops.batch_within(
                6, seconds=60.0, weight=slowly, heaviest=9
            )
            handle = (stream | ops.drain()).start()
            await asyncio.sleep(0.5)
            (stats,) = handle.buffers()
            assert (stats.offered, stats.delivered, stats.held) == (6, 0, 6)  # none has left yet
            await handle
            return handle.buffers()[0]

        assert run(main).held_at_most == 6

    def test_what_was_held_at_most_is_known_where_one_was_too_heavy(self) -> None:
        async def source() -> AsyncIterator[int]:
            for item in (1, 1, 1):
                yield item
            await asyncio.sleep(0.5)
            for item in (9, 1):
                yield item

        async def main() -> BufferStats:
            stream = Stream(source) | ops.batch_within(6, seconds=1.0, weight=int, heaviest=9)
            handle = (stream | ops.drain()).start()
            await handle
            return handle.buffers()[0]

        assert run(main).held_at_most == 5

    def test_count_is_heeded_too(self) -> None:
        stream = Stream("11111") | ops.batch_within(2, seconds=60.0, weight=int, heaviest=99)
        assert [batch for _, batch in noted(stream)] == ["11", "11", "1", "|"]
