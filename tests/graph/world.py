"""What the graphs of the tests name, and what became of the sources that they have opened."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

from streamkit.graph import Graph, Registry, RunningGraph

COUNT = 12


class World:
    """What the graphs of one test name, and what became of the sources that they have opened."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.written: list[Any] = []
        self.allowed = 0
        """How many items a source may give up to now."""
        self.more = asyncio.Event()
        self.registry = Registry(
            {
                "numbers": self.numbers,
                "forever": self.forever,
                "endless": self.endless,
                "slow": self.slow,
                "same": lambda item: item,
                "late": self.late,
                "ten": lambda number: number * 10,
                "odd": lambda number: number % 2 == 1,
                "fail": self.fail,
                "write": self.written.append,
                "told": lambda error: [str(error)],
                "tagged": lambda item, context: (context, item),
            }
        )

    async def numbers(self, start: int = 0, much: int = COUNT) -> AsyncIterator[int]:
        self.told.append(f"open {start}")
        try:
            for number in range(start, start + much):
                while number >= self.allowed:
                    self.more.clear()
                    await self.more.wait()
                yield number
        finally:
            self.told.append(f"close {start}")

    def allow(self, upto: int) -> None:
        """Let sources give the numbers below `upto`."""
        self.allowed = upto
        self.more.set()

    async def end(self, running: RunningGraph[Graph]) -> Any:
        """The result, when all numbers have come."""
        self.allow(COUNT)
        return await running

    async def forever(self) -> AsyncIterator[int]:
        self.told.append("open")
        try:
            yield 0
            await asyncio.Event().wait()
        finally:
            self.told.append("close")

    async def late(self, item: Any) -> Any:
        await asyncio.sleep(item % 3)
        return item

    def endless(self) -> Iterator[int]:
        for self.allowed in count():
            yield self.allowed

    async def slow(self, item: Any) -> Any:
        await asyncio.sleep(1.0)
        return item

    def fail(self, item: Any) -> Any:
        raise ValueError(item)

    def graph(self, **nodes: Any) -> Graph:
        return Graph({"nodes": nodes}, registry=self.registry)


N = {"source": "numbers"}


def mapped(name: str, source: str, **more: Any) -> dict[str, Any]:
    return {"map": name, "input": source, **more}


def listed(source: str) -> dict[str, Any]:
    return {"to_list": True, "input": source}


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def drawn(chance: random.Random) -> dict[str, Any]:
    """A source, three sinks that are in each graph, and between them ways of other nodes."""
    names, found = ["n"], dict[str, Any]({"n": N})
    for number in range(chance.randint(0, 4)):
        name = f"a{number}{chance.choice('xxy')}"
        kinds = [{"map": "same"}, {"map": "late", "concurrency": chance.randint(1, 2)}]
        kinds += [{"throttle": 1000.0}, {"buffer": {"Suspend": chance.randint(1, 2)}}]
        kind = kinds[(number + chance.choice((0, 0, 1))) % 4]  # most have the same as before
        found[name] = {**kind, "input": chance.choice(names)}
        names.append(name)
    found |= {name: listed(chance.choice(names)) for name in ("o", "p")}
    found["zipped"] = {"to_list": True, "input": [chance.choice(names), chance.choice(names)]}
    found["zipped"]["strategy"] = {"Suspend": COUNT}
    while True:
        inputs = [node.get("input", []) for node in found.values()]
        read = {name for each in inputs for name in ([each] if isinstance(each, str) else each)}
        unread = [name for name in found if name.startswith("a") and name not in read]
        if not unread:
            return found
        for name in unread:
            del found[name]
