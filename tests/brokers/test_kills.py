"""Readers and servers are killed: nothing is lost, and no more comes twice than was in hand."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamkit.durable import Carrier, Kafka, Nats, Redis
from tests.brokers.reading import GROUP, Readers, filled
from tests.brokers.servers import Cluster, JetStream, Server, Valkey

COUNT = 50_000
BATCH = 100
READERS = 2
EVERY = 0.1
MEMORY = 60 * 2**20
"""Bytes by which a server's memory may grow while so many come and go, and what its allocator keeps."""
FILES = 40 * 2**20


def of_redis(url: str) -> Carrier:
    return Redis(url, "inbox")


def of_nats(url: str) -> Carrier:
    return Nats(url, "inbox")


def again(server: Server) -> None:
    server.kill()
    server.start()


@pytest.mark.parametrize(("kind", "carrier"), [(Valkey, of_redis), (JetStream, of_nats)])
def test_two_readers_one_killed_each_100_ms_and_the_server_three_times(
    kind: Callable[[], Any], carrier: Callable[[str], Carrier], tmp_path: Path, record_property: Any
) -> None:
    with kind() as server:
        inbox = carrier(server.url)
        before = server.resident()
        asyncio.run(filled(inbox, COUNT))
        deaths = [(part, lambda: again(server)) for part in (0.2, 0.5, 0.8)]
        with Readers(inbox, tmp_path / "read", batch=BATCH, lease=1.0) as readers:
            found = readers.until(COUNT, every=EVERY, patience=90.0, at=deaths)
        twice = sum(found.values()) - len(found)
        record_property("kills", readers.kills)
        record_property("twice", twice)
        print(f"{kind.__name__}: {readers.kills} kills, {twice} came twice")
        assert found.keys() == {*range(COUNT)}
        # a server that dies has acknowledgements of each reader under way
        assert twice <= BATCH * (readers.kills + READERS * len(deaths))
        assert readers.kills > 10
        asyncio.run(drained(inbox))
        assert server.resident() - before < MEMORY
        assert sum(each.stat().st_size for each in server.folder.rglob("*") if each.is_file()) < FILES


async def drained(inbox: Carrier) -> None:
    """What was read and not acknowledged is handed out again, and then there is nothing."""
    async with inbox.connect() as connection:
        while (await connection.depth(GROUP)).lag:
            messages = await connection.claim(GROUP, 1000, 1.0, 0.1)
            await connection.acknowledge(GROUP, messages)
        await asyncio.sleep(1.1)
        await connection.append([])
    assert (await inbox.depth("another")).waiting <= 1000


def test_kafka_loses_nothing_when_consumers_are_killed(
    cluster: Cluster, fresh: Callable[[], str], tmp_path: Path
) -> None:
    name = fresh()
    cluster.tell(f"topic {name} 4")
    quick = {"session.timeout.ms": 1000, "heartbeat.interval.ms": 100}
    inbox = Kafka(cluster.servers, name, options=quick)
    asyncio.run(filled(inbox, COUNT, keys=100))
    with Readers(inbox, tmp_path / "read", batch=BATCH, lease=6.0, pause=0.05) as readers:
        # on a slow machine, its readers would be killed before they are let in
        found = readers.until(COUNT, every=3.0, patience=90.0, kills=4)
    twice = sum(found.values()) - len(found)
    print(f"Kafka: {readers.kills} kills, {twice} came twice")
    assert found.keys() == {*range(COUNT)}
    assert readers.kills > 2
