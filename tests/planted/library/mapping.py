"""Bugs of stages: order, places, groups, and what they keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from weakref import ref

from streamkit import KeepLatest, Stream, ops
from tests.planted.change import Change
from tests.planted.plant import in_streamkit

POOL = "streamkit/_stages/pool.py"


@in_streamkit(
    "order inversion in a concurrent map",
    Change(
        POOL,
        "if direct is None or ((done or number != self.delivered) if ordered else held):\n",
        "if direct is None or (done if ordered else held):\n",
    ),
)
async def order_inverted() -> None:
    """A result is delivered at once if none waits for its turn, whether it is its turn or not."""

    async def fetch(number: int) -> int:
        await asyncio.sleep(1.0)
        return number

    found = await (Stream(range(6)) | ops.map(fetch, concurrency=3) | ops.to_list())
    assert found == [*range(6)]


class _Page:
    """A large result."""


@in_streamkit(
    "a result pinned",
    Change(POOL, "result = self.done.pop(left)\n", "result = self.done[left]\n"),
)
async def result_pinned() -> None:
    """A result that had to wait for its turn stays where it waited."""
    pages: list[ref[_Page]] = []

    async def fetch(_: int) -> _Page:
        await asyncio.sleep(1.0)
        return _Page()

    async def numbers() -> AsyncIterator[int]:
        for number in range(4):
            yield number
        await asyncio.sleep(9.0)
        assert not [page for page in pages if page() is not None], "a page was delivered, and is kept"

    await (
        Stream(numbers()) | ops.map(fetch, concurrency=2) | ops.for_each(lambda page: pages.append(ref(page)))
    )


@in_streamkit(
    "a lane not retired",
    Change(
        "streamkit/_stages/place.py",
        "                    self.noted(len(self.held))\n",
        "                    return\n",
    ),
)
async def lane_not_given_back() -> None:
    """The lane of a stream that ends before its last item was taken out is never closed."""

    async def pages(number: int) -> AsyncIterator[int]:
        await asyncio.sleep(1.0)
        yield number
        await asyncio.create_task(_nothing())
        await asyncio.create_task(_nothing())

    async def stored(number: int) -> int:
        await asyncio.create_task(_nothing())  # meanwhile the next item comes, and its stream goes on
        return number

    found = await (
        Stream(range(3)) | ops.flat_map(pages, concurrency=2, lookahead=2) | ops.map(stored) | ops.to_list()
    )
    assert sorted(found) == [0, 1, 2]


async def _nothing() -> None:
    """A task that ends at once."""


@in_streamkit(
    "a stale timer that fires after it was re-armed",
    Change(
        "streamkit/_stages/share.py",
        "            self.lingers.set_result(True)\n",
        "            self.lingers = None\n",
    ),
)
async def stale_linger() -> None:
    """A reader comes back in the last moment, and yet the shared run is closed for want of readers."""

    async def numbers() -> AsyncIterator[int]:
        number = 0
        while True:
            await asyncio.sleep(0.7)
            yield number
            number += 1

    shared = Stream(numbers) | ops.share(strategy=KeepLatest(), linger=5.0)
    await (shared | ops.take(1) | ops.for_each(int))
    await asyncio.sleep(2.0)
    await asyncio.sleep(3.0)
    found = await (shared | ops.take(3) | ops.to_list())
    assert len(found) == 3, f"the stream ended after {found}"
    await asyncio.sleep(9.0)  # the shared run lingers


@in_streamkit(
    "check-then-act over an await",
    Change(
        "streamkit/_stages/share.py",
        "self._refuse_readers()  # now: who comes before that task goes on must not join what it closes\n",
        "assert comes.done()\n",
    ),
)
async def joined_what_closes() -> None:
    """The time of a shared run is over, but a reader can join it until the task that closes it has begun."""

    async def numbers() -> AsyncIterator[int]:
        for number in range(9):
            await asyncio.sleep(0.7)
            yield number

    shared = Stream(numbers) | ops.share(strategy=KeepLatest(), linger=2.0)
    await (shared | ops.take(1) | ops.for_each(int))
    await asyncio.sleep(1.0)
    await asyncio.sleep(1.0)
    found = await (shared | ops.take(3) | ops.to_list())
    assert len(found) == 3, f"the stream ended after {found}"
    await asyncio.sleep(9.0)
