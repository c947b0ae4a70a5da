"""Dask and Ray: what it costs to have chunks done by them, beside the shortest code that uses them as well.

Both have the same workers on this machine, started once, as many chunks in flight, and work sent again whose
worker was lost. Not measured where the engine is not installed: `make test-engines` makes a place for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from pickle import dumps, loads
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from benchmarks.workloads.executors import CHUNK, IN_FLIGHT, WORKERS, worked
from streamkit import Stream, ops


def all_of(chunk: list[int]) -> list[int]:
    return [worked(number) for number in chunk]


def packed(chunk: bytes) -> bytes:
    return dumps(all_of(loads(chunk)))


def chunks_of(count: int, size: int) -> Iterator[list[int]]:
    return (list(range(start, min(start + size, count))) for start in range(0, count, size))


async def bounded(calls: list[Callable[[list[int]], Awaitable[list[int]]]], count: int, size: int) -> int:
    """The sum of all results: each of `calls` is made again and again, one chunk at a time."""
    chunks = chunks_of(count, size)

    async def again(call: Callable[[list[int]], Awaitable[list[int]]]) -> int:
        total = 0
        for chunk in chunks:
            total += sum(await call(chunk))
        return total

    return sum(await asyncio.gather(*map(again, calls)))


def workload(name: str, needs: str, most: int, others: tuple[str, ...] = ()) -> Workload:
    return Workload(
        name,
        "items in a chunk",
        (CHUNK,),
        {CHUNK: {HAND: 1.2}},
        most=most,
        same=True,
        waits=True,
        peers=(),
        others=others,
        needs=needs,
    )


# Dask ------------------------------------------------------------------------------------------------------

LISTS = "by hand, lists"
dask = workload("Dask, in chunks", "distributed", 20_000, (LISTS,))


@cache
def client() -> Any:
    """A client of a cluster that ends with this process."""
    from dask.distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    )
    return Client(cluster)


@dask.by(OURS)
async def _(size: int, count: int) -> Any:
    from streamkit.executors import Dask

    pool = Dask(client(), IN_FLIGHT)
    return await (Stream(range(count)) | ops.map(worked, on=pool, chunk=size, ordered=False) | ops.sum())


@dask.by(HAND)
async def _(size: int, count: int) -> Any:
    """In the event loop of the client, which is the fastest way, and pickled, as it looks into lists."""

    async def call(chunk: list[int]) -> list[int]:
        found: list[int] = loads(await client().submit(packed, dumps(chunk), pure=False))
        return found

    return client().sync(bounded, [call] * IN_FLIGHT, count, size)


@dask.by(LISTS)
async def _(size: int, count: int) -> Any:
    """What is usually written."""

    async def call(chunk: list[int]) -> list[int]:
        found: list[int] = await client().submit(all_of, chunk, pure=False)
        return found

    return client().sync(bounded, [call] * IN_FLIGHT, count, size)


# Ray -------------------------------------------------------------------------------------------------------

ray = workload("Ray, in chunks", "ray", 100_000)
_open: list[Any] = []


@cache
def actors() -> list[Any]:
    """Actors that end with this process, and are started again if they are lost, as their calls are."""
    import ray

    from streamkit.executors.ray.cluster import cluster

    class Works:
        def all_of(self, chunk: list[int]) -> list[int]:
            return all_of(chunk)

    cluster.enter()  # on loopback alone
    made = ray.remote(Works).options(num_cpus=0, max_restarts=-1, max_task_retries=1)
    return [made.remote() for _ in range(WORKERS)]


@ray.by(OURS)
async def _(size: int, count: int) -> Any:
    from streamkit.executors import Ray

    actors()
    if not _open:
        _open.append(await Ray(WORKERS).__aenter__())
    return await (Stream(range(count)) | ops.map(worked, on=_open[0], chunk=size, ordered=False) | ops.sum())


@ray.by(HAND)
async def _(size: int, count: int) -> Any:
    share = IN_FLIGHT // WORKERS
    return await bounded([actor.all_of.remote for actor in actors()] * share, count, size)


WORKLOADS = (dask, ray)
