"""Workers: what it costs to have an item done by a process or a thread, beside the standard library's pools.

What is done is next to nothing, so the rows show what sending costs. A run starts its workers, and so does
what it is compared with.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from queue import Queue
from threading import Thread
from typing import Any

from benchmarks.workload import HAND, OURS, PEERS, Workload
from streamkit import Stream, ops
from streamkit.executors import Processes, Threads

WORKERS = 2
IN_FLIGHT = 2 * WORKERS
CHUNK = 256
NO_PROCESSES = "no processes"
SPAWN = multiprocessing.get_context("spawn")


def worked(number: int) -> int:
    return number * number % 7


def even(number: int) -> bool:
    return number % 2 == 0


# processes, in chunks --------------------------------------------------------------------------------------

chunks = Workload(
    "processes, in chunks",
    "items in a chunk",
    (CHUNK,),
    {CHUNK: {HAND: 1.2}},
    most=1_000_000,
    same=True,
    waits=True,
)
chunks.lacks(NO_PROCESSES, *PEERS)


@chunks.by(OURS)
async def _(size: int, count: int) -> Any:
    pool = Processes(WORKERS, context=SPAWN)
    return await (Stream(range(count)) | ops.map(worked, on=pool, chunk=size) | ops.sum())


@chunks.by(HAND)
async def _(size: int, count: int) -> Any:
    """``imap``, which reads all of its source at once: it has no bound."""
    with SPAWN.Pool(WORKERS) as pool:
        return sum(pool.imap(worked, range(count), chunksize=size))


# processes, item by item -----------------------------------------------------------------------------------

singly = Workload(
    "processes, item by item",
    "in flight",
    (IN_FLIGHT,),
    {IN_FLIGHT: {HAND: 1.5}},
    most=5_000,
    same=True,
    waits=True,
)
singly.lacks(NO_PROCESSES, *PEERS)


@singly.by(OURS)
async def _(size: int, count: int) -> Any:
    pool = Processes(WORKERS, context=SPAWN, prefetch=1)  # as many in flight as what it is compared with has
    return await (Stream(range(count)) | ops.map(worked, on=pool) | ops.sum())


@singly.by(HAND)
async def _(size: int, count: int) -> Any:
    total, loop, running = 0, asyncio.get_running_loop(), deque[asyncio.Future[int]]()
    with ProcessPoolExecutor(WORKERS, mp_context=SPAWN) as pool:
        for number in range(count):
            if len(running) == size:
                total += await running.popleft()
            running.append(loop.run_in_executor(pool, worked, number))
        while running:
            total += await running.popleft()
    return total


# threads ---------------------------------------------------------------------------------------------------

threads = Workload(
    "threads, three steps",
    "items in a chunk",
    (4 * CHUNK,),
    {4 * CHUNK: {HAND: 0.1}},
    most=100_000,
    same=True,
    waits=True,
)
threads.lacks("no threads", *PEERS)


@threads.by(OURS)
async def _(size: int, count: int) -> Any:
    steps = ops.on(Threads(WORKERS), ops.map(worked), ops.filter(even), ops.map(worked), chunk=size)
    return await (Stream(range(count)) | steps | ops.sum())


@threads.by(HAND)
async def _(size: int, count: int) -> Any:
    """A thread for each step, a queue before each, and an end that is handed on: what is usually written."""
    end: Any = object()
    queues = [Queue[Any](size) for _ in range(4)]

    def feeds() -> None:
        for number in range(count):
            queues[0].put(number)
        queues[0].put(end)

    def step(number: int) -> None:
        source, target = queues[number], queues[number + 1]
        while (item := source.get()) is not end:
            if number == 1:
                if even(item):
                    target.put(item)
            else:
                target.put(worked(item))
        target.put(end)

    running = [Thread(target=feeds), *[Thread(target=step, args=(number,)) for number in range(3)]]
    for thread in running:
        thread.start()
    total = 0
    while (item := queues[3].get()) is not end:
        total += item
    for thread in running:
        thread.join()
    return total


WORKLOADS = (chunks, singly, threads)
