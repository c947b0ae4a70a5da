"""sliding."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import Stream, ops
from tests.operators.beside import WHOLE, ours, theirs

ITEMS = st.lists(st.integers(), max_size=12)
SIZES = st.integers(1, 5)


class TestSliding:
    @given(ITEMS, SIZES)
    def test_as_slices_and_pairwise(self, items: list[int], count: int) -> None:
        wanted = [items[end - count : end] for end in range(count, len(items) + 1)]
        assert ours(items, ops.sliding(count)) == (wanted, "end")
        if count == 2:
            assert wanted == [list(each) for each in pairwise(items)]

    @given(ITEMS, SIZES, SIZES)
    def test_as_rxpy_but_for_lists_that_are_not_full(self, items: list[int], count: int, step: int) -> None:
        found, end = theirs(items, rx.buffer_with_count(count, step))
        assert ours(items, ops.sliding(count, step=step)) == (
            [each for each in found if len(each) == count],
            end,
        )

    @given(ITEMS, SIZES)
    def test_a_step_of_the_count_is_a_batch_but_for_the_rest(self, items: list[int], count: int) -> None:
        batches, _ = ours(items, ops.batch(count))
        assert ours(items, ops.sliding(count, step=count))[0] == [
            each for each in batches if len(each) == count
        ]

    def test_each_list_is_its_own(self) -> None:
        lists: list[list[str]] = []
        for each in Stream("abcd") | ops.sliding(2):
            lists.append(list(each))
            each.clear()
        assert lists == [["a", "b"], ["b", "c"], ["c", "d"]]

    def test_what_is_not_full_is_no_list(self) -> None:
        assert ours("ab", ops.sliding(3)) == ([], "end")
        assert ours("abc", ops.sliding(3), fails=True) == ([["a", "b", "c"]], "Failed")

    @pytest.mark.parametrize(("bad", "error"), [*WHOLE, (0, ValueError)])
    def test_bad_arguments(self, bad: Any, error: type[Exception]) -> None:
        with pytest.raises(error) as caught:
            ops.sliding(bad)
        assert str(caught.value) == f"count must be a whole number of at least 1, not {bad!r}"
        with pytest.raises(error) as caught:
            ops.sliding(2, step=bad)
        assert str(caught.value) == f"step must be a whole number of at least 1, not {bad!r}"

    def test_huge_numbers(self) -> None:
        assert list(Stream("abc") | ops.sliding(10**30)) == []
        assert list(Stream("abc") | ops.sliding(1, step=10**30)) == [["a"]]
