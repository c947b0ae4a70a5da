"""Branches that end while an item is on its way to them: it goes to another, or is dropped and counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import run


def slow(seconds: float) -> Any:
    async def wait(item: Any) -> Any:
        await asyncio.sleep(seconds)
        return item

    return wait


@pytest.mark.parametrize("more", [1, 2], ids=["one goes on", "two go on"])
def test_an_item_for_which_a_branch_had_room_waits_for_another(more: int) -> None:
    """While the source made it, the branch that had room has ended, and the others are full."""
    count = 2 * (1 + more)  # one that each works on, and one that it has not begun

    async def source() -> AsyncIterator[int]:
        for number in range(20):
            await asyncio.sleep(5.0 if number == count else 0.1)
            yield number

    ends = ops.buffer(Suspend(count)) | ops.map(slow(3.0)) | ops.take(1)
    go_on = [ops.map(slow(20.0 - 5.0 * place)) for place in range(more)]

    async def main() -> None:
        handle = (Stream(source) | ops.balance(ends, *go_on) | ops.to_list()).start()
        found = await handle
        stats = handle.buffers()
        assert len(found) == len({*found})
        assert sum(each.dropped for each in stats) + len(found) == 20
        assert len(found) > 10

    run(main)


def test_a_scope_of_the_source_may_end_as_its_item_waits_for_a_branch_that_ends() -> None:
    async def source() -> AsyncIterator[int]:
        for number in (1, 3):
            yield number
        async with asyncio.timeout_at(1.0):
            yield 5

    async def main() -> None:
        pipe = ops.partition(lambda number: number % 2, ops.map(slow(1.0)) | ops.take(1), ops.map(slow(1.0)))
        found: list[int] = []
        with suppress(TimeoutError):  # the item may be dropped first, and the scope be left in time
            async for item in Stream(source) | pipe:
                found.append(item)
        assert found == [1]

    run(main, schedules=50)
