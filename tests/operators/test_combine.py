"""merge, zip, concat."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain, zip_longest
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, Suspend, attached, ops
from streamkit.testing import VirtualLoop, run


def every(seconds: float, *items: Any, error: Exception | None = None) -> Callable[[], AsyncIterator[Any]]:
    """A source that waits `seconds` before each of `items`, and then ends or fails."""

    async def source() -> AsyncIterator[Any]:
        for item in items:
            await asyncio.sleep(seconds)
            yield item
        if error is not None:
            await asyncio.sleep(seconds)
            raise error

    return source


class Counted:
    """A source that counts how often it was begun, pulled and closed."""

    def __init__(self, count: int = 100) -> None:
        self.count = count
        self.begun = self.pulled = self.closed = 0

    async def __call__(self) -> AsyncIterator[int]:
        self.begun += 1
        try:
            for number in range(self.count):
                self.pulled += 1
                yield number
        finally:
            self.closed += 1


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def timed(stream: Any) -> list[tuple[float, Any]]:
    """What comes out of `stream`, with the time at which it came."""
    loop = asyncio.get_running_loop()
    return [(loop.time(), item) async for item in stream]


LISTS = st.lists(st.lists(st.integers(), max_size=6), min_size=1, max_size=4)
NO_SOURCES = [5, None, object()]
OPERATORS = [ops.merge, ops.zip, ops.concat]


class TestMerge:
    def test_items_come_when_their_source_has_them(self) -> None:
        merged = Stream(every(2.0, "a", "b")) | ops.merge(every(3.0, 1, 2))
        assert run(lambda: timed(merged)) == [(2.0, "a"), (3.0, 1), (4.0, "b"), (6.0, 2)]

    @given(LISTS, st.integers(1, 4))
    def test_nothing_is_lost_and_each_source_keeps_its_order(
        self, lists: list[list[int]], lookahead: int
    ) -> None:
        named = [[(place, item) for item in items] for place, items in enumerate(lists)]
        found = list(Stream(named[0]) | ops.merge(*named[1:], lookahead=lookahead))
        assert [[each for each in found if each[0] == place] for place in range(len(named))] == named

    def test_a_slow_source_does_not_hold_up_the_others(self) -> None:
        merged = Stream(every(100.0, "slow")) | ops.merge(every(1.0, 1, 2, 3))
        assert run(lambda: timed(merged)) == [(1.0, 1), (2.0, 2), (3.0, 3), (100.0, "slow")]

    @pytest.mark.parametrize("lookahead", [1, 2, 5])
    def test_each_source_is_read_ahead_as_far_as_asked_and_no_further(self, lookahead: int) -> None:
        async def main() -> None:
            sources = [Counted(), Counted(), Counted()]
            merged = Stream(sources[0]) | ops.merge(*sources[1:], lookahead=lookahead)
            async with merged.open() as items:
                await asyncio.sleep(9.0)
                assert [source.pulled for source in sources] == [0, 0, 0]
                await anext(items)
                await asyncio.sleep(9.0)
                pulled = [source.pulled for source in sources]
                assert all(lookahead <= each <= lookahead + 1 for each in pulled)
                assert sum(pulled) <= 3 * lookahead + 1
            assert [source.closed for source in sources] == [1, 1, 1]

        run(main)

    def test_a_buffer_before_it_reads_its_own_source_further_ahead(self) -> None:
        async def main() -> None:
            here, there = Counted(), Counted()
            merged = Stream(here) | ops.buffer(Suspend(5)) | ops.merge(there)
            async with merged.open() as items:
                await anext(items)
                await asyncio.sleep(9.0)
                assert 5 <= here.pulled <= 6
                assert 1 <= there.pulled <= 2

        run(main)

    def test_without_other_sources_it_is_the_stream(self) -> None:
        assert list(Stream("abc") | ops.merge()) == ["a", "b", "c"]

    def test_sources_of_every_kind(self) -> None:
        merged = Stream([0]) | ops.merge(
            (1,), range(2, 3), every(0.0, 3), Stream([4]) | ops.map(abs), lambda: [5]
        )
        assert sorted(run(lambda: collect(merged))) == [0, 1, 2, 3, 4, 5]

    def test_an_error_stops_the_others_and_comes_after_what_is_held(self) -> None:
        other = Counted()
        seen: list[Any] = []

        async def main() -> None:
            async for item in Stream(every(1.0, "a", error=OSError("first"))) | ops.merge(other, lookahead=2):
                seen.append(item)
                await asyncio.sleep(5.0)

        with pytest.raises(OSError, match="first"):
            run(main)
        assert "a" in seen
        assert other.closed == 1
        assert other.pulled == len(seen) - 1

    def test_a_second_error_hangs_on_the_first(self) -> None:
        async def fails_when_closed() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                raise ValueError("second")

        with pytest.raises(OSError, match="first") as caught:
            run(lambda: collect(Stream(every(1.0, error=OSError("first"))) | ops.merge(fails_when_closed)))
        assert [str(error) for error in attached(caught.value)] == ["second"]


class TestZip:
    @given(LISTS, st.integers(1, 4))
    def test_is_what_pythons_zip_is(self, lists: list[list[int]], lookahead: int) -> None:
        found = list(Stream(lists[0]) | ops.zip(*lists[1:], lookahead=lookahead))
        assert found == list(zip(*lists, strict=False))

    @given(LISTS)
    def test_with_fill_is_what_zip_longest_is(self, lists: list[list[int]]) -> None:
        assert list(Stream(lists[0]) | ops.zip(*lists[1:], fill="-")) == list(
            zip_longest(*lists, fillvalue="-")
        )

    @given(LISTS)
    def test_with_strict_fails_exactly_where_pythons_does(self, lists: list[list[int]]) -> None:
        def strictly(tuples: Iterator[Any]) -> tuple[list[Any], bool]:
            found: list[Any] = []
            try:
                found.extend(tuples)
            except ValueError:
                return found, True
            return found, False

        def one_by_one(tuples: Any) -> Iterator[Any]:
            yield from tuples

        found: list[Any] = []
        expected, fails = strictly(one_by_one(zip(*lists, strict=True)))
        try:
            for each in Stream(lists[0]) | ops.zip(*lists[1:], strict=True):
                found.append(each)
        except ValueError:
            assert fails
        else:
            assert not fails
        assert found == expected[: len(found)] == list(zip(*lists, strict=False))

    def test_uneven_sources_are_named(self) -> None:
        with pytest.raises(ValueError, match="source 2 ended before source 1, 3") as caught:
            list(Stream("abc") | ops.zip("a", "abc", strict=True))
        assert caught.value.__notes__[0].startswith("in zip(Stream('a'), Stream('abc'), strict=True) at ")

    def test_one_that_ends_long_after_its_last_item_is_named_too(self) -> None:
        zipped = Stream(every(2.0, "a", "b")) | ops.zip(every(3.0, 1), strict=True)
        with pytest.raises(ValueError, match="source 2 ended before source 1"):
            run(lambda: timed(zipped))

    @pytest.mark.parametrize("fill", [None, 0, (), ""])
    def test_any_value_can_fill(self, fill: Any) -> None:
        assert list(Stream([1, 2]) | ops.zip([3], fill=fill)) == [(1, 3), (2, fill)]

    def test_a_tuple_comes_when_its_last_item_does(self) -> None:
        zipped = Stream(every(2.0, "a", "b")) | ops.zip(every(3.0, 1, 2))
        assert run(lambda: timed(zipped)) == [(3.0, ("a", 1)), (6.0, ("b", 2))]

    def test_ends_when_a_source_does_without_waiting_for_the_others(self) -> None:
        async def main() -> float:
            assert await collect(Stream([1]) | ops.zip(every(1.0, 2), every(2.0, 3, 4))) == [(1, 2, 3)]
            return asyncio.get_running_loop().time()

        assert run(main) == 2.0

    def test_an_endless_source_is_closed_when_a_shorter_one_ends(self) -> None:
        endless = Counted(10**9)
        assert list(Stream(endless) | ops.zip("ab")) == [(0, "a"), (1, "b")]
        assert endless.closed == 1
        assert endless.pulled <= 4

    @pytest.mark.parametrize("lookahead", [1, 2, 5])
    def test_each_source_is_read_ahead_as_far_as_asked_and_no_further(self, lookahead: int) -> None:
        async def main() -> None:
            fast, slow = Counted(), every(100.0, *range(9))
            async with (Stream(slow) | ops.zip(fast, lookahead=lookahead)).open() as items:
                asyncio.get_running_loop().call_later(50.0, lambda: seen.append(fast.pulled))
                seen: list[int] = []
                assert await anext(items) == (0, 0)
                assert seen == [lookahead]

        run(main)

    def test_one_source_alone_makes_tuples_of_one(self) -> None:
        assert list(Stream("ab") | ops.zip()) == [("a",), ("b",)]

    def test_an_error_comes_instead_of_the_tuple_it_belongs_to(self) -> None:
        seen: list[Any] = []

        async def main() -> None:
            async for each in Stream("abc") | ops.zip(every(1.0, 1, error=OSError("gone"))):
                seen.append(each)

        with pytest.raises(OSError, match="gone"):
            run(main)
        assert seen == [("a", 1)]

    def test_none_is_an_item(self) -> None:
        assert list(Stream([None, None]) | ops.zip([None, 1])) == [(None, None), (None, 1)]

    def test_strict_and_fill_exclude_each_other(self) -> None:
        with pytest.raises(
            ValueError, match="strict must be False where fill is given, not True with fill=None"
        ):
            ops.zip("ab", strict=True, fill=None)

    def test_strict_is_a_flag(self) -> None:
        with pytest.raises(TypeError, match="strict must be True or False, not 1"):
            ops.zip("ab", strict=1)  # type: ignore[call-overload]


class TestConcat:
    @given(LISTS)
    def test_is_what_adding_is(self, lists: list[list[int]]) -> None:
        assert list(Stream(lists[0]) | ops.concat(*lists[1:])) == [*chain(*lists)]

    def test_each_source_is_begun_when_the_one_before_it_has_ended_and_closed(self) -> None:
        first, second = Counted(2), Counted(2)

        async def main() -> None:
            async for number in Stream(first) | ops.concat(second):
                if second.begun:
                    assert first.closed == 1
                else:
                    assert number == first.pulled - 1
            assert second.closed == 1

        run(main)

    def test_later_sources_are_not_begun_when_the_consumer_leaves(self) -> None:
        first, second = Counted(), Counted()
        assert list(Stream(first) | ops.concat(second) | ops.take(3)) == [0, 1, 2]
        assert (first.pulled, first.closed, second.begun) == (3, 1, 0)

    def test_later_sources_are_not_begun_after_an_error(self) -> None:
        second = Counted()
        with pytest.raises(OSError, match="gone"):
            run(lambda: collect(Stream(every(1.0, 1, error=OSError("gone"))) | ops.concat(second)))
        assert second.begun == 0

    def test_reads_nothing_ahead(self) -> None:
        async def main() -> None:
            source = Counted()
            async with (Stream(source) | ops.concat([1])).open() as items:
                for number in range(3):
                    assert await anext(items) == number
                    await asyncio.sleep(9.0)
                    assert source.pulled == number + 1

        run(main)

    def test_a_stream_may_follow_itself(self) -> None:
        twice = Stream([1, 2])
        assert list(twice | ops.concat(twice, twice)) == [1, 2, 1, 2, 1, 2]

    def test_ends_no_sooner_than_the_last_source(self) -> None:
        async def main() -> float:
            await collect(Stream(every(1.0, 1)) | ops.concat(every(2.0, 2), every(3.0, 3)))
            return asyncio.get_running_loop().time()

        assert run(main) == 6.0


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: each.__name__)
class TestArguments:
    @pytest.mark.parametrize("value", NO_SOURCES, ids=["number", "none", "object"])
    def test_a_source_that_cannot_be_iterated(self, operator: Any, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            operator([1], value)
        assert str(caught.value) == (
            f"source must be an iterable, an async iterable, or a callable that makes one, not {value!r}"
        )

    def test_a_coroutine_is_refused_and_closed(self, operator: Any) -> None:
        with pytest.raises(TypeError, match="await it first"):
            operator(asyncio.sleep(1.0))

    def test_a_coroutine_function_is_refused(self, operator: Any) -> None:
        with pytest.raises(TypeError, match="not the coroutine function"):
            operator(asyncio.sleep)

    def test_of_empty_sources_is_empty(self, operator: Any) -> None:
        assert list(Stream([]) | operator([], ())) == []

    def test_makes_a_new_run_each_time(self, operator: Any) -> None:
        stream = Stream([1, 2]) | operator([3, 4])
        assert list(stream) == list(stream) != []


@pytest.mark.parametrize("operator", [ops.merge, ops.zip])
class TestLookahead:
    @pytest.mark.parametrize("lookahead", [0, -1])
    def test_too_small(self, operator: Any, lookahead: int) -> None:
        with pytest.raises(
            ValueError, match=f"lookahead must be a whole number of at least 1, not {lookahead}"
        ):
            operator([1], lookahead=lookahead)

    @pytest.mark.parametrize("lookahead", [True, 1.0, "1", None])
    def test_no_number(self, operator: Any, lookahead: Any) -> None:
        with pytest.raises(
            TypeError, match=f"lookahead must be a whole number of at least 1, not {lookahead!r}"
        ):
            operator([1], lookahead=lookahead)

    def test_sources_close_at_the_same_time(self, operator: Any) -> None:
        async def slow_to_close() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                await asyncio.sleep(5.0)

        async def main() -> float:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            async with (Stream(slow_to_close) | operator(slow_to_close, slow_to_close)).open() as items:
                await anext(items)
            return loop.time()

        assert run(main) == 5.0


def test_zip_fills_up_what_is_read_ahead() -> None:
    async def ready(length: int) -> AsyncIterator[int]:
        for number in range(length):
            yield number

    for one, other in ((1, 6), (6, 1), (6, 3)):
        stream = Stream(ready(one)) | ops.zip(ready(other), fill=-1, lookahead=6)
        found = run(lambda: collect(stream))  # noqa: B023
        assert found == [*zip_longest(range(one), range(other), fillvalue=-1)]
