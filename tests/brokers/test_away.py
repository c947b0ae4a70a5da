"""A server that is away, at the start or in the middle: calls wait for it, and then fail by name."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from streamkit import CarrierAwayError
from streamkit.durable import Carrier, Entry, Kafka, Nats, Redis
from tests.brokers.servers import Cluster, JetStream, Server, Valkey, free_port

Within = Callable[[Coroutine[Any, Any, Any]], Any]

KINDS: list[tuple[type[Server], Callable[[Any, float], Carrier]]] = [
    (Valkey, lambda url, patience: Redis(url, "inbox", patience=patience)),
    (JetStream, lambda url, patience: Nats(url, "inbox", patience=patience)),
]
SHORT = 0.5
"""Seconds of patience, where it is to end."""


@pytest.mark.parametrize(
    "carrier",
    [
        Redis(f"redis://127.0.0.1:{free_port()}", "inbox", patience=SHORT),
        Nats(f"nats://127.0.0.1:{free_port()}", "inbox", patience=SHORT),
        Kafka(f"127.0.0.1:{free_port()}", "inbox", patience=SHORT),
    ],
    ids=lambda carrier: type(carrier).__name__,
)
def test_away_at_the_start(carrier: Carrier, within: Within) -> None:
    begun = time.monotonic()
    with pytest.raises(CarrierAwayError, match=r"inbox.* has not answered for 0\.5 s: .") as caught:
        within(carrier.depth("readers"))
    assert SHORT <= time.monotonic() - begun < SHORT + 10
    assert isinstance(caught.value, ConnectionError)


@pytest.mark.parametrize(("kind", "carrier"), KINDS)
def test_away_for_a_while_in_the_middle(
    kind: type[Server], carrier: Callable[[str, float], Carrier], within: Within
) -> None:
    async def main(server: Any) -> None:
        async with carrier(server.url, 30.0).connect() as connection:
            await connection.append([Entry(b"a")])
            [first] = await connection.claim("readers", 10, 30.0, 5.0)
            server.kill()
            back = threading.Timer(1.0, server.start)
            back.start()
            # each of these waits for the server, and is done once
            await asyncio.gather(
                connection.append([Entry(b"b"), Entry(b"c")]), connection.acknowledge("readers", [first])
            )
            back.join()
            found = [await connection.claim("readers", 1, 30.0, 5.0) for _ in range(2)]
            assert [each.body for [each] in found] == [b"b", b"c"]
            assert not await connection.claim("readers", 1, 30.0, 0.1)

    with kind() as server:
        within(main(server))


@pytest.mark.parametrize(("kind", "carrier"), KINDS)
def test_away_in_the_middle_for_good(
    kind: type[Server], carrier: Callable[[str, float], Carrier], within: Within
) -> None:
    async def main(server: Any) -> None:
        async with carrier(server.url, SHORT).connect() as connection:
            await connection.append([Entry(b"a")])
            [first] = await connection.claim("readers", 10, 30.0, 5.0)
            waiting = asyncio.ensure_future(connection.claim("readers", 10, 30.0, 60.0))
            await asyncio.sleep(0.1)
            server.kill()
            for call in (
                waiting,
                connection.append([Entry(b"b")]),
                connection.acknowledge("readers", [first]),
                connection.renew("readers", [first], 30.0),
                connection.depth("readers"),
                connection.purge(),
            ):
                with pytest.raises(CarrierAwayError, match="has not answered"):
                    await call

    with kind() as server:
        within(main(server))


def test_brokers_of_kafka_that_are_away(within: Within) -> None:
    async def main(cluster: Cluster) -> None:
        cluster.tell("topic inbox 1")
        async with Kafka(cluster.servers, "inbox", patience=3.0).connect() as connection:
            await connection.append([Entry(b"a")])
            [first] = await connection.claim("readers", 10, 30.0, 20.0)
            cluster.tell("down")
            with pytest.raises(CarrierAwayError, match="has not answered for 3 s"):
                await connection.append([Entry(b"b")])
            with pytest.raises(CarrierAwayError, match="has not answered for 3 s"):
                await connection.claim("readers", 10, 30.0, 30.0)
            cluster.tell("up")
            await connection.append([Entry(b"c")])
            assert not await connection.acknowledge("readers", [first])
            found = await connection.claim("readers", 10, 30.0, 20.0)
            assert found[-1].body == b"c"

    with Cluster() as cluster:
        within(main(cluster))
