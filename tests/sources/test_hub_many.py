"""Hub: very many producers and consumers that come and go at random lose nothing they were promised."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Hub, Stream, Suspend, Unbounded, ops
from streamkit.testing import run
from tests.tiers import examples

MANY = examples(1000)


def pauses(choose: random.Random) -> float:
    return choose.choice([0, 0, 0, 0.1])


async def produce(hub: Hub[Any], choose: random.Random, name: int) -> int:
    """Send some items, from a random moment on."""
    await asyncio.sleep(choose.random() * 50)

    async def source() -> AsyncIterator[tuple[int, int]]:
        for number in range(choose.randint(1, 12)):
            if choose.random() < 0.3:
                await asyncio.sleep(pauses(choose))
            yield name, number

    return await (Stream(source) | hub.sink())


async def consume(hub: Hub[Any], choose: random.Random) -> list[Any]:
    """What comes in a random time; it ends by itself, by a cancellation or with the hub."""
    await asyncio.sleep(choose.random() * 50)
    found: list[Any] = []
    count = choose.randint(1, 40)
    try:
        async with asyncio.timeout(choose.choice([0.5, 5.0, None])):
            async for item in hub.stream():
                found.append(item)
                if len(found) == count:
                    break
                if choose.random() < 0.2:
                    await asyncio.sleep(pauses(choose))
    except TimeoutError:
        pass
    return found


@pytest.mark.parametrize("seed", range(3))
def test_each_consumer_gets_every_item_of_its_time_in_one_order(seed: int) -> None:
    choose = random.Random(seed)

    async def main() -> None:
        hub: Hub[Any] = Hub(Suspend(3))
        stays = (hub.stream() | ops.buffer(Unbounded()) | ops.to_list()).start()
        await asyncio.sleep(0)
        consumers = asyncio.gather(*(consume(hub, choose) for _ in range(MANY)))
        sent = await asyncio.gather(*(produce(hub, choose, name) for name in range(MANY)))
        hub.close()
        order = await stays
        assert Counter(name for name, _ in order) == Counter(dict(enumerate(sent)))
        place = {item: number for number, item in enumerate(order)}
        assert len(place) == len(order)
        for name in range(0, MANY, 7):
            assert [number for each, number in order if each == name] == [*range(sent[name])]
        lists = await consumers
        for found in lists:
            if found:
                first = place[found[0]]
                assert found == order[first : first + len(found)]
        assert sum(map(len, lists)) > MANY

    run(main)


@pytest.mark.parametrize("seed", range(3))
def test_each_item_goes_to_one_consumer(seed: int) -> None:
    choose = random.Random(seed)

    async def main() -> None:
        hub: Hub[Any] = Hub(Suspend(3), balance=True)
        consumers = asyncio.gather(*(consume(hub, choose) for _ in range(MANY)))
        rest = (hub.stream() | ops.to_list()).start()
        sent = await asyncio.gather(*(produce(hub, choose, name) for name in range(MANY)))
        hub.close()
        found = Counter(item for each in (*await consumers, await rest) for item in each)
        assert found == Counter((name, number) for name, many in enumerate(sent) for number in range(many))

    run(main)
