"""Jobs that run in threads, and how tests wait for them."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import streamkit
from streamkit import Job, Running, Suspend, ops
from tests.patience import comes

__all__ = ["SECONDS", "collecting", "gone", "holds", "stuck", "until"]

SECONDS = 30.0
"""How long a test waits at most."""


def collecting(room: int = 4) -> Job[list[Any]]:
    return streamkit.inbox(Suspend(room)) | ops.to_list()


def stuck() -> tuple[Job[None], Callable[[], bool]]:
    """A job that holds its first item for ever; and whether it has closed everything."""
    closed: list[int] = []

    async def hold(item: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            closed.append(item)

    return streamkit.inbox(Suspend(4)) | ops.for_each(hold), lambda: bool(closed)


def gone(running: Running[Any]) -> bool:
    """Whether no thread of it is left."""
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("streamkit")]
    return not any("unlike any other" in name for name in names) and not running.alive


def until(condition: Callable[[], bool]) -> None:
    assert comes(lambda seconds: condition() or time.sleep(seconds)), "nothing has happened"


def holds(running: Running[Any], count: int) -> bool:
    """Whether the job has an item in hand, and its inbox so many more."""
    return [(each.held, each.delivered) for each in running.buffers()] == [(count, 1)]
