"""ignore_items, default_if_empty, fail_if_empty."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import EmptyStreamError, Stream, ops
from tests.operators.beside import ours, theirs

ITEMS = st.lists(st.integers(), max_size=4)


class TestIgnoreItems:
    @given(ITEMS, st.booleans())
    def test_as_rxpy(self, items: list[int], fails: bool) -> None:
        found = ours(items, ops.ignore_items(), fails=fails)
        assert found == theirs(items, rx.ignore_elements(), fails=fails)
        assert found[0] == []

    def test_the_source_runs_for_its_effects(self) -> None:
        seen: list[int] = []
        assert (Stream(range(3)) | ops.tap(seen.append) | ops.ignore_items() | ops.count()).run() == 0
        assert seen == [0, 1, 2]


class TestDefaultIfEmpty:
    @given(ITEMS, st.booleans())
    def test_as_rxpy(self, items: list[int], fails: bool) -> None:
        found = ours(items, ops.default_if_empty(7), fails=fails)
        assert found == theirs(items, rx.default_if_empty(7), fails=fails)

    def test_it_is_what_nothing_is_left_of(self) -> None:
        assert list(Stream(range(9)) | ops.skip(9) | ops.default_if_empty(None)) == [None]
        assert list(Stream(range(9)) | ops.take(0) | ops.default_if_empty(None)) == [None]

    def test_it_has_no_default_of_its_own(self) -> None:
        with pytest.raises(TypeError, match="default_if_empty"):
            ops.default_if_empty()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class TestFailIfEmpty:
    @given(ITEMS, st.booleans())
    def test_fails_only_without_items(self, items: list[int], fails: bool) -> None:
        end = "Failed" if fails else "end" if items else "EmptyStreamError"
        assert ours(items, ops.fail_if_empty(), fails=fails) == (items, end)

    def test_the_error_of_the_user(self) -> None:
        async def made() -> Exception:
            return OSError("later")

        for error in (OSError, lambda: OSError("now"), made):
            with pytest.raises(OSError, match=r"later|now|in fail_if_empty") as caught:
                list(Stream([]) | ops.fail_if_empty(error))  # type: ignore[arg-type]  # pyright: ignore
            assert caught.value.__notes__[0].startswith("in fail_if_empty(")

    def test_each_run_raises_one_of_its_own(self) -> None:
        stream: Any = Stream(list[int]()) | ops.fail_if_empty()
        errors: list[BaseException] = []
        for _ in range(2):
            with pytest.raises(EmptyStreamError) as caught:
                list(stream)
            errors.append(caught.value)
        assert errors[0] is not errors[1]

    @pytest.mark.parametrize("error", [5, None, "empty", [1]])
    def test_bad_argument(self, error: Any) -> None:
        with pytest.raises(TypeError, match="error must be a callable, not"):
            ops.fail_if_empty(error)

    def test_an_error_that_is_made_already(self) -> None:
        with pytest.raises(TypeError, match=r"write lambda: OSError\('a'\)"):
            ops.fail_if_empty(OSError("a"))  # type: ignore[call-overload]  # pyright: ignore
