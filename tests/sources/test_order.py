"""merge_sorted, merge_prioritized, interleave as sources."""

from heapq import merge
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import Stream, ops

LISTS = st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=5)
SOURCES = [streamkit.merge_sorted, streamkit.merge_prioritized, streamkit.interleave]


@given(LISTS, st.booleans())
def test_merge_sorted_is_what_heapq_merge_is(lists: list[list[int]], reverse: bool) -> None:
    lists = [sorted(items, reverse=reverse) for items in lists]
    assert list(streamkit.merge_sorted(*lists, reverse=reverse)) == [*merge(*lists, reverse=reverse)]
    backwards = [items[::-1] for items in lists]
    expected = [*merge(*backwards, key=abs, reverse=not reverse)]
    assert list(streamkit.merge_sorted(*backwards, key=abs, reverse=not reverse)) == expected


def test_merge_prioritized_prefers_the_first() -> None:
    assert list(streamkit.merge_prioritized("ab", [1, 2], "xy")) == ["a", "b", 1, 2, "x", "y"]


def test_interleave_takes_turns() -> None:
    assert list(streamkit.interleave("abc", [1], "xy", count=2)) == ["a", "b", 1, "x", "y", "c"]


def test_they_are_the_operators_over_the_first_source() -> None:
    assert repr(streamkit.merge_sorted("ab", "c", key=ord, reverse=True, lookahead=3)) == repr(
        Stream("ab") | ops.merge_sorted("c", key=ord, reverse=True, lookahead=3)
    )
    assert repr(streamkit.merge_prioritized("ab", [1], lookahead=3)) == repr(
        Stream("ab") | ops.merge_prioritized([1], lookahead=3)
    )
    assert repr(streamkit.interleave("ab", [1], count=2)) == repr(Stream("ab") | ops.interleave([1], count=2))


@pytest.mark.parametrize("make", SOURCES)
@pytest.mark.parametrize("sources", [(5,), ([1], 5)])
def test_a_source_that_cannot_be_iterated(make: Any, sources: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"source must be an iterable.*, not 5"):
        make(*sources)


@pytest.mark.parametrize("make", SOURCES)
def test_a_list_of_streams_is_no_source(make: Any) -> None:
    with pytest.raises(TypeError, match=rf"write streamkit.{make.__name__}\(\*sources\)"):
        make([Stream("a"), Stream("b")])


@pytest.mark.parametrize("make", SOURCES)
def test_a_bad_argument(make: Any) -> None:
    with pytest.raises(ValueError, match="lookahead must be a whole number of at least 1, not 0"):
        make("a", "b", lookahead=0)
