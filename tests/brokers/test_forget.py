"""Groups that nobody reads any more: what only they have not acknowledged is kept no longer."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streamkit import CarrierError
from streamkit.durable import Carrier, Connection, Depth, Entry, Kafka, Nats, Redis
from streamkit.durable.kafka import connection as kafka
from tests.brokers.servers import JetStream, Valkey

Within = Callable[[Coroutine[Any, Any, Any]], Any]
MANY = 2500
"""More than the server of Redis looks at in one go."""


async def read(connection: Connection, group: str, count: int) -> None:
    while count:
        found = await connection.claim(group, min(count, 500), 30.0, 5.0)
        assert found
        await connection.acknowledge(group, found)
        count -= len(found)


def keyed(at: int, keys: int) -> str | None:
    """Which key an entry has, of so many; most have none."""
    return f"key {at}" if at < keys else None


async def kept(carrier: Carrier, count: int) -> bool:
    """Whether so many entries are there, for a group that comes now; a server may take a moment to delete."""
    for _ in range(50):
        if (await carrier.depth("later")) == Depth(count, 0):
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.mark.parametrize("keys", [0, 3], ids=["without keys", "with keys"])
@pytest.mark.parametrize("name", ["redis", "nats"])
def test_a_forgotten_group_keeps_nothing(
    name: str, keys: int, valkey: Valkey, jetstream: JetStream, fresh: Callable[[], str], within: Within
) -> None:
    carrier: Carrier = (
        Redis(valkey.url, fresh(), fsync=False) if name == "redis" else Nats(jetstream.url, fresh())
    )

    async def main() -> None:
        async with carrier.connect() as one:
            await one.append([Entry(b"x", keyed(at, keys)) for at in range(MANY)])
            assert await one.claim("old", 10, 30.0, 5.0)
            await read(one, "new", MANY - 5)
        assert await kept(carrier, MANY)
        assert await carrier.forget("old")
        assert not await carrier.forget("old")
        assert await kept(carrier, 5), "what all groups that are left have done"
        assert await carrier.depth("new") == Depth(5, 0)
        assert await carrier.forget("new")
        assert await kept(carrier, 5), "without any group, all is kept for the next"
        async with carrier.connect() as one:
            await read(one, "later", 5)

    within(main())


@pytest.mark.parametrize("key", [None, "key"])
@pytest.mark.parametrize("name", ["redis", "nats"])
def test_who_reads_for_a_group_that_is_forgotten_loses_its_leases_and_begins_anew(
    name: str,
    key: str | None,
    valkey: Valkey,
    jetstream: JetStream,
    fresh: Callable[[], str],
    within: Within,
) -> None:
    carrier: Carrier = (
        Redis(valkey.url, fresh(), fsync=False) if name == "redis" else Nats(jetstream.url, fresh())
    )

    async def main() -> None:
        async with carrier.connect() as one, carrier.connect() as two:
            await one.append([Entry(b"%d" % number, key) for number in range(9)])
            found = await one.claim("g", 6, 30.0, 5.0)
            assert not await one.acknowledge("g", found[:1])
            assert await two.forget("g")
            assert await one.acknowledge("g", found[1:3]) == found[1:3]
            assert await one.renew("g", found[3:], 30.0) == found[3:]
            await one.hand_back("g", found[3:4])
            again = list(await one.claim("g", 3, 30.0, 5.0))
            assert [each.times for each in again] == [1, 1, 1]
            # nobody was handed out these since
            assert await asyncio.wait_for(one.acknowledge("g", found[4:]), 4.0) == found[4:]
            while more := await one.claim("g", 9, 30.0, 0.2):
                again += more
            assert not await one.acknowledge("g", again)
            assert len({each.body for each in again}) == 8, "all but the one that was acknowledged"
            assert one.trimmed == 0

    within(main())


def test_a_cancelled_forget_leaves_a_stream_that_deletes_what_is_done(
    jetstream: JetStream, fresh: Callable[[], str], within: Within
) -> None:
    async def main(pause: float) -> None:
        carrier = Nats(jetstream.url, fresh(), partitions=2)
        async with carrier.connect() as one, carrier.connect() as two:
            await one.append([Entry(b"%d" % number, keyed(number, 3)) for number in range(6)])
            assert await one.claim("g", 2, 30.0, 5.0)
            forgetting = asyncio.ensure_future(two.forget("g"))
            await asyncio.sleep(pause)
            forgetting.cancel()
            await asyncio.wait([forgetting])
            while found := await one.claim("g", 9, 30.0, 0.1):
                assert not await one.acknowledge("g", found)
        assert await kept(carrier, 0), "the group has begun anew, and all of it is done"

    for step in range(12):
        within(main(0.0004 * step))


@pytest.mark.parametrize(
    ("code", "there"),
    [(None, True), (KafkaError.GROUP_ID_NOT_FOUND, False), (KafkaError.NON_EMPTY_GROUP, None)],
)
def test_what_the_brokers_of_kafka_answer(
    code: int | None, there: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mock cluster deletes no groups: this stands in for its answers."""
    asked: list[str] = []

    class Answer:
        def result(self, seconds: float) -> None:
            if code is not None:
                raise KafkaException(KafkaError(code))

    class Admin:
        def __init__(self, config: dict[str, Any]) -> None:
            asked.append(config["bootstrap.servers"])

        def delete_consumer_groups(self, groups: list[str]) -> dict[str, Answer]:
            asked.extend(groups)
            return {group: Answer() for group in groups}

    monkeypatch.setattr(kafka, "AdminClient", Admin)

    async def main() -> bool:
        connection = kafka.KafkaConnection(Kafka("localhost:1", "inbox"))
        try:
            return await connection.forget("fetch")
        finally:
            await connection.close()

    if there is None:
        with pytest.raises(CarrierError, match="group is not empty"):
            asyncio.run(main())
    else:
        assert asyncio.run(main()) == there
    assert asked == ["localhost:1", "inbox.fetch"]
