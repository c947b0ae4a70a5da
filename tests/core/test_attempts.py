"""Attempts: how many there are, how long to wait between two, and what the error of the last one tells."""

from typing import Any

import pytest

from streamkit import Backoff
from streamkit._core.attempts import Attempts, attempts_argument


class TestArgument:
    @pytest.mark.parametrize("value", [None, 1, 9])
    def test_is_none_or_a_number_of_them(self, value: int | None) -> None:
        assert attempts_argument(value) == value

    @pytest.mark.parametrize(("value", "kind"), [(0, ValueError), (-1, ValueError), ("1", TypeError)])
    def test_nothing_else(self, value: Any, kind: type[Exception]) -> None:
        with pytest.raises(kind) as caught:
            attempts_argument(value)
        assert str(caught.value) == f"attempts must be a whole number of at least 1, not {value!r}"


def notes_of(most: int) -> list[str]:
    """What the last of `most` attempts tells, each of which fails with another error."""
    attempts = Attempts(most, 0.0)
    for number in range(1, most):
        error = OSError(f"no {number}")
        assert attempts.wait(error) is not None
        assert not hasattr(error, "__notes__")
    last = OSError("last")
    assert attempts.wait(last) is None
    assert attempts.failed == most
    return getattr(last, "__notes__", [])


class TestAttempts:
    def test_wait_between_two_as_long_as_was_said(self) -> None:
        plain, growing = Attempts(4, 1.5), Attempts(None, Backoff(1.0, factor=2.0, jitter=0.0))
        assert [plain.wait(OSError()) for _ in range(4)] == [1.5, 1.5, 1.5, None]
        assert [growing.wait(OSError()) for _ in range(4)] == [1.0, 2.0, 4.0, 8.0]
        assert (plain.failed, growing.failed) == (4, 4)

    def test_the_only_one_tells_of_no_others(self) -> None:
        assert notes_of(1) == []

    def test_the_last_tells_what_the_others_failed_with(self) -> None:
        assert notes_of(2) == ["this was attempt 2 of 2, after OSError: no 1"]
        assert notes_of(4) == ["this was attempt 4 of 4, after OSError: no 1, OSError: no 2, OSError: no 3"]

    def test_of_many_those_before_the_last_four_are_counted(self) -> None:
        end = "OSError: no {}, OSError: no {}, OSError: no {}"
        assert notes_of(5) == ["this was attempt 5 of 5, after 1 other, " + end.format(2, 3, 4)]
        assert notes_of(9) == ["this was attempt 9 of 9, after 5 others, " + end.format(6, 7, 8)]
