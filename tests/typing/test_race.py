"""What mypy and pyright infer of `race`; run by pytest too."""

from typing import assert_type

import streamkit
from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_race() -> None:
    assert_type(NUMBERS | ops.race(["a"]), Stream[int | str])
    assert_type(streamkit.race([1]), Stream[int])
    assert_type(streamkit.race([1], ["a"], [b"c"]), Stream[int | str | bytes])
    assert_type(streamkit.race(*[[1], [2]]), Stream[int])
