"""flat_map over ready streams costs few opcodes more than the nested loop: its reader steps their pumps."""

from collections.abc import AsyncIterator

import pytest

from streamkit import Stream, ops
from tests.compile.by_hand import Work
from tests.compile.test_opcodes import (
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)

EACH = 20
"""Items of a stream."""


async def numbers(start: int) -> AsyncIterator[int]:
    for number in range(start, start + EACH):
        yield number


def nested(lookahead: int) -> Work:
    async def run(items: int) -> list[int]:
        flat = ops.flat_map(numbers, concurrency=10, lookahead=lookahead)
        return await (Stream(range(items // EACH)) | flat | ops.to_list())

    return run


async def by_hand(items: int) -> list[int]:
    return [item for start in range(items // EACH) async for item in numbers(start)]


STREAM = 500
"""To begin a stream in the task of a place, end it, and give the place back: no task is made for it."""
ITEM = {1: 210, 16: 55}
"""To step the pump, append an item, and take it out in turn: by lookahead."""


@pytest.mark.parametrize("lookahead", [1, 16])
def test_an_item_of_a_ready_stream_costs_so_many_opcodes_more(lookahead: int) -> None:
    ours, bare = per_item(nested(lookahead)), per_item(by_hand)
    allowed = ITEM[lookahead] + STREAM / EACH
    assert ours <= bare + allowed, f"{ours - bare} opcodes more per item, not {allowed}"
