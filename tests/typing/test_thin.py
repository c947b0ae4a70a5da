"""The types of the family `thin`."""

from typing import assert_type

from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_items_keep_their_type() -> None:
    assert_type(NUMBERS | ops.audit(1.0), Stream[int])
    assert_type(NUMBERS | ops.throttle_first(1.0), Stream[int])
    assert_type(NUMBERS | ops.throttle_latest(1.0, on_drop=print), Stream[int])
