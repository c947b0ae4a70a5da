"""Pipelines of streamkit that are right in every order that asyncio may choose."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from operator import add

from streamkit import Stream, Suspend, Tumbling, ops
from tests.testing.schedules.programs import Programs

PIPED = Programs()

Numbers = AsyncGenerator[int, None]


async def numbers(*, start: int = 0, count: int = 4, seconds: float = 0.0) -> Numbers:
    """Numbers, each behind a wait."""
    for number in range(start, start + count):
        await asyncio.sleep(seconds)
        yield number


async def answer(number: int) -> int:
    """A request that takes as long as its number says."""
    await asyncio.sleep(number % 3)
    return 10 * number


@PIPED
async def merge() -> None:
    found = await (Stream(numbers) | ops.merge(lambda: numbers(start=10), [20, 21]) | ops.to_list())
    assert sorted(found) == [0, 1, 2, 3, 10, 11, 12, 13, 20, 21]
    assert [each for each in found if each < 10] == [0, 1, 2, 3]


@PIPED
async def zip_ends_with_the_shortest() -> None:
    pipe = Stream(numbers) | ops.zip(lambda: numbers(start=10, count=2), lambda: numbers(seconds=1.0))
    assert await (pipe | ops.to_list()) == [(0, 10, 0), (1, 11, 1)]


@PIPED
async def buffer() -> None:
    pipe = Stream(numbers) | ops.buffer(Suspend(2)) | ops.map(answer) | ops.buffer(Suspend(1))
    assert await (pipe | ops.to_list()) == [0, 10, 20, 30]


@PIPED
async def concurrent_map() -> None:
    pipe = Stream(range(6)) | ops.map(answer, concurrency=3)
    assert await (pipe | ops.to_list()) == [0, 10, 20, 30, 40, 50]


@PIPED
async def concurrent_map_left() -> None:
    taken = list[int]()
    async with (Stream(numbers) | ops.map(answer, concurrency=2, ordered=False)).open() as opened:
        async for item in opened:
            taken.append(item)
            if len(taken) == 2:
                break
    assert set(taken) < {0, 10, 20, 30}


@PIPED
async def broadcast() -> None:
    job = Stream(numbers) | ops.broadcast(ops.map(answer) | ops.to_list(), ops.fold(add, 0), ops.count())
    assert await job == ([0, 10, 20, 30], 6, 4)


@PIPED
async def flat_map() -> None:
    pipe = Stream([0, 10, 20]) | ops.flat_map(lambda start: numbers(start=start, count=2), concurrency=2)
    assert sorted(await (pipe | ops.to_list())) == [0, 1, 10, 11, 20, 21]


@PIPED
async def share() -> None:
    opened = 0

    async def source() -> Numbers:
        nonlocal opened
        opened += 1
        async for number in numbers(seconds=1.0):
            yield number

    shared = Stream(source) | ops.share()

    async def read(stream: Stream[int]) -> list[int]:
        return await (stream | ops.to_list())

    # not `gather`, which, cancelled, goes on as soon as one of them has ended
    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(read(each)) for each in (shared, shared | ops.map(answer))]
    assert [each.result() for each in readers] == [[0, 1, 2, 3], [0, 10, 20, 30]]
    assert opened == 1


@PIPED
async def window() -> None:
    pipe = Stream(numbers) | ops.window(Tumbling(count=2), ops.fold(add, 0))
    assert [total for _, total in await (pipe | ops.to_list())] == [1, 5]


@PIPED
async def throttle() -> None:
    assert await (Stream(numbers) | ops.throttle(1.0) | ops.to_list()) == [0, 1, 2, 3]
    assert asyncio.get_running_loop().time() == 3.0


@PIPED
async def an_error_closes_all() -> None:
    closed = list[str]()

    async def source(name: str) -> Numbers:
        try:
            async for number in numbers(seconds=1.0):
                yield number
        finally:
            await asyncio.sleep(1.0)
            closed.append(name)

    async def fail(number: int) -> int:
        if number == 1:
            raise LookupError("on purpose")
        return number

    pipe = Stream(lambda: source("a")) | ops.merge(lambda: source("b")) | ops.map(fail, concurrency=2)
    with suppress(LookupError):
        await (pipe | ops.drain())
    assert sorted(closed) == ["a", "b"]
