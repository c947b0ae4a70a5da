"""Sources and consumers of the tests of batch_within."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import strategies as st

from tests import marbles
from tests.marbles import Noted, Source


def noted(stream: Any, *busy: float) -> Noted:
    """As `marbles.noted`, with the items of each list joined."""
    seen = marbles.noted(stream, *busy)
    return [(time, "".join(map(str, found)) if isinstance(found, list) else found) for time, found in seen]


def gapped(items: list[Any], gaps: list[float]) -> Source:
    """A source whose items come each so many seconds after the one before."""

    async def source() -> AsyncIterator[Any]:
        for item, gap in zip(items, gaps, strict=False):
            await asyncio.sleep(gap)
            yield item

    return source


SECONDS = st.integers(0, 12).map(lambda quarters: quarters / 4)
