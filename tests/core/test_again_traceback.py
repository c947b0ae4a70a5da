"""Tracebacks of errors that are raised again: what is left of the earlier times."""

from types import TracebackType
from typing import Any

import pytest

from streamkit._core.again import forget_earlier, origin, throw


def names(trace: TracebackType | None) -> list[str]:
    found: list[str] = []
    while trace is not None:
        found.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return found


def first() -> None:
    raise OSError("gone")


def raised() -> OSError:
    with pytest.raises(OSError, match="gone") as caught:
        first()
    return caught.value


def test_one_that_was_never_thrown_has_the_traceback_that_it_has() -> None:
    error = raised()
    assert origin(error) is error.__traceback__
    assert origin(OSError()) is None


@pytest.mark.parametrize("times", [1, 2, 3])
def test_one_that_was_thrown_has_that_which_it_was_thrown_with(times: int) -> None:
    error = raised()
    trace = error.__traceback__
    for _ in range(times):
        with pytest.raises(OSError, match="gone"):
            throw(error, origin(error))
        assert "throw" in names(error.__traceback__)
        assert origin(error) is trace


def test_what_it_was_thrown_with_ends_where_it_was_raised_first() -> None:
    error = raised()
    with pytest.raises(OSError, match="gone"):
        throw(error, error.__traceback__)
    assert names(origin(error))[-2:] == ["raised", "first"]
    assert len(names(origin(error))) < len(names(error.__traceback__))


def test_what_a_frame_has_caught_before_is_forgotten() -> None:
    error = OSError("gone")

    def step() -> None:
        raise error

    def source() -> None:
        step()

    seen: list[list[str]] = []
    for _ in range(4):
        try:
            source()
        except OSError as caught:
            forget_earlier(caught)
            seen.append(names(caught.__traceback__)[1:])
    assert seen == [["source", "step"]] * 4


def test_what_no_frame_has_caught_before_is_left() -> None:
    error = raised()
    before: list[Any] = names(error.__traceback__)
    forget_earlier(error)
    assert names(error.__traceback__) == before
    bare = OSError()
    forget_earlier(bare)
    assert bare.__traceback__ is None
