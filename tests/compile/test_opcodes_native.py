"""zip, merge and concat of ranges and lists cost what the loop by hand costs, in opcodes."""

from typing import Any

import pytest

import streamkit
from streamkit import ops
from tests.compile.by_hand import Work
from tests.compile.test_opcodes import (
    LOOK,
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)


def joined(join: Any, sources: int, rows: int) -> Work:
    """An item of ours is one that comes out; each takes `rows` of each of `sources`."""

    async def run(items: int) -> list[Any]:
        each = items * rows // sources
        found: list[Any] = await (join(*[range(each)] * sources) | ops.to_list())
        return found

    return run


def by_hand(items: int) -> list[Any]:
    out: list[Any] = []
    for item in range(items):
        out.append(item)
    return out


PART = 0.3
"""Of 256 items of each source, the lists that they stand in, once."""


@pytest.mark.parametrize(
    ("join", "rows", "more"),
    [(streamkit.zip, 2, LOOK), (streamkit.merge, 1, LOOK + PART), (streamkit.concat, 1, LOOK)],
    ids=["zip", "merge", "concat"],
)
def test_an_item_costs_what_one_of_a_range_costs(join: Any, rows: int, more: float) -> None:
    assert per_item(joined(join, 2, rows)) <= per_item(by_hand) + more
