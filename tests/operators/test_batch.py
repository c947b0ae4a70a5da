"""batch."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, ops


class TestBatch:
    @given(st.lists(st.integers()), st.integers(1, 9))
    def test_all_items_in_order_in_lists_of_size(self, items: list[int], size: int) -> None:
        batches = list(Stream(items) | ops.batch(size))
        assert list(chain.from_iterable(batches)) == items
        assert all(len(batch) == size for batch in batches[:-1])
        assert all(0 < len(batch) <= size for batch in batches)

    def test_each_list_is_its_own(self) -> None:
        first, second = Stream("abc") | ops.batch(2)
        first.clear()
        assert second == ["c"]

    def test_empty(self) -> None:
        assert list(Stream([]) | ops.batch(3)) == []

    def test_the_rest_is_passed_on_when_a_step_before_ends_the_stream(self) -> None:
        assert list(Stream("abcde") | ops.take(3) | ops.batch(2)) == [["a", "b"], ["c"]]

    def test_the_rest_comes_before_an_error(self) -> None:
        seen: list[Any] = []
        with pytest.raises(ZeroDivisionError):
            (
                Stream([1, 1, 1, 0]) | ops.map(lambda x: 1 // x) | ops.batch(2) | ops.for_each(seen.append)
            ).run()
        assert seen == [[1, 1], [1]]

    def test_take_after_it_keeps_nothing_back(self) -> None:
        assert list(Stream("abcde") | ops.batch(2) | ops.take(1)) == [["a", "b"]]

    @pytest.mark.parametrize("size", [0, -1])
    def test_too_small(self, size: int) -> None:
        with pytest.raises(ValueError, match=f"size must be a whole number of at least 1, not {size}"):
            ops.batch(size)

    @pytest.mark.parametrize("size", [True, 2.0, "2", None])
    def test_no_number(self, size: Any) -> None:
        with pytest.raises(TypeError, match=f"size must be a whole number of at least 1, not {size!r}"):
            ops.batch(size)
