"""Functions that answer wrong arguments: right calls, and errors from inside, are those of the function."""

import inspect
from typing import Any

import pytest

from streamkit._core.calls import Quick, answering


def made() -> Any:
    @answering
    def cut(text: str, *, limit: int = 60) -> str:
        """Cuts a text."""
        return text[:limit]

    return cut


def test_what_is_called_rightly_returns_what_it_returns() -> None:
    assert made()("abcdef", limit=3) == "abc"


@pytest.mark.parametrize("named", [{"length": 3}, {"limit": 3, "length": 3}], ids=repr)
def test_what_is_not_is_answered_with_what_it_takes(named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"cut\(text, .*limit.*\) takes no length") as caught:
        made()("abc", **named)
    assert caught.value.__context__ is None


def test_an_error_from_inside_arrives_as_itself() -> None:
    error = TypeError("not a text")

    @answering
    def fails(text: str) -> None:
        raise error

    with pytest.raises(TypeError) as caught:
        fails("abc")
    assert caught.value is error
    with pytest.raises(TypeError, match=r"^'int' object is not subscriptable$"):
        made()(5)


def test_it_is_the_function_for_all_who_ask() -> None:
    cut = made()
    assert (cut.__name__, cut.__qualname__, cut.__module__) == ("cut", "made.<locals>.cut", __name__)
    assert cut.__doc__ == "Cuts a text."
    assert [*inspect.signature(cut).parameters] == ["text", "limit"]
    assert cut.__globals__ is globals()
    assert inspect.unwrap(cut) is not cut


def test_a_plain_function_that_is_all_that_is_given_has_a_quick_way() -> None:
    quick = Quick()

    def said(*values: Any, **named: Any) -> Any:
        return values, named

    def mine(value: Any = None, *, other: Any = None) -> Any:
        return value, other

    each = answering(mine, quick)
    assert each(said) == (said, None)  # nobody has said what is quick
    quick.plain = lambda given: ("quick", given)
    assert each(said) == ("quick", said)
    others: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        *[((value,), {}) for value in (abs, None, "abc", said.__get__(1), type)],
        *[((), {}), ((), {"value": said}), ((said,), {"other": 1}), ((None,), {"other": said})],
    ]
    for values, named in others:
        assert each(*values, **named) == mine(*values, **named)


def test_an_answer_says_what_was_given() -> None:
    cases: list[tuple[tuple[Any, ...], str]] = [
        ((), "needs text"),
        (("a", 3), "takes 1 argument by position, not 2: write limit=3"),
    ]
    for values, words in cases:
        with pytest.raises(TypeError) as caught:
            made()(*values)
        assert str(caught.value) == f"cut(text, *, limit=60) {words}"
