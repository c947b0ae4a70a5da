"""`merge_sorted(key=, on_error=)`: an item of which nobody can say where it belongs."""

import heapq
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import BufferOverflowError, Replace, Resume, Retry, Stream, ops
from streamkit.testing import run
from tests.operators.failing import check_policies, failing_first, timed, unless

NUMBERS = st.lists(st.integers(0, 9)).map(sorted)


class TestMergeSorted:
    @given(st.lists(NUMBERS, min_size=1, max_size=4), st.sets(st.integers(0, 9)), st.integers(1, 4))
    def test_is_heapq_merge_of_the_others(
        self, lists: list[list[int]], bad: set[int], lookahead: int
    ) -> None:
        lost: list[int] = []
        letters = Resume(lambda item, error: lost.append(item))
        merged = ops.merge_sorted(*lists[1:], key=unless(*bad), lookahead=lookahead, on_error=letters)
        kept = [[number for number in numbers if number not in bad] for numbers in lists]
        assert list(Stream(lists[0]) | merged) == [*heapq.merge(*kept)]
        assert sorted(lost) == sorted(number for numbers in lists for number in numbers if number in bad)

    @given(st.lists(NUMBERS, min_size=2, max_size=3), st.integers(0, 9))
    def test_tried_again_it_is_heapq_merge(self, lists: list[list[int]], often: int) -> None:
        key = failing_first({number: (number + often) % 3 for number in range(10)})
        merged = ops.merge_sorted(*lists[1:], key=key, on_error=Retry(3, 0.5))
        assert [item for _, item in timed(Stream(lists[0]) | merged)] == [*heapq.merge(*lists)]

    def test_greatest_first(self) -> None:
        merged = ops.merge_sorted([9, 7, 2], key=unless(7), reverse=True, on_error=Resume())
        assert list(Stream([8, 7, 1]) | merged) == [9, 8, 2, 1]

    def test_another_key(self) -> None:
        last = Replace(lambda item, error: 99)
        assert list(Stream([1, 7]) | ops.merge_sorted([2, 8], key=unless(7), on_error=last)) == [1, 2, 8, 7]

    def test_an_error_comes_after_what_is_held(self) -> None:
        def fails() -> Any:
            yield 7
            yield 8
            raise BufferOverflowError("x")

        found: list[int] = []

        async def main() -> None:
            merged = ops.merge_sorted(fails, key=unless(7), lookahead=2, on_error=Resume())
            with pytest.raises(BufferOverflowError):
                await (Stream([9]) | merged | ops.for_each(found.append))

        run(main)
        assert found == [8, 9]

    def test_neighbours_are_one_also_where_a_run_counts(self) -> None:
        async def main() -> None:
            one, other = (
                ops.merge_sorted(numbers, key=abs, on_error=Resume()) for numbers in ([1, 5], [2, 6])
            )
            stream = Stream([3]) | one | other
            assert stream.explain().bound == 4
            handle = (stream | ops.to_list()).start()
            assert await handle == [1, 2, 3, 5, 6]
            assert len([stats for stats in handle.buffers() if stats.strategy is not None]) == 3

        run(main)


def test_what_is_refused() -> None:
    for make in (
        lambda on_error, **form: ops.merge_sorted([], on_error=on_error, **form),
        lambda on_error, **form: streamkit.merge_sorted([], [], on_error=on_error, **form),
    ):
        check_policies(lambda on_error, make=make: make(on_error, key=len))
        check_policies(make)
        with pytest.raises(ValueError, match=r"^on_error must be given together with key,"):
            make(Resume())
