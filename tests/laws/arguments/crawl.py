"""Arguments of the family `crawl`."""

import weakref
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import Suspend, ops
from tests.laws.items import Item
from tests.laws.lab import Lab
from tests.laws.ways import (
    FLAGS,
    Way,
    ways,
)

__all__ = ["ARGUMENTS"]


def crawled(lab: Lab, **given: Any) -> Any:
    """A crawl of two levels."""
    found: weakref.WeakSet[Item] = weakref.WeakSet()

    async def several() -> AsyncIterator[Any]:
        for number in range(6):
            await lab.pause()
            item = lab.item(number)
            found.add(item)
            yield item
            del item

    return ops.expand(
        lab.callback(lambda item: [] if isinstance(item, Item) and item in found else several), **given
    )


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "expand": ways(
        "expand",
        crawled,
        concurrency=st.integers(1, 4),
        lookahead=st.integers(1, 4),
        depth_first=FLAGS,
        frontier=st.sampled_from([Suspend(9), Suspend(100)]),
    ),
}
