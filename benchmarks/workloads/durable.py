"""A queue in a file of SQLite, in batches: ours beside two that one finds on PyPI, each as fast as it can be.

All of them keep what was stored when the process dies. persist-queue knows no batches where it acknowledges:
it commits, and waits for the disk, at each call. litequeue puts in batches, and takes out one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.workload import HAND, OURS, PEERS, Workload
from streamkit import Stream
from streamkit.durable import Entry, SQLite

PERSIST, LITE = "persist-queue", "litequeue"
BODY = b"x" * 100
APPEND, WHOLE = 5e-6, 17e-6
"""Seconds that an item may take to be stored; and to be stored, claimed and acknowledged."""


@contextmanager
def persisted() -> Iterator[Any]:
    import persistqueue

    with TemporaryDirectory() as path:
        queue: Any = persistqueue.SQLiteAckQueue(path)
        with closing(queue):
            yield queue


@contextmanager
def light() -> Iterator[Any]:
    import litequeue

    with TemporaryDirectory() as path, closing(litequeue.LiteQueue(f"{path}/queue.db")) as queue:
        yield queue


def _queues(name: str, goal: float) -> Workload:
    """What is done with queues in a file, in batches; the goal is in seconds an item."""
    return Workload(
        name,
        "batch",
        (100,),
        goals={100: {OURS: goal, PERSIST: 1, LITE: 1}},
        unit=lambda size: size,
        others=(PERSIST, LITE),
        most=20_000,
    )


def appended() -> Workload:
    workload = _queues("SQLite, append", APPEND)

    @workload.by(OURS)
    async def _(size: int, count: int) -> int:
        with TemporaryDirectory() as path:
            return await (Stream([BODY] * count) | SQLite(f"{path}/queue.db", "q").writer(batch=size))

    @workload.by(PERSIST)
    async def _(size: int, count: int) -> int:
        with persisted() as queue:
            for _ in range(count):
                queue.put(BODY)
            return int(queue.size)

    @workload.by(LITE)
    async def _(size: int, count: int) -> int:
        with light() as queue:
            for _ in range(0, count, size):
                with queue.transaction(mode="IMMEDIATE"):
                    for _ in range(size):
                        queue.put("x" * len(BODY))
            return int(queue.qsize())

    workload.lacks("nothing to keep", HAND, *PEERS)
    return workload


def worked_on() -> Workload:
    workload = _queues("SQLite, append, claim and acknowledge", WHOLE)

    @workload.by(OURS)
    async def _(size: int, count: int) -> int:
        with TemporaryDirectory() as path:
            async with SQLite(f"{path}/queue.db", "q").connect() as connection:
                for _ in range(0, count, size):
                    await connection.append([Entry(BODY) for _ in range(size)])
                done = 0
                while done < count:
                    found = await connection.claim("g", size, 30.0, 1.0)
                    await connection.acknowledge("g", found)
                    done += len(found)
                return done

    @workload.by(PERSIST)
    async def _(size: int, count: int) -> int:
        with persisted() as queue:
            for _ in range(count):
                queue.put(BODY)
            done = 0
            for _ in range(count):
                item = queue.get(raw=True, block=False)
                queue.ack(id=item["pqid"])
                done += 1
            return done

    @workload.by(LITE)
    async def _(size: int, count: int) -> int:
        with light() as queue:
            for _ in range(0, count, size):
                with queue.transaction(mode="IMMEDIATE"):
                    for _ in range(size):
                        queue.put("x" * len(BODY))
            done = 0
            for _ in range(count):
                message = queue.pop()
                queue.done(message.message_id)
                done += 1
            return done

    workload.lacks("nothing to keep", HAND, *PEERS)
    return workload


WORKLOADS = (appended(), worked_on())
