"""What mypy and pyright infer of operators that make tuples of the latest items; run by pytest too."""

from typing import Any, assert_type

import streamkit
from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_operators() -> None:
    assert_type(NUMBERS | ops.combine_latest(["a"]), Stream[tuple[int, str]])
    assert_type(NUMBERS | ops.combine_latest(["a"], [b"c"], lookahead=2), Stream[tuple[int, str, bytes]])
    assert_type(NUMBERS | ops.combine_latest([1], [2], [3], [4]), Stream[tuple[Any, ...]])
    assert_type(NUMBERS | ops.with_latest_from(["a"]), Stream[tuple[int, str]])
    assert_type(NUMBERS | ops.with_latest_from(["a"], [b"c"], [2.0]), Stream[tuple[int, str, bytes, float]])
    assert_type(NUMBERS | ops.zip_latest(["a"]), Stream[tuple[int, str]])
    assert_type(NUMBERS | ops.fork_join(["a"], [b"c"]), Stream[tuple[int, str, bytes]])


def test_sources() -> None:
    assert_type(streamkit.combine_latest([1], ["a"], lookahead=2), Stream[tuple[int, str]])
    assert_type(streamkit.combine_latest([1], ["a"], [b"c"]), Stream[tuple[int, str, bytes]])
    assert_type(streamkit.combine_latest(*[[1], [2]]), Stream[tuple[Any, ...]])
    assert_type(streamkit.zip_latest([1], ["a"]), Stream[tuple[int, str]])
    assert_type(streamkit.fork_join([1], ["a"], [b"c"], [2.0]), Stream[tuple[int, str, bytes, float]])
