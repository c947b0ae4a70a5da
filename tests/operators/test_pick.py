"""element_at, find."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import EmptyStreamError, Stream, ops
from tests.operators.beside import WHOLE, ours, theirs

ITEMS = st.lists(st.integers(-3, 3), max_size=8)
COUNTS = st.integers(0, 9)


def positive(number: int) -> bool:
    return number > 0


async def positive_later(number: int) -> bool:
    return number > 0


class TestElementAt:
    @given(ITEMS, COUNTS)
    def test_as_rxpy_where_there_is_one(self, items: list[int], index: int) -> None:
        found = ours(items, ops.element_at(index))
        if index < len(items):
            assert found == theirs(items, rx.element_at(index)) == ([items[index]], "end")
        else:
            assert found == ([], "EmptyStreamError")

    @given(ITEMS, COUNTS)
    def test_as_rxpy_with_a_default(self, items: list[int], index: int) -> None:
        found = ours(items, ops.element_at(index, default=None))
        assert found == theirs(items, rx.element_at_or_default(index, None))

    def test_nothing_is_pulled_behind_it(self) -> None:
        seen: list[int] = []
        assert list(Stream(iter(range(9))) | ops.tap(seen.append) | ops.element_at(2)) == [2]
        assert seen == [0, 1, 2]

    def test_the_error_is_a_lookup_error_and_names_the_operator(self) -> None:
        with pytest.raises(LookupError, match=r"no item for element_at\(2\); give default=") as caught:
            list(Stream("ab") | ops.element_at(2))
        assert isinstance(caught.value, EmptyStreamError)
        assert caught.value.__notes__[0].startswith("in element_at(2) at ")

    @pytest.mark.parametrize(("index", "error"), WHOLE)
    def test_bad_argument(self, index: Any, error: type[Exception]) -> None:
        with pytest.raises(error) as caught:
            ops.element_at(index)
        assert str(caught.value) == f"index must be a whole number of at least 0, not {index!r}"


class TestFind:
    @given(ITEMS)
    def test_as_next_of_filter_and_as_rxpy(self, items: list[int]) -> None:
        """RxPY passes on None where there is none."""
        found = ours(items, ops.find(positive, default=None))
        assert found == ([next(filter(positive, items), None)], "end")
        assert found == theirs(items, rx.find(lambda item, _, __: positive(item)))

    @pytest.mark.parametrize("predicate", [positive, positive_later, lambda number: positive_later(number)])
    def test_ends_with_it(self, predicate: Any) -> None:
        seen: list[int] = []
        assert list(Stream(iter([0, 1, 2])) | ops.tap(seen.append) | ops.find(predicate)) == [1]
        assert seen == [0, 1]

    def test_none_is_an_error_without_a_default(self) -> None:
        assert ours([-1], ops.find(positive)) == ([], "EmptyStreamError")
        assert ours([-1], ops.find(positive), fails=True) == ([], "Failed")
        assert ours([-1], ops.find(positive, default=0), fails=True) == ([], "Failed")

    @pytest.mark.parametrize("predicate", [5, None, "f", [1], ops.take(1)])
    def test_bad_argument(self, predicate: Any) -> None:
        with pytest.raises(TypeError, match="predicate must be a callable, not"):
            ops.find(predicate)
