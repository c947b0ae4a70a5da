"""zip, merge and concat of what Python itself iterates over: read in place, and as pumps would read it."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, zip_longest
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import SourceConsumedError, Stream, ops
from streamkit.testing import run

LISTS = st.lists(st.lists(st.integers(), max_size=6), min_size=1, max_size=4)
MAKERS: list[Callable[[list[int]], Any]] = [
    list,
    tuple,
    deque,
    iter,
    reversed,
    lambda items: iter(deque(items)),
]
SOURCES = LISTS.flatmap(
    lambda lists: st.tuples(*[st.tuples(st.just(each), st.sampled_from(MAKERS)) for each in lists])
)


def made(drawn: Iterable[tuple[list[int], Callable[[list[int]], Any]]]) -> list[Any]:
    return [make(items) for items, make in drawn]


def in_turns(sources: list[list[Any]]) -> list[Any]:
    rows = zip_longest(*sources, fillvalue=None)
    return [item for item in chain.from_iterable(rows) if item is not None]


def tasks_of(stream: Any) -> int:
    """How many tasks there are at most while the items of `stream` are read, but for the reader's."""

    async def main() -> int:
        most = 0
        async for _ in stream:
            await asyncio.sleep(0)
            most = max(most, len(asyncio.all_tasks()) - 1)
        return most

    return run(main)


class TestTheSame:
    @given(SOURCES)
    def test_zip(self, drawn: Any) -> None:
        expected = list(zip(*made(drawn), strict=False))
        assert run(lambda: streamkit.zip(*made(drawn)) | ops.to_list()) == expected

    @given(SOURCES)
    def test_zip_with_fill(self, drawn: Any) -> None:
        expected = list(zip_longest(*made(drawn), fillvalue="-"))
        assert run(lambda: streamkit.zip(*made(drawn), fill="-") | ops.to_list()) == expected

    @given(SOURCES)
    def test_merge(self, drawn: Any) -> None:
        expected = in_turns([list(each) for each in made(drawn)])
        assert run(lambda: streamkit.merge(*made(drawn)) | ops.to_list()) == expected

    @given(SOURCES)
    def test_concat(self, drawn: Any) -> None:
        expected = list(chain(*made(drawn)))
        assert run(lambda: streamkit.concat(*made(drawn)) | ops.to_list()) == expected

    @pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 600])
    def test_merge_of_long_ones(self, length: int) -> None:
        sources = [list(range(length)), list(range(1000, 1000 + 300))]
        assert run(lambda: streamkit.merge(*sources) | ops.to_list()) == in_turns(sources)

    def test_merge_of_ranges_of_large_numbers(self) -> None:
        large = range(1 << 70, 1 << 71)
        found = run(lambda: streamkit.merge(range(2), large) | ops.take(5) | ops.to_list())
        assert found == [0, 1 << 70, 1, (1 << 70) + 1, (1 << 70) + 2]

    @given(st.lists(st.text(max_size=5).map(tuple), min_size=1, max_size=4))
    def test_merge_of_tuples(self, sources: Any) -> None:
        assert run(lambda: streamkit.merge(*sources) | ops.to_list()) == in_turns(sources)

    def test_of_many_sources(self) -> None:
        sources = [range(number % 3) for number in range(10_000)]
        found = run(lambda: streamkit.merge(*sources) | ops.to_list())
        assert len(found) == sum(map(len, sources))
        assert found[:6666] == [0] * 6666

    def test_dicts_and_their_views(self) -> None:
        each = {"a": 1, "b": 2}
        found = run(lambda: streamkit.zip(each, each.values(), each.items(), {7}) | ops.to_list())
        assert found == [("a", 1, ("a", 1), 7)]

    def test_as_often_as_it_is_run(self) -> None:
        for join in (streamkit.zip, streamkit.merge, streamkit.concat):
            stream = join([1, 2], "ab")
            assert run(lambda stream=stream: stream | ops.to_list()) == list(stream)


class TestInPlace:
    @pytest.mark.parametrize("join", [streamkit.zip, streamkit.merge, streamkit.concat])
    def test_no_task_reads_what_python_iterates_over(self, join: Any) -> None:
        assert tasks_of(join([1, 2], range(2), "ab")) == 0

    @pytest.mark.parametrize("join", [streamkit.zip, streamkit.merge])
    def test_a_task_of_its_own_reads_what_runs_code_of_users(self, join: Any) -> None:
        def generator() -> Iterator[int]:
            yield from (1, 2)

        class Own(list[int]):
            pass

        for source in (generator(), Own([1, 2]), map(abs, [1, 2]), Stream([1, 2]) | ops.map(abs)):
            assert tasks_of(join([1, 2], source)) == 2


class TestReadOnce:
    @pytest.mark.parametrize("join", [ops.zip, ops.merge, ops.concat])
    def test_an_iterator_can_be_read_once(self, join: Any) -> None:
        stream = Stream(iter([1, 2])) | join([3, 4])
        assert run(lambda: stream | ops.count()) in {2, 4}
        with pytest.raises(SourceConsumedError):
            run(lambda: stream | ops.count())

    @pytest.mark.parametrize("join", [ops.zip, ops.merge, ops.concat])
    def test_so_a_stream_of_it_cannot_stand_there_twice(self, join: Any) -> None:
        stream = Stream(iter([1, 2, 3, 4]))
        with pytest.raises(SourceConsumedError):
            run(lambda: stream | join(stream) | ops.to_list())

    def test_two_sources_may_share_an_iterator(self) -> None:
        items = iter(range(6))
        assert run(lambda: streamkit.zip(items, items) | ops.to_list()) == [(0, 1), (2, 3), (4, 5)]

    def test_no_more_is_taken_of_it_than_was_asked_for(self) -> None:
        for join, taken in ((streamkit.zip, 2), (streamkit.merge, 1)):
            items = iter(range(9))
            run(lambda join=join, items=items: join(items, range(9)) | ops.take(2) | ops.drain())
            assert next(items) == taken

    def test_concat_opens_none_before_its_turn(self) -> None:
        items = iter([1, 2])
        stream = Stream(items)
        run(lambda: Stream("ab") | ops.concat(stream) | ops.take(1) | ops.drain())
        assert run(lambda: stream | ops.to_list()) == [1, 2]


class TestErrors:
    def test_strict_says_which_has_ended(self) -> None:
        with pytest.raises(ValueError, match=r"source 2 ended before source 1, 3") as caught:
            run(lambda: Stream("abc") | ops.zip("a", "abc", strict=True) | ops.drain())
        assert caught.value.__notes__[0].startswith("in zip(Stream('a'), Stream('abc'), strict=True) at ")

    def test_strict_passes_on_the_rows_before(self) -> None:
        found: list[Any] = []
        with pytest.raises(ValueError, match="ended before"):
            run(lambda: Stream([1, 2]) | ops.zip([3], strict=True) | ops.for_each(found.append))
        assert found == [(1, 3)]

    def test_a_set_that_changes_meanwhile_fails_behind_what_was_given(self) -> None:
        changing, found = {1, 2, 3}, []

        def see(item: Any) -> None:
            found.append(item)
            changing.add(len(found) + 9)

        with pytest.raises(RuntimeError, match="changed size"):
            run(lambda: streamkit.merge([7, 8, 9], changing) | ops.for_each(see))
        assert found[0] == 7

    def test_an_error_of_a_callback_behind_it_is_its_own(self) -> None:
        for join in (ops.zip, ops.merge, ops.concat):
            with pytest.raises(ZeroDivisionError) as caught:
                run(lambda join=join: Stream([1]) | join([2]) | ops.map(lambda _: 1 / 0) | ops.drain())
            assert caught.value.__notes__[0].startswith("in map(")
