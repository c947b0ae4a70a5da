"""What the graphs of these tests name, and short forms of what each test says."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from streamkit.graph import Graph, Mistake, Registry

__all__ = ["NUMBERS", "graph", "mistakes", "nodes", "registry"]

NUMBERS = {"source": "numbers", "args": {"count": 3}}
OUT = {"to_list": True}


def numbers(count: int) -> Iterator[int]:
    yield from range(count)


async def ticks(seconds: float) -> AsyncIterator[int]:
    for number in range(3):
        await asyncio.sleep(seconds)
        yield number


def add(number: int, by: int = 1) -> int:
    return number + by


async def slow(number: int) -> int:
    await asyncio.sleep(1.0)
    return number


def words(number: int) -> str:
    return f"<{number}>"


def length(text: str) -> int:
    return len(text)


def odd(number: int) -> bool:
    return number % 2 == 1


def tagged(number: int, context: dict[str, int]) -> tuple[int, int]:
    return context["sid"], number


def total(one: int, other: int) -> int:
    return one + other


def pair(both: tuple[int, int]) -> int:
    return sum(both)


def registry() -> Registry:
    known = Registry({"numbers": numbers, "ticks": ticks, "add": add, "slow": slow, "words": words})
    for name, value in {
        "length": length,
        "odd": odd,
        "tagged": tagged,
        "total": total,
        "pair": pair,
        "seven": 7,
    }.items():
        known.add(name, value)
    return known


def nodes(**given: Any) -> dict[str, Any]:
    """A graph as data; underscores in names are points in front of what is a key of Python."""
    return {"nodes": {name.rstrip("_"): value for name, value in given.items()}}


def graph(**given: Any) -> Graph:
    return Graph(nodes(**given), registry=registry())


def mistakes(**given: Any) -> list[tuple[str, str, str]]:
    """The mistakes of a graph: where each is, what it is, and what it suggests."""
    found: tuple[Mistake, ...] = graph(**given).check()
    return sorted((each.where, str(each.fault), each.suggestion) for each in found)
