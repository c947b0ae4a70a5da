"""Functions that answer wrong arguments: right calls, and errors from inside, are those of the function."""

import inspect
from typing import Any

import pytest

from streamkit._core.calls import answering


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
