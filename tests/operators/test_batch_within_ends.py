"""batch_within: how it ends, a buffer before it, and its arguments."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import DropOldest, Spill, Stream, Suspend, ops
from streamkit.testing import run
from tests.marbles import ERROR, drawn
from tests.operators.batching import SECONDS, gapped, noted
from tests.operators.pacing import stopped


class TestEnds:
    def test_what_is_held_comes_before_an_error_of_the_source(self) -> None:
        stream = Stream(drawn("-abX")) | ops.batch_within(9, seconds=60.0)
        assert noted(stream) == [(3.0, "ab"), (3.0, ERROR)]

    def test_what_came_while_the_consumer_was_busy_comes_before_an_error_of_the_source(self) -> None:
        stream = Stream(drawn("-abcdX")) | ops.batch_within(2, seconds=60.0)
        assert noted(stream, 9.0) == [(2.0, "ab"), (11.0, "cd"), (11.0, ERROR)]

    def test_an_error_of_weight_is_named_and_closes_the_source(self) -> None:
        error = ValueError("weight")
        cleaned: list[float] = []

        def weight(item: str) -> int:
            if item == "c":
                raise error
            return 1

        stream = Stream(drawn("-abcd-", cleaned)) | ops.batch_within(
            9, seconds=60.0, weight=weight, heaviest=9
        )
        assert noted(stream)[-1] == (3.0, error)
        assert error.__notes__[0].startswith("in batch_within(9, seconds=60.0, weight=weight, heaviest=9")
        assert "test_batch_within_ends.py:" in error.__notes__[0]
        assert cleaned == [3.0]

    def test_what_is_held_comes_before_an_error_of_weight(self) -> None:
        error = ValueError("weight")

        def weight(item: str) -> int:
            if item == "c":
                raise error
            return 1

        stream = Stream(drawn("-abcd-")) | ops.batch_within(9, seconds=60.0, weight=weight, heaviest=9)
        assert noted(stream) == [(3.0, "ab"), (3.0, error)]

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            *((value, ValueError) for value in (-1, float("nan"), float("inf"))),
            *((value, TypeError) for value in ("1", None, True)),
        ],
    )
    def test_a_weight_that_is_none_is_named(self, value: Any, kind: type[Exception]) -> None:
        stream = Stream("a") | ops.batch_within(9, seconds=9.0, weight=lambda _: value, heaviest=9)
        error = noted(stream)[-1][1]
        assert type(error) is kind
        assert str(error) == f"weight must be a finite number of at least 0, not {value!r}"
        assert error.__notes__[0].startswith("in batch_within(9, ")

    def test_a_consumer_that_leaves_while_a_list_fills_closes_the_source(self) -> None:
        cleaned: list[float] = []

        async def main() -> None:
            stream = Stream(drawn("-ab-", cleaned)) | ops.batch_within(9, seconds=60.0)
            async with stream.open() as items:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(5.0):
                        await anext(items)
            assert cleaned == [5.0]

        run(main)

    def test_what_came_while_the_consumer_was_busy_is_counted_as_dropped_at_an_early_end(self) -> None:
        stats = stopped(Stream(drawn("-abcd-")) | ops.batch_within(2, seconds=60.0), 9.0)
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (4, 2, 2, 0)

    def test_what_is_in_the_list_is_counted_as_dropped_at_an_early_end(self) -> None:
        stats = stopped(Stream(drawn("-ab-")) | ops.batch_within(9, seconds=60.0), 9.0)
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (2, 0, 2, 0)

    def test_on_drop_is_told_of_what_is_in_the_list_at_an_early_end(self) -> None:
        dropped: list[tuple[Any, str]] = []
        strategy = DropOldest(2, on_drop=lambda item, why: dropped.append((item, why)))
        stopped(Stream(drawn("-ab-")) | ops.buffer(strategy) | ops.batch_within(9, seconds=60.0), 9.0)
        assert sorted(dropped) == [("a", "closed"), ("b", "closed")]

    def test_what_is_in_the_list_is_held_until_it_leaves(self) -> None:
        async def main() -> None:
            handle = (Stream(drawn("-ab-----|")) | ops.batch_within(9, seconds=60.0) | ops.drain()).start()
            await asyncio.sleep(4.0)
            before = [(stats.held, stats.delivered) for stats in handle.buffers()]
            await handle
            after = [(stats.held, stats.delivered) for stats in handle.buffers()]
            assert (before, after) == ([(2, 0)], [(0, 2)])

        run(main)


class TestBufferBefore:
    def test_it_is_read_through_without_another_task(self) -> None:
        async def main() -> None:
            stream = Stream(range(9)) | ops.buffer(Suspend(3)) | ops.batch_within(2, seconds=9.0)
            handle = (stream | ops.drain()).start()
            await handle
            assert [stats.strategy for stats in handle.buffers()] == [Suspend(5)]

        run(main)

    def test_its_strategy_decides_what_is_lost_while_the_consumer_is_busy(self) -> None:
        dropped: list[tuple[Any, str]] = []
        strategy = DropOldest(1, on_drop=lambda item, why: dropped.append((item, why)))
        stream = Stream(drawn("-abcdefgh-|")) | ops.buffer(strategy) | ops.batch_within(2, seconds=1.0)
        seen = noted(stream, 20.0)
        assert seen[0] == (2.0, "ab")
        assert "".join(item for _, item in seen) == "abfgh|"
        assert dropped == [("c", "full"), ("d", "full"), ("e", "full")]

    @given(
        gaps=st.lists(SECONDS, min_size=20, max_size=20),
        busy=st.lists(SECONDS, max_size=20),
        count=st.integers(1, 4),
        heaviest=st.integers(1, 9),
    )
    def test_no_strategy_is_upset_by_the_places_that_a_list_takes(
        self, gaps: list[float], busy: list[float], count: int, heaviest: int
    ) -> None:
        dropped: list[Any] = []
        strategy = DropOldest(1, on_drop=lambda item, why: dropped.append(item))
        stream = Stream(gapped(list("12345678901234567890"), gaps)) | ops.buffer(strategy)
        batched = stream | ops.batch_within(count, seconds=1.0, weight=int, heaviest=heaviest)
        passed = "".join(batch for _, batch in noted(batched, *busy)[:-1])
        assert sorted(passed + "".join(dropped)) == sorted("12345678901234567890")


class TestArguments:
    @pytest.mark.parametrize(
        ("name", "value", "kind", "allowed"),
        [
            ("count", 0, ValueError, "a whole number of at least 1"),
            ("count", -1, ValueError, "a whole number of at least 1"),
            ("count", 2.0, TypeError, "a whole number of at least 1"),
            ("count", True, TypeError, "a whole number of at least 1"),
            ("count", None, TypeError, "a whole number of at least 1"),
            ("seconds", 0, ValueError, "a finite number of seconds above 0"),
            ("seconds", -1.0, ValueError, "a finite number of seconds above 0"),
            ("seconds", float("inf"), ValueError, "a finite number of seconds above 0"),
            ("seconds", "1", TypeError, "a finite number of seconds above 0"),
            ("heaviest", 0, ValueError, "a finite number above 0"),
            ("heaviest", float("inf"), ValueError, "a finite number above 0"),
            ("heaviest", "9", TypeError, "a finite number above 0"),
            ("weight", 9, TypeError, "a callable"),
            ("weight", None, TypeError, "a callable"),
        ],
    )
    def test_each_is_named_with_its_value_and_what_is_allowed(
        self, name: str, value: Any, kind: type[Exception], allowed: str
    ) -> None:
        arguments: dict[str, Any] = {"count": 3, "seconds": 1.0, "weight": len, "heaviest": 9.0, name: value}
        with pytest.raises(kind) as caught:
            ops.batch_within(**arguments)
        assert str(caught.value) == f"{name} must be {allowed}, not {value!r}"

    def test_weight_and_heaviest_come_together(self) -> None:
        for arguments in ({"weight": len}, {"heaviest": 3.0}):
            with pytest.raises(ValueError, match="weight and heaviest must be given together"):
                ops.batch_within(3, seconds=1.0, **arguments)  # type: ignore[arg-type]


class Unreadable:
    def __reduce__(self) -> Any:
        return _unreadable, ()


def _unreadable() -> None:
    raise ValueError("unreadable")


def test_an_item_that_cannot_be_read_back_ends_the_stream_where_it_is_the_first_of_a_list() -> None:
    async def source() -> AsyncIterator[Any]:
        for item in (1, 2, Unreadable(), 4):
            yield item
        await asyncio.sleep(5.0)

    stream = Stream(source) | ops.buffer(Spill(1)) | ops.batch_within(1, seconds=1.0)
    found = noted(stream, 3.0)
    assert found[:2] == [(0.0, "1"), (3.0, "2")]
    assert str(found[2][1]) == "unreadable"
