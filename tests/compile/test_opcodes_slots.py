"""What a slot costs an item between two changes: one look at a cell, wherever the items come from."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from streamkit import Stream, ops
from streamkit.live import Slot
from tests.compile.test_opcodes import per_item, still
from tests.files import over

__all__ = ["still"]


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def at_once(number: int) -> int:
    return number


def work(make: Callable[[int], Any], *, slot: bool, changed: bool = False) -> Any:
    """The same pipe with a slot, or with its content written in it."""

    async def begun(items: int) -> int:
        hole = Slot[Any, Any](ops.map(abs))
        pipe = make(items) | ops.filter(is_number) | (hole if slot else ops.map(abs)) | ops.sum()
        handle = pipe.start()
        if changed:
            await asyncio.sleep(0)
            await hole.replace(ops.map(abs))
        result: int = await handle
        return result

    return begun


def is_number(number: object) -> bool:
    return isinstance(number, int)


SOURCES: list[tuple[str, Callable[[int], Any]]] = [
    ("list", lambda items: Stream([0] * items)),
    ("iterator", lambda items: Stream(iter([0] * items))),
    ("async generator", lambda items: Stream(numbers(items))),
    ("concurrent map", lambda items: Stream(range(items)) | ops.map(at_once, concurrency=4)),
]


@over(SOURCES, named=lambda each: each[0])
def test_an_item_costs_one_look_at_a_cell(source: tuple[str, Callable[[int], Any]]) -> None:
    _, make = source
    without = per_item(work(make, slot=False))
    for changed in (False, True):
        more = per_item(work(make, slot=True, changed=changed)) - without
        assert more <= 3.1, f"{more} opcodes more, changed: {changed}"
