"""distinct."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import Behaviour, Stream, ops
from tests.operators.beside import WHOLE, ours, theirs

ITEMS = st.lists(st.integers(0, 9), max_size=20)


def half(number: int) -> int:
    return number // 2


async def half_later(number: int) -> int:
    return number // 2


class TestDistinct:
    @given(ITEMS, st.booleans())
    def test_as_rxpy_and_a_dict(self, items: list[int], fails: bool) -> None:
        found = ours(items, ops.distinct(), fails=fails)
        assert found == theirs(items, rx.distinct(), fails=fails)
        assert found[0] == list(dict.fromkeys(items))

    @given(ITEMS)
    def test_a_key_as_theirs(self, items: list[int]) -> None:
        wanted = theirs(items, rx.distinct(half))
        assert wanted == ours(items, ops.distinct(half)) == ours(items, ops.distinct(half_later))
        assert wanted == ours(items, ops.distinct(key=lambda item: half_later(item)))

    @given(ITEMS, st.integers(1, 5))
    def test_the_last_keys_as_a_list_of_them(self, items: list[int], last: int) -> None:
        seen: list[int] = []
        wanted: list[int] = []
        for item in items:
            if item not in seen:
                wanted.append(item)
            else:
                seen.remove(item)
            seen = [*seen, item][-last:]
        assert ours(items, ops.distinct(last=last)) == (wanted, "end")
        assert ours(items, ops.distinct(str, last=last)) == (wanted, "end")

    def test_many_last_keys_are_all(self) -> None:
        assert list(Stream("abcabc") | ops.distinct(last=10**30)) == ["a", "b", "c"]

    def test_the_contract_says_what_is_kept(self) -> None:
        def told(operator: Any) -> tuple[Any, Any]:
            (_, part) = (Stream("a") | operator).explain().parts
            return part.keys, part.behaviour

        assert told(ops.distinct()) == (float("inf"), Behaviour.UNBOUNDED)
        assert told(ops.distinct(half, last=4)) == (4, Behaviour.BOUNDED)
        assert "keeps any number of keys" in str((Stream("a") | ops.distinct()).explain())
        assert "keeps 1 key" in str((Stream("a") | ops.distinct(last=1)).explain())

    def test_a_key_that_cannot_be_hashed(self) -> None:
        with pytest.raises(TypeError, match="unhashable") as caught:
            list(Stream([[1]]) | ops.distinct())
        assert caught.value.__notes__[0].startswith("in distinct() at ")

    def test_none_and_nan(self) -> None:
        nan = float("nan")
        assert list(Stream([None, None, nan, nan]) | ops.distinct()) == [None, nan]

    @pytest.mark.parametrize("key", [5, None, "f", [1]])
    def test_bad_key(self, key: Any) -> None:
        with pytest.raises(TypeError, match="key must be a callable, not"):
            ops.distinct(key)

    @pytest.mark.parametrize(("last", "error"), [*WHOLE, (0, ValueError)])
    def test_bad_last(self, last: Any, error: type[Exception]) -> None:
        with pytest.raises(error) as caught:
            ops.distinct(last=last)
        assert str(caught.value) == f"last must be a whole number of at least 1, not {last!r}"
