"""zip over ready sources costs few opcodes more than the bare loop that asks each source in turn."""

import sys
from collections.abc import AsyncIterator

import pytest

import streamkit
from streamkit import ops
from tests.compile.by_hand import Work
from tests.compile.test_opcodes import (
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


def zipped(sources: int, lookahead: int) -> Work:
    """An item is one of one source."""

    async def run(items: int) -> list[tuple[int, ...]]:
        each = [numbers(items // sources) for _ in range(sources)]
        found: list[tuple[int, ...]] = await (streamkit.zip(*each, lookahead=lookahead) | ops.to_list())
        return found

    return run


def by_hand(sources: int) -> Work:
    async def run(items: int) -> list[tuple[int, ...]]:
        out: list[tuple[int, ...]] = []
        each = [numbers(items // sources) for _ in range(sources)]
        while True:
            row: list[int] = []
            for source in each:
                try:
                    row.append(await anext(source))
                except StopAsyncIteration:
                    return out
            out.append(tuple(row))

    return run


PARK = (112, 114)
"""To step a pump in its task's name, from where it is parked to where it parks again: on 3.11, and later."""
ROW = (95, 80)
"""To look whether there is a row, and to hand it over alone."""
ROWS = (22, 23)
"""The same for each of sixteen that are handed over at once."""
APPEND = (12, 13)
"""To append an item under a count, and to look after every sixteenth whether the pump still parks."""


@pytest.mark.parametrize("sources", [2, 10])
@pytest.mark.parametrize("lookahead", [1, 16])
def test_an_item_costs_so_many_opcodes_more(sources: int, lookahead: int) -> None:
    late = sys.version_info >= (3, 12)
    row = ROW if lookahead == 1 else ROWS
    allowed = APPEND[late] + PARK[late] / lookahead + row[late] / sources
    ours, bare = per_item(zipped(sources, lookahead)), per_item(by_hand(sources))
    assert ours <= bare + allowed, f"{ours - bare} opcodes more per item, not {allowed}"
