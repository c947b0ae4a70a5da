"""combine_latest, with_latest_from, zip_latest, fork_join."""

import asyncio
import operator
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Conflate, DropOldest, Stream, Suspend, ops
from streamkit.testing import run
from tests.operators.counted import Counted, counted, most_alive

LISTS = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=4)
OPERATORS: list[Callable[..., Any]] = [
    ops.combine_latest,
    ops.with_latest_from,
    ops.zip_latest,
    ops.fork_join,
]


def every(seconds: float, *items: Any, error: Exception | None = None) -> Callable[[], AsyncIterator[Any]]:
    """A source that waits `seconds` before each of `items`, and before its end."""

    async def source() -> AsyncIterator[Any]:
        for item in items:
            await asyncio.sleep(seconds)
            yield item
        await asyncio.sleep(seconds)
        if error is not None:
            raise error

    return source


async def ready() -> AsyncIterator[int]:
    for item in (1, 2, 3):
        yield item


class Closing:
    """A source that gives `items`, hangs, and notes when it is closed."""

    def __init__(self, *items: Any) -> None:
        self.items = items
        self.pulled = 0
        self.closed: float | None = None

    async def __call__(self) -> AsyncIterator[Any]:
        try:
            for item in self.items:
                self.pulled += 1
                yield item
            await asyncio.get_running_loop().create_future()
        finally:
            self.closed = asyncio.get_running_loop().time()


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def timed(stream: Any) -> list[tuple[float, Any]]:
    loop = asyncio.get_running_loop()
    return [(loop.time(), item) async for item in stream]


class TestCombineLatest:
    def test_a_tuple_for_each_item_once_all_have_one(self) -> None:
        stream = Stream(every(2.0, "a", "b")) | ops.combine_latest(every(3.0, 1, 2))
        assert run(lambda: timed(stream)) == [(3.0, ("a", 1)), (4.0, ("b", 1)), (6.0, ("b", 2))]

    @given(LISTS, st.integers(1, 4))
    def test_each_item_makes_one_tuple_from_the_first_whole_one_on(
        self, lists: list[list[int]], lookahead: int
    ) -> None:
        made = list(Stream(lists[0]) | ops.combine_latest(*lists[1:], lookahead=lookahead))
        assert made[-1] == tuple(items[-1] for items in lists)
        most = sum(map(len, lists)) - len(lists) + 1
        assert 1 <= len(made) <= most

    def test_a_slow_consumer_makes_the_sources_wait_and_misses_nothing(self) -> None:
        fast = Closing(*range(9))

        async def main() -> list[tuple[str, int]]:
            made: list[tuple[str, int]] = []
            async with (Stream(["a"]) | ops.combine_latest(fast)).open() as items:
                async for pair in items:
                    made.append(pair)
                    await asyncio.sleep(9.0)
                    assert fast.pulled <= pair[1] + 2
                    if len(made) == 9:
                        return made
            return made

        assert run(main) == [("a", number) for number in range(9)]

    @pytest.mark.parametrize("lookahead", [1, 3])
    def test_each_source_is_read_as_far_ahead_as_asked(self, lookahead: int) -> None:
        one, two = Closing(*range(20)), Closing(*range(20))

        async def main() -> None:
            async with (Stream(one) | ops.combine_latest(two, lookahead=lookahead)).open() as items:
                assert await anext(items) == (0, 0)
                await asyncio.sleep(9.0)
                assert (
                    lookahead <= min(one.pulled, two.pulled) <= max(one.pulled, two.pulled) <= lookahead + 1
                )

        run(main)

    @pytest.mark.parametrize("count", [5_000, pytest.param(1_000_000, marks=pytest.mark.full)])
    def test_after_many_items_it_holds_what_its_contract_says(self, count: int) -> None:
        sources = [counted(count // 10) for _ in range(10)]
        combined = Stream(sources[0]) | ops.combine_latest(*sources[1:], lookahead=4)
        taken, most = most_alive(combined)
        assert taken >= count - 10 * 4
        assert most <= combined.explain().bound == 50
        assert Counted.alive == 0

    def test_a_buffer_before_it_reads_further_ahead(self) -> None:
        one, two = Closing(*range(20)), Closing(*range(20))

        async def main() -> None:
            stream = Stream(one) | ops.buffer(Suspend(5)) | ops.combine_latest(two)
            async with stream.open() as items:
                await anext(items)
                await asyncio.sleep(9.0)
                assert 5 <= one.pulled <= 6
                assert 1 <= two.pulled <= 2

        run(main)

    def test_it_ends_at_once_where_a_source_ends_without_an_item(self) -> None:
        endless = Closing("a")

        async def main() -> float:
            assert await collect(Stream(endless) | ops.combine_latest(every(3.0))) == []
            return asyncio.get_running_loop().time()

        assert run(main) == endless.closed == 3.0

    def test_a_buffer_before_it_that_folds_or_counts_gives_what_it_has(self) -> None:
        for strategy, expected in (
            (Conflate(operator.add), [(6, "a")]),
            (DropOldest(1, gaps=True), [(3, "a")]),
        ):
            stream = Stream(ready) | ops.buffer(strategy) | ops.combine_latest(every(1.0, "a"))
            assert run(lambda stream=stream: collect(stream)) == expected

    def test_a_source_that_has_ended_keeps_its_last_item_in_the_tuples(self) -> None:
        stream = Stream(["a"]) | ops.combine_latest(every(1.0, 1, 2))
        assert run(lambda: collect(stream)) == [("a", 1), ("a", 2)]

    def test_what_is_held_makes_its_tuples_before_an_error(self) -> None:
        failure = OSError("first")

        async def main() -> list[Any]:
            made: list[Any] = []
            with pytest.raises(OSError, match="first") as caught:
                async for pair in Stream(every(1.0, "a", error=failure)) | ops.combine_latest(
                    every(0.5, *range(9)), lookahead=2
                ):
                    made.append(pair)
                    await asyncio.sleep(3.0)
            assert caught.value is failure
            return made

        made = run(main)
        assert [first for first, _ in made] == ["a"] * len(made)
        assert [second for _, second in made] == sorted(second for _, second in made)
        assert len(made) == 3


class TestWithLatestFrom:
    def test_the_stream_sets_the_pace(self) -> None:
        stream = Stream(every(2.0, "a", "b", "c")) | ops.with_latest_from(every(1.5, 1, 2, 3))
        assert run(lambda: timed(stream)) == [(2.0, ("a", 1)), (4.0, ("b", 2)), (6.0, ("c", 3))]

    def test_items_before_each_source_has_one_are_left_out(self) -> None:
        stream = Stream(every(1.0, "a", "b", "c")) | ops.with_latest_from([1], every(2.5, "x"))
        assert run(lambda: collect(stream)) == [("c", 1, "x")]

    def test_a_source_that_has_ended_keeps_its_last_item(self) -> None:
        stream = Stream(every(1.0, "a", "b")) | ops.with_latest_from([1, 2])
        assert run(lambda: collect(stream)) == [("a", 2), ("b", 2)]

    def test_a_slow_consumer_makes_the_stream_wait_and_gets_the_newest_of_the_others(self) -> None:
        started = Stream(every(1.5, "a", "b")) | ops.with_latest_from(every(1.0, *range(9)))

        async def slowly() -> list[Any]:
            made: list[Any] = []
            async for pair in started:
                made.append(pair)
                await asyncio.sleep(4.25)
            return made

        assert run(slowly) == [("a", 0), ("b", 4)]

    def test_it_ends_at_once_where_a_source_ends_without_an_item(self) -> None:
        endless, other = Closing(*range(9)), Closing(1)

        async def main() -> float:
            assert await collect(Stream(endless) | ops.with_latest_from(other, every(3.0))) == []
            return asyncio.get_running_loop().time()

        assert run(main) == endless.closed == other.closed == 3.0

    def test_an_error_of_a_source_comes_behind_what_is_held(self) -> None:
        failure = OSError("other")

        async def main() -> list[Any]:
            made: list[Any] = []
            with pytest.raises(OSError, match="other"):
                async for pair in Stream(every(1.5, "a", "b")) | ops.with_latest_from(
                    every(1.0, 1, 2, error=failure)
                ):
                    made.append(pair)
                    await asyncio.sleep(9.0)
            return made

        assert run(main) == [("a", 1), ("b", 2)]

    def test_without_sources_it_makes_tuples_of_one(self) -> None:
        assert list(Stream("ab") | ops.with_latest_from()) == [("a",), ("b",)]


class TestZipLatest:
    def test_of_a_source_that_is_faster_the_latest_is_used(self) -> None:
        stream = Stream(every(1.0, *range(9))) | ops.zip_latest(every(3.5, "a", "b"))
        assert run(lambda: timed(stream)) == [(3.5, (2, "a")), (7.0, (6, "b"))]

    def test_no_item_is_used_twice(self) -> None:
        stream = Stream(["a"]) | ops.zip_latest(every(1.0, 1, 2, 3))
        assert run(lambda: timed(stream)) == [(1.0, ("a", 1))]

    def test_a_slow_consumer_gets_the_newest(self) -> None:
        async def main() -> list[Any]:
            made: list[Any] = []
            async for pair in Stream(every(1.0, *range(9))) | ops.zip_latest(every(1.0, *range(9))):
                made.append(pair)
                await asyncio.sleep(3.6)
            return made

        assert run(main) == [(0, 0), (3, 3), (7, 7), (8, 8)]


class TestForkJoin:
    @given(LISTS)
    def test_is_the_last_items(self, lists: list[list[int]]) -> None:
        assert list(Stream(lists[0]) | ops.fork_join(*lists[1:])) == [tuple(items[-1] for items in lists)]

    def test_it_comes_when_the_last_source_ends(self) -> None:
        stream = Stream(every(2.0, "a", "b")) | ops.fork_join(every(1.0, 1, 2))
        assert run(lambda: timed(stream)) == [(6.0, ("b", 2))]

    def test_it_ends_at_once_where_a_source_ends_without_an_item(self) -> None:
        endless = Closing("a")

        async def main() -> float:
            assert await collect(Stream(endless) | ops.fork_join(every(3.0))) == []
            return asyncio.get_running_loop().time()

        assert run(main) == endless.closed == 3.0

    def test_an_error_ends_it_at_once(self) -> None:
        endless, failure = Closing("a"), OSError("first")
        with pytest.raises(OSError, match="first"):
            run(lambda: collect(Stream(endless) | ops.fork_join(every(3.0, 1, error=failure))))
        assert endless.closed == 6.0


class TestAll:
    @pytest.mark.parametrize("operator", OPERATORS)
    @pytest.mark.parametrize("bad", [5, None, object(), ops.take(1)])
    def test_a_source_that_cannot_be_iterated(self, operator: Any, bad: Any) -> None:
        with pytest.raises(TypeError, match=r"source must be an iterable"):
            operator(bad)

    @pytest.mark.parametrize("operator", OPERATORS)
    def test_a_list_of_streams_is_no_source(self, operator: Any) -> None:
        with pytest.raises(TypeError, match=rf"write {operator.__name__}\(\*sources\)"):
            operator([Stream("a"), Stream("b")])

    @pytest.mark.parametrize("bad", [0, -1, 1.0, float("nan"), "1", None, True])
    def test_a_lookahead_that_is_no_number_of_items(self, bad: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="lookahead must be a whole number of at least 1"):
            ops.combine_latest("a", lookahead=bad)

    @pytest.mark.parametrize("operator", OPERATORS)
    def test_a_hundred_sources(self, operator: Any) -> None:
        found = list(Stream([-1]) | operator(*[[number] for number in range(99)]))
        assert found == [(-1, *range(99))]

    @pytest.mark.parametrize("operator", OPERATORS)
    def test_each_source_is_closed_when_the_consumer_leaves(self, operator: Any) -> None:
        sources = [Closing(*range(9)) for _ in range(3)]

        async def main() -> None:
            async with (Stream(sources[0]) | operator(*sources[1:])).open() as items:
                try:
                    async with asyncio.timeout(5.0):
                        await anext(items)
                except TimeoutError:
                    assert operator is ops.fork_join

        run(main)
        assert all(each.closed is not None for each in sources)
