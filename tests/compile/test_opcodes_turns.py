"""What a reader of several tasks costs for each item, in opcodes, with all that its tasks do meanwhile.

flat_map over ready streams costs few more than the nested loop, as its reader steps their pumps.
combine_latest over ready sources goes through whole bursts. switch_map reads all its streams by one loop.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

import streamkit
from streamkit import Stream, ops
from tests.compile.by_hand import Work
from tests.compile.test_opcodes import (
    opcodes,
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)

EACH = 20
"""Items of a stream."""


async def numbers(start: int) -> AsyncIterator[int]:
    for number in range(start, start + EACH):
        yield number


def nested(lookahead: int) -> Work:
    async def run(items: int) -> list[int]:
        flat = ops.flat_map(numbers, concurrency=10, lookahead=lookahead)
        return await (Stream(range(items // EACH)) | flat | ops.to_list())

    return run


async def by_hand(items: int) -> list[int]:
    return [item for start in range(items // EACH) async for item in numbers(start)]


STREAM = 503
"""To begin a stream in the task of a place, end it, and give the place back: no task is made for it."""
ITEM = {1: 164, 16: 53}
"""To step the pump, append an item, and take it out in turn: by lookahead."""


@pytest.mark.parametrize("lookahead", [1, 16])
def test_an_item_of_a_ready_stream_costs_so_many_opcodes_more(lookahead: int) -> None:
    ours, bare = per_item(nested(lookahead)), per_item(by_hand)
    allowed = ITEM[lookahead] + STREAM / EACH
    assert ours <= bare + allowed, f"{ours - bare} opcodes more per item, not {allowed}"


async def latest(items: int) -> int:
    each = items // SOURCES
    sources = [Stream(numbers_to(each)) for _ in range(SOURCES)]
    return await (streamkit.combine_latest(*sources, lookahead=16) | ops.count())


async def numbers_to(items: int) -> AsyncIterator[int]:
    for number in range(items):
        yield number


async def switches(items: int) -> int:
    """Each item of the source comes when the stream of the one before has brought its own, and waits."""
    had = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        for number in range(items):
            yield number
            await had.wait()
            had.clear()

    async def inner(number: int) -> AsyncIterator[int]:
        yield number
        await asyncio.get_running_loop().create_future()

    switched = Stream(source) | ops.switch_map(inner) | ops.tap(lambda _: had.set())
    return await (switched | ops.take(items) | ops.count())


SOURCES = 4
LATEST = 165
"""To append an item, to take it out in its turn, and to make a tuple of it; with the source's own."""
SWITCH = 3_950
"""To begin and end a task, to see that it is in no clean-up, to wait for its end and for the next item."""


def test_an_item_of_combine_latest_costs_so_many_opcodes() -> None:
    assert per_item(latest) <= LATEST


def test_a_switch_costs_so_many_opcodes() -> None:
    asyncio.run(switches(8))
    assert (opcodes(switches, 40) - opcodes(switches, 8)) / 32 <= SWITCH


async def in_order(items: int) -> int:
    each = items // SOURCES
    sources = [Stream(numbers_to(each)) for _ in range(SOURCES)]
    return await (streamkit.merge_sorted(*sources, lookahead=16) | ops.count())


SORTED = 157
"""To append an item, to find whose is the least, and to look at what comes after that of the same source."""


def test_an_item_of_merge_sorted_costs_so_many_opcodes() -> None:
    assert per_item(in_order) <= SORTED
