"""Sources, functions and buffers that a concurrent map is tried with."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from streamkit import Suspend, Unbounded, ops

MANY = 1500


class Oops(Exception):  # noqa: N818
    """The error of these tests."""


def generated(items: Any) -> Any:
    def generate() -> Iterator[Any]:
        yield from items

    return generate


def asynchronous(items: Any, *, turns: bool = False) -> Any:
    async def generate() -> AsyncIterator[Any]:
        for item in items:
            if turns:
                await asyncio.sleep(0)
            yield item

    return generate


async def outcome(job: Any) -> Any:
    """What `job` returned or raised."""
    try:
        return await job
    except BaseException as error:
        return error


SOURCES: dict[str, Callable[[Any], Any]] = {
    "range": lambda items: items,
    "list": list,
    "tuple": tuple,
    "iterator": generated,
    "async": asynchronous,
    "async turns": lambda items: asynchronous(items, turns=True),
}


async def mixed(item: int) -> int:
    """Ready at once, after some turns, or after some seconds."""
    if item % 3 == 1:
        for _ in range(item % 7):
            await asyncio.sleep(0)
    if item % 3 == 2:
        await asyncio.sleep(item % 5)
    return -item


async def one_turn(item: int) -> int:
    await asyncio.sleep(0)
    return -item


async def slow(item: int) -> int:
    await asyncio.sleep((item * 7) % 11)
    return -item


def plain(item: int) -> int:
    return -item


async def ready(item: int) -> int:
    return -item


def returns(item: int) -> Any:
    return mixed(item)


FUNCTIONS = [plain, ready, one_turn, mixed, slow, returns]
BEFORE: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "": ((), {}),
    "lookahead": ((), {"lookahead": 3}),
    "buffer": ((ops.buffer(Suspend(4)),), {}),
    "unbounded": ((ops.buffer(Unbounded()),), {}),
}
