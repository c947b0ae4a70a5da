"""Types of pipes that workers run."""

from typing import assert_type

from streamkit import Stream, ops
from tests.workers import InLoop

WORKERS = InLoop()
NUMBERS = Stream([1, 2])


def halved(number: int) -> float:
    return number / 2


def test_from_the_first_to_the_last() -> None:
    assert_type(NUMBERS | ops.on(WORKERS, ops.map(halved)), Stream[float])
    assert_type(NUMBERS | ops.on(WORKERS, ops.map(halved), ops.map(str), chunk=2), Stream[str])
    assert_type(NUMBERS | ops.map(halved, on=WORKERS, chunk=2), Stream[float])
