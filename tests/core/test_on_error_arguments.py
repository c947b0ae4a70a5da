"""Resume, Replace and Retry: what they are made of, and what is refused."""

from typing import Any

import pytest

from streamkit import (
    DROPPED,
    Backoff,
    Replace,
    Resume,
    Retry,
    SourceConsumedError,
    ops,
)
from streamkit._core.show import shown


def note(item: Any, error: Exception) -> None:
    print(item, error)


class TestArguments:
    @pytest.mark.parametrize("on_error", [5, "resume", ValueError, Resume, print, [Resume()], Backoff(1.0)])
    def test_no_policy(self, on_error: Any) -> None:
        with pytest.raises(TypeError) as caught:
            ops.map(abs, on_error=on_error)
        assert str(caught.value) == (
            "on_error must be Resume(...), Replace(...), Return(...), Retry(...) or None, "
            f"not {shown(on_error)}"
        )

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

    def test_dead_letters_that_can_be_called_are_called_though_they_can_send(self) -> None:
        class Both:
            def __init__(self) -> None:
                self.found: list[Any] = []

            def __call__(self, item: Any, error: Exception) -> None:
                self.found.append(item)

            def send(self, item: Any) -> None:
                raise AssertionError

        letters: Any = Both()
        assert Resume(letters).instead(0, ValueError()) is DROPPED
        assert letters.found == [0]

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
        with pytest.raises(
            TypeError, match=r"^then must be Resume\(...\), Replace\(...\), Return\(...\) or None"
        ):
            Retry(3, then=then)


class TestWords:
    def test_are_what_differs_from_the_defaults(self) -> None:
        assert repr(Resume(None, errors=Exception)) == "Resume()"
        assert repr(Resume(errors=(OSError, KeyError))) == (
            "Resume(errors=(<class 'OSError'>, <class 'KeyError'>))"
        )
        assert repr(Retry(3, 0)) == "Retry()"
        assert repr(Retry(None, Backoff(1.0))) == f"Retry(None, backoff={shown(Backoff(1.0))})"

    def test_of_letters_that_cannot_be_compared(self) -> None:
        class Letters:
            __name__ = "letters"

            def __call__(self, item: Any, error: Exception) -> None: ...

            def __eq__(self, other: object) -> bool:
                raise OverflowError("not to be compared")

            __hash__ = object.__hash__

        assert repr(Resume(Letters())) == "Resume(letters)"
