"""Whole pipes over each server: acknowledged at their end, handed back at a drain, buried."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.durable import Carrier, DeadLettered, Entry, Event, Json, Kafka, Nats, Redis, Trimmed
from tests.brokers.servers import Cluster, JetStream, Valkey

Within = Callable[[Coroutine[Any, Any, Any]], Any]
Make = Callable[[str], Carrier]


@pytest.fixture
def kinds(valkey: Valkey, jetstream: JetStream, cluster: Cluster) -> dict[str, Make]:
    return {
        "redis": lambda name: Redis(valkey.url, name, codec=Json()),
        "nats": lambda name: Nats(jetstream.url, name, codec=Json()),
        "kafka": lambda name: Kafka(cluster.servers, name, codec=Json()),
    }


@pytest.fixture(params=["redis", "nats", "kafka"])
def make(request: pytest.FixtureRequest, kinds: dict[str, Make]) -> Make:
    return kinds[request.param]


async def twice(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def test_a_pipe_from_carrier_to_carrier(make: Make, fresh: Callable[[], str], within: Within) -> None:
    async def main() -> None:
        inbox, outbox = make(fresh()), make(fresh())
        assert await (Stream(range(500)) | inbox.writer()) == 500
        read = inbox.reader(group="double", batch=50, prefetch=400) | ops.map(twice, concurrency=8)
        assert await (read | ops.take(500) | outbox.writer()) == 500
        found: list[int] = []
        await (outbox.reader(group="all") | ops.take(500) | ops.for_each(found.append))
        assert sorted(found) == [2 * number for number in range(500)]
        assert (await inbox.depth("double")).lag == 0
        assert (await outbox.depth("all")).lag == 0

    within(main())


def test_a_look_takes_nothing_out(make: Make, fresh: Callable[[], str], within: Within) -> None:
    async def main() -> None:
        dead = make(fresh())
        assert await (Stream(range(30)) | dead.writer()) == 30
        for _ in range(1 if isinstance(dead, Kafka) else 2):  # a group there is slow to take a reader again
            found = await dead.peek("again", 30, wait=20.0)
            assert sorted(int(each.body) for each in found) == [*range(30)]
        again: list[int] = []
        await (dead.reader(group="again") | ops.take(30) | ops.for_each(again.append))
        assert sorted(again) == [*range(30)]

    within(main())


@pytest.mark.parametrize("name", ["redis", "nats"])
def test_what_is_open_at_the_end_comes_at_once(
    name: str, valkey: Valkey, jetstream: JetStream, fresh: Callable[[], str], within: Within
) -> None:
    inbox: Carrier = Redis(valkey.url, fresh()) if name == "redis" else Nats(jetstream.url, fresh())

    async def main() -> float:
        async with inbox.connect() as connection:
            await connection.append([Entry(b"%d" % number) for number in range(30)])
            begun = asyncio.Event()

            async def never(_: bytes) -> None:
                begun.set()
                await asyncio.Event().wait()

            job = inbox.reader(group="readers", batch=30) | ops.map(never, concurrency=8) | ops.drain()
            running = asyncio.ensure_future(job)
            await begun.wait()
            waiting = asyncio.ensure_future(connection.claim("readers", 30, 30.0, 20.0))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            ended = time.monotonic()
            found = list(await waiting)
            late = time.monotonic() - ended
            while len(found) < 30:
                found += await connection.claim("readers", 30, 30.0, 1.0)
            return late

    assert within(main()) < 0.1


def test_poison_goes_to_the_dead_letters(make: Make, fresh: Callable[[], str], within: Within) -> None:
    told: list[Event] = []

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    async def main() -> None:
        inbox, dead = make(fresh()), make(fresh())
        await (Stream([0, 1, 2, 3]) | inbox.writer())
        read = inbox.reader(
            group="readers", lease=6.0, max_deliveries=1, dead_letters=dead, on_event=told.append
        )
        seen: list[int] = []
        with pytest.raises(ValueError, match="three"):
            await (read | ops.map(work) | ops.for_each(seen.append))
        assert seen == [0, 1, 2]
        message = await (dead.reader(group="look", messages=True) | ops.first())
        assert message.body == b"3"
        assert message.headers["error"] == "ValueError: three"
        assert "map(work)" in message.headers["operator"]
        assert (await inbox.depth("readers")).lag == 0

    within(main())
    assert [type(each) for each in told if not isinstance(each, Trimmed)] == [DeadLettered]


def test_work_that_takes_longer_than_its_lease(
    kinds: dict[str, Make], fresh: Callable[[], str], within: Within
) -> None:
    async def work(inbox: Carrier) -> Counter[int]:
        await (Stream(range(4)) | inbox.writer())
        seen: Counter[int] = Counter()

        async def slow(number: int) -> None:
            await asyncio.sleep(2.0)
            seen[number] += 1

        read = inbox.reader(group="readers", lease=0.6) | ops.map(slow, concurrency=4)
        await (read | ops.timeout(4.0, fallback=[]) | ops.drain())
        return seen

    async def main() -> list[Counter[int]]:  # of all at once: they wait
        return await asyncio.gather(*[work(make(fresh())) for make in kinds.values()])

    assert within(main()) == [dict.fromkeys(range(4), 1)] * 3
