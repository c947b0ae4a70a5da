"""What is done where a callback fails leaves the types as they are."""

from typing import Any, assert_type

import streamkit
from streamkit import Backoff, Job, Replace, Resume, Retry, Stream, guarded, ops, push
from streamkit._core.strategy import Suspend

NUMBERS: Stream[int] = Stream([1, 2, 3])


def text(number: int) -> str:
    return str(number)


async def later(number: int) -> str:
    return str(number)


def low(number: int) -> bool:
    return number < 2


def add(total: int, number: int) -> int:
    return total + number


def plus(number: int) -> int | None:
    return number + 1 if number < 3 else None


def following(number: int) -> list[int]:
    return [number]


def letter(item: Any, error: Exception) -> None:
    print(item, error)


async def letter_later(item: Any, error: Exception) -> None:
    letter(item, error)


def test_operators() -> None:
    assert_type(NUMBERS | ops.map(text, on_error=Resume()), Stream[str])
    assert_type(NUMBERS | ops.map(later, concurrency=2, on_error=Retry(3, 1.0)), Stream[str])
    assert_type(NUMBERS | ops.filter(low, on_error=Resume(letter)), Stream[int])
    assert_type(NUMBERS | ops.scan(add, 0, on_error=Resume(letter_later)), Stream[int])
    assert_type(NUMBERS | ops.tap(text, on_error=Replace(letter)), Stream[int])
    assert_type(NUMBERS | ops.distinct(text, on_error=Resume()), Stream[int])


def test_stages() -> None:
    light = ops.batch_within(2, seconds=1.0, weight=low, heaviest=1.0, on_error=Resume())
    assert_type(NUMBERS | light, Stream[list[int]])
    assert_type(NUMBERS | ops.throttle(1.0, cost=low, on_error=Resume()), Stream[int])
    assert_type(NUMBERS | ops.merge_sorted([2], key=text, on_error=Resume()), Stream[int])
    assert_type(streamkit.merge_sorted([1], [2], key=text, on_error=Resume()), Stream[int])
    assert_type(NUMBERS | ops.extrapolate(following, on_error=Resume()), Stream[int])
    assert_type(streamkit.iterate(plus, 1, on_error=Retry(3)), Stream[int])


def test_sinks() -> None:
    jobs = (
        assert_type(NUMBERS | ops.fold(add, 0, on_error=Resume()), Job[int]),
        assert_type(
            NUMBERS | ops.for_each(later, on_error=Retry(None, Backoff(1.0), then=Resume())), Job[None]
        ),
    )
    for job in jobs:
        assert job.explain().bound


def test_values() -> None:
    _, emitter = push(Suspend(4), of=tuple[Any, Exception])
    assert_type(Resume(emitter, errors=OSError), Resume)
    assert_type(Replace(letter, errors=(OSError, ValueError)), Replace)
    assert guarded("function", text, None) is text
    assert emitter.close()
