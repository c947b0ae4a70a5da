"""What the checkers infer of sources; run by pytest too, so that it is true of values."""

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Never, assert_type

import streamkit
from streamkit import Missed, Stream


def following(number: int) -> int | None:
    return number + 1 if number < 3 else None


async def following_later(number: int) -> int | None:
    return following(number)


async def fetch() -> str:
    return "page"


def letters() -> list[str]:
    return ["a"]


QUEUE: asyncio.Queue[int] = asyncio.Queue()


def test_values() -> None:
    assert_type(streamkit.of(1, 2), Stream[int])
    assert_type(streamkit.of("a"), Stream[str])
    assert_type(streamkit.empty(), Stream[Never])
    assert_type(streamkit.fail(OSError("gone")), Stream[Never])
    assert_type(streamkit.fail(OSError), Stream[Never])
    numbers: list[Stream[int]] = [streamkit.empty(), streamkit.fail(OSError), streamkit.never()]
    assert_type(streamkit.merge(*numbers), Stream[int])
    assert_type(streamkit.range(3), Stream[int])
    assert_type(streamkit.range(1, 3), Stream[int])
    assert_type(streamkit.count(), Stream[int])
    assert_type(streamkit.count(1, 2), Stream[int])
    assert_type(streamkit.count(1.5), Stream[float])
    assert_type(streamkit.count(Decimal(1), Decimal("0.1")), Stream[Decimal])
    assert_type(streamkit.count(step=0.5), Stream[float])
    assert_type(streamkit.repeat("a"), Stream[str])
    assert_type(streamkit.repeat("a", 3), Stream[str])
    assert_type(streamkit.iterate(following, 1), Stream[int])
    assert_type(streamkit.iterate(following_later, 1), Stream[int])


def rows(file: io.StringIO) -> Stream[str]:
    return Stream(file)


async def rows_later(file: io.StringIO) -> list[str]:
    return list(file)


async def pages() -> Stream[str]:
    return Stream("ab")


async def connect() -> AbstractAsyncContextManager[io.StringIO]:
    return opened()


@asynccontextmanager
async def opened() -> AsyncGenerator[io.StringIO, None]:
    yield io.StringIO()


def test_made_when_read() -> None:
    assert_type(streamkit.defer(letters), Stream[str])
    assert_type(streamkit.defer(pages), Stream[str])
    assert_type(streamkit.using(io.StringIO, rows), Stream[str])
    assert_type(streamkit.using(io.StringIO, rows_later), Stream[str])
    assert_type(streamkit.using(opened, rows), Stream[str])
    assert_type(streamkit.using(opened, rows_later), Stream[str])
    assert_type(streamkit.using(connect, rows), Stream[str])


def test_time() -> None:
    assert_type(streamkit.interval(1.0), Stream[int])
    assert_type(streamkit.interval(1.0, missed=Missed.DELAY), Stream[int])
    assert_type(streamkit.ticks(1.0, offset=0.5), Stream[datetime])
    assert_type(streamkit.cron("* * * * *", timezone="UTC"), Stream[datetime])
    assert_type(streamkit.timer(1.0), Stream[int])
    assert_type(streamkit.never(), Stream[Never])


def test_what_waits() -> None:
    assert_type(streamkit.from_awaitable(fetch), Stream[str])
    assert_type(streamkit.from_queue(QUEUE), Stream[int])
    assert_type(streamkit.from_blocking([1]), Stream[int])
    assert_type(streamkit.from_blocking(letters, lookahead=8), Stream[str])
