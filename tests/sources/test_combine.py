"""Sources that join others."""

from itertools import zip_longest
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import (
    ABSENT,
    Stream,
    ops,
)

LISTS = st.lists(st.lists(st.integers(), max_size=5), min_size=1, max_size=4)


class TestCombined:
    @given(LISTS)
    def test_concat_is_what_adding_is(self, lists: list[list[int]]) -> None:
        assert list(streamkit.concat(*lists)) == [item for items in lists for item in items]

    @given(LISTS)
    def test_merge_has_all_items_and_each_source_in_order(self, lists: list[list[int]]) -> None:
        named = [[(place, item) for item in items] for place, items in enumerate(lists)]
        found = list(streamkit.merge(*named))
        assert [[each for each in found if each[0] == place] for place in range(len(named))] == named

    @given(LISTS, st.sampled_from([ABSENT, None, 0]))
    def test_zip_is_what_pythons_zip_is(self, lists: list[list[int]], fill: Any) -> None:
        expected = zip(*lists, strict=False) if fill is ABSENT else zip_longest(*lists, fillvalue=fill)
        assert list(streamkit.zip(*lists, fill=fill)) == list(expected)

    def test_zip_strict_fails_where_the_sources_are_uneven(self) -> None:
        assert list(streamkit.zip("ab", [1, 2], strict=True)) == [("a", 1), ("b", 2)]
        with pytest.raises(ValueError, match="source 1 ended before source 2"):
            list(streamkit.zip("a", [1, 2], strict=True))

    def test_they_are_the_operators_over_the_first_source(self) -> None:
        assert repr(streamkit.merge("ab", [1], lookahead=3)) == repr(
            Stream("ab") | ops.merge([1], lookahead=3)
        )
        assert repr(streamkit.zip("ab", [1], fill=0)) == repr(Stream("ab") | ops.zip([1], fill=0))
        assert repr(streamkit.concat("ab", [1])) == repr(Stream("ab") | ops.concat([1]))

    def test_an_error_names_the_line_that_called_them(self) -> None:
        with pytest.raises(ValueError, match="ended before") as caught:
            list(streamkit.zip("a", "ab", strict=True))
        place = caught.value.__notes__[0].partition(" at ")[2]
        assert place.rpartition(":")[0].endswith("test_combine.py")

    @pytest.mark.parametrize("make", [streamkit.merge, streamkit.concat, streamkit.zip])
    @pytest.mark.parametrize("sources", [(5,), ([1], 5)])
    def test_a_source_that_cannot_be_iterated(self, make: Any, sources: tuple[Any, ...]) -> None:
        with pytest.raises(TypeError, match=r"source must be an iterable.*, not 5"):
            make(*sources)
