"""Bugs of the buffers: wake-ups, bounds, hand-overs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from streamkit import Stream, ops
from tests.planted.change import Change
from tests.planted.plant import in_streamkit

CHANNEL = "streamkit/_engine/buffer/channel.py"


@in_streamkit(
    "a dropped wake-up",
    Change(
        CHANNEL,
        "self._reader = get_running_loop().create_future()\n",
        "self._reader = await sleep(0, get_running_loop().create_future())\n",
    ),
)
async def wake_up_dropped() -> None:
    """The reader looks, lets others run, and only then says that it waits: nobody wakes it."""
    asked = {"left": asyncio.Event(), "right": asyncio.Event()}

    async def questions(name: str) -> AsyncIterator[str]:
        await asyncio.sleep(1.0)
        yield name
        await asked[name].wait()
        await asyncio.sleep(1.0)

    async for name in Stream(questions("left")) | ops.merge(questions("right")):
        asked[name].set()


@in_streamkit(
    "an off-by-one bound",
    Change(
        "streamkit/_stages/supply.py",
        "return len(self.todo) >= self.free\n",
        "return len(self.todo) > self.free\n",
    ),
)
async def one_item_too_many() -> None:
    """The pump of a concurrent ``map`` pulls an item for which there is no place."""
    inside = 0

    async def numbers() -> AsyncIterator[int]:
        nonlocal inside
        for number in range(3):
            await asyncio.sleep(1.0)
            inside += 1
            assert inside <= 2, f"{inside} items inside, bound 2"
            yield number

    async def slow(number: int) -> int:
        await asyncio.sleep(2.0)
        return number

    def delivered(_: int) -> None:
        nonlocal inside
        inside -= 1

    await (Stream(numbers()) | ops.map(slow, concurrency=2) | ops.for_each(delivered))


@in_streamkit(
    "an item lost on timeout",
    Change(
        "streamkit/_engine/run/polls.py",
        "return item  # type: ignore[no-any-return]\n",
        "return await __import__('asyncio').sleep(0, item)\n",
    ),
)
async def lost_on_timeout() -> None:
    """The item was taken out, and the caller lets others run: if it is cancelled there, nobody has it."""

    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0.5)
            await asyncio.sleep(0.5)
            yield number

    found: list[int] = []
    async with Stream(numbers()).open() as items:
        while len(found) < 3:
            try:
                async with asyncio.timeout(1.0):
                    found.append(await anext(items))
            except TimeoutError:
                continue
            except StopAsyncIteration:
                break
    assert found == [0, 1, 2]
