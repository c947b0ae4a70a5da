"""stateful_map."""

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, ops
from tests.operators.beside import ours

ITEMS = st.lists(st.integers(), max_size=8)


def total(state: int, item: int) -> tuple[int, int]:
    return state + item, state + item


async def total_later(state: int, item: int) -> tuple[int, int]:
    return total(state, item)


async def zero_later() -> int:
    return 0


async def text_later(state: int) -> str:
    return str(state)


class TestStatefulMap:
    @given(ITEMS)
    def test_as_accumulate(self, items: list[int]) -> None:
        wanted = (list(accumulate(items)), "end")
        for setup in (int, zero_later, lambda: zero_later()):
            for function in (total, total_later, lambda state, item: total_later(state, item)):
                assert ours(items, ops.stateful_map(setup, function)) == wanted  # type: ignore[arg-type]

    def test_each_run_has_a_state_of_its_own(self) -> None:
        def seen(state: list[int], item: int) -> tuple[list[int], int]:
            state.append(item)
            return state, len(state)

        stream = Stream([5, 6]) | ops.stateful_map(list[int], seen)
        assert list(stream) == list(stream) == [1, 2]

    @pytest.mark.parametrize("finish", [str, text_later, lambda state: text_later(state)])
    def test_finish_makes_the_last_item(self, finish: Any) -> None:
        assert ours([1, 2], ops.stateful_map(int, total, finish=finish)) == ([1, 3, "3"], "end")
        assert ours([], ops.stateful_map(int, total, finish=finish)) == (["0"], "end")
        assert list(Stream([1, 2]) | ops.take(1) | ops.stateful_map(int, total, finish=finish)) == [1, "1"]

    def test_finish_is_not_called_after_an_error_or_where_the_consumer_leaves(self) -> None:
        """Where Pekko's ``onComplete`` is."""
        finished: list[int] = []
        operator = ops.stateful_map(int, total, finish=finished.append)  # type: ignore[arg-type, func-returns-value]
        assert ours([1], operator, fails=True) == ([1], "Failed")
        assert list(Stream([1, 2]) | operator | ops.take(1)) == [1]
        assert finished == []

    def test_not_two_values(self) -> None:
        with pytest.raises(TypeError, match="cannot unpack") as caught:
            list(Stream([1]) | ops.stateful_map(int, lambda state, item: state + item))  # type: ignore  # pyright: ignore
        notes = caught.value.__notes__
        assert notes[0].startswith("in stateful_map(int, <lambda>)")

    def test_in_groups(self) -> None:
        groups = ops.group_by(lambda item: item % 2, ops.stateful_map(int, total, finish=str), max_groups=2)
        assert list(Stream([1, 2, 3, 4]) | groups) == [
            (1, 1),
            (0, 2),
            (1, 4),
            (0, 6),
            (1, "4"),
            (0, "6"),
        ]

    @pytest.mark.parametrize("bad", [5, None, "f", [1], ops.take(1)])
    def test_bad_arguments(self, bad: Any) -> None:
        with pytest.raises(TypeError, match="setup must be a callable, not"):
            ops.stateful_map(bad, total)
        with pytest.raises(TypeError, match="function must be a callable, not"):
            ops.stateful_map(int, bad)
        with pytest.raises(TypeError, match="finish must be a callable, not"):
            ops.stateful_map(int, total, finish=bad)
