"""A reader that is killed: what it has is in a file before it is acknowledged."""

import asyncio
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from math import inf
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from streamkit.durable import Carrier, Entry

__all__ = ["GROUP", "Readers", "filled"]

GROUP = "readers"

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["tests.brokers.reading", "redis.asyncio", "nats", "confluent_kafka"])


async def filled(carrier: Carrier, count: int, batch: int = 1000, keys: int = 0) -> None:
    """Append the numbers below `count`."""
    async with carrier.connect() as connection:
        for start in range(0, count, batch):
            numbers = range(start, min(start + batch, count))
            await connection.append(
                [Entry(b"%d" % each, str(each % keys) if keys else None) for each in numbers]
            )


async def read(carrier: Carrier, path: str, batch: int, lease: float, pause: float) -> None:
    async with carrier.connect() as connection:
        room = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        while True:
            messages = await connection.claim(GROUP, batch, lease, 1.0)
            if messages:
                # one write, at the end of the file, so that lines of several processes do not mix
                os.write(room, b"".join(each.body + b"\n" for each in messages))
                await asyncio.sleep(pause)
                await connection.acknowledge(GROUP, messages)


def reader(carrier: Carrier, path: str, batch: int, lease: float, pause: float) -> None:
    asyncio.run(read(carrier, path, batch, lease, pause))


class Readers:
    """Two, of which one is killed again and again, and another takes its place."""

    def __init__(self, carrier: Carrier, path: Path, *, batch: int, lease: float, pause: float = 0.0) -> None:
        self.kills = 0
        self.path = path
        self._arguments = (carrier, str(path), batch, lease, pause)
        self._running = [self._begun(), self._begun()]

    def _begun(self) -> ForkServerProcess:
        process = forks.Process(target=reader, args=self._arguments, daemon=True)
        process.start()
        return process

    def found(self) -> Counter[int]:
        """How many times each number was read."""
        return Counter(map(int, self.path.read_bytes().split())) if self.path.exists() else Counter()

    def seen(self) -> int:
        """Bytes that were written: how far they are, without a look at all of it."""
        return self.path.stat().st_size if self.path.exists() else 0

    def kill(self) -> None:
        """One that was there for longer than the other."""
        process = self._running.pop(0)
        assert process.pid is not None
        assert process.is_alive(), f"a reader has ended by itself, with {process.exitcode}"
        os.kill(process.pid, signal.SIGKILL)
        self.kills += 1
        self._running.append(self._begun())
        process.join()

    def until(
        self,
        count: int,
        *,
        every: float,
        patience: float,
        kills: float = inf,
        at: Sequence[tuple[float, Callable[[], object]]] = (),
    ) -> Counter[int]:
        """Kill one `every` so many seconds, up to so many `kills`, until all numbers below `count` were read.

        When a part of them was read, what is due `at` that part is done.
        """
        size = sum(len(str(number)) + 1 for number in range(count))
        left, until = list(at), time.monotonic() + patience
        while time.monotonic() < until:
            time.sleep(every)
            seen = self.seen()
            if left and seen >= left[0][0] * size:
                left.pop(0)[1]()
            if seen >= size and len(found := self.found()) >= count:
                assert not left, "all was read before all was done to it"
                return found
            if self.kills < kills:
                self.kill()
        raise TimeoutError(f"{len(self.found())} of {count} were read, after {self.kills} kills")

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
            process.join()
