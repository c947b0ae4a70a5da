"""What an item costs that goes to several readers: for each, hardly more than what that reader does."""

import asyncio
import sys
from collections.abc import AsyncIterator
from operator import add

import pytest

from streamkit import Stream, Suspend, ops
from tests.compile.by_hand import Work
from tests.compile.test_opcodes import (
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)

READERS = 10


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def shared(items: int) -> None:
    stream = Stream(numbers(items)) | ops.share(strategy=Suspend(64))
    await asyncio.gather(*[stream | ops.fold(add, 0) for _ in range(READERS)])


async def broadcast(items: int) -> None:
    branches = [ops.buffer(Suspend(64)) | ops.fold(add, 0) for _ in range(READERS)]
    await (Stream(numbers(items)) | ops.broadcast(*branches))


READ = (26, 23)
"""To fold an item that is there, and what a burst costs for each of its items: on 3.11, and later."""
BROUGHT = (60, 60)
"""To pull an item from its source, to put it into the burst, and to look at the clock."""


@pytest.mark.parametrize("work", [shared, broadcast])
def test_an_item_costs_no_call_for_each_of_its_readers(work: Work) -> None:
    late = sys.version_info >= (3, 12)
    allowed = BROUGHT[late] + READERS * READ[late]
    found = per_item(work)
    assert found <= allowed, f"{found} opcodes per item, not {allowed}"
