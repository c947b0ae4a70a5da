"""take_last, skip_last, slice."""

import re
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import Stream, ops
from tests.operators.beside import WHOLE, ours, theirs

ITEMS = st.lists(st.integers(), max_size=12)
COUNTS = st.integers(0, 14)
BOUNDS = st.none() | COUNTS


class TestTakeLast:
    @given(ITEMS, COUNTS, st.booleans())
    def test_as_rxpy_and_a_slice(self, items: list[int], count: int, fails: bool) -> None:
        found = ours(items, ops.take_last(count), fails=fails)
        assert found == theirs(items, rx.take_last(count), fails=fails)
        assert fails or found[0] == (items[-count:] if count else [])

    def test_the_source_is_read_to_its_end_with_none(self) -> None:
        seen: list[int] = []
        assert list(Stream(range(3)) | ops.tap(seen.append) | ops.take_last(0)) == []
        assert seen == [0, 1, 2]

    def test_a_step_behind_it_may_have_enough(self) -> None:
        assert list(Stream(range(9)) | ops.take_last(3) | ops.take(2)) == [6, 7]

    def test_a_huge_count(self) -> None:
        assert list(Stream(range(3)) | ops.take_last(10**30)) == [0, 1, 2]

    @pytest.mark.parametrize(("count", "error"), WHOLE)
    def test_bad_argument(self, count: Any, error: type[Exception]) -> None:
        with pytest.raises(error) as caught:
            ops.take_last(count)
        assert str(caught.value) == f"count must be a whole number of at least 0, not {count!r}"


class TestSkipLast:
    @given(ITEMS, COUNTS, st.booleans())
    def test_as_rxpy_and_a_slice(self, items: list[int], count: int, fails: bool) -> None:
        found = ours(items, ops.skip_last(count), fails=fails)
        assert found == theirs(items, rx.skip_last(count), fails=fails)
        assert found[0] == items[: max(0, len(items) - count)]

    def test_an_item_leaves_when_as_many_have_come_behind_it(self) -> None:
        pulled: list[int] = []
        for item in Stream(range(9)) | ops.tap(pulled.append) | ops.skip_last(2):
            assert pulled[-1] == item + 2

    @pytest.mark.parametrize(("count", "error"), WHOLE)
    def test_bad_argument(self, count: Any, error: type[Exception]) -> None:
        with pytest.raises(error) as caught:
            ops.skip_last(count)
        assert str(caught.value) == f"count must be a whole number of at least 0, not {count!r}"


class TestSlice:
    @given(ITEMS, st.lists(BOUNDS, min_size=1, max_size=2), st.none() | st.integers(1, 5))
    def test_as_islice(self, items: list[int], bounds: list[int | None], step: int | None) -> None:
        given = (*bounds, step) if len(bounds) == 2 else bounds
        assert ours(items, ops.slice(*given)) == (list(islice(items, *given)), "end")

    @given(ITEMS, COUNTS, COUNTS, st.integers(1, 5))
    def test_as_rxpy(self, items: list[int], start: int, stop: int, step: int) -> None:
        if start <= stop:
            assert ours(items, ops.slice(start, stop, step)) == theirs(items, rx.slice(start, stop, step))

    @pytest.mark.parametrize(
        ("bounds", "pulled"),
        [((3,), 3), ((1, 8, 3), 8), ((1, 9, 3), 8), ((0,), 0), ((4, 2), 0), ((2, None), 20)],
    )
    def test_nothing_is_pulled_behind_the_last_one(self, bounds: Any, pulled: int) -> None:
        """Where islice goes on to `stop`."""
        seen: list[int] = []
        list(Stream(iter(range(20))) | ops.tap(seen.append) | ops.slice(*bounds))
        assert len(seen) == pulled

    def test_huge_numbers(self) -> None:
        assert list(Stream(range(3)) | ops.slice(10**30)) == [0, 1, 2]
        assert list(Stream(range(3)) | ops.slice(10**30, 10**31, 10**30)) == []
        assert list(Stream(range(3)) | ops.slice(0, None, 10**30)) == [0]

    def test_it_is_shown_as_it_was_written(self) -> None:
        assert repr(ops.slice(1, 8, 3)) == "slice(1, 8, 3)"
        assert repr(ops.slice(None, 2)) == "slice(None, 2)"

    @pytest.mark.parametrize(
        ("bounds", "message"),
        [
            (
                (-3, None),
                "start must be a whole number of at least 0, or None, not -3: to count from the end, "
                "write take_last(3)",
            ),
            (
                (-1,),
                "stop must be a whole number of at least 0, or None, not -1: to count from the end, "
                "write skip_last(1)",
            ),
            ((0, 5, 0), "step must be a whole number of at least 1, not 0"),
            ((0, 5, -1), "step must be a whole number of at least 1, not -1"),
        ],
    )
    def test_too_small(self, bounds: Any, message: str) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            ops.slice(*bounds)

    @pytest.mark.parametrize("bad", [True, 1.0, float("nan"), "1", [1]])
    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_no_number(self, bad: Any, place: int) -> None:
        bounds = [0, 5, 1]
        bounds[place] = bad
        with pytest.raises(TypeError, match=f"{['start', 'stop', 'step'][place]} must be a whole number"):
            ops.slice(*bounds)

    @pytest.mark.parametrize("bounds", [(), (1, 2, 3, 4)])
    def test_too_few_or_many(self, bounds: Any) -> None:
        with pytest.raises(TypeError, match="slice takes stop, or start, stop and perhaps step, not"):
            ops.slice(*bounds)
