"""`extrapolate(on_error=)`: nobody can say what follows an item."""

from typing import Any

import pytest

from streamkit import Replace, Resume, Retry, Stream, ops
from tests.operators.failing import check_policies, failing_first, ticking, timed, unless


class TestExtrapolate:
    def test_nothing_follows_until_the_next(self) -> None:
        def twice(number: int) -> list[int]:
            return 2 * [10 * unless(7)(number)]

        found = timed(Stream(lambda: ticking(1, 7, 2)) | ops.extrapolate(twice, on_error=Resume()))
        assert [item for _, item in found] == [1, 10, 10, 7, 2, 20, 20]

    def test_others_follow_instead(self) -> None:
        found = timed(
            Stream(lambda: ticking(1, 7))
            | ops.extrapolate(lambda number: [unless(7)(number)], on_error=Replace(lambda item, error: "ab"))
        )
        assert [item for _, item in found] == [1, 1, 7, "a", "b"]

    def test_tried_again(self) -> None:
        function = failing_first({1: 1})
        pipe = ops.extrapolate(lambda number: [10 * function(number)], on_error=Retry(2, 0.5))
        assert timed(Stream(lambda: ticking(1)) | pipe) == [(0.0, 1), (0.5, 10)]

    def test_an_error_of_the_iterable_is_none_of_its(self) -> None:
        def fails(number: int) -> Any:
            yield number
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            timed(Stream(lambda: ticking(1)) | ops.extrapolate(fails, on_error=Resume()))


def test_it_is_shown() -> None:
    assert repr(ops.extrapolate(len, on_error=Retry(2))) == "extrapolate(len, on_error=Retry(2))"


def test_what_is_refused() -> None:
    check_policies(lambda on_error: ops.extrapolate(len, on_error=on_error))
