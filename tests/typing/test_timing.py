"""The types of `timeout` and `sample`, which have forms."""

from typing import assert_type

from streamkit import Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])
WORDS: Stream[str] = Stream(["a"])


def words() -> list[str]:
    return ["a"]


def test_limits_keep_the_type_and_a_fallback_is_joined_to_it() -> None:
    assert_type(NUMBERS | ops.timeout(1.0), Stream[int])
    assert_type(NUMBERS | ops.timeout(first=1.0, between=2.0, total=3.0), Stream[int])
    assert_type(NUMBERS | ops.timeout(1.0, fallback=WORDS), Stream[int | str])
    assert_type(NUMBERS | ops.timeout(total=1.0, fallback=words), Stream[int | str])


def test_signals_do_not_matter() -> None:
    assert_type(NUMBERS | ops.sample(signal=WORDS), Stream[int])
    assert_type(NUMBERS | ops.sample(signal=words, on_drop=print), Stream[int])
