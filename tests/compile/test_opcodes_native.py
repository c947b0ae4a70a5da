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


MORE = LOOK + 0.9
"""Less than any line of Python per item would cost: looks at the clock, and what a run happens to free."""


@pytest.mark.parametrize(
    ("join", "rows"),
    [(streamkit.zip, 2), (streamkit.merge, 1), (streamkit.concat, 1)],
    ids=["zip", "merge", "concat"],
)
def test_an_item_costs_what_one_of_a_range_costs(join: Any, rows: int) -> None:
    assert per_item(joined(join, 2, rows)) <= per_item(by_hand) + MORE
