"""What mypy and pyright infer of operators that make one stream of several in an order; run by pytest too."""

from typing import assert_type

import streamkit
from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_operators() -> None:
    assert_type(NUMBERS | ops.merge_sorted([4]), Stream[int])
    assert_type(NUMBERS | ops.merge_sorted(["a"], key=str, reverse=True, lookahead=2), Stream[int | str])
    assert_type(NUMBERS | ops.merge_prioritized(["a"], lookahead=2), Stream[int | str])
    assert_type(NUMBERS | ops.interleave(["a"], count=2), Stream[int | str])


def test_sources() -> None:
    assert_type(streamkit.merge_sorted([1]), Stream[int])
    assert_type(streamkit.merge_sorted([1], ["a"], key=str), Stream[int | str])
    assert_type(streamkit.merge_sorted([1], ["a"], [b"c"], lookahead=2), Stream[int | str | bytes])
    assert_type(streamkit.merge_sorted(*[[1], [2]], reverse=True), Stream[int])
    assert_type(streamkit.merge_prioritized([1], ["a"], [b"c"], [2.0]), Stream[int | str | bytes | float])
    assert_type(streamkit.interleave([1], ["a"], count=2), Stream[int | str])
