"""The types of the family `delay`."""

from typing import assert_type

from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_items_keep_their_type() -> None:
    assert_type(NUMBERS | ops.delay(1.0), Stream[int])
    assert_type(NUMBERS | ops.delay(1.0, lookahead=2), Stream[int])
    assert_type(NUMBERS | ops.delay_start(1.0), Stream[int])
