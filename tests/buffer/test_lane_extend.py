"""Many items put into a lane at once: it is left as it would be by one after the other."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    KeepLatest,
    Spill,
    Suspend,
    Unbounded,
)
from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit.testing import run

STRATEGIES: list[Any] = [
    Suspend(1),
    Suspend(5),
    DropIncoming(4),
    DropOldest(4),
    DropOldest(4, gaps=True),
    DropYoungest(3),
    DropAll(3),
    KeepLatest(),
    Conflate(max),
    Collect(6),
    Spill(3),
    Unbounded(),
]
BURSTS = st.lists(st.integers(0, 6), max_size=5)


def taken(strategy: Any, bursts: list[int], *, at_once: bool) -> list[Any]:
    """What comes out, with the accounts; a reader takes all that there is after each burst but the first."""

    async def main() -> list[Any]:
        channel = Channel()
        lane = channel.lane(strategy)
        found: list[Any] = []
        number = 0
        for place, burst in enumerate(bursts):
            # a writer that waits puts in no more than there is room for
            many = min(burst, lane.limit - len(lane.held)) if lane.waits else burst
            items = [*range(number, number + many)]
            number += many
            if at_once:
                lane.extend(items)
            else:
                for item in items:
                    lane.put(item)
            found += [lane.full(), channel.ready, lane.stats()]
            while place and (item := channel.pop()) is not EMPTY:
                found.append(item)
        lane.close()
        while await channel.wait():
            found.append(channel.pop())
        return [*found, lane.stats()]

    return run(main)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
@given(bursts=BURSTS)
def test_it_is_left_as_by_one_after_the_other(strategy: Any, bursts: list[int]) -> None:
    assert taken(strategy, bursts, at_once=True) == taken(strategy, bursts, at_once=False)


def test_a_reader_that_waits_is_woken() -> None:
    async def main() -> None:
        channel = Channel()
        lane = channel.lane(Suspend(9))
        reader = asyncio.create_task(channel.wait())
        await asyncio.sleep(0)
        lane.extend([1, 2, 3])
        assert await reader
        assert [channel.pop() for _ in range(3)] == [1, 2, 3]
        channel.leave()

    run(main)
