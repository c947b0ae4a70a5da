"""The types of the operators that run a stream again, or act when it is over."""

from typing import assert_type

from streamkit import Backoff, Stream, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def refused(error: Exception) -> bool:
    return isinstance(error, ConnectionError)


async def refused_later(error: Exception) -> bool:
    return refused(error)


def told(error: Exception, attempt: int, seconds: float) -> None:
    print(error, attempt, seconds)


async def told_later(error: Exception, attempt: int, seconds: float) -> None:
    told(error, attempt, seconds)


async def later() -> None:
    pass


def test_restart() -> None:
    assert_type(NUMBERS | ops.retry(), Stream[int])
    assert_type(NUMBERS | ops.retry(None, backoff=1.0, when=ConnectionError, on_retry=told), Stream[int])
    assert_type(NUMBERS | ops.retry(3, backoff=Backoff(1.0), when=refused, on_retry=told_later), Stream[int])
    assert_type(NUMBERS | ops.retry(when=(OSError, ValueError), reset_after=9), Stream[int])
    assert_type(NUMBERS | ops.retry(when=refused_later), Stream[int])
    assert_type(NUMBERS | ops.repeat(), Stream[int])
    assert_type(NUMBERS | ops.repeat(2), Stream[int])


def test_recover() -> None:
    assert_type(NUMBERS | ops.on_close(lambda: None), Stream[int])
    assert_type(NUMBERS | ops.on_close(later), Stream[int])
