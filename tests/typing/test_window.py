"""The types of `window`, and of group_by beside it."""

from typing import assert_type

from streamkit import Hopping, Session, Sliding, Stream, Tumbling, Until, Window, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])
WORDS: Stream[str] = Stream(["a", "b"])


def half(number: int) -> float:
    return number / 2


async def half_later(number: int) -> float:
    return number / 2


def size(word: str) -> int:
    return len(word)


def pair(total: int, number: int) -> int:
    return total + number


def test_pipes_of_any_items() -> None:
    assert_type(NUMBERS | ops.window(Tumbling(count=2), ops.count()), Stream[tuple[Window, int]])
    assert_type(WORDS | ops.window(Tumbling(seconds=2), ops.to_list()), Stream[tuple[Window, list[str]]])
    assert_type(WORDS | ops.window(Hopping(count=3, every=2), ops.batch(2)), Stream[tuple[Window, list[str]]])
    assert_type(WORDS | ops.window(Session(gap=2), ops.first()), Stream[tuple[Window, str]])
    assert_type(NUMBERS | ops.window(Sliding(count=2), ops.take(1)), Stream[tuple[Window, int]])


def test_pipes_of_some_items() -> None:
    assert_type(WORDS | ops.window(Until(str.isspace), ops.map(size)), Stream[tuple[Window, int]])
    assert_type(NUMBERS | ops.window(Tumbling(count=2), ops.fold(pair, 0)), Stream[tuple[Window, int]])


def test_event_time() -> None:
    tens = Tumbling(seconds=10)
    assert_type(NUMBERS | ops.window(tens, ops.count(), timestamp=half), Stream[tuple[Window, int]])
    assert_type(
        NUMBERS | ops.window(tens, ops.to_list(), timestamp=half_later, lateness=1, on_late=print, idle=2),
        Stream[tuple[Window, list[int]]],
    )
    assert_type(
        (NUMBERS | ops.window(tens, ops.take(1), timestamp=half) | ops.to_list()).run(),
        list[tuple[Window, int]],
    )


def test_by_key() -> None:
    by_half = ops.group_by(half, ops.first(), max_groups=3, reopen=True)
    assert_type(NUMBERS | by_half, Stream[tuple[float, int]])
