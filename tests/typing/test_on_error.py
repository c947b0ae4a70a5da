"""What is done where a callback fails leaves the types as they are."""

from typing import Any, assert_type

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
