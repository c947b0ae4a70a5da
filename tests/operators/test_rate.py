"""buffer, conflate, extrapolate, throttle."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import accumulate, repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    BufferOverflowError,
    BufferStats,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    Gap,
    KeepLatest,
    RateExceededError,
    Spill,
    StoppedError,
    Strategy,
    Stream,
    Suspend,
    Unbounded,
    attached,
    ops,
)
from streamkit.testing import run
from tests.marbles import ERROR, Source, drawn, noted

NO_TIE = 1 / 1024
"""Added to what a consumer takes, so that it never asks in the turn in which an item comes."""


def consumed(stream: Any, busy: Callable[[int], float]) -> tuple[list[Any], BufferStats, Exception | None]:
    """What a job got whose consumer is `busy` so long after the n-th item, its buffer's counts, its error."""
    got: list[Any] = []

    async def consume(item: Any) -> None:
        got.append(item)
        await asyncio.sleep(busy(len(got) - 1))

    async def main() -> tuple[list[Any], BufferStats, Exception | None]:
        handle = (stream | ops.for_each(consume)).start()
        try:
            await handle
        except Exception as error:
            return got, handle.buffers()[0], error
        return got, handle.buffers()[0], None

    return run(main)


def stopped(stream: Any, seconds: float) -> BufferStats:
    """The counts of the stream's first buffer, when its consumer never came back and was stopped."""

    async def main() -> BufferStats:
        handle = (stream | ops.for_each(lambda _: asyncio.sleep(9e9))).start()
        await asyncio.sleep(seconds)
        await handle.stop()
        with pytest.raises(StoppedError):
            await handle
        return handle.buffers()[0]

    return run(main)


def balanced(stats: BufferStats) -> bool:
    out = stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held
    return stats.offered == out


MANY = 10_000
"""So many that no test comes to the end, and few enough for one that fails because it does."""

Dropped = list[tuple[Any, str]]
Overflow = Callable[[list[Any], Any], None]


def drop_incoming(held: list[Any], item: Any) -> None:
    pass


def drop_oldest(held: list[Any], item: Any) -> None:
    held[:] = [*held[1:], item]


def drop_youngest(held: list[Any], item: Any) -> None:
    held[-1] = item


def drop_all(held: list[Any], item: Any) -> None:
    held[:] = [item]


LOSSY: dict[str, tuple[Callable[..., Strategy], Overflow]] = {
    "DropIncoming": (DropIncoming, drop_incoming),
    "DropOldest": (DropOldest, drop_oldest),
    "DropYoungest": (DropYoungest, drop_youngest),
    "DropAll": (DropAll, drop_all),
}
GAPS = st.lists(st.integers(1, 4).map(float), max_size=14)
BUSY = st.lists(st.integers(0, 9).map(lambda seconds: seconds + NO_TIE), min_size=15, max_size=15)


def gapped(gaps: list[float]) -> Source:
    """A source of numbers, each so many seconds after the one before."""

    async def source() -> AsyncIterator[int]:
        for number, gap in enumerate(gaps):
            await asyncio.sleep(gap)
            yield number

    return source


def by_hand(gaps: list[float], busy: list[float], capacity: int, overflow: Overflow) -> list[int]:
    """What a consumer gets out of a buffer, worked out without one."""
    coming = list(enumerate(accumulate(gaps)))
    held: list[int] = []
    got: list[int] = []
    asked = 0.0
    while coming or held:
        if not held:
            number, time = coming.pop(0)
            held.append(number)
            asked = max(asked, time)
        got.append(held.pop(0))
        asked += busy[len(got) - 1]
        while coming and coming[0][1] < asked:
            number = coming.pop(0)[0]
            if len(held) < capacity:
                held.append(number)
            else:
                overflow(held, number)
    return got


class TestBuffer:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b-c-------|")) | ops.buffer(Suspend(2))
        assert noted(stream, 7.0, 4.0) == [(2.0, "a"), (9.0, "b"), (13.0, "c"), (14.0, "|")]

    @pytest.mark.parametrize("name", LOSSY)
    @given(gaps=GAPS, busy=BUSY, capacity=st.integers(1, 4))
    def test_lossy_ones_drop_what_they_say_and_count_it(
        self, name: str, gaps: list[float], busy: list[float], capacity: int
    ) -> None:
        strategy, overflow = LOSSY[name]
        dropped: Dropped = []
        full = strategy(capacity, on_drop=lambda item, reason: dropped.append((item, reason)))
        got, stats, error = consumed(Stream(gapped(gaps)) | ops.buffer(full), busy.__getitem__)
        assert error is None
        assert got == by_hand(gaps, busy, capacity, overflow)
        assert sorted([*got, *[item for item, _ in dropped]]) == list(range(len(gaps)))
        assert all(reason == "full" for _, reason in dropped)
        assert (stats.offered, stats.delivered, stats.dropped) == (len(gaps), len(got), len(dropped))
        assert balanced(stats)
        assert stats.held_at_most <= capacity

    @pytest.mark.parametrize("name", LOSSY)
    @given(gaps=GAPS, busy=BUSY, capacity=st.integers(1, 4))
    def test_gaps_stand_where_items_were_dropped(
        self, name: str, gaps: list[float], busy: list[float], capacity: int
    ) -> None:
        strategy = LOSSY[name][0]
        got, stats, _ = consumed(
            Stream(gapped(gaps)) | ops.buffer(strategy(capacity, gaps=True)), busy.__getitem__
        )
        place = 0
        for item in got:
            if isinstance(item, Gap):
                assert item.count > 0
                place += item.count
            else:
                assert item == place
                place += 1
        assert place == len(gaps)
        assert balanced(stats)

    @given(gaps=GAPS, busy=BUSY)
    def test_keep_latest_is_drop_oldest_of_one(self, gaps: list[float], busy: list[float]) -> None:
        got, stats, _ = consumed(Stream(gapped(gaps)) | ops.buffer(KeepLatest()), busy.__getitem__)
        assert got == by_hand(gaps, busy, 1, drop_oldest)
        assert stats.held_at_most <= 1

    @pytest.mark.parametrize(
        "strategy", [Suspend(1), Suspend(3), Spill(1), Spill(2), Unbounded(), Fail(99)], ids=repr
    )
    @given(gaps=GAPS, busy=BUSY)
    def test_lossless_ones_pass_everything_on_in_order(
        self, strategy: Strategy, gaps: list[float], busy: list[float]
    ) -> None:
        got, stats, error = consumed(Stream(gapped(gaps)) | ops.buffer(strategy), busy.__getitem__)
        assert error is None
        assert got == list(range(len(gaps)))
        assert (stats.offered, stats.delivered, stats.held) == (len(gaps), len(gaps), 0)

    @given(gaps=GAPS, busy=BUSY, limit=st.integers(1, 4))
    def test_collect_hands_over_all_that_waits_as_one_list(
        self, gaps: list[float], busy: list[float], limit: int
    ) -> None:
        got, stats, _ = consumed(Stream(gapped(gaps)) | ops.buffer(Collect(limit)), busy.__getitem__)
        assert [item for items in got for item in items] == list(range(len(gaps)))
        assert all(0 < len(items) <= limit for items in got)
        assert stats.delivered == len(gaps)
        assert stats.held_at_most <= limit

    @given(gaps=GAPS, busy=BUSY)
    def test_conflate_folds_all_that_waits_and_counts_it(self, gaps: list[float], busy: list[float]) -> None:
        stream = Stream(gapped(gaps)) | ops.map(lambda number: [number])
        got, stats, _ = consumed(stream | ops.conflate(list.__add__), busy.__getitem__)
        assert [item for items in got for item in items] == list(range(len(gaps)))
        assert [items[-1] for items in got] == by_hand(gaps, busy, 1, drop_oldest)
        assert stats.folded == len(gaps) - len(got)
        assert balanced(stats)

    def test_fail_delivers_what_is_held_and_then_fails(self) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("-abcdef|", cleaned)) | ops.buffer(Fail(2))
        seen = noted(stream, 9.0)
        assert seen[:3] == [(1.0, "a"), (10.0, "b"), (10.0, "c")]
        time, error = seen[3]
        assert time == 10.0
        assert isinstance(error, BufferOverflowError)
        assert str(error) == "Fail(capacity=2) was offered an item more than it holds: 'd'"
        assert error.__notes__[0].startswith("in buffer(Fail(capacity=2)) at ")
        assert cleaned == [4.0]

    def test_the_item_that_overflows_is_refused(self) -> None:
        got, stats, error = consumed(Stream(drawn("-abcdef|")) | ops.buffer(Fail(2)), lambda _: 9.0)
        assert got == ["a", "b", "c"]
        assert isinstance(error, BufferOverflowError)
        assert (stats.offered, stats.delivered, stats.refused, stats.held) == (4, 3, 1, 0)

    @pytest.mark.parametrize("capacity", [1, 2, 3, 8])
    def test_the_source_is_read_as_far_ahead_as_the_capacity_once_an_item_was_asked_for(
        self, capacity: int
    ) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(MANY)) | ops.tap(pulled.append) | ops.buffer(Suspend(capacity))
            async with stream.open() as items:
                await asyncio.sleep(5.0)
                assert pulled == []
                ahead: list[int] = []
                for taken in range(1, 20):
                    await anext(items)
                    await asyncio.sleep(5.0)
                    ahead.append(len(pulled) - taken)
                # a writer that waits is woken when a quarter of what it holds is left, not for each item
                assert max(ahead) == capacity
                assert min(ahead) >= capacity // 4

        run(main)

    def test_the_source_runs_in_a_task_of_its_own(self) -> None:
        stream = Stream(drawn("-----a----b----c|")) | ops.buffer(Suspend(1))
        assert noted(stream, 5.0, 5.0) == [(5.0, "a"), (10.0, "b"), (15.0, "c"), (16.0, "|")]

    @pytest.mark.parametrize(
        "strategy",
        [Suspend(9), DropOldest(9), DropIncoming(9, gaps=True), Spill(1), Unbounded(), Fail(9)],
        ids=repr,
    )
    def test_an_error_of_the_source_comes_after_what_is_held(self, strategy: Strategy) -> None:
        stream = Stream(drawn("-abcX")) | ops.buffer(strategy)
        assert noted(stream, 9.0) == [(1.0, "a"), (10.0, "b"), (10.0, "c"), (10.0, ERROR)]

    def test_an_error_of_the_source_comes_after_what_is_collected(self) -> None:
        stream = Stream(drawn("-abcX")) | ops.buffer(Collect(9))
        assert noted(stream, 9.0) == [(1.0, ["a"]), (10.0, ["b", "c"]), (10.0, ERROR)]

    @pytest.mark.parametrize("gaps", [False, True])
    def test_an_error_of_on_drop_ends_the_stream_and_is_named(self, gaps: bool) -> None:
        error = ValueError("on_drop")

        def on_drop(item: Any, reason: str) -> None:
            raise error

        stream = Stream(drawn("-abcdef|")) | ops.buffer(DropIncoming(1, on_drop=on_drop, gaps=gaps))
        assert noted(stream, 9.0)[-1] == (10.0, error)
        assert error.__notes__[0].startswith("in buffer(DropIncoming(capacity=1, on_drop=on_drop")
        assert "test_rate.py:" in error.__notes__[0]

    def test_what_is_held_at_an_early_end_is_dropped_as_closed(self) -> None:
        dropped: Dropped = []
        cleaned: list[float] = []
        strategy = DropOldest(2, on_drop=lambda item, reason: dropped.append((item, reason)))
        stats = stopped(Stream(drawn("-abcd-", cleaned)) | ops.buffer(strategy), 9.0)
        assert dropped == [("b", "full"), ("c", "closed"), ("d", "closed")]
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (4, 1, 3, 0)
        assert cleaned == [9.0]

    @pytest.mark.parametrize(
        "strategy",
        [Suspend(9), Fail(9), Unbounded(), Spill(1), Collect(9), DropIncoming(9, gaps=True)],
        ids=repr,
    )
    def test_every_strategy_counts_what_an_early_end_drops(self, strategy: Strategy) -> None:
        stats = stopped(Stream(drawn("-abcd-")) | ops.buffer(strategy), 9.0)
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (4, 1, 3, 0)

    def test_a_consumer_that_leaves_waits_for_the_clean_up_of_the_source(self) -> None:
        cleaned: list[float] = []

        async def main() -> None:
            async with (Stream(drawn("-ab-", cleaned)) | ops.buffer(Suspend(4))).open() as items:
                assert await anext(items) == "a"
                await asyncio.sleep(4.0)
            assert cleaned == [5.0]

        run(main)

    def test_every_error_of_on_drop_at_an_early_end_is_told(self) -> None:
        def on_drop(item: Any, reason: str) -> None:
            raise ValueError(item)

        async def main() -> None:
            stream = Stream(drawn("-abc-")) | ops.buffer(DropOldest(4, on_drop=on_drop))
            with pytest.raises(ValueError, match="b") as caught:
                async with stream.open() as items:
                    await anext(items)
                    await asyncio.sleep(9.0)
            assert [str(error) for error in attached(caught.value)] == ["c"]

        run(main)

    def test_how_long_it_was_full_is_measured(self) -> None:
        _, stats, _ = consumed(Stream(drawn("-abcd|")) | ops.buffer(DropIncoming(2)), lambda _: 9.0)
        assert (stats.seconds_full, stats.held_at_most) == (7.0, 2)

    def test_spill_leaves_no_file_behind(self, tmp_path: Path) -> None:
        seen: list[Any] = []

        async def main() -> None:
            async with (Stream(range(5000)) | ops.buffer(Spill(4, str(tmp_path)))).open() as items:
                async for item in items:
                    seen.append(item)
                    assert os.listdir(tmp_path) == []
                    if item == 0:
                        await asyncio.sleep(1.0)
                    if item == 4000:
                        break

        run(main)
        assert seen == list(range(4001))
        assert os.listdir(tmp_path) == []

    def test_spill_fails_the_stream_at_an_item_that_cannot_be_pickled(self) -> None:
        items: list[Any] = [0, 1, lambda: 2, 3]
        got, stats, error = consumed(Stream(items) | ops.buffer(Spill(1)), lambda _: 1.0)
        assert got in ([0], [0, 1])
        assert error is not None
        assert "pickle" in str(error)
        assert stats.refused == 1
        assert balanced(stats)

    def test_neighbours_fuse_into_one(self) -> None:
        async def main() -> None:
            stream = Stream(range(9)) | ops.buffer(Suspend(2)) | ops.buffer(Suspend(3))
            handle = (stream | ops.drain()).start()
            await handle
            assert [stats.strategy for stats in handle.buffers()] == [Suspend(5)]

        run(main)

    def test_empty(self) -> None:
        assert list(Stream([]) | ops.buffer(Collect(2))) == []
        assert list(Stream([]) | ops.buffer(DropOldest(2, gaps=True))) == []

    @pytest.mark.parametrize(
        ("strategy", "text"),
        [
            (
                16,
                "strategy must be a strategy such as Suspend(16) or DropOldest(16), not 16: "
                "to put items into lists, use batch()",
            ),
            (None, "strategy must be a strategy such as Suspend(16) or DropOldest(16), not None"),
            (Suspend, "strategy must be a strategy such as Suspend(capacity), not the class Suspend itself"),
            (
                KeepLatest,
                "strategy must be a strategy such as KeepLatest(), not the class KeepLatest itself",
            ),
            (Collect, "strategy must be a strategy such as Collect(limit), not the class Collect itself"),
        ],
        ids=repr,
    )
    def test_no_strategy(self, strategy: Any, text: str) -> None:
        with pytest.raises(TypeError) as caught:
            ops.buffer(strategy)
        assert str(caught.value) == text

    @pytest.mark.parametrize("kind", [Suspend, Fail, DropIncoming, DropOldest, DropYoungest, DropAll, Spill])
    def test_a_capacity_is_a_whole_number_of_at_least_one(self, kind: Any) -> None:
        for value, error in ((0, ValueError), (-1, ValueError), (True, TypeError), (2.0, TypeError)):
            with pytest.raises(error) as caught:
                kind(value)
            assert str(caught.value) == f"capacity must be a whole number of at least 1, not {value!r}"

    def test_other_bad_arguments_of_strategies(self, tmp_path: Path) -> None:
        async def later(item: Any, reason: str) -> None: ...

        for make, error, text in (
            (lambda: Collect(0), ValueError, "limit must be a whole number of at least 1, not 0"),
            (lambda: DropAll(1, gaps=1), TypeError, "gaps must be True or False, not 1"),  # type: ignore[arg-type]
            (lambda: KeepLatest(on_drop=3), TypeError, "on_drop must be a callable, not 3"),  # type: ignore[arg-type]
            (lambda: KeepLatest(on_drop=later), TypeError, "on_drop must be a plain function, not the corou"),
            (lambda: Conflate(None), TypeError, "fold must be a callable, not None"),  # type: ignore[arg-type]
            (lambda: Spill(1, str(tmp_path / "no")), NotADirectoryError, "directory must be a directory"),
        ):
            with pytest.raises(error) as caught:
                make()
            assert str(caught.value).startswith(text)


class TestConflate:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--1-2-3---------4--|")) | ops.map(int) | ops.conflate(int.__add__)
        assert noted(stream, 8.0, 6.0) == [(2.0, 1), (10.0, 5), (16.0, 4), (19.0, "|")]

    def test_is_buffer_of_conflate(self) -> None:
        assert repr(ops.conflate(max)) == repr(ops.buffer(Conflate(max)))

    def test_a_consumer_that_keeps_up_gets_every_item(self) -> None:
        stream = Stream(drawn("-1-2-3|")) | ops.conflate(str.__add__)
        assert noted(stream) == [(1.0, "1"), (3.0, "2"), (5.0, "3"), (6.0, "|")]

    def test_an_error_of_the_source_comes_after_what_is_folded(self) -> None:
        stream = Stream(drawn("-abcX")) | ops.conflate(str.__add__)
        assert noted(stream, 9.0) == [(1.0, "a"), (10.0, "bc"), (10.0, ERROR)]

    def test_an_error_of_the_function_comes_after_what_waits_and_is_named(self) -> None:
        error = ValueError("fold")

        def fold(waiting: str, item: str) -> str:
            if item == "d":
                raise error
            return waiting + item

        got, stats, _ = consumed(Stream(drawn("-abcde|")) | ops.conflate(fold), lambda _: 9.0)
        assert got == ["a", "bc"]
        assert error.__notes__[0].startswith("in buffer(Conflate(fold)) at ")
        assert "test_rate.py:" in error.__notes__[0]
        assert (stats.offered, stats.delivered, stats.folded, stats.refused) == (4, 2, 1, 1)

    def test_stop_iteration_in_the_function_ends_no_stream(self) -> None:
        def fold(waiting: str, item: str) -> str:
            raise StopIteration

        time, error = noted(Stream(drawn("-abc|")) | ops.conflate(fold), 9.0)[-1]
        assert time == 10.0
        assert isinstance(error, RuntimeError)
        assert isinstance(error.__cause__, StopIteration)

    def test_what_waits_at_an_early_end_is_counted(self) -> None:
        stats = stopped(Stream(drawn("-abcd-")) | ops.conflate(str.__add__), 9.0)
        assert (stats.offered, stats.delivered, stats.folded, stats.dropped) == (4, 1, 2, 1)

    def test_bad_arguments(self) -> None:
        async def later(waiting: int, item: int) -> int:
            return item

        with pytest.raises(TypeError, match="function must be a callable, not 5"):
            ops.conflate(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="function must be a plain function, not the coroutine function"):
            ops.conflate(later)  # type: ignore[arg-type]


def endless(item: Any) -> Iterator[Any]:
    return repeat(item, MANY)


def twice(item: Any) -> list[Any]:
    return [item, item]


class TestExtrapolate:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--1-----------5-----|")) | ops.extrapolate(twice)
        assert noted(stream, *repeat(2.0, 6)) == [
            *((2.0, "1"), (4.0, "1"), (6.0, "1")),
            *((14.0, "5"), (16.0, "5"), (18.0, "5"), (20.0, "|")),
        ]

    def test_before_the_first_item_there_is_nothing(self) -> None:
        assert noted(Stream(drawn("---|")) | ops.extrapolate(endless)) == [(3.0, "|")]

    def test_an_endless_one_fills_every_ask_until_the_next_item(self) -> None:
        stream = Stream(drawn("-a--b--|")) | ops.extrapolate(endless)
        seen = noted(stream, *repeat(1 - NO_TIE, 9))
        assert "".join(item for _, item in seen) == "aaaabbb|"
        assert next(time for time, item in seen if item == "b") < 4.0 + 1.0
        assert seen[-1][0] < 7.0 + 1.0

    def test_a_consumer_that_never_waits_starves_nobody(self) -> None:
        seen = noted(Stream(drawn("-a-----b|")) | ops.extrapolate(endless) | ops.take(500))
        assert {time for time, _ in seen} == {1.0}
        ready = [item for _, item in noted(Stream(range(3)) | ops.extrapolate(endless))]
        assert list(dict.fromkeys(ready)) == [0, 1, 2, "|"]

    def test_an_item_that_is_there_comes_before_what_was_made_of_the_last(self) -> None:
        stream = Stream(drawn("-ab------|")) | ops.extrapolate(lambda item: [item.upper()])
        assert noted(stream, 5.0) == [(1.0, "a"), (6.0, "b"), (6.0, "B"), (9.0, "|")]

    def test_one_item_is_read_ahead(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(MANY)) | ops.tap(pulled.append) | ops.extrapolate(lambda _: ())
            async with stream.open() as items:
                await anext(items)
                await asyncio.sleep(5.0)
                assert pulled == [0, 1]

        run(main)

    def test_a_buffer_before_it_becomes_its_own(self) -> None:
        stream = Stream(drawn("-abcd----|")) | ops.buffer(KeepLatest()) | ops.extrapolate(lambda _: ())
        assert noted(stream, 5.0) == [(1.0, "a"), (6.0, "d"), (9.0, "|")]

    def test_an_awaitable_is_awaited(self) -> None:
        async def later(item: str) -> list[str]:
            await asyncio.sleep(1.0)
            return [item.upper()]

        stream = Stream(drawn("-a---b---|")) | ops.extrapolate(later)
        assert noted(stream) == [(1.0, "a"), (2.0, "A"), (5.0, "b"), (6.0, "B"), (9.0, "|")]

    def test_an_error_of_the_source_comes_after_what_is_held_and_ends_what_was_made(self) -> None:
        stream = Stream(drawn("-ab-X")) | ops.extrapolate(endless)
        assert noted(stream, *repeat(2.0, 9)) == [(1.0, "a"), (3.0, "b"), (5.0, ERROR)]
        buffered = Stream(drawn("-abX")) | ops.buffer(Suspend(4)) | ops.extrapolate(endless)
        assert noted(buffered, 6.0) == [(1.0, "a"), (7.0, "b"), (7.0, ERROR)]

    def test_an_error_of_the_function_is_named(self) -> None:
        error = ValueError("function")

        def fail(item: str) -> list[str]:
            raise error

        cleaned: list[float] = []
        assert noted(Stream(drawn("-a-b|", cleaned)) | ops.extrapolate(fail)) == [(1.0, "a"), (1.0, error)]
        assert error.__notes__[0].startswith("in extrapolate(fail) at ")
        assert cleaned == [1.0]

    def test_an_error_of_what_the_function_made_is_named(self) -> None:
        error = ValueError("iterator")

        def fail(item: str) -> Iterator[str]:
            yield item
            raise error

        assert noted(Stream(drawn("-a-----|")) | ops.extrapolate(fail)) == [
            *((1.0, "a"), (1.0, "a")),
            (1.0, error),
        ]
        assert error.__notes__[0].startswith("in extrapolate(fail) at ")

    @pytest.mark.parametrize("made", [5, None])
    def test_what_cannot_be_iterated_is_named(self, made: Any) -> None:
        time, error = noted(Stream(drawn("-a-|")) | ops.extrapolate(lambda _: made))[-1]
        assert time == 1.0
        assert isinstance(error, TypeError)
        assert error.__notes__[0].startswith("in extrapolate(<lambda>) at ")

    def test_stop_async_iteration_of_what_the_function_made_ends_no_stream(self) -> None:
        stopping = StopAsyncIteration()

        def fail(item: str) -> Iterator[str]:
            raise stopping
            yield item

        error = noted(Stream(drawn("-a-|")) | ops.extrapolate(fail))[-1][1]
        assert isinstance(error, RuntimeError)
        assert error.__cause__ is stopping

    def test_generators_are_closed_when_the_next_item_comes_and_at_an_early_end(self) -> None:
        events: list[str] = []

        def more(item: str) -> Iterator[str]:
            try:
                yield from endless(item)
            finally:
                events.append(f"closed {item}")

        async def main() -> None:
            stream = Stream(drawn("-a-b-")) | ops.extrapolate(more)
            async with stream.open() as items:
                for wait in (1.0, 1.5, 1.0):
                    events.append(await anext(items))
                    await asyncio.sleep(wait)
                events.append(await anext(items))
            events.append("left")

        run(main)
        assert events == ["a", "a", "closed a", "b", "b", "closed b", "left"]

    def test_an_error_of_the_clean_up_of_what_the_function_made_is_named(self) -> None:
        error = ValueError("clean-up")

        def more(item: str) -> Iterator[str]:
            try:
                yield from endless(item)
            finally:
                raise error

        stream = Stream(drawn("-a---b|")) | ops.extrapolate(more)
        assert noted(stream, *repeat(1.5, 9))[-1] == (5.5, error)
        assert error.__notes__[0].startswith("in extrapolate(more) at ")

    def test_what_is_held_at_an_early_end_is_counted(self) -> None:
        stats = stopped(Stream(drawn("-abcd-")) | ops.extrapolate(endless), 9.0)
        assert (stats.offered, stats.delivered, stats.dropped) == (2, 1, 1)

    def test_bad_argument(self) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not None"):
            ops.extrapolate(None)  # type: ignore[call-overload]


COSTS = st.lists(st.integers(0, 24).map(lambda eighths: eighths / 8), max_size=20)


class TestThrottle:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("abc---------d--|")) | ops.throttle(1 / 2.0)
        assert noted(stream) == [(0.0, "a"), (2.0, "b"), (4.0, "c"), (12.0, "d"), (15.0, "|")]

    @given(COSTS, st.sampled_from([0.25, 1.0, 4.0]), st.sampled_from([0.5, 1.0, 2.0]))
    def test_the_rate_is_exact_in_the_long_run(self, costs: list[float], rate: float, burst: float) -> None:
        seen = noted(Stream(costs) | ops.throttle(rate, burst=burst, cost=float))
        before = [0.0, *accumulate(costs)]
        due = [
            max(0.0, (earlier + min(cost, burst) - burst) / rate)
            for earlier, cost in zip(before, costs, strict=False)
        ]
        assert [item for _, item in seen[:-1]] == costs
        assert [time for time, _ in seen[:-1]] == pytest.approx(list(accumulate(due, max)))

    @given(
        COSTS, st.lists(st.integers(0, 3), min_size=20, max_size=20), st.lists(st.integers(0, 3), max_size=20)
    )
    def test_no_span_of_time_lets_more_pass_than_burst_and_rate(
        self, costs: list[float], gaps: list[int], busy: list[int]
    ) -> None:
        async def source() -> AsyncIterator[float]:
            for cost, gap in zip(costs, gaps, strict=False):
                await asyncio.sleep(gap)
                yield cost

        rate, burst = 2.0, 3.0
        seen = noted(Stream(source) | ops.throttle(rate, burst=burst, cost=float), *busy)[:-1]
        assert [item for _, item in seen] == costs
        for first in range(len(seen)):
            for last in range(first, len(seen)):
                passed = sum(costs[first : last + 1])
                assert passed <= burst + rate * (seen[last][0] - seen[first][0]) + 1e-6

    def test_a_thousand_items_do_not_drift(self) -> None:
        seen = noted(Stream(range(1001)) | ops.throttle(3.0))
        assert seen[-1][0] == pytest.approx(1000 / 3.0, abs=1e-9)

    def test_tokens_are_saved_up_to_burst_and_no_further(self) -> None:
        stream = Stream(drawn("abc----------defg|")) | ops.throttle(0.5, burst=2)
        assert noted(stream) == [
            *((0.0, "a"), (1.0, "b"), (2.0, "c")),
            *((13.0, "d"), (14.0, "e"), (15.0, "f"), (17.0, "g"), (17.0, "|")),
        ]

    def test_tokens_come_while_the_consumer_is_busy(self) -> None:
        stream = Stream("abcd") | ops.throttle(1.0, burst=2)
        assert [time for time, _ in noted(stream, 0.0, 9.0)] == [0.0, 0.0, 9.0, 9.0, 9.0]

    def test_nothing_is_pulled_while_an_item_waits(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(MANY)) | ops.tap(pulled.append) | ops.throttle(1.0)
            async with stream.open() as items:
                assert pulled == []
                await anext(items)
                await asyncio.sleep(50.0)
                assert pulled == [0]
                await anext(items)
                waiting = asyncio.ensure_future(anext(items))
                await asyncio.sleep(0.5)
                assert pulled == [0, 1, 2]
                assert await waiting == 2

        run(main)

    def test_what_costs_more_than_the_bucket_waits_for_a_full_one_and_leaves_a_debt(self) -> None:
        stream = Stream([1.0, 5.0, 1.0, 0.0]) | ops.throttle(1.0, burst=2, cost=lambda item: item)
        assert noted(stream) == [(0.0, 1.0), (1.0, 5.0), (5.0, 1.0), (5.0, 0.0), (5.0, "|")]

    def test_an_awaitable_cost_is_awaited(self) -> None:
        async def cost(item: str) -> int:
            await asyncio.sleep(0.25)
            return 1

        stream = Stream("abc") | ops.throttle(1.0, cost=cost)
        assert [time for time, _ in noted(stream)] == [0.25, 1.25, 2.25, 2.25]

    def test_failing_fails_where_an_item_would_wait(self) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("a-b-c--d|", cleaned)) | ops.throttle(0.25, burst=2, failing=True)
        seen = noted(stream)
        assert seen[:3] == [(0.0, "a"), (2.0, "b"), (4.0, "c")]
        time, error = seen[3]
        assert time == 7.0
        assert isinstance(error, RateExceededError)
        assert str(error) == "an item came 1 s sooner than 0.25 per second allow"
        assert error.__notes__[0].startswith("in throttle(0.25, burst=2.0")
        assert cleaned == [7.0]

    def test_failing_lets_pass_what_comes_at_the_rate(self) -> None:
        async def source() -> AsyncIterator[int]:
            for number in range(500):
                yield number
                await asyncio.sleep(0.1)

        assert len(noted(Stream(source) | ops.throttle(10.0, failing=True))) == 501

    def test_failing_fails_at_what_can_only_pass_with_a_full_bucket(self) -> None:
        stream = Stream([5, 1]) | ops.throttle(1.0, burst=2, cost=int, failing=True)
        seen = noted(stream)
        assert seen[0] == (0.0, 5)
        assert str(seen[1][1]) == "an item came 4 s sooner than 1 per second allow"

    def test_an_error_of_the_source_comes_at_once(self) -> None:
        assert noted(Stream(drawn("a-X")) | ops.throttle(0.1)) == [(0.0, "a"), (2.0, ERROR)]

    def test_an_error_of_cost_is_named(self) -> None:
        error = ValueError("cost")

        def cost(item: str) -> float:
            raise error

        cleaned: list[float] = []
        assert noted(Stream(drawn("-a-b|", cleaned)) | ops.throttle(1.0, cost=cost)) == [(1.0, error)]
        assert error.__notes__[0].startswith("in throttle(1.0, ")
        assert cleaned == [1.0]

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            *((value, ValueError) for value in (-1, float("nan"), float("inf"))),
            *((value, TypeError) for value in ("1", None, True)),
        ],
    )
    def test_a_cost_that_is_none_is_named(self, value: Any, kind: type[Exception]) -> None:
        error = noted(Stream("a") | ops.throttle(1.0, cost=lambda _: value))[-1][1]
        assert type(error) is kind
        assert str(error) == f"cost must be a finite number of at least 0, not {value!r}"
        assert error.__notes__[0].startswith("in throttle(1.0, ")

    def test_a_consumer_that_leaves_while_an_item_waits_closes_the_source(self) -> None:
        cleaned: list[float] = []

        async def main() -> None:
            async with (Stream(drawn("ab-", cleaned)) | ops.throttle(0.01)).open() as items:
                await anext(items)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(5.0):
                        await anext(items)
            assert cleaned == [5.0]

        run(main)

    def test_a_plain_for_is_throttled_too(self) -> None:
        assert list(Stream("abc") | ops.throttle(1e6)) == ["a", "b", "c"]

    @pytest.mark.parametrize("name", ["rate", "burst"])
    @pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), True, "2", None])
    def test_no_number_above_zero(self, name: str, value: Any) -> None:
        arguments = {"rate": 1.0, "burst": 1.0, name: value}
        kind = ValueError if isinstance(value, (int, float)) and value is not True else TypeError
        with pytest.raises(kind) as caught:
            ops.throttle(**arguments)
        assert str(caught.value) == f"{name} must be a finite number above 0, not {value!r}"

    def test_other_bad_arguments(self) -> None:
        with pytest.raises(TypeError, match="cost must be a callable, not 3"):
            ops.throttle(1.0, cost=3)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="failing must be True or False, not 1"):
            ops.throttle(1.0, failing=1)  # type: ignore[arg-type]
