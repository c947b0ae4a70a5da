"""An ``on_drop`` that fails as an operator with branches or groups is left, or as one of them ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import DropOldest, OnFull, Stream, Suspend, attached, ops
from streamkit.testing import run

BOOM = OSError("on_drop")


def fail(item: Any, reason: str) -> None:
    raise BOOM


FAILING = ops.buffer(DropOldest(9, on_drop=fail))


async def slow(item: Any) -> Any:
    await asyncio.sleep(10.0)
    return item


def is_odd(number: int) -> bool:
    return number % 2 == 1


LEFT: dict[str, Any] = {
    "what a branch has not read": ops.partition(is_odd, FAILING | ops.map(slow), ops.map(slow)),
    "what a branch emits": ops.partition(is_odd, ops.map(str) | FAILING, ops.map(str) | FAILING),
    "what one of many branches emits": ops.balance(FAILING, FAILING),
    "what a group has not read": ops.group_by(is_odd, FAILING | ops.map(slow), max_groups=2),
    "what a group emits": ops.group_by(is_odd, ops.map(str) | FAILING, max_groups=2),
    "what no group has room for": ops.group_by(
        abs, FAILING | ops.map(slow), max_groups=2, on_full=OnFull.WAIT, idle=99.0
    ),
}


@pytest.mark.parametrize("pipe", LEFT.values(), ids=LEFT)
def test_where_the_reader_leaves_it_is_raised_there(pipe: Any) -> None:
    async def main() -> None:
        with pytest.raises(OSError, match="on_drop") as raised:
            async with (Stream(range(9)) | pipe).open() as items:
                await asyncio.wait_for(anext(items), 60.0)
        assert raised.value is BOOM

    run(main)


def test_where_the_pipe_of_a_group_has_ended_it_fails_the_stream() -> None:
    pipe = ops.group_by(is_odd, FAILING | ops.take(1), max_groups=2)
    found: list[Any] = []

    async def main() -> None:
        async for item in Stream([1, 3, 5, 7]) | pipe:
            found.append(item)

    with pytest.raises(OSError, match="on_drop") as raised:
        run(main)
    assert raised.value is BOOM


def test_where_the_source_fails_while_its_item_waits_for_a_group_it_hangs_on_that() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        async with asyncio.timeout(1.0):
            yield 2

    pipe = ops.group_by(abs, FAILING | ops.map(slow), max_groups=1, on_full=OnFull.WAIT, idle=99.0)
    found: list[Any] = []

    async def main() -> None:
        async for item in Stream(source) | pipe:
            found.append(item)

    with pytest.raises((TimeoutError, OSError)) as raised:
        run(main)
    assert BOOM in (raised.value, *attached(raised.value))
    assert not [each for each in found if each[1] == 2]


def test_what_waits_for_room_is_dropped_where_the_reader_leaves() -> None:
    async def main() -> int:
        pipe = ops.partition(is_odd, ops.buffer(Suspend(1)) | ops.map(slow), ops.map(slow)) | ops.for_each(
            slow
        )
        handle = (Stream(range(9)) | pipe).start()
        await asyncio.sleep(1.0)
        await handle.stop()
        return sum(each.dropped for each in handle.buffers())

    assert run(main) > 0
