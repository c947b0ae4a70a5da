"""What pipes are made of in which feeding tasks run the loop: callbacks that wait, fail or tell the time."""

import asyncio
from collections.abc import Callable
from typing import Any

Seen = list[tuple[float, Any]]


async def asleep(seconds: float) -> float:
    """A callback that takes as many seconds as its item says."""
    await asyncio.sleep(seconds)
    return seconds


async def turn(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


def at_once(item: Any) -> Any:
    return item


def now() -> float:
    return asyncio.get_running_loop().time()


async def outcome(job: Any) -> Any:
    """What `job` returned or raised."""
    try:
        return await job
    except BaseException as error:
        return error


def raising(error: BaseException, at: Any) -> Callable[[Any], Any]:
    def call(item: Any) -> Any:
        if item == at:
            raise error
        return item

    return call


def turn_raising(error: BaseException, at: Any) -> Callable[[Any], Any]:
    async def call(item: Any) -> Any:
        await asyncio.sleep(0)
        return raising(error, at)(item)

    return call
