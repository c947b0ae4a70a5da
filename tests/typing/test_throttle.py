"""The types of the family `throttle`."""

from typing import assert_type

from streamkit import RateLimit, Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def parity(number: int) -> int:
    return number % 2


async def parity_later(number: int) -> int:
    return number % 2


def test_items_keep_their_type() -> None:
    assert_type(NUMBERS | ops.throttle(1e6, burst_seconds=0.5), Stream[int])
    assert_type(NUMBERS | ops.throttle(RateLimit(1e6)), Stream[int])
    assert_type(NUMBERS | ops.throttle(1e6, key=parity, max_keys=2), Stream[int])
    assert_type(NUMBERS | ops.throttle(1e6, key=parity_later, max_keys=2, lookahead=8), Stream[int])
    assert_type(RateLimit(1.0, burst_seconds=2.0).burst, float)
