"""keep_alive."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise, product, repeat

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, ops
from streamkit.testing import run
from tests.marbles import ERROR, drawn, noted
from tests.operators.pacing import gapped, still, stopped


class TestKeepAlive:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-----------b--|")) | ops.keep_alive(5.0, function=still)
        assert noted(stream) == [(2.0, "a"), (7.0, "f"), (12.0, "f"), (14.0, "b"), (17.0, "|")]

    def test_time_counts_from_the_first_ask_too(self) -> None:
        stream = Stream(drawn("------a|")) | ops.keep_alive(2.5, function=still)
        assert noted(stream) == [(2.5, "f"), (5.0, "f"), (6.0, "a"), (7.0, "|")]

    def test_before_the_first_ask_nothing_runs(self) -> None:
        async def main() -> None:
            async with (Stream(drawn("-a|")) | ops.keep_alive(2.0, function=still)).open() as items:
                await asyncio.sleep(50.0)
                assert [item async for item in items] == ["a"]

        run(main)

    def test_an_item_that_was_ready_when_the_time_ended_is_passed_on_instead(self) -> None:
        async def main() -> list[str]:
            loop = asyncio.get_running_loop()
            arrived = loop.create_future()
            loop.call_at(2.0, arrived.set_result, "just in time")

            async def source() -> AsyncIterator[str]:
                yield await arrived

            return [item async for item in Stream(source) | ops.keep_alive(2.0, function=still)]

        assert run(main) == ["just in time"]

    def test_an_item_that_comes_in_the_turn_in_which_the_time_ends_is_not_lost_nor_late(self) -> None:
        seen = noted(Stream(drawn("--a--b--c--|")) | ops.keep_alive(3.0, function=still))
        assert [each for each in seen if each[1] != "f"] == [(2.0, "a"), (5.0, "b"), (8.0, "c"), (11.0, "|")]

    def test_an_item_or_an_end_that_comes_in_any_turn_after_the_time_is_told_once(self) -> None:
        late: list[bool] = []
        for turns, items in product(range(8), ("a", "")):

            async def source(turns: int = turns, items: str = items) -> AsyncIterator[str]:
                await asyncio.sleep(2.0)
                for _ in range(turns):
                    await asyncio.sleep(0)
                for item in items:
                    yield item

            seen = noted(Stream(source) | ops.keep_alive(2.0, function=still))
            late.append(seen[0] == (2.0, "f"))
            assert seen[late[-1] :] == [*((2.0, item) for item in items), (2.0, "|")]
        assert {*late[:2]} == {False}
        assert {*late[-2:]} == {True}

    def test_a_source_that_keeps_up_is_passed_on_as_it_is(self) -> None:
        stream = Stream(drawn("-a-b-c|")) | ops.keep_alive(2.5, function=still)
        assert noted(stream) == [(1.0, "a"), (3.0, "b"), (5.0, "c"), (6.0, "|")]

    def test_an_item_that_is_there_comes_first_however_long_the_consumer_was_busy(self) -> None:
        stream = Stream("abc") | ops.keep_alive(1.0, function=still)
        assert noted(stream, *repeat(5.0, 3)) == [(0.0, "a"), (5.0, "b"), (10.0, "c"), (15.0, "|")]

    def test_the_time_in_which_the_consumer_is_busy_does_not_count(self) -> None:
        stream = Stream(drawn("a-----------b|")) | ops.keep_alive(3.0, function=still)
        assert noted(stream, 7.0) == [(0.0, "a"), (10.0, "f"), (12.0, "b"), (13.0, "|")]

    @given(st.lists(st.integers(1, 40).filter(lambda tenths: tenths % 10), max_size=6))
    def test_it_is_never_quiet_for_longer_and_no_item_is_lost(self, tenths: list[int]) -> None:
        gaps = [each / 10 for each in tenths]
        seen = noted(Stream(gapped(gaps)) | ops.keep_alive(1.0, function=still))
        assert [item for _, item in seen[:-1] if item != "f"] == list(range(len(gaps)))
        assert all(after - before <= 1.0 + 1e-9 for (before, _), (after, _) in pairwise([(0.0, ""), *seen]))
        assert [item for _, item in seen].count("f") == sum(int(each) for each in gaps)

    def test_the_pull_goes_on_while_others_are_put_in(self) -> None:
        begun: list[float] = []

        async def source() -> AsyncIterator[str]:
            begun.append(asyncio.get_running_loop().time())
            await asyncio.sleep(10.0)
            yield "a"

        stream = Stream(source) | ops.keep_alive(4.0, function=still)
        assert noted(stream) == [(4.0, "f"), (8.0, "f"), (10.0, "a"), (10.0, "|")]
        assert begun == [0.0]

    def test_an_awaitable_is_awaited(self) -> None:
        async def later() -> str:
            await asyncio.sleep(1.0)
            return "f"

        stream = Stream(drawn("------a--|")) | ops.keep_alive(4.0, function=later)
        assert noted(stream) == [(5.0, "f"), (6.0, "a"), (9.0, "|")]

    def test_nothing_is_read_ahead(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(9)) | ops.tap(pulled.append) | ops.keep_alive(2.0, function=lambda: -1)
            async with stream.open() as items:
                for number in range(3):
                    assert pulled == list(range(number))
                    assert await anext(items) == number
                    await asyncio.sleep(9.0)

        run(main)

    def test_an_error_of_the_source_comes_as_itself(self) -> None:
        stream = Stream(drawn("-a----X")) | ops.keep_alive(3.0, function=still)
        assert noted(stream) == [(1.0, "a"), (4.0, "f"), (6.0, ERROR)]

    def test_an_error_of_the_function_is_named_and_closes_the_source(self) -> None:
        error = ValueError("function")
        cleaned: list[float] = []

        def fail() -> str:
            raise error

        stream = Stream(drawn("-a-----b|", cleaned)) | ops.keep_alive(2.0, function=fail)
        assert noted(stream) == [(1.0, "a"), (3.0, error)]
        assert error.__notes__[0].startswith("in keep_alive(2.0, function=fail) at ")
        assert cleaned == [3.0]

    def test_a_consumer_that_leaves_closes_the_source(self) -> None:
        cleaned: list[float] = []

        async def main() -> None:
            stream = Stream(drawn("-a-----b|", cleaned)) | ops.keep_alive(2.0, function=still)
            async with stream.open() as items:
                assert [await anext(items) for _ in range(3)] == ["a", "f", "f"]
            assert cleaned == [5.0]

        run(main)

    def test_the_item_in_hand_at_an_early_end_is_counted(self) -> None:
        stream = Stream(drawn("---a-")) | ops.keep_alive(2.0, function=still)
        stats = stopped(stream, 9.0)
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (1, 0, 1, 0)

    def test_empty(self) -> None:
        assert list(Stream([]) | ops.keep_alive(9.0, function=still)) == []

    def test_no_function(self) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not None"):
            ops.keep_alive(1.0, function=None)  # type: ignore[call-overload]
