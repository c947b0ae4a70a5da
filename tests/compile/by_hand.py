"""Loops of ours, and beside each the loop that one would have written by hand."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from streamkit import Stream, Suspend, ops

Work = Callable[[int], Any]
"""Goes through so many items; one that is a coroutine function is run."""
SLICE = 1024
"""Items per slice of a loop whose clock stands still, once it has grown."""
GROWING = 1 + 4 + 16 + 64 + 256
"""Items in the slices before."""


# ours, and by hand -----------------------------------------------------------------------------------------


def add(number: int) -> int:
    return number + 1


def odd(number: int) -> int:
    return number % 2


def triple(number: int) -> int:
    return number * 3


async def ready(number: int) -> int:
    return number


async def numbers(items: int) -> AsyncIterator[int]:
    for number in range(items):
        yield number


def chain(source: Any) -> Any:
    return Stream(source) | ops.map(add) | ops.filter(odd) | ops.map(triple)


async def range_ours(items: int) -> list[int]:
    return await (chain(range(items)) | ops.to_list())


async def iter_ours(items: int) -> list[int]:
    return await (chain(iter(range(items))) | ops.to_list())


async def range_by_hand(items: int) -> list[int]:
    def loop(source: Any, function: Any, predicate: Any, function2: Any) -> list[int]:
        out: list[int] = []
        for item in source:
            value = function(item)
            if predicate(value):
                out.append(function2(value))
        return out

    return loop(range(items), add, odd, triple)


async def ten_ours(items: int) -> list[int]:
    stream: Any = Stream(range(items))
    for _ in range(10):
        stream = stream | ops.map(add)
    return await (stream | ops.to_list())


async def ten_by_hand(items: int) -> list[int]:
    def loop(source: Any, function: Any) -> list[int]:
        out: list[int] = []
        for item in source:
            value = function(item)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            out.append(function(value))
        return out

    return loop(range(items), add)


async def async_ours(items: int) -> list[int]:
    return await (chain(lambda: numbers(items)) | ops.to_list())


async def async_by_hand(items: int) -> list[int]:
    async def loop(source: Any, function: Any, predicate: Any, function2: Any) -> list[int]:
        out: list[int] = []
        async for item in source:
            value = function(item)
            if predicate(value):
                out.append(function2(value))
        return out

    return await loop(numbers(items), add, odd, triple)


async def iterated_ours(items: int) -> None:
    async for _ in chain(lambda: numbers(items)):
        pass


async def iterated_by_hand(items: int) -> None:
    async def loop(source: Any, function: Any, predicate: Any, function2: Any) -> AsyncIterator[int]:
        async for item in source:
            value = function(item)
            if predicate(value):
                yield function2(value)

    async for _ in loop(numbers(items), add, odd, triple):
        pass


def plain_ours(items: int) -> None:
    for _ in chain(range(items)):
        pass


def plain_by_hand(items: int) -> None:
    def loop(source: Any, function: Any, predicate: Any, function2: Any) -> Iterator[int]:
        for item in source:
            value = function(item)
            if predicate(value):
                yield function2(value)

    for _ in loop(range(items), add, odd, triple):
        pass


LISTS = 8
"""Elements of each list that is flattened."""


def listed(items: int) -> list[list[int]]:
    return [[0] * LISTS] * (items // LISTS)


async def flat_ours(items: int) -> list[int]:
    return await (Stream(listed(items)) | ops.flatten() | ops.to_list())


async def flat_by_hand(items: int) -> list[int]:
    def loop(source: Any) -> list[int]:
        out: list[int] = []
        for item in source:
            for each in item:
                out.append(each)
        return out

    return loop(listed(items))


def calling(number: int) -> int:
    return add(number)


async def looked_ours(items: int) -> list[int]:
    return await (Stream(range(items)) | ops.map(calling) | ops.to_list())


async def looked_by_hand(items: int) -> list[int]:
    def loop(source: Any, function: Any) -> list[int]:
        out: list[int] = []
        for item in source:
            out.append(function(item))
        return out

    return loop(range(items), calling)


async def pumped_ours(items: int) -> list[int]:
    return await (Stream(lambda: numbers(items)) | ops.buffer(Suspend(64)) | ops.to_list())


async def pumped_by_hand(items: int) -> list[int]:
    """A deque and two futures; no queue, which costs more than half as much again."""
    loop = asyncio.get_running_loop()
    held: deque[int] = deque()
    roomy = ready = loop.create_future()

    async def pump() -> None:
        nonlocal roomy
        async for item in numbers(items):
            held.append(item)
            if not ready.done():
                ready.set_result(None)
            if len(held) == 64:
                roomy = loop.create_future()
                await roomy

    async def read() -> list[int]:
        nonlocal ready
        out: list[int] = []
        while True:
            while held:
                out.append(held.popleft())
                if len(held) == 32 and not roomy.done():
                    roomy.set_result(None)
            if task.done():
                return out
            ready = loop.create_future()
            await ready

    roomy = loop.create_future()
    task = loop.create_task(pump())
    task.add_done_callback(lambda _: ready.done() or ready.set_result(None))
    return await read()


async def turn(number: int) -> int:
    await asyncio.sleep(0)
    return number


async def spread_ours(items: int) -> list[int]:
    stream = Stream(iter([range(items)])) | ops.flatten() | ops.filter(odd)
    return await (stream | ops.map(turn, concurrency=8) | ops.to_list())


async def spread_by_hand(items: int) -> list[int]:
    def numbered(function: Any) -> Iterator[tuple[int, int]]:
        number = 0
        for item in range(items):
            if function(item):
                yield number, item
                number += 1

    async def work(function: Any) -> None:
        for number, item in todo:
            out[number] = await function(item)

    out, todo = [0] * items, numbered(odd)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work(turn))
    return out


async def mapped_ours(items: int) -> list[int]:
    return await (Stream(range(items)) | ops.map(ready, concurrency=8) | ops.to_list())


async def mapped_by_hand(items: int) -> list[int]:
    out, todo = [0] * items, enumerate(range(items))

    async def work(function: Any) -> None:
        for number, item in todo:
            out[number] = await function(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work(ready))
    return out


async def merged_ours(items: int) -> list[int]:
    half = items // 2
    return await (Stream(lambda: numbers(half)) | ops.merge(lambda: numbers(half)) | ops.to_list())


async def merged_by_hand(items: int) -> list[int]:
    queue: asyncio.Queue[int | None] = asyncio.Queue(2)

    async def pump() -> None:
        async for item in numbers(items // 2):
            await queue.put(item)
        await queue.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(pump())
        group.create_task(pump())
        out: list[int] = []
        for _ in range(2):
            while (item := await queue.get()) is not None:
                out.append(item)
    return out


SHARE = 16


async def ahead_ours(items: int) -> list[int]:
    first, *others = [lambda: numbers(items // 10)] * 10
    return await (Stream(first) | ops.merge(*others, lookahead=SHARE) | ops.to_list())


async def ahead_by_hand(items: int) -> list[int]:
    """Ten pumps into one deque, each of which may have its share there."""
    loop = asyncio.get_running_loop()
    held: deque[tuple[list[Any], int]] = deque()
    ready = loop.create_future()
    running = 10

    async def pump() -> None:
        nonlocal running
        room: list[Any] = [SHARE, None]
        async for item in numbers(items // 10):
            held.append((room, item))
            room[0] -= 1
            if len(held) == 1 and not ready.done():
                ready.set_result(None)
            if not room[0]:
                room[1] = loop.create_future()
                await room[1]
        running -= 1
        if not ready.done():
            ready.set_result(None)

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(pump())
        out: list[int] = []
        while running or held:
            if not held:
                ready = loop.create_future()
                await ready
            while held:
                room, item = held.popleft()
                out.append(item)
                room[0] += 1
                if room[0] == SHARE and room[1] is not None:
                    room[1].set_result(None)
                    room[1] = None
    return out
