"""Hubs whose streams stand inside of others, and producers that stop while their item waits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import streamkit
from streamkit import EmitterClosedError, Hub, Stream, Suspend, ops
from streamkit.testing import run


@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize("operator", [streamkit.merge, streamkit.concat], ids=["merge", "concat"])
def test_a_stream_of_a_hub_may_be_one_of_several(operator: Any, balance: bool) -> None:
    async def main() -> list[int]:
        hub: Hub[int] = Hub(Suspend(2), balance=balance)
        reading = (operator([1, 2], hub.stream()) | ops.to_list()).start()
        await asyncio.sleep(1.0)
        await (Stream([3, 4, 5]) | hub.sink())
        hub.close()
        return sorted(await reading)

    assert run(main) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("balance", [True, False])
def test_a_scope_of_a_producers_source_may_end_while_its_item_waits(balance: bool) -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(1, 4):
            try:
                async with asyncio.timeout(1.0):
                    yield number
            except TimeoutError:
                yield -number

    async def main() -> tuple[Any, list[int]]:
        hub: Hub[int] = Hub(Suspend(1), balance=balance)
        found: list[int] = []

        async def late() -> None:
            await asyncio.sleep(5.0)
            async for item in hub.stream():
                found.append(item)
                await asyncio.sleep(5.0)

        reading = asyncio.ensure_future(late())
        sent = await (Stream(source) | hub.sink())
        hub.close()
        await reading
        return sent, found

    sent, found = run(main)
    assert sent == len(found)
    assert [number for number in found if number > 0] == [1, 2, 3]


@pytest.mark.parametrize("balance", [True, False])
def test_a_producer_that_is_stopped_while_its_item_waits_lets_others_go_on(balance: bool) -> None:
    async def main() -> list[int]:
        hub: Hub[int] = Hub(Suspend(1), balance=balance)
        stopped = (Stream([1, 2, 3]) | hub.sink()).start()
        await asyncio.sleep(1.0)
        goes_on = (Stream([7, 8]) | hub.sink()).start()
        await asyncio.sleep(1.0)
        await stopped.stop()
        reading = (hub.stream() | ops.to_list()).start()
        assert await goes_on == 2
        hub.close()
        return await reading

    assert [number for number in run(main) if number > 3] == [7, 8]


def test_a_producer_whose_item_came_too_late_is_told_that_the_hub_has_closed() -> None:
    """Another has filled the hub while its source made the item."""

    async def source() -> AsyncIterator[str]:
        await asyncio.sleep(1.0)
        yield "late"

    async def main() -> None:
        hub: Hub[str] = Hub(Suspend(1), balance=True)
        late = (Stream(source) | hub.sink()).start()
        await asyncio.sleep(0.5)
        first = (Stream(["first"]) | hub.sink()).start()
        await asyncio.sleep(1.0)
        hub.close()
        with pytest.raises(EmitterClosedError):
            await late
        assert await first == 1
        assert await (hub.stream() | ops.to_list()) == ["first"]

    run(main)
