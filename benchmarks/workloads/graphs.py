"""Graphs as data: beside the same pipes by hand, and how long it takes to check and build a large one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from operator import add
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from benchmarks.workloads.sources import add_one
from streamkit import Stream, ops
from streamkit.graph import Graph, Registry

ALLOWED = 1.02
"""How many times the same pipe by hand a graph may cost."""
NODES = 10_000
SECONDS = 1.0
"""In which so many nodes are checked and built."""


def is_even(number: int) -> bool:
    return number % 2 == 0


def pair(first: int, other: int) -> int:
    return first + other


def registry(count: int = 0) -> Registry:
    known = Registry({"numbers": range(count), "add_one": add_one, "is_even": is_even, "add": add})
    known.add("pair", pair)
    return known


def compared(name: str, size: str, sizes: tuple[int, ...]) -> Workload:
    goals = {each: {HAND: ALLOWED} for each in sizes}
    return Workload(f"graph: {name}", size, sizes, goals, peers=())


row = compared("nodes in a row", "operators", (3, 30))


@row.by(HAND)
async def _(size: int, count: int) -> Any:
    stream: Any = Stream(range(count))
    for number in range(size):
        stream = stream | (ops.filter(is_even) if number % 3 == 2 else ops.map(add_one))
    return await (stream | ops.fold(add, 0))


@row.by(OURS)
async def _(size: int, count: int) -> Any:
    return await in_a_row(size, count).job()


@cache  # a graph is read once, and run often
def in_a_row(size: int, count: int) -> Graph:
    nodes: dict[str, Any] = {"n0": {"source": "numbers"}}
    for number in range(size):
        does = {"filter": "is_even"} if number % 3 == 2 else {"map": "add_one"}
        nodes[f"n{number + 1}"] = {**does, "input": f"n{number}"}
    nodes["out"] = {"fold": "add", "initial": 0, "input": f"n{size}"}
    return Graph({"nodes": nodes}, registry=registry(count))


branches = compared("branches", "branches", (3,))


@branches.by(HAND)
async def _(size: int, count: int) -> Any:
    sinks = [ops.map(add_one) | ops.fold(add, 0) for _ in range(size)]
    return list(await (Stream(range(count)) | ops.broadcast(*sinks)))


@branches.by(OURS)
async def _(size: int, count: int) -> Any:
    found: dict[str, int] = await in_branches(size, count).job()
    return [*found.values()]


@cache
def in_branches(size: int, count: int) -> Graph:
    nodes: dict[str, Any] = {"n": {"source": "numbers"}}
    for number in range(size):
        nodes[f"m{number}"] = {"map": "add_one", "input": "n"}
        nodes[f"out{number}"] = {"fold": "add", "initial": 0, "input": f"m{number}"}
    return Graph({"nodes": nodes}, registry=registry(count))


rejoined = compared("ways that meet", "ways", (2,))


@rejoined.by(HAND)
async def _(size: int, count: int) -> Any:
    shared = Stream(range(count)) | ops.share()
    ways = [shared | ops.map(add_one) for _ in range(size - 1)]
    return await (shared | ops.zip(*ways) | ops.starmap(pair) | ops.fold(add, 0))


@rejoined.by(OURS)
async def _(size: int, count: int) -> Any:
    return await that_meet(size, count).job()


@cache
def that_meet(size: int, count: int) -> Graph:
    nodes: dict[str, Any] = {"n": {"source": "numbers"}}
    nodes |= {f"m{number}": {"map": "add_one", "input": "n"} for number in range(size - 1)}
    nodes["z"] = {"starmap": "pair", "input": [*nodes]}
    nodes["out"] = {"fold": "add", "initial": 0, "input": "z"}
    return Graph({"nodes": nodes}, registry=registry(count))


runs = Workload(
    "graph: that can be changed", "room", (1, 32), {size: {HAND: 1.0} for size in (1, 32)}, peers=()
)


@runs.by(HAND)
async def _(size: int, count: int) -> Any:
    """A task for each node and a queue between two of them, which ends as the source does, or by an error."""
    end: Any = object()
    queues = [asyncio.Queue[Any](size) for _ in range(4)]
    total = 0

    async def feed() -> None:
        for number in range(count):
            await queues[0].put(number)
        await queues[0].put(end)

    async def step(source: asyncio.Queue[Any], target: asyncio.Queue[Any]) -> None:
        while (item := await source.get()) is not end:
            await target.put(add_one(item))
        await target.put(end)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed())
        for source, target in pairwise(queues):
            tasks.create_task(step(source, target))
        while (item := await queues[-1].get()) is not end:
            total += item
    return total


@runs.by(OURS)
async def _(size: int, count: int) -> Any:
    return await of_maps(count).start(room=size)


@cache
def of_maps(count: int) -> Graph:
    nodes: dict[str, Any] = {"n0": {"source": "numbers"}}
    nodes |= {f"n{number + 1}": {"map": "add_one", "input": f"n{number}"} for number in range(3)}
    nodes["out"] = {"fold": "add", "initial": 0, "input": "n3"}
    return Graph({"nodes": nodes}, registry=registry(count))


@cache
def large() -> str:
    """So many nodes as JSON: pieces of ten, with a join and two branches each, one behind the other."""
    nodes: dict[str, Any] = {"start": {"source": [1, 2, 3]}}
    before = "start"
    for number in range(NODES // 10):
        names = [f"n{number}_{each}" for each in range(10)]
        befores = [before, *names]
        nodes |= {names[place]: {"map": "add_one", "input": befores[place]} for place in range(7)}
        nodes[names[7]] = {"map": "add_one", "input": names[6], "concurrency": 4}
        nodes[names[8]] = {"count": True, "input": names[7]}
        nodes[names[9]] = {"filter": "is_even", "input": names[7], "on_error": {"Retry": {"attempts": 3}}}
        before = names[9] if number % 10 else "start"
        if before == "start":
            nodes[f"sum{number}"] = {"sum": True, "input": names[9]}
    nodes["out"] = {"to_list": True, "input": before}
    return json.dumps({"nodes": nodes})


def prepared(nodes: int) -> Callable[[], int]:
    """What checks and builds the large graph from its text, and says how many nodes it has."""
    text = large()

    def build() -> int:
        graph = Graph.read(text, format="json", registry=registry())
        assert graph.check() == ()
        hash(graph.job())  # which never runs, and so warns unless it was used
        return nodes

    return build


build = Workload(
    "graph: check and build", "nodes", (NODES,), {NODES: {OURS: SECONDS}}, most=1, item="graph", peers=()
)
build.lacks("nothing to build", HAND)


@build.by(OURS)
async def _(size: int, count: int) -> Any:
    made = prepared(size)
    return [made() for _ in range(count)]


WORKLOADS = (row, branches, rejoined, runs, build)
