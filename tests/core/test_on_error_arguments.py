"""Resume, Replace and Retry: what they are made of, and what is refused."""

from typing import Any

import pytest

from streamkit import (
    Backoff,
    Replace,
    Resume,
    Retry,
    SourceConsumedError,
    ops,
)


def note(item: Any, error: Exception) -> None:
    print(item, error)


class TestArguments:
    @pytest.mark.parametrize("on_error", [5, "resume", ValueError, Resume, print, [Resume()], Backoff(1.0)])
    def test_no_policy(self, on_error: Any) -> None:
        with pytest.raises(TypeError, match=r"^on_error must be Resume\(...\), Replace\(...\), Retry\(...\)"):
            ops.map(abs, on_error=on_error)

    @pytest.mark.parametrize("name", ["distinct", "distinct_until_changed", "min", "all", "to_dict"])
    def test_a_policy_without_a_callback(self, name: str) -> None:
        with pytest.raises(
            ValueError, match=r"^on_error must be given together with (key|predicate), not alone"
        ):
            getattr(ops, name)(on_error=Resume())

    def test_filter_without_a_predicate(self) -> None:
        with pytest.raises(ValueError, match=r"^on_error must be given together with predicate"):
            ops.filter(None, on_error=Resume())  # type: ignore[call-overload]  # pyright: ignore

    @pytest.mark.parametrize("letters", [5, "x", [print], ops.take(1)])
    def test_no_dead_letters(self, letters: Any) -> None:
        with pytest.raises(TypeError, match=r"^dead_letters must be a callable"):
            Resume(letters)

    @pytest.mark.parametrize("function", [5, None, [print], ops.take(1)])
    def test_no_function(self, function: Any) -> None:
        with pytest.raises(TypeError, match=r"^function must be a callable"):
            Replace(function)

    @pytest.mark.parametrize("make", [Resume, lambda **given: Replace(note, **given), Retry])
    def test_no_errors(self, make: Any) -> None:
        for errors in (5, "x", int, BaseException, ValueError("x")):
            with pytest.raises(TypeError, match=r"^errors must be a type of Exception, or a tuple of them"):
                make(errors=errors)
        for errors in (RecursionError, (OSError, SourceConsumedError)):
            with pytest.raises(ValueError, match=r"^errors must not have"):
                make(errors=errors)

    @pytest.mark.parametrize("attempts", [0, -1, 1.5, "3", True])
    def test_no_attempts(self, attempts: Any) -> None:
        with pytest.raises((TypeError, ValueError), match=r"^attempts must be a whole number of at least 1"):
            Retry(attempts)

    @pytest.mark.parametrize("backoff", [-1.0, float("nan"), float("inf"), None, "1"])
    def test_no_backoff(self, backoff: Any) -> None:
        with pytest.raises((TypeError, ValueError), match=r"^backoff must be a Backoff"):
            Retry(3, backoff)

    @pytest.mark.parametrize("then", [5, Retry(2), print])
    def test_nothing_that_follows(self, then: Any) -> None:
        with pytest.raises(TypeError, match=r"^then must be Resume\(...\), Replace\(...\) or None"):
            Retry(3, then=then)
