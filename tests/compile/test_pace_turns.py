"""Pace: a loop that has awaited something need not let others run once more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit._engine.compile import pace

ITEMS, MANY = 20, 3


async def tick(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


async def at_once(item: Any) -> Any:
    return item


@pytest.fixture(autouse=True)
def _soon_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock, it is time to let others run after eight looks at it."""
    monkeypatch.setattr(pace, "BUDGET", 8.0)
    monkeypatch.setattr(pace, "perf_counter", count(0.0).__next__)


def turns(work: Callable[[], Awaitable[Any]]) -> int:
    """How often the event loop turns until `work` is done."""
    turned = 0

    async def main() -> None:
        async def counted() -> None:
            nonlocal turned
            while True:
                await asyncio.sleep(0)
                turned += 1

        counting = asyncio.create_task(counted())
        await work()
        counting.cancel()

    asyncio.run(main())
    return turned


async def several(function: Callable[[Any], Awaitable[Any]]) -> None:
    found = await asyncio.gather(
        *[Stream(range(ITEMS)) | ops.map(function) | ops.to_list() for _ in range(MANY)]
    )
    assert found == [[*range(ITEMS)]] * MANY


def test_loops_that_await_each_item_do_not_give_way_once_more() -> None:
    assert turns(lambda: several(tick)) <= ITEMS + 5


def test_loops_that_await_nothing_that_waits_give_way() -> None:
    assert turns(lambda: several(at_once)) >= 3


def test_a_loop_over_an_asynchronous_source_that_never_waits_gives_way() -> None:
    async def numbers() -> Any:
        for number in range(300):
            yield number

    async def alone() -> None:
        assert await (Stream(numbers) | ops.count()) == 300

    assert turns(alone) >= 2


def test_what_counts_turns_is_gone_with_its_event_loop() -> None:
    before = len(pace._turns)
    turns(lambda: several(tick))
    assert len(pace._turns) <= before + 1
