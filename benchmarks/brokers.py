"""What carriers with a server cost beside their clients used by hand: ``python -m benchmarks.brokers``.

Runs in the environment that ``make test-brokers`` makes. Both sides append in batches of 100, claim as many
and acknowledge them, with the same promises: a batch is stored all or not at all, at the server's disk (which
is memory here); what is acknowledged is deleted, and the server has said so. They take turns in one process,
and the least of the rounds counts. Each figure is microseconds of an item. Items with keys are beside those
without.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from streamkit.durable import Carrier, Entry, Nats, Redis

BATCH = 100
BODY = b"x" * 100
GROUP = "readers"
KEYS = 1000

Figures = dict[str, float]
Side = Callable[[str, int], Awaitable[Figures]]


class Clock:
    """Microseconds of an item, for this process and by the wall."""

    def __init__(self, items: int) -> None:
        self.figures: Figures = {}
        self._items = items
        self._begin()

    def _begin(self) -> None:
        self._wall, self._busy = time.perf_counter(), time.process_time()

    def note(self, what: str) -> None:
        wall, busy = time.perf_counter() - self._wall, time.process_time() - self._busy
        self.figures[what] = 1e6 * wall / self._items
        self.figures[f"{what}, this process"] = 1e6 * busy / self._items
        self._begin()


def by_carrier(make: Callable[[str], Carrier], keys: int = 0) -> Side:
    async def run(name: str, items: int) -> Figures:
        async with make(name).connect() as connection:
            await connection.claim(GROUP, 1, 30.0, 0.0)
            clock = Clock(items)
            for begin in range(0, items, BATCH):
                numbers = range(begin, begin + BATCH)
                entries = [Entry(BODY, f"key {each % keys}" if keys else None) for each in numbers]
                await connection.append(entries)
            clock.note("append")
            left = items
            while left:
                messages = await connection.claim(GROUP, BATCH, 30.0, 1.0)
                await connection.acknowledge(GROUP, messages)
                left -= len(messages)
            clock.note("claim and acknowledge")
            return clock.figures

    return run


def by_redis(url: str) -> Side:
    async def run(name: str, items: int) -> Figures:
        from redis.asyncio import Redis as Client

        async with Client.from_url(url) as client:
            await client.xgroup_create(name, GROUP, "0", mkstream=True)
            clock = Clock(items)
            for _ in range(items // BATCH):
                async with client.pipeline(transaction=True) as pipe:
                    for _ in range(BATCH):
                        pipe.xadd(name, {"body": BODY})
                    await pipe.execute()  # the server writes to its disk before it answers
            clock.note("append")
            left = items
            while left:
                found: Any = await client.xreadgroup(GROUP, "me", {name: ">"}, count=BATCH)
                ids = [
                    each[0] for each in (found[name.encode()][0] if isinstance(found, dict) else found[0][1])
                ]
                async with client.pipeline(transaction=True) as pipe:
                    pipe.xack(name, GROUP, *ids)
                    pipe.xdel(name, *ids)
                    await pipe.execute()
                left -= len(ids)
            clock.note("claim and acknowledge")
            return clock.figures

    return run


def by_nats(url: str, atomic: bool) -> Side:
    async def run(name: str, items: int) -> Figures:
        import nats
        from nats.js.api import RetentionPolicy, StreamConfig

        client = await nats.connect(url)
        stream = client.jetstream()
        config = StreamConfig(
            name=name, subjects=[name], retention=RetentionPolicy.INTEREST, allow_atomic=atomic
        )
        await stream.add_stream(config)
        reader = await stream.pull_subscribe(name, durable=GROUP)
        clock = Clock(items)
        for number in range(items // BATCH):
            if atomic:
                words = {"Nats-Batch-Id": f"{name}-{number}"}
                for index in range(1, BATCH):
                    await client.publish(name, BODY, headers={**words, "Nats-Batch-Sequence": str(index)})
                words |= {"Nats-Batch-Sequence": str(BATCH), "Nats-Batch-Commit": "1"}
                await client.request(name, BODY, 5.0, headers=words)
            else:
                await asyncio.gather(*[await stream.publish_async(name, BODY) for _ in range(BATCH)])
        clock.note("append")
        left = items
        while left:
            found = await reader.fetch(BATCH, 5.0)
            for each in found[:-1]:
                await each.ack()
            await found[-1].ack_sync(5.0)
            left -= len(found)
        clock.note("claim and acknowledge")
        await client.close()
        return clock.figures

    return run


async def compared(
    words: str, ours: Side, other: Side, given: argparse.Namespace, beside: str = "by hand"
) -> None:
    least: dict[bool, Figures] = {True: {}, False: {}}
    for _ in range(given.rounds):
        for mine, side in ((True, ours), (False, other)):
            for what, figure in (await side(f"bench-{uuid4().hex}", given.items)).items():
                least[mine][what] = min(figure, least[mine].get(what, figure))
    for what, figure in least[True].items():
        less = least[False][what]
        print(
            f"{words:24} {what:38} {figure:8.1f} us  {beside} {less:8.1f} us  {figure / less:5.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()

    from tests.brokers.servers import JetStream, Valkey

    async def run() -> None:
        with Valkey() as server:
            ours = by_carrier(lambda name: Redis(server.url, name))
            await compared("Redis", ours, by_redis(server.url), given)
            keyed = by_carrier(lambda name: Redis(server.url, name), KEYS)
            await compared("Redis, with keys", keyed, ours, given, "without")
        with JetStream() as server:
            for atomic in (True, False):
                ours = by_carrier(lambda name: Nats(server.url, name, atomic=atomic))  # noqa: B023 - called in this turn
                words = "Nats" if atomic else "Nats, atomic=False"
                await compared(words, ours, by_nats(server.url, atomic), given)
            ours = by_carrier(lambda name: Nats(server.url, name))
            keyed = by_carrier(lambda name: Nats(server.url, name), KEYS)
            await compared("Nats, with keys", keyed, ours, given, "without")

    asyncio.run(run())


if __name__ == "__main__":
    main()
