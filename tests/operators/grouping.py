"""Keys, callbacks and pipes that group_by is tried with."""

import asyncio
from typing import Any

from streamkit import Suspend, ops


def third(number: int) -> int:
    return number % 3


def upper(letter: str) -> str:
    return letter.upper()


async def later(item: Any) -> Any:
    await asyncio.sleep(0.5)
    return item


def fail(item: Any) -> Any:
    raise ValueError(item)


async def awaited(job: Any) -> Any:
    return await job


def seconds(found: list[tuple[float, Any]]) -> list[tuple[float, Any]]:
    """What came and when, but for the end."""
    assert found[-1][1] == "|", found
    return found[:-1]


def forms(pipe: Any) -> list[Any]:
    """The pipe as it is, and the same with a stage in it, which gives each group a task."""
    return [pipe, ops.buffer(Suspend(2)) | pipe, ops.map(later) | pipe]
