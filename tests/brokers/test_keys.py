"""Items of one key are worked on in order, by one reader at a time, whoever is killed meanwhile."""

import asyncio
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from streamkit import CarrierError
from streamkit.durable import Carrier, Connection, Entry, Message, Nats, Redis
from tests.brokers.reading import GROUP, filled, forks
from tests.brokers.servers import JetStream, Server, Valkey
from tests.brokers.test_kills import again

COUNT = 1000
KEYS = 30
LEASE = 0.8
READERS = 3
KILLS = 4

Within = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["redis", "nats"])
def carrier(
    request: pytest.FixtureRequest, valkey: Valkey, jetstream: JetStream, fresh: Callable[[], str]
) -> Carrier:
    if request.param == "redis":
        return Redis(valkey.url, fresh(), partitions=4)
    return Nats(jetstream.url, fresh(), partitions=4)


def note(path: Path, word: str, bodies: list[bytes]) -> None:
    """One write, at the end of the file, so that lines of several processes do not mix."""
    room = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(room, b"".join(b"%s %d %s\n" % (word.encode(), os.getpid(), body) for body in bodies))
    os.close(room)


async def work(carrier: Carrier, path: Path) -> None:
    """Take a few at a time, and note when their work begins and ends; some are handed back first."""
    async with carrier.connect() as connection:
        turn = 0
        while True:
            turn += 1
            # after what was handed back, fewer: what is left of that must come before what is behind it
            messages = list(await connection.claim(GROUP, 2 if turn % 4 == 1 else 7, LEASE, 1.0))
            if turn % 4 == 0:  # as a run that ends hands back: the last first
                await connection.hand_back(GROUP, messages[3:], counted=False)
                await connection.hand_back(GROUP, messages[:3])
                continue
            note(path, "begin", [each.body for each in messages])
            await asyncio.sleep(0.01)  # work that another reader would be seen to overlap
            note(path, "end", [each.body for each in messages])
            await connection.acknowledge(GROUP, messages)


def worker(carrier: Carrier, path: Path) -> None:
    asyncio.run(work(carrier, path))


class Trial:
    """Readers of one carrier, which are killed by turns, and their server, too."""

    def __init__(self, server: Server, carrier: Carrier, path: Path) -> None:
        self.server = server
        self.carrier = carrier
        self.path = path
        self.kills = 0
        self.running = [self.begun() for _ in range(READERS)]

    def begun(self) -> ForkServerProcess:
        process = forks.Process(target=worker, args=(self.carrier, self.path), daemon=True)
        process.start()
        return process

    def kill(self) -> None:
        process = self.running.pop(0)
        assert process.pid is not None
        assert process.is_alive(), f"a reader has ended by itself, with {process.exitcode}"
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        note(self.path, f"killed {process.pid}", [b"0"])
        self.running.append(self.begun())
        self.kills += 1
        if self.kills % 2:
            again(self.server)

    def end(self) -> None:
        for each in self.running:
            each.kill()
            each.join()

    def left(self) -> int:
        return asyncio.run(self.carrier.depth(GROUP)).lag


def in_order(path: Path) -> set[int]:
    """Check what was noted; returns all numbers that were worked on."""
    ended: set[int] = set()
    at_work: dict[int, set[int]] = defaultdict(set)
    for line in path.read_text().splitlines():
        word, who, *rest = line.split()
        if word == "killed":
            at_work.pop(int(who), None)
            continue
        reader, number = int(who), int(rest[0])
        if word == "end":
            ended.add(number)
            at_work[reader].discard(number)
            continue
        mine = {each for each in at_work[reader] if each % KEYS == number % KEYS}
        before = set(range(number % KEYS, number, KEYS))
        assert before <= ended | mine, f"{number} came before {min(before - ended - mine)}"
        for other, numbers in at_work.items():
            same = [each for each in numbers if each % KEYS == number % KEYS]
            assert other == reader or not same, f"{number} and {same} are in work in two readers"
        at_work[reader].add(number)
    return ended


def test_the_order_of_each_key_when_readers_and_servers_are_killed(tmp_path: Path) -> None:
    with Valkey() as valkey, JetStream() as jetstream:
        trials = [
            Trial(valkey, Redis(valkey.url, "inbox", partitions=4), tmp_path / "redis"),
            Trial(jetstream, Nats(jetstream.url, "inbox", partitions=4), tmp_path / "nats"),
        ]
        try:
            for each in trials:
                asyncio.run(filled(each.carrier, COUNT, batch=100, keys=KEYS))
            until, left = time.monotonic() + 90.0, trials
            while left := [each for each in left if each.left()]:
                assert time.monotonic() < until, [each.path.read_text()[-500:] for each in left]
                time.sleep(0.2)  # from one kill of real processes to the next
                for each in left:
                    if each.kills < KILLS:
                        each.kill()
        finally:
            for each in trials:
                each.end()
    for each in trials:
        assert each.kills > 2, each.carrier
        assert in_order(each.path) == {*range(COUNT)}, each.carrier


async def claimed(connection: Connection, group: str, count: int) -> list[Message]:
    found: list[Message] = []
    until = time.monotonic() + 20.0
    while len(found) < count and time.monotonic() < until:
        found += await connection.claim(group, count - len(found), 30.0, 0.2)
    return sorted(found, key=lambda message: message.body)


def test_groups_that_were_there_before_the_first_key_have_everything(
    carrier: Carrier, within: Within
) -> None:
    async def main() -> None:
        async with carrier.connect() as one, carrier.connect() as two:
            for group in ("first", "second"):
                assert not await one.claim(group, 1, 30.0, 0.0)
            bodies = [b"%d" % each for each in range(8)]
            await two.append([Entry(b"plain"), *[Entry(each, f"key {each!r}") for each in bodies]])
            for group in ("first", "third", "second"):  # what the second has not had, is there for the third
                found = await claimed(one, group, 9)
                assert [each.body for each in found] == [*bodies, b"plain"], group
                assert not await one.acknowledge(group, found)
                assert (await two.depth(group)).lag == 0
            assert (await two.depth("fourth")).lag == 0, "all groups had it, and it is kept"

    within(main())


def test_the_number_of_partitions_stays(carrier: Carrier, within: Within) -> None:
    async def main() -> None:
        async with carrier.connect() as one:
            await one.append([Entry(b"a", "key")])
        async with carrier.but(partitions=8).connect() as other:
            await other.append([Entry(b"b", "key")])

    with pytest.raises(CarrierError, match="4"):
        within(main())


def test_who_lets_a_lease_end_has_lost_all_of_a_partition_that_another_has(
    carrier: Carrier, within: Within
) -> None:
    async def main() -> None:
        async with carrier.connect() as one, carrier.connect() as two:
            await one.append([Entry(b"1", "key"), Entry(b"2", "key")])
            late = await one.claim(GROUP, 2, 0.3, 5.0)
            assert [each.body for each in await two.claim(GROUP, 1, 30.0, 5.0)] == [b"1"]
            assert await one.renew(GROUP, late, 30.0) == late
            assert await one.acknowledge(GROUP, late) == late, "2 must not be done before 1 is"
            assert [each.body for each in await two.claim(GROUP, 1, 30.0, 5.0)] == [b"2"]

    within(main())


def test_a_call_that_is_cancelled_leaves_nothing_that_nobody_has(carrier: Carrier, within: Within) -> None:
    async def main() -> None:
        async with carrier.connect() as one, carrier.connect() as two:
            for number in range(12):
                await one.append([Entry(b"%d" % number, "key")])
                found = await one.claim(GROUP, 1, 300.0, 5.0)
                for call in (one.renew(GROUP, found, 300.0), one.hand_back(GROUP, found)):
                    task = asyncio.ensure_future(call)
                    for _ in range(number):
                        await asyncio.sleep(0)
                    task.cancel()
                    await asyncio.wait([task])
                await one.hand_back(GROUP, found)  # that call may have been cancelled before it began
                again = await two.claim(GROUP, 1, 300.0, 1.0)
                assert [each.body for each in again] == [b"%d" % number]
                assert not await two.acknowledge(GROUP, again)

    within(main())


def test_what_was_handed_back_and_not_begun_is_not_counted(carrier: Carrier, within: Within) -> None:
    async def main(key: str | None) -> None:
        async with carrier.connect() as one, carrier.connect() as two:
            await one.append([Entry(b"begun", key), Entry(b"untouched", key)])
            for turn, each in enumerate((one, two, two, one, two), 1):
                first, second = await claimed(each, GROUP, 2)
                assert (first.times, second.times) == (turn, 1)
                await each.hand_back(GROUP, [second], counted=False)
                await each.hand_back(GROUP, [first])
            found = await claimed(one, GROUP, 2)
            assert [(each.body, each.times) for each in found] == [(b"begun", 6), (b"untouched", 1)]
            assert not await one.acknowledge(GROUP, found)

    within(main(None))
    within(main("key"))
