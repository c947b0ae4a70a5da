"""merge_sorted, merge_prioritized, interleave."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from heapq import merge
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import DropOldest, Stream, Suspend, attached, ops
from streamkit.testing import run
from tests.operators.counted import Counted, counted, most_alive

LISTS = st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=5)
OPERATORS: list[Callable[..., Any]] = [ops.merge_sorted, ops.merge_prioritized, ops.interleave]


def ready(*items: Any) -> Callable[[], AsyncIterator[Any]]:
    """An asynchronous source that is always ready."""

    async def source() -> AsyncIterator[Any]:
        for item in items:
            yield item

    return source


def failing(*items: Any, error: Exception, seconds: float = 0.0) -> Callable[[], AsyncIterator[Any]]:
    async def source() -> AsyncIterator[Any]:
        for item in items:
            yield item
        await asyncio.sleep(seconds)
        raise error

    return source


async def read(stream: Any) -> tuple[list[Any], BaseException | None]:
    """What comes out of `stream`, and the error that ends it."""
    out: list[Any] = []
    try:
        async for item in stream:
            out.append(item)
    except Exception as error:
        return out, error
    return out, None


def kept(stream: Any) -> list[Any]:
    found, error = run(lambda: read(stream))
    assert error is None
    return found


def by_turns(lists: list[list[int]], count: int) -> Iterator[int]:
    """``interleave_longest`` of more_itertools, with `count` items in a turn."""
    turns = [iter(items) for items in lists]
    while turns:
        left: list[Iterator[int]] = []
        for items in turns:
            part = [*islice(items, count)]
            yield from part
            if len(part) == count:
                left.append(items)
        turns = left


class Ranked:
    """Equal to whatever has the same rank; says where it came from."""

    def __init__(self, rank: int, place: int) -> None:
        self.rank = rank
        self.place = place

    def __lt__(self, other: "Ranked") -> bool:
        return self.rank < other.rank

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranked) and self.rank == other.rank

    __hash__ = None  # type: ignore[assignment]


class TestMergeSorted:
    @given(LISTS, st.booleans(), st.integers(1, 4), st.booleans())
    def test_is_what_heapq_merge_is(
        self, lists: list[list[int]], reverse: bool, lookahead: int, waits: bool
    ) -> None:
        lists = [sorted(items, reverse=reverse) for items in lists]
        sources = [ready(*items) for items in lists] if waits else lists
        found = kept(
            Stream(sources[0]) | ops.merge_sorted(*sources[1:], reverse=reverse, lookahead=lookahead)
        )
        assert found == [*merge(*lists, reverse=reverse)]

    @given(LISTS, st.integers(1, 4))
    def test_sources_that_are_in_no_order_come_as_from_heapq_merge(
        self, lists: list[list[int]], lookahead: int
    ) -> None:
        found = kept(Stream(lists[0]) | ops.merge_sorted(*lists[1:], lookahead=lookahead))
        assert found == [*merge(*lists)]

    @given(LISTS, st.booleans(), st.sampled_from(["sync", "async"]))
    def test_of_equal_keys_that_of_the_first_source_comes_first(
        self, lists: list[list[int]], reverse: bool, kind: str
    ) -> None:
        async def later(item: tuple[int, int]) -> int:
            await asyncio.sleep(item[0])
            return item[0]

        def rank(item: tuple[int, int]) -> int:
            return item[0]

        named = [
            [(item, place) for item in sorted(items, reverse=reverse)] for place, items in enumerate(lists)
        ]
        key: Any = rank if kind == "sync" else later
        found = kept(Stream(named[0]) | ops.merge_sorted(*named[1:], key=key, reverse=reverse))
        assert found == [*merge(*named, key=rank, reverse=reverse)]

    @given(LISTS)
    def test_of_equal_items_that_of_the_first_source_comes_first(self, lists: list[list[int]]) -> None:
        named = [[Ranked(item, place) for item in sorted(items)] for place, items in enumerate(lists)]
        found = kept(Stream(named[0]) | ops.merge_sorted(*named[1:]))
        assert [(each.rank, each.place) for each in found] == sorted(
            (each.rank, each.place) for items in named for each in items
        )

    @given(LISTS)
    def test_one_inside_of_another_and_one_behind_another_are_one(self, lists: list[list[int]]) -> None:
        named = [[(item, place) for item in sorted(items)] for place, items in enumerate(lists)]
        inside, behind = Stream(named[-1]), Stream(named[0])
        for items in reversed(named[:-1]):
            inside = Stream(items) | ops.merge_sorted(inside)
        for items in named[1:]:
            behind = behind | ops.merge_sorted(items)
        assert kept(inside) == kept(behind) == [*merge(*named)]

    def test_a_thousand_sources(self) -> None:
        lists = [[*range(place, 5_000, 1_000)] for place in range(1_000)]
        found = kept(Stream(lists[0]) | ops.merge_sorted(*lists[1:]))
        assert found == [*range(5_000)]

    @pytest.mark.parametrize("count", [5_000, pytest.param(1_000_000, marks=pytest.mark.full)])
    def test_after_many_items_it_holds_what_its_contract_says(self, count: int) -> None:
        sources = [counted(count // 10, place, 10) for place in range(10)]
        merged = Stream(sources[0]) | ops.merge_sorted(*sources[1:], lookahead=4)
        taken, most = most_alive(merged)
        assert taken == count
        assert most <= merged.explain().bound == 41
        assert Counted.alive == 0

    def test_an_item_waits_until_no_source_can_bring_a_lesser_one(self) -> None:
        async def main() -> list[tuple[float, int]]:
            loop = asyncio.get_running_loop()

            async def slow() -> AsyncIterator[int]:
                for number in (2, 4):
                    await asyncio.sleep(5.0)
                    yield number

            return [(loop.time(), item) async for item in Stream([1, 3, 5]) | ops.merge_sorted(slow)]

        assert run(main) == [(5.0, 1), (5.0, 2), (10.0, 3), (10.0, 4), (10.0, 5)]

    def test_what_is_held_comes_in_order_before_an_error(self) -> None:
        failure = OSError("first")
        other = failing(2, error=failure, seconds=1.0)
        merged = Stream([1, 3, 4, 5]) | ops.merge_sorted(other, [6, 7], lookahead=2)
        found, error = run(lambda: read(merged))
        assert error is failure
        assert found == [1, 2, 3, 4, 6, 7]

    def test_an_error_of_the_key_comes_behind_what_is_held(self) -> None:
        def key(item: int) -> int:
            if item == 3:
                raise ValueError("no key")
            return item

        found, error = run(lambda: read(Stream([1, 3, 9]) | ops.merge_sorted([2, 4], key=key, lookahead=3)))
        assert (found, str(error)) == ([1, 2, 4], "no key")
        assert error is not None
        assert error.__notes__[0].startswith("in merge_sorted(")

    def test_each_error_of_the_key_is_told(self) -> None:
        def key(item: int) -> int:
            raise ValueError(item)

        found, error = run(lambda: read(Stream([1]) | ops.merge_sorted([2], key=key)))
        assert (found, str(error)) == ([], "1")
        assert error is not None
        assert [str(each) for each in attached(error)] == ["2"]

    def test_items_that_cannot_be_compared_fail_in_its_name(self) -> None:
        _, error = run(lambda: read(Stream([1]) | ops.merge_sorted(["a"])))
        assert isinstance(error, TypeError)
        assert error.__notes__[0].startswith("in merge_sorted(Stream(['a'])) at ")

    def test_a_buffer_before_it_goes_on_losing_what_it_loses(self) -> None:
        fast = Stream(range(100)) | ops.buffer(DropOldest(2))
        found = kept(fast | ops.merge_sorted([200]))
        assert found[-2:] == [99, 200]
        assert len(found) < 10


class TestMergePrioritized:
    @given(LISTS)
    def test_of_what_is_ready_the_first_source_comes_first(self, lists: list[list[int]]) -> None:
        named = [[(place, item) for item in items] for place, items in enumerate(lists)]
        expected = [each for items in named for each in items]
        for sources in (named, [ready(*items) for items in named]):
            assert kept(Stream(sources[0]) | ops.merge_prioritized(*sources[1:])) == expected

    @pytest.mark.parametrize("lookahead", [1, 3, 16])
    def test_a_source_that_is_always_ready_starves_those_behind_it(self, lookahead: int) -> None:
        async def endless() -> AsyncIterator[str]:
            while True:
                yield "urgent"

        merged = Stream(endless) | ops.merge_prioritized(["late"], lookahead=lookahead) | ops.take(1_000)
        assert kept(merged) == ["urgent"] * 1_000

    def test_those_behind_it_get_their_turn_while_it_waits(self) -> None:
        async def urgent() -> AsyncIterator[str]:
            for text in "ab":
                await asyncio.sleep(2.5)
                yield text

        async def usual() -> AsyncIterator[int]:
            for number in range(4):
                await asyncio.sleep(1.0)
                yield number

        assert kept(Stream(usual) | ops.merge_prioritized(urgent)) == [0, 1, "a", 2, 3, "b"]

    def test_a_slow_consumer_gets_what_is_urgent_before_what_came_earlier(self) -> None:
        async def main() -> list[Any]:
            async def urgent() -> AsyncIterator[str]:
                for text in "ab":
                    await asyncio.sleep(2.0)
                    yield text

            found: list[Any] = []
            async for item in Stream(urgent) | ops.merge_prioritized([1, 2, 3, 4]):
                found.append(item)
                await asyncio.sleep(2.5)
            return found

        assert run(main) == [1, "a", "b", 2, 3, 4]

    def test_it_flattens_and_keeps_its_order(self) -> None:
        merged = Stream("a") | ops.merge_prioritized("b") | ops.merge_prioritized("c")
        assert kept(merged) == ["a", "b", "c"]
        assert len(merged.explain().parts) == 4

    def test_what_is_held_comes_before_an_error(self) -> None:
        failure = OSError("first")
        merged = Stream(failing(1, error=failure)) | ops.merge_prioritized([2, 3, 4], lookahead=2)
        found, error = run(lambda: read(merged))
        assert error is failure
        assert found == [1, 2, 3]


class TestInterleave:
    @given(LISTS, st.integers(1, 4), st.integers(1, 4), st.booleans())
    def test_is_what_interleave_longest_is(
        self, lists: list[list[int]], count: int, lookahead: int, waits: bool
    ) -> None:
        sources = [ready(*items) for items in lists] if waits else lists
        found = kept(Stream(sources[0]) | ops.interleave(*sources[1:], count=count, lookahead=lookahead))
        assert found == [*by_turns(lists, count)]

    def test_a_source_that_is_slow_is_waited_for(self) -> None:
        async def slow() -> AsyncIterator[str]:
            for text in "ab":
                await asyncio.sleep(9.0)
                yield text

        assert kept(Stream(slow) | ops.interleave([1, 2])) == ["a", 1, "b", 2]

    def test_what_is_held_comes_in_turn_before_an_error(self) -> None:
        failure = OSError("first")
        turns = Stream(failing("a", error=failure, seconds=1.0)) | ops.interleave([1, 2, 3, 4], lookahead=2)
        found, error = run(lambda: read(turns))
        assert error is failure
        assert found == ["a", 1, 2, 3]


class TestAll:
    @pytest.mark.parametrize("operator", OPERATORS)
    def test_without_other_sources_it_is_the_stream(self, operator: Any) -> None:
        assert kept(Stream("abc") | operator()) == ["a", "b", "c"]
        assert kept(Stream([]) | operator()) == []

    @pytest.mark.parametrize("operator", OPERATORS)
    @pytest.mark.parametrize("bad", [5, None, object(), ops.take(1)])
    def test_a_source_that_cannot_be_iterated(self, operator: Any, bad: Any) -> None:
        with pytest.raises(TypeError, match=r"source must be an iterable"):
            operator(bad)

    @pytest.mark.parametrize("operator", OPERATORS)
    def test_a_list_of_streams_is_no_source(self, operator: Any) -> None:
        with pytest.raises(TypeError, match=rf"write {operator.__name__}\(\*sources\)"):
            operator([Stream("a"), Stream("b")])

    @pytest.mark.parametrize("operator", OPERATORS)
    @pytest.mark.parametrize("bad", [0, -1, 1.0, float("nan"), "1", None, True])
    def test_a_lookahead_that_is_no_number_of_items(self, operator: Any, bad: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="lookahead must be a whole number of at least 1"):
            operator("a", lookahead=bad)

    @pytest.mark.parametrize("bad", [0, -1, 1.5, float("nan"), "1", None, True])
    def test_a_count_that_is_no_number_of_items(self, bad: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="count must be a whole number of at least 1"):
            ops.interleave("a", count=bad)

    @pytest.mark.parametrize("bad", [0, None, "yes", 1.0])
    def test_a_direction_that_is_neither_true_nor_false(self, bad: Any) -> None:
        with pytest.raises(TypeError, match="reverse must be True or False"):
            ops.merge_sorted("a", reverse=bad)

    @pytest.mark.parametrize("bad", [5, None, "key", ops.take(1)])
    def test_a_key_that_is_no_callable(self, bad: Any) -> None:
        with pytest.raises(TypeError, match="key must be a callable"):
            ops.merge_sorted("a", key=bad)

    def test_large_numbers_are_numbers(self) -> None:
        assert kept(Stream("a") | ops.interleave("b", count=10**30, lookahead=10**30)) == ["a", "b"]
        assert kept(Stream("a") | ops.merge_sorted("b", lookahead=10**30)) == ["a", "b"]
        assert kept(Stream("a") | ops.merge_prioritized("b", lookahead=10**30)) == ["a", "b"]

    @pytest.mark.parametrize("operator", OPERATORS)
    def test_each_source_is_closed_in_its_own_task_when_the_consumer_leaves(self, operator: Any) -> None:
        tasks: list[tuple[Any, Any]] = []

        async def source() -> AsyncIterator[int]:
            begun = asyncio.current_task()
            try:
                for number in range(100):
                    yield number
            finally:
                tasks.append((begun, asyncio.current_task()))

        async def main() -> None:
            async with (Stream(source) | operator(source, source)).open() as items:
                await anext(items)
                await asyncio.sleep(1.0)

        run(main)
        assert len({begun for begun, _ in tasks}) == len(tasks) == 3
        assert all(begun is ended for begun, ended in tasks)

    def test_a_buffer_before_it_reads_further_ahead(self) -> None:
        for operator in OPERATORS:
            found = kept(Stream([1, 2, 3]) | ops.buffer(Suspend(2)) | operator([4, 5]))
            assert sorted(found) == [1, 2, 3, 4, 5]
