"""buffer."""

import asyncio
import os
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    BufferOverflowError,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    Gap,
    KeepLatest,
    Spill,
    Strategy,
    Stream,
    Suspend,
    Unbounded,
    attached,
    ops,
)
from streamkit.testing import run
from tests.marbles import ERROR, drawn, noted
from tests.operators.pacing import BUSY, GAPS, MANY, Dropped, balanced, consumed, gapped, stopped

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
        assert "test_rate_buffer.py:" in error.__notes__[0]

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


def test_a_lossy_one_at_the_end_of_a_stream_that_is_read_into_another_stays_its_own() -> None:
    loses = Stream(drawn("abc-d|")) | ops.buffer(DropOldest(1))
    stream = Stream("x") | ops.concat(loses) | ops.buffer(Suspend(1))
    assert [item for _, item in noted(stream, 9.0)] == ["x", "a", "d", "|"]
