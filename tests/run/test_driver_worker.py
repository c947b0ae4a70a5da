"""Workers, stepped by hand: a pump that reads one stream after the other, each in a context of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit._engine.buffer.driven import idle, late
from streamkit._engine.run.driver import Worker
from streamkit._engine.run.pump import Clock
from streamkit.testing import run
from tests.run.staging import settled
from tests.run.test_driver_by_hand import NAME, Driven, by_hand, parks


async def pump_of_streams(seen: list[Any]) -> None:
    while True:
        seen.append(NAME.get())
        await parks
        await idle


def test_each_stream_runs_in_a_context_of_its_own_until_there_are_no_more() -> None:
    async def main() -> None:
        driven = Driven(pump_of_streams, clock := Clock(), Worker)
        driver = driven.driver
        assert driver.clock is clock
        for name in ("first", "second"):
            NAME.set(name)
            if driven.seen:
                driver.again()
                assert (driver.idle, driver.parked) == (False, True)
            assert not driver.drive()
            driven.held.append(0)
            assert not driver.drive()
            assert (driver.idle, driver.parked) == (True, False)
            assert driven.told[-1] == ("noted", len(driven.held))
            await settled()
            assert not driven.task.done()
        assert driven.seen == ["reader", "second"]
        driver.end()
        await driven.task
        assert driven.told[-1] == "ended"

    by_hand(main)


def test_the_one_that_it_reads_is_the_last_when_there_are_no_more() -> None:
    async def main() -> None:
        driven = Driven(pump_of_streams, None, Worker)
        assert not driven.driver.drive()
        driven.driver.end()
        await settled()
        assert not driven.task.done()
        assert not driven.driver.drive()
        await driven.task

    by_hand(main)


@pytest.mark.parametrize("waits", [True, False])
def test_one_that_has_waited_is_the_last(waits: bool) -> None:
    async def main() -> None:
        async def pump(seen: list[Any]) -> None:
            seen.append(await future if waits else await late)
            await idle

        future = asyncio.get_running_loop().create_future()
        driven = Driven(pump, Clock(), Worker)
        assert not driven.driver.drive()
        if waits:
            await settled()
            future.set_result(None)
        else:
            assert not driven.driver.drive()
            await settled()
            assert not driven.task.done()
            driven.driver.end()
        await driven.task
        assert driven.seen == [None]

    by_hand(main)


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_cancellation_ends_it(taken_back: bool) -> None:
    async def main() -> None:
        driven = Driven(pump_of_streams, None, Worker)
        assert not driven.driver.drive()
        if taken_back:  # by its stream, before its task has heard of it
            driven.task.cancel()
            driven.task.uncancel()
        assert not driven.driver.drive()
        if not taken_back:
            await settled()
            driven.task.cancel()
        ended = taken_back and sys.version_info < (3, 13)  # from then on, what is taken back has never been
        assert driven.driver.idle is not ended
        if taken_back:
            driven.driver.end()
        await asyncio.wait({driven.task})
        assert not driven.task.cancelled()

    by_hand(main)


def test_one_that_is_cancelled_between_two_streams_is_replaced() -> None:
    tasks = list[Any]()

    async def inner(number: int) -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        yield number

    async def source() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(1.0)
        tasks[0].cancel()
        await asyncio.sleep(1.0)
        yield 2

    assert run(lambda: Stream(source) | ops.flat_map(inner, concurrency=2) | ops.to_list()) == [1, 2]
    assert tasks[0] is not tasks[1]


def test_what_a_source_has_just_begun_to_wait_for_is_cancelled_where_the_stream_is_left() -> None:
    async def main() -> None:
        waited = asyncio.get_running_loop().create_future()

        async def source() -> AsyncIterator[int]:
            yield 1
            await waited

        async with (Stream(source) | ops.flat_map(lambda item: [item], concurrency=2)).open() as items:
            async for _ in items:
                break
        assert waited.cancelled()

    run(main)
