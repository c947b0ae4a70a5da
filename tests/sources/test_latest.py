"""combine_latest, zip_latest, fork_join as sources."""

from typing import Any

import pytest

import streamkit
from streamkit import Stream, ops

SOURCES = [streamkit.combine_latest, streamkit.zip_latest, streamkit.fork_join]


def test_they_make_tuples() -> None:
    assert list(streamkit.combine_latest("ab", [1, 2])) == [("a", 1), ("b", 1), ("b", 2)]
    assert list(streamkit.zip_latest("ab", [1, 2, 3])) == [("b", 3)]
    assert list(streamkit.fork_join("ab", [1, 2, 3], [None])) == [("b", 3, None)]


def test_they_are_the_operators_over_the_first_source() -> None:
    assert repr(streamkit.combine_latest("ab", [1], lookahead=3)) == repr(
        Stream("ab") | ops.combine_latest([1], lookahead=3)
    )
    assert repr(streamkit.zip_latest("ab", [1])) == repr(Stream("ab") | ops.zip_latest([1]))
    assert repr(streamkit.fork_join("ab", [1])) == repr(Stream("ab") | ops.fork_join([1]))


@pytest.mark.parametrize("make", SOURCES)
@pytest.mark.parametrize("sources", [(5,), ([1], 5)])
def test_a_source_that_cannot_be_iterated(make: Any, sources: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"source must be an iterable.*, not 5"):
        make(*sources)


@pytest.mark.parametrize("make", SOURCES)
def test_a_list_of_streams_is_no_source(make: Any) -> None:
    with pytest.raises(TypeError, match=rf"write streamkit.{make.__name__}\(\*sources\)"):
        make([Stream("a"), Stream("b")])
