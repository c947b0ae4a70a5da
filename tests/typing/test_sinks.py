"""What the checkers infer of sinks; run by pytest too, so that it is true of values."""

import asyncio
from decimal import Decimal
from operator import add
from typing import assert_type

import pytest

from streamkit import Job, Sink, Stream, ops

# what is asserted here is the type: most jobs never run
pytestmark = pytest.mark.filterwarnings("ignore:.* was never awaited:RuntimeWarning")

NUMBERS: Stream[int] = Stream([1, 2, 3])
WORDS: Stream[str] = Stream(["a", "b"])
PAIRS: Stream[tuple[str, int]] = Stream([("a", 1)])


def text(number: int) -> str:
    return str(number)


async def later(number: int) -> str:
    return str(number)


def join(one: str, other: str) -> str:
    return one + other


async def join_later(one: str, other: str) -> str:
    return one + other


def test_collected() -> None:
    assert_type(NUMBERS | ops.to_set(), Job[set[int]])
    assert_type(ops.map(text) | ops.to_set(), Sink[int, set[str]])
    assert_type(PAIRS | ops.to_dict(), Job[dict[str, int]])
    assert_type(NUMBERS | ops.to_dict(key=text), Job[dict[str, int]])
    assert_type(NUMBERS | ops.to_dict(key=later), Job[dict[str, int]])
    assert_type(NUMBERS | ops.to_dict(key=text, value=text), Job[dict[str, str]])
    assert_type(NUMBERS | ops.to_dict(key=text, value=later), Job[dict[str, str]])
    assert_type(NUMBERS | ops.to_dict(key=later, value=text), Job[dict[str, str]])
    assert_type(NUMBERS | ops.to_dict(key=later, value=later), Job[dict[str, str]])


def test_one_of_all() -> None:
    assert_type(NUMBERS | ops.single(), Job[int])
    assert_type(NUMBERS | ops.single(default=None), Job[int | None])
    assert_type(NUMBERS | ops.min(), Job[int])
    assert_type(NUMBERS | ops.min(key=text), Job[int])
    assert_type(NUMBERS | ops.max(key=later), Job[int])
    assert_type(NUMBERS | ops.max(default=None), Job[int | None])
    assert_type(WORDS | ops.max(key=len, default=None), Job[str | None])


def test_sums() -> None:
    assert_type(NUMBERS | ops.sum(), Job[int])
    assert_type(NUMBERS | ops.sum(start=Decimal(0)), Job[int | Decimal])
    assert_type(NUMBERS | ops.mean(), Job[float])
    assert_type(NUMBERS | ops.mean(default=None), Job[float | None])
    assert_type(WORDS | ops.reduce(join), Job[str])
    assert_type(WORDS | ops.reduce(join_later), Job[str])
    assert_type(WORDS | ops.reduce(join, default=None), Job[str | None])
    assert_type(WORDS | ops.reduce(join_later, default=None), Job[str | None])
    assert add(1, 2) == (Stream([1, 2]) | ops.sum()).run()


def test_queues() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    assert_type(NUMBERS | ops.to_queue(queue), Job[None])


def test_answers() -> None:
    assert_type(NUMBERS | ops.all(), Job[bool])
    assert_type(NUMBERS | ops.all(text), Job[bool])
    assert_type(NUMBERS | ops.any(), Job[bool])
    assert_type(NUMBERS | ops.any(later), Job[bool])
    assert_type(NUMBERS | ops.contains(2), Job[bool])
    assert_type(NUMBERS | ops.is_empty(), Job[bool])
    assert_type(NUMBERS | ops.sequence_equal([1]), Job[bool])
