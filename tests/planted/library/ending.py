"""Bugs of runs: tasks that are not ended, ended twice, or not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from streamkit import Stream, Suspend, ops
from tests.planted.change import Change
from tests.planted.plant import in_streamkit

TASKS = "streamkit/_engine/run/tasks.py"


@in_streamkit(
    "an unclosed sibling",
    Change(
        TASKS,
        "        while self._tasks:\n            try:\n                await wait(self._tasks)\n",
        "        if self._tasks:\n            try:\n"
        "                await wait(self._tasks, return_when='FIRST_COMPLETED')\n",
    ),
)
async def sibling_left_open() -> None:
    """The run waits until the first of its tasks has ended, and calls that the end."""
    open_sources: set[str] = set()

    async def words(name: str) -> AsyncIterator[str]:
        open_sources.add(name)
        try:
            while True:
                await asyncio.sleep(1.0)
                yield name
        finally:
            open_sources.discard(name)

    await (Stream(words("left")) | ops.merge(words("right")) | ops.take(2) | ops.for_each(str))
    assert not open_sources, f"still open: {open_sources}"


@in_streamkit(
    "a second cancel in clean-up",
    Change(
        "streamkit/_engine/run/ending.py",
        "if (task.cancelling() and id(task) not in PUT_OFF) or is_cleaning_up(task):\n",
        "if task.cancelling():\n",
    ),
)
async def cancelled_in_clean_up() -> None:
    """A source that ends by itself is cancelled while it closes its connection."""
    closed = asyncio.Event()

    async def short() -> AsyncIterator[str]:
        try:
            yield await asyncio.create_task(asyncio.sleep(1.0, "last"))
        finally:
            await asyncio.sleep(1.0)
            closed.set()

    async def signal() -> AsyncIterator[None]:
        await asyncio.sleep(1.0)
        yield None

    await (Stream(short()) | ops.take_until(signal) | ops.for_each(str))
    assert closed.is_set(), "the clean-up was cut short"


@in_streamkit(
    "a swallowed CancelledError",
    Change(
        TASKS,
        "        if cancelled is not None:\n            raise cancelled\n",
        "        if cancelled is not None:\n            return\n",
    ),
)
async def cancellation_swallowed() -> None:
    """The reader is cancelled while the run waits for clean-up: it goes on as if nothing had been."""

    async def words() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(1.0)
            yield "first"
            yield "second"
        finally:
            await asyncio.sleep(1.0)

    async def first() -> None:
        await (Stream(words()) | ops.buffer(Suspend(2)) | ops.take(1) | ops.for_each(str))

    worker = asyncio.create_task(first())
    await asyncio.sleep(1.0)
    worker.cancel()
    await asyncio.wait({worker})
    assert worker.cancelled(), "it was cancelled, and has gone on"


@in_streamkit(
    "an error of a sibling lost",
    Change(
        TASKS,
        "(self._late if cancelled or is_of_clean_up(error) else self._ahead).append(blamed)\n",
        "self._ahead.clear()\n",
    ),
)
async def error_of_sibling_lost() -> None:
    """One source fails, and the clean-up of the other does: after the reader has left, nobody is told."""

    async def fails() -> AsyncIterator[str]:
        await asyncio.sleep(1.0)
        yield "one"
        raise ValueError("first")

    async def fails_late() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(9.0)
            yield "never"
        finally:
            raise OSError("second")

    try:
        await (Stream(fails()) | ops.merge(fails_late()) | ops.for_each(str))
    except ValueError as error:
        notes = "\n".join(getattr(error, "__notes__", ()))
        assert "second" in notes, f"the error of the clean-up is lost: {notes}"


@in_streamkit(
    "a producer that is not waited for",
    Change(
        TASKS,
        "            await over  # `asyncio.wait` costs three times as much\n",
        "            pass\n",
    ),
)
async def next_before_the_end() -> None:
    """A ``switch_map`` opens the next stream while the one before is being closed."""
    opened: set[int] = set()

    async def pages(number: int) -> AsyncIterator[int]:
        assert not opened, f"{number} is opened, and {opened} is open"
        opened.add(number)
        try:
            for _ in range(3):
                await asyncio.sleep(1.0)
                yield number
        finally:
            opened.discard(number)

    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(2.0)
            yield number

    await (Stream(numbers()) | ops.switch_map(pages) | ops.for_each(str))
