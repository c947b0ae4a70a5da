"""The operators whose types `test_types` has no other reason to assert: each operator has an assertion."""

from typing import assert_type

from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])
PAIRS: Stream[tuple[int, str]] = Stream([(1, "a")])


def low(number: int) -> bool:
    return number < 2


async def low_later(number: int) -> bool:
    return number < 2


def both(number: int, letter: str) -> str:
    return f"{number}{letter}"


async def both_later(number: int, letter: str) -> str:
    return both(number, letter)


def instead(error: Exception) -> list[str]:
    return [str(error)]


def test_choose() -> None:
    assert_type(NUMBERS | ops.take_while(low), Stream[int])
    assert_type(NUMBERS | ops.take_while(low_later, inclusive=True), Stream[int])
    assert_type(NUMBERS | ops.skip_while(low), Stream[int])
    assert_type(NUMBERS | ops.skip_while(low_later), Stream[int])
    assert_type(NUMBERS | ops.distinct_until_changed(), Stream[int])
    assert_type(NUMBERS | ops.distinct_until_changed(low), Stream[int])


def test_transform() -> None:
    assert_type(PAIRS | ops.starmap(both), Stream[str])
    assert_type(PAIRS | ops.starmap(both_later), Stream[str])


def test_recover() -> None:
    assert_type(NUMBERS | ops.catch(instead), Stream[int | str])


def test_timing() -> None:
    assert_type(NUMBERS | ops.timeout(1.0), Stream[int])
