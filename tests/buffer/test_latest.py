"""Lanes that keep the latest item only: what becomes of each item, and when the last one came."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import KeepLatest, Stream, ops
from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.latest import LatestLane, StampedLane
from streamkit._engine.buffer.target import Abandoned
from streamkit.testing import run
from tests.marbles import drawn, noted
from tests.operators.pacing import balanced


class Item:
    pass


def test_the_latest_takes_the_place_of_the_one_before() -> None:
    async def main() -> None:
        lane = LatestLane(channel := Channel(), KeepLatest())
        channel.adopt(lane)
        assert lane.peek() is lane.take() is EMPTY
        for item in "abc":
            lane.put(item)
            assert lane.flood.on == (item != "a")  # the loop of its pump does the rest by itself
        assert lane.peek() == "c"
        assert (lane.stats().offered, lane.stats().dropped, lane.stats().held) == (3, 2, 1)
        assert lane.take() == "c"
        assert lane.take() is EMPTY
        assert not lane.flood.on
        lane.put("d")
        lane.put("e")
        channel.leave()
        with pytest.raises(Abandoned):
            lane.put("f")
        stats = lane.stats()
        assert (stats.operator, stats.delivered, stats.dropped, stats.refused) == ("", 1, 4, 1)
        assert balanced(stats)

    run(main)


def test_it_notes_when_the_last_item_came() -> None:
    async def main() -> None:
        lane = StampedLane(channel := Channel(), strategy := KeepLatest())
        channel.adopt(lane)
        assert (lane.strategy, lane.waits) == (strategy, False)
        for number in range(3):
            await asyncio.sleep(1.0)
            lane.put(number)
            assert lane.stamp == number + 1.0

    run(main)


@pytest.mark.parametrize("operator", [ops.sample(5.0), ops.debounce(5.0)], ids=repr)
def test_items_that_are_lost_are_counted_and_let_go_of(operator: Any) -> None:
    alive: list[weakref.ref[Item]] = []

    async def source() -> AsyncIterator[Item]:
        for _ in range(1_000):
            item = Item()
            alive.append(weakref.ref(item))
            yield item
            del item
        await asyncio.sleep(9.0)
        gc.collect()
        assert not any(each() for each in alive)

    async def main() -> None:
        handle = (Stream(source) | operator | ops.for_each(lambda _: None)).start()
        await asyncio.sleep(1.0)
        stats = handle.buffers()[0]
        assert (stats.offered, stats.dropped, stats.held) == (1_000, 999, 1)
        await handle
        assert (handle.buffers()[0].delivered, balanced(handle.buffers()[0])) == (1, True)

    run(main)


def test_a_burst_is_silent_from_its_last_item_on() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(600):
            yield number
        await asyncio.sleep(2.0)
        for number in range(600, 1_200):
            yield number
        await asyncio.sleep(9.0)

    assert noted(Stream(source) | ops.debounce(3.0)) == [(5.0, 1_199), (11.0, "|")]
    with_told = Stream(drawn("ab--c----d|")) | ops.debounce(1.5, on_drop=lambda *_: None)
    without = Stream(drawn("ab--c----d|")) | ops.debounce(1.5)
    assert noted(with_told) == noted(without)
