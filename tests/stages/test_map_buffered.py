"""A concurrent map with lookahead=, or with a buffer before it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    BufferOverflowError,
    BufferStats,
    Collect,
    Conflate,
    DropIncoming,
    DropOldest,
    Fail,
    Gap,
    KeepLatest,
    Spill,
    StoppedError,
    Strategy,
    Stream,
    Suspend,
    Unbounded,
    ops,
)
from streamkit.testing import run
from tests.marbles import ERROR, Noted, drawn, noted


class Work:
    """A callback that takes `seconds` (or those of the item), and notes which began, which were cancelled."""

    def __init__(self, seconds: Any = 1.0, fails: Any = None) -> None:
        self.seconds = seconds
        self.fails = fails
        self.error = ValueError("work")
        self.begun: Noted = []
        self.cancelled: list[Any] = []
        self.running = self.most = 0

    async def __call__(self, item: Any) -> Any:
        self.begun.append((asyncio.get_running_loop().time(), item))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.seconds(item) if callable(self.seconds) else self.seconds)
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise
        finally:
            self.running -= 1
        if item == self.fails:
            raise self.error
        return item


def stopped(stream: Any, seconds: float) -> tuple[BufferStats, ...]:
    """The counts of the buffers of a stream whose consumer never came back and was stopped."""

    async def main() -> tuple[BufferStats, ...]:
        handle = (stream | ops.for_each(lambda _: asyncio.sleep(9e9))).start()
        await asyncio.sleep(seconds)
        await handle.stop()
        with pytest.raises(StoppedError):
            await handle
        return handle.buffers()

    return run(main)


def apart(item: Any) -> Any:
    return item


UNFUSED = ops.map(apart)
"""Put between a buffer and what stands behind it, it keeps the two from fusing."""
SECONDS = st.integers(0, 8).map(lambda quarters: quarters / 4)


class TestLookahead:
    @given(
        gaps=st.lists(SECONDS, max_size=12),
        seconds=st.lists(SECONDS, min_size=12, max_size=12),
        busy=st.lists(SECONDS, max_size=12),
        concurrency=st.integers(2, 4),
        lookahead=st.integers(0, 4),
        ordered=st.booleans(),
    )
    def test_every_item_passes_once_and_no_more_are_inside_than_allowed(
        self,
        gaps: list[float],
        seconds: list[float],
        busy: list[float],
        concurrency: int,
        lookahead: int,
        ordered: bool,
    ) -> None:
        pulled: list[int] = []
        passed: list[int] = []
        inside: list[int] = []

        async def source() -> AsyncIterator[int]:
            for number, gap in enumerate(gaps):
                await asyncio.sleep(gap)
                pulled.append(number)
                inside.append(len(pulled) - len(passed))
                yield number

        work = Work(lambda number: seconds[number])
        stream = Stream(source) | ops.map(work, concurrency=concurrency, lookahead=lookahead, ordered=ordered)

        async def consume(item: int) -> None:
            passed.append(item)
            await asyncio.sleep(busy[len(passed) - 1] if len(passed) <= len(busy) else 0.0)

        async def main() -> None:
            await (stream | ops.for_each(consume))

        run(main)
        assert passed == list(range(len(gaps))) if ordered else sorted(passed) == list(range(len(gaps)))
        assert [item for _, item in work.begun] == list(range(len(gaps)))
        assert work.most <= concurrency
        assert all(items <= concurrency + lookahead for items in inside)

    @given(
        gaps=st.lists(SECONDS, max_size=9),
        seconds=st.lists(SECONDS, min_size=9, max_size=9),
        lookahead=st.integers(1, 4),
        ordered=st.booleans(),
        fails=st.none() | st.integers(0, 8),
    )
    def test_a_buffer_before_it_is_its_lookahead(
        self, gaps: list[float], seconds: list[float], lookahead: int, ordered: bool, fails: int | None
    ) -> None:
        async def source() -> AsyncIterator[int]:
            for number, gap in enumerate(gaps):
                await asyncio.sleep(gap)
                yield number

        def seen(before: list[Any], **options: Any) -> tuple[Any, ...]:
            work = Work(lambda number: seconds[number], fails)
            stream: Any = Stream(source)
            for operator in before:
                stream |= operator
            result = noted(stream | ops.map(work, concurrency=2, ordered=ordered, **options))
            ends = "work" if result[-1][1] is work.error else result[-1][1]
            return [*result[:-1], (result[-1][0], ends)], work.begun

        assert seen([ops.buffer(Suspend(lookahead))]) == seen([], lookahead=lookahead)

    def test_calls_begin_as_there_is_room_and_the_source_is_read_ahead_meanwhile(self) -> None:
        pulled: list[Any] = []
        work = Work(5.0)
        stream = Stream(drawn("-abcdefg|")) | ops.tap(pulled.append)
        mapped = stream | ops.map(work, concurrency=2, lookahead=2)

        async def main() -> None:
            async with mapped.open() as items:
                waiting = asyncio.ensure_future(anext(items))
                await asyncio.sleep(5.5)
                assert pulled == ["a", "b", "c", "d"]
                assert await waiting == "a"
                assert [item async for item in items] == ["b", "c", "d", "e", "f", "g"]

        run(main)
        assert work.begun == [
            *((1.0, "a"), (2.0, "b"), (6.0, "c"), (7.0, "d")),
            *((11.0, "e"), (12.0, "f"), (16.0, "g")),
        ]

    def test_nothing_is_pulled_before_an_item_is_asked_for(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(1000)) | ops.tap(pulled.append)
            async with (stream | ops.map(Work(), concurrency=2, lookahead=9)).open() as items:
                await asyncio.sleep(9.0)
                assert pulled == []
                assert await anext(items) == 0
                await asyncio.sleep(9.0)
                assert len(pulled) <= 1 + 2 + 9

        run(main)

    def test_a_plain_function_may_be_called_as_well(self) -> None:
        stream = Stream(range(9)) | ops.map(lambda number: -number, concurrency=2, lookahead=3)
        assert list(stream) == [-number for number in range(9)]

    def test_empty(self) -> None:
        assert list(Stream([]) | ops.map(Work(), concurrency=2, lookahead=3)) == []

    def test_it_adds_to_a_buffer_before_it(self) -> None:
        async def main() -> None:
            stream = Stream(range(9)) | ops.buffer(DropOldest(20))
            mapped = stream | ops.buffer(Suspend(3)) | ops.map(Work(), concurrency=2, lookahead=4)
            handle = (mapped | ops.drain()).start()
            await handle
            assert DropOldest(27) in [stats.strategy for stats in handle.buffers()]
            assert len(handle.buffers()) == 2

        run(main)


class TestStrategies:
    def test_what_comes_while_all_are_at_work_is_lost_as_the_strategy_says(self) -> None:
        dropped: list[tuple[Any, str]] = []
        work = Work(5.5)
        strategy = DropOldest(1, on_drop=lambda item, why: dropped.append((item, why)))
        stream = Stream(drawn("-abcdef---------|")) | ops.buffer(strategy) | ops.map(work, concurrency=2)
        assert noted(stream) == [(6.5, "a"), (7.5, "b"), (12.0, "f"), (16.0, "|")]
        assert dropped == [("c", "full"), ("d", "full"), ("e", "full")]

    def test_a_slow_consumer_is_overrun_as_the_strategy_says(self) -> None:
        work = Work(0.25)
        stream = Stream(drawn("-abcdefgh|")) | ops.buffer(DropIncoming(1)) | ops.map(work, concurrency=2)
        assert [item for _, item in noted(stream, 20.0)] == ["a", "b", "c", "d", "|"]

    def test_keep_latest_and_one_at_work_at_a_time_is_unaffected(self) -> None:
        stream = Stream(drawn("-abcdef-|")) | ops.buffer(KeepLatest()) | ops.map(Work(3.5))
        assert noted(stream) == [(4.5, "a"), (8.0, "d"), (11.5, "f"), (11.5, "|")]

    def test_items_may_be_folded_while_all_are_at_work(self) -> None:
        stream = Stream(drawn("-abcdef-|")) | ops.conflate(str.__add__) | ops.map(Work(5.5), concurrency=2)
        assert noted(stream) == [(6.5, "a"), (7.5, "b"), (12.0, "cdef"), (12.0, "|")]

    def test_items_may_be_collected_while_all_are_at_work(self) -> None:
        stream = Stream(drawn("-abcdef-|")) | ops.buffer(Collect(3)) | ops.map(Work(5.5), concurrency=2)
        assert noted(stream) == [
            *((6.5, ["a"]), (7.5, ["b"]), (12.0, ["c", "d", "e"]), (13.0, ["f"]), (13.0, "|"))
        ]

    def test_gaps_are_passed_to_the_function(self) -> None:
        stream = Stream(drawn("-abcdef------|")) | ops.buffer(DropOldest(1, gaps=True))
        assert [item for _, item in noted(stream | ops.map(Work(5.5), concurrency=2))] == [
            *("a", "b", Gap(3), "f", "|")
        ]

    def test_fail_fails_when_one_item_too_many_comes(self) -> None:
        stream = Stream(drawn("-abcdef--|")) | ops.buffer(Fail(1)) | ops.map(Work(1.5), concurrency=2)
        assert [item for _, item in noted(stream)] == ["a", "b", "c", "d", "e", "f", "|"]
        slow = Stream(drawn("-abcdef--|")) | ops.buffer(Fail(1)) | ops.map(Work(9.0), concurrency=2)
        error = noted(slow)[-1][1]
        assert isinstance(error, BufferOverflowError)
        assert str(error) == "Fail(capacity=1) was offered an item more than it holds: 'd'"

    @given(
        gaps=st.lists(SECONDS, max_size=9),
        seconds=st.lists(SECONDS, min_size=9, max_size=9),
        strategy=st.sampled_from([Suspend(1), Suspend(3), Unbounded(), Spill(1), Fail(99)]),
        ordered=st.booleans(),
    )
    def test_lossless_ones_lose_nothing(
        self, gaps: list[float], seconds: list[float], strategy: Strategy, ordered: bool
    ) -> None:
        async def source() -> AsyncIterator[int]:
            for number, gap in enumerate(gaps):
                await asyncio.sleep(gap)
                yield number

        work = Work(lambda number: seconds[number])
        stream = Stream(source) | ops.buffer(strategy) | ops.map(work, concurrency=2, ordered=ordered)
        passed = [item for _, item in noted(stream)[:-1]]
        assert sorted(passed) == list(range(len(gaps)))
        assert not ordered or passed == sorted(passed)

    @pytest.mark.parametrize(
        "strategy",
        [Suspend(2), DropOldest(2), DropIncoming(2), KeepLatest(), Unbounded(), Conflate(str.__add__)],
        ids=repr,
    )
    @pytest.mark.parametrize("marbles", ["-abcdefgh---|", "-abc-defX", "-a|", "X"])
    def test_fused_into_one_the_two_deliver_what_they_would_apart(
        self, strategy: Strategy, marbles: str
    ) -> None:
        one = Stream(drawn(marbles)) | ops.buffer(strategy) | ops.map(Work(2.25), concurrency=2)
        two = Stream(drawn(marbles)) | ops.buffer(strategy) | UNFUSED | ops.map(Work(2.25), concurrency=2)
        assert noted(one) == noted(two)


class TestErrors:
    def test_an_error_of_the_source_comes_after_results_that_are_ready(self) -> None:
        stream = Stream(drawn("-abX")) | ops.map(Work(0.5), concurrency=2, lookahead=2)
        assert noted(stream) == [(1.5, "a"), (2.5, "b"), (3.0, ERROR)]

    def test_what_was_read_ahead_is_begun_before_an_error_of_the_source_comes(self) -> None:
        cleaned: list[float] = []
        work = Work(5.5)
        stream = Stream(drawn("-abcX", cleaned)) | ops.map(work, concurrency=2, lookahead=2)
        assert noted(stream) == [(6.5, "a"), (7.5, "b"), (7.5, ERROR)]
        assert work.begun == [(1.0, "a"), (2.0, "b"), (6.5, "c")]
        assert cleaned == [4.0]

    @pytest.mark.parametrize("ordered", [True, False])
    def test_an_error_of_the_function_is_named_and_closes_the_source(self, ordered: bool) -> None:
        cleaned: list[float] = []
        work = Work(1.5, fails="b")
        stream = Stream(drawn("-abcdefg", cleaned)) | ops.map(
            work, concurrency=2, lookahead=2, ordered=ordered
        )
        assert noted(stream) == [(2.5, "a"), (3.5, work.error)]
        assert work.error.__notes__[0].startswith("in map(")
        assert "test_map_buffered.py:" in work.error.__notes__[0]
        assert cleaned == [3.5]
        assert work.running == 0

    def test_an_error_of_on_drop_is_named(self) -> None:
        error = ValueError("on_drop")

        def on_drop(item: Any, reason: str) -> None:
            raise error

        stream = Stream(drawn("-abcdef")) | ops.buffer(DropIncoming(1, on_drop=on_drop))
        assert noted(stream | ops.map(Work(9.0), concurrency=2))[-1][1] is error
        assert any("test_map_buffered.py:" in note for note in error.__notes__)

    @pytest.mark.parametrize("ordered", [True, False])
    def test_no_call_begins_after_an_error(self, ordered: bool) -> None:
        work = Work(lambda item: {"a": 1.5, "b": 3.0}.get(item, 9.0), fails="b")
        stream = Stream(drawn("-abcd-")) | ops.map(work, concurrency=2, lookahead=2, ordered=ordered)
        # b fails after 5 s, while the consumer is busy with a
        seen = noted(stream, 6.0)
        assert seen == [(2.5, "a"), (8.5, work.error)]
        assert [item for _, item in work.begun] == ["a", "b", "c"]

    @pytest.mark.parametrize("ordered", [True, False])
    def test_no_call_begins_after_an_error_when_a_result_is_taken(self, ordered: bool) -> None:
        work = Work(lambda item: {"a": 0.5, "b": 0.5, "c": 3.5}.get(item, 9.0), fails="c")
        stream = Stream(drawn("-abcdefg-")) | ops.map(work, concurrency=3, lookahead=2, ordered=ordered)
        # a leaves at 1.5; b waits, c fails at 6.5 while e is ahead, and b is taken at 11.5
        seen = noted(stream, 10.0, 3.0)
        assert seen == [(1.5, "a"), (11.5, "b"), (14.5, work.error)]
        assert [item for _, item in work.begun] == ["a", "b", "c", "d"]


class TestClose:
    def test_calls_in_flight_are_cancelled_and_what_was_read_ahead_is_dropped_as_closed(self) -> None:
        dropped: list[tuple[Any, str]] = []
        cleaned: list[float] = []
        work = Work(lambda item: 0.5 if item == "a" else 50.0)
        strategy = DropOldest(2, on_drop=lambda item, why: dropped.append((item, why)))
        stream = Stream(drawn("-abcdef-", cleaned)) | ops.buffer(strategy) | ops.map(work, concurrency=2)
        buffers = stopped(stream, 9.0)
        assert sorted(work.cancelled) == ["b", "c"]
        assert dropped == [("d", "full"), ("e", "closed"), ("f", "closed")]
        [stats] = [stats for stats in buffers if stats.strategy == strategy]
        assert stats.offered == stats.delivered + stats.dropped == 6
        assert stats.held == 0
        assert cleaned == [9.0]

    def test_results_that_wait_are_dropped_and_counted(self) -> None:
        buffers = stopped(Stream(drawn("-abcdef-")) | ops.map(Work(0.25), concurrency=2, lookahead=2), 9.0)
        assert sum(stats.held for stats in buffers) == 0
        assert sum(stats.dropped for stats in buffers) == 4

    def test_a_consumer_that_leaves_while_it_waits_leaves_nothing(self) -> None:
        work = Work(50.0)

        async def main() -> None:
            stream = Stream(range(1000)) | ops.map(work, concurrency=2, lookahead=3)
            async with stream.open() as items:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(5.0):
                        await anext(items)
            assert work.running == 0

        run(main)
        assert sorted(work.cancelled) == [0, 1]

    def test_a_buffer_that_is_never_full_has_been_full_for_no_time(self) -> None:
        async def main() -> None:
            stream = Stream(drawn("-a--------b|")) | ops.map(Work(0.5), concurrency=2, lookahead=1)
            handle = (stream | ops.drain()).start()
            await handle
            ahead = [stats for stats in handle.buffers() if stats.strategy == Suspend(1)]
            assert [stats.seconds_full for stats in ahead] == [0.0]

        run(main)


class TestArguments:
    @pytest.mark.parametrize(
        ("lookahead", "kind", "text"),
        [
            (-1, ValueError, "lookahead must be a whole number of at least 0, not -1"),
            (True, TypeError, "lookahead must be a whole number of at least 0, not True"),
            (2.0, TypeError, "lookahead must be a whole number of at least 0, not 2.0"),
            (None, TypeError, "lookahead must be a whole number of at least 0, not None"),
        ],
    )
    def test_lookahead_is_a_whole_number(self, lookahead: Any, kind: type[Exception], text: str) -> None:
        with pytest.raises(kind) as caught:
            ops.map(apart, concurrency=2, lookahead=lookahead)
        assert str(caught.value) == text

    def test_without_concurrency_the_error_names_the_cure(self) -> None:
        with pytest.raises(ValueError, match="lookahead must be 0 where concurrency is 1, not 3") as caught:
            ops.map(apart, lookahead=3)
        assert "buffer(strategy)" in str(caught.value)
