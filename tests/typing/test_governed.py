"""Types of what governs a concurrent map, and of a sink that has one inside."""

from typing import assert_type

from streamkit import Adaptive, Limit, Sink, Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])
LIMIT = Limit(2, most=4)


def text(number: int) -> str:
    return str(number)


async def later(number: int) -> str:
    return str(number)


def parity(number: int) -> int:
    return number % 2


async def parity_later(number: int) -> int:
    return number % 2


def test_map() -> None:
    assert_type(NUMBERS | ops.map(text, concurrency=LIMIT), Stream[str])
    assert_type(NUMBERS | ops.map(later, concurrency=Adaptive(1, 4, latency=1.0)), Stream[str])
    assert_type(NUMBERS | ops.map(later, concurrency=2, key=parity), Stream[str])
    assert_type(NUMBERS | ops.map(text, concurrency=LIMIT, key=parity_later), Stream[str])


def test_for_each() -> None:
    assert_type(ops.for_each(text, concurrency=LIMIT, key=parity), Sink[int, None])


def test_limits() -> None:
    assert_type(LIMIT.value, int)
    assert_type(LIMIT.most, int)
    assert_type(LIMIT.in_flight, int)
