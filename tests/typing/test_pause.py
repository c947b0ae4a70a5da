"""The types of the family `pause`."""

from typing import assert_type

from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_items_keep_their_type() -> None:
    assert_type(NUMBERS | ops.pause_while([False]), Stream[int])
    assert_type(NUMBERS | ops.pause_while(Stream("a")), Stream[int])
