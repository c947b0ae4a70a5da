"""`batch_within(weight=, on_error=)`: an item of which nobody can say what it weighs."""

from typing import Any

import pytest

from streamkit import OnError, Replace, Resume, Retry, Stream, ops
from tests.operators.failing import check_policies, failing_first, ticking, timed, unless


class TestBatchWithin:
    def within(self, count: int, weight: Any, on_error: OnError, heaviest: float = 9.0) -> Any:
        return ops.batch_within(count, seconds=2.5, weight=weight, heaviest=heaviest, on_error=on_error)

    def test_what_is_dropped_takes_no_place(self) -> None:
        numbers = [1, 2, 7, 3, 7, 7, 4]
        assert list(Stream(numbers) | self.within(2, unless(7), Resume())) == [[1, 2], [3, 4]]
        assert list(Stream([7, 7]) | self.within(2, unless(7), Resume())) == []

    def test_and_no_list_begins_with_it(self) -> None:
        found = timed(Stream(lambda: ticking(7, 1, 2, 3)) | self.within(9, unless(7), Resume()))
        assert found == [(3.5, [1, 2, 3])]

    def test_it_leaves_room(self) -> None:
        """In a list of two, there is room for many that are dropped one after the other."""
        numbers = [0, *[7] * 50, 1, 2]
        assert list(Stream(numbers) | self.within(2, unless(7), Resume())) == [[0, 1], [2]]

    def test_another_weight(self) -> None:
        heavy = Replace(lambda item, error: 9.0)
        assert list(Stream([1, 7, 2]) | self.within(9, unless(7), heavy)) == [[1], [7], [2]]

    def test_a_weight_that_is_tried_again(self) -> None:
        found = timed(Stream([1, 2]) | self.within(9, failing_first({2: 2}), Retry(3, 1.0)))
        assert found == [(2.0, [1, 2])]

    @pytest.mark.parametrize("weight", ["x", -1.0, None])
    def test_what_is_no_weight_is_no_failure_of_the_callback(self, weight: Any) -> None:
        with pytest.raises((TypeError, ValueError), match=r"^weight must be"):
            list(Stream([1]) | self.within(2, lambda _: weight, Resume()))


def test_it_is_shown() -> None:
    weighing = ops.batch_within(2, seconds=1.0, weight=len, heaviest=2.0, on_error=Resume())
    assert repr(weighing).endswith("weight=len, heaviest=2.0, on_error=Resume())")


def test_what_is_refused() -> None:
    check_policies(
        lambda on_error: ops.batch_within(2, seconds=1.0, weight=len, heaviest=2, on_error=on_error)
    )
    check_policies(lambda on_error: ops.batch_within(2, seconds=1.0, on_error=on_error))
    with pytest.raises(ValueError, match=r"^on_error must be given together with weight,"):
        ops.batch_within(2, seconds=1.0, on_error=Resume())
