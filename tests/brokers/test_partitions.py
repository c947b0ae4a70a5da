"""Kafka hands out partitions: offsets with holes, readers that share them, and the order of keys."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from streamkit.durable import Connection, Entry, Kafka
from streamkit.durable.kafka.offsets import Offsets
from tests.brokers.reading import forks
from tests.brokers.servers import Cluster

QUICK = {"session.timeout.ms": 1000, "heartbeat.interval.ms": 100}
"""The mock cluster does not hear who leaves a group, and misses it after its session."""

Within = Callable[[Coroutine[Any, Any, Any]], Any]


def topic(cluster: Cluster, name: str, partitions: int) -> Kafka:
    cluster.tell(f"topic {name} {partitions}")
    return Kafka(cluster.servers, name, options=QUICK)


async def claimed(connection: Connection, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        found += await connection.claim("readers", count - len(found), 30.0, 0.2)
    return found


def test_what_is_committed_is_the_lowest_open_offset() -> None:
    offsets = Offsets(0, 5)
    assert [offsets.read(number) for number in (5, 6, 7)] == [0, 0, 0]
    assert offsets.to_commit() is None  # nothing is done
    offsets.settle(6)
    offsets.settle(7)
    assert (offsets.to_commit(), offsets.open, offsets.ahead) == (None, 1, 2)
    offsets.settle(5)
    assert (offsets.to_commit(), offsets.open, offsets.ahead) == ((8, ""), 0, 0)
    assert offsets.to_commit() is None  # it is known
    assert offsets.read(12) == 4  # others have deleted 8 to 11
    assert offsets.to_commit() == (12, "")
    assert Offsets(0, None).read(1000) == 0  # a group that begins misses nothing


def test_what_is_committed_says_how_often_each_was_handed_out() -> None:
    offsets = Offsets(0, 5)
    for number, times in ((5, 1), (6, 1), (7, 3), (8, 0), (9, 1)):
        offsets.read(number)
        offsets.hand_out(number, times)
    offsets.settle(5)
    told = offsets.to_commit()
    assert told == (6, "[[0,1,1],[1,1,3],[3,1,1]]")
    assert offsets.to_commit() is None
    other = Offsets(0, *told)
    assert [other.times(number) for number in range(5, 11)] == [0, 1, 3, 0, 1, 0]
    for words in ("of somebody else", "7", "[[1,2]]", '{"a":1}', "[[-3,2,9]]", "[[0,1000000000,1]]"):
        assert Offsets(0, 6, words).times(6) == 0, words
    for number in range(10, 3000):  # there is no room for so many
        offsets.read(number)
        offsets.hand_out(number, 1 + number % 2)
    long = offsets.to_commit()
    assert long is not None
    assert 2500 < len(long[1]) <= 4096
    assert Offsets(0, *long).times(12) == 1


def test_what_is_done_behind_an_open_one_comes_again(
    cluster: Cluster, fresh: Callable[[], str], within: Within
) -> None:
    async def main() -> None:
        carrier = topic(cluster, fresh(), 1)
        async with carrier.connect() as one:
            await one.append([Entry(b"%d" % number) for number in range(10)])
            found = await claimed(one, 10)
            assert not await one.acknowledge("readers", [each for each in found if each.body != b"3"])
            depth = await one.depth("readers")
            assert (depth.waiting, depth.claimed) == (0, 1)
        async with carrier.connect() as one:
            assert (await one.depth("readers")).waiting == 7
            again = await claimed(one, 7)
            assert [int(each.body) for each in again] == [3, 4, 5, 6, 7, 8, 9]
            assert not await one.acknowledge("readers", again)
            await one.hand_back("readers", again)  # too late: they are done
        assert (await carrier.depth("readers")).lag == 0

    within(main())


def test_readers_share_partitions_and_each_key_keeps_its_order(
    cluster: Cluster, fresh: Callable[[], str], within: Within
) -> None:
    async def main() -> None:
        carrier = topic(cluster, fresh(), 4)
        async with carrier.connect() as one, carrier.connect() as two:
            both = (one, two)
            # until partitions have moved to both, neither is handed out anything: there is nothing
            for _ in range(20):
                await asyncio.gather(*[each.claim("readers", 1, 30.0, 0.2) for each in both])
            await one.append([Entry(b"%d" % number, f"key {number % 20}") for number in range(400)])
            seen: list[list[Any]] = [[], []]
            while sum(map(len, seen)) < 400:
                for index, each in enumerate(both):
                    found = await each.claim("readers", 50, 30.0, 0.1)
                    assert not await each.acknowledge("readers", found)
                    seen[index] += found
            keys = [{each.key for each in mine} for mine in seen]
            assert all(keys)
            assert not keys[0] & keys[1]
            for mine in seen:
                for key in {each.key for each in mine}:
                    numbers = [int(each.body) for each in mine if each.key == key]
                    assert numbers == sorted(numbers)

    within(main())


def test_what_is_handed_back_comes_before_what_is_behind_it(
    cluster: Cluster, fresh: Callable[[], str], within: Within
) -> None:
    async def main() -> None:
        async with topic(cluster, fresh(), 1).connect() as one:
            await one.append([Entry(b"%d" % number, "key") for number in range(6)])
            for each in reversed(await claimed(one, 3)):
                await one.hand_back("readers", [each])
            await one.hand_back("readers", await one.claim("readers", 1, 30.0, 5.0))
            assert [int(each.body) for each in await claimed(one, 6)] == [*range(6)]

    within(main())


def test_who_closes_leaves_its_partitions_to_the_other(
    cluster: Cluster, fresh: Callable[[], str], within: Within
) -> None:
    async def main() -> None:
        carrier = topic(cluster, fresh(), 1)
        async with carrier.connect() as two:
            async with carrier.connect() as one:
                await one.append([Entry(b"a"), Entry(b"b")])
                first, second = await claimed(one, 2)
                assert not await two.claim("readers", 1, 30.0, 0.2)
                assert not await one.acknowledge("readers", [first])
                await one.hand_back("readers", [second], delay=60.0)
            assert [each.body for each in await claimed(two, 1)] == [b"b"]
            # it was handed over: what the one that closed says of it now counts for nothing
            assert second.place.offsets.lost

    within(main())


async def taken(carrier: Kafka) -> list[tuple[bytes, int]]:
    """What a reader is handed out, and how often it was."""
    async with carrier.connect() as one:
        found = await claimed(one, 2)
        await one.hand_back("readers", [each for each in found if each.body == b"b"], counted=False)
        return sorted((each.body, each.times) for each in found)


def die(carrier: Kafka, said: Any) -> None:
    async def main() -> None:
        async with carrier.connect() as one:
            found = await claimed(one, 2)
            said.send(sorted((each.body, each.times) for each in found))
            said.close()
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(main())


def test_times_are_counted_across_a_death(cluster: Cluster, fresh: Callable[[], str], within: Within) -> None:
    carrier = topic(cluster, fresh(), 1)

    async def fill() -> None:
        async with carrier.connect() as one:
            await one.append([Entry(b"a"), Entry(b"b")])

    within(fill())
    here, there = forks.Pipe(duplex=False)
    process = forks.Process(target=die, args=(carrier, there), daemon=True)
    process.start()
    there.close()
    assert here.poll(60.0)
    assert here.recv() == [(b"a", 1), (b"b", 1)]
    process.join()
    assert within(taken(carrier)) == [(b"a", 2), (b"b", 2)]
    assert within(taken(carrier)) == [(b"a", 3), (b"b", 2)]  # nobody had begun with b
