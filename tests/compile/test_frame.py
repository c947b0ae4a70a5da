"""Frames: what a loop holds of earlier items while its source makes the next, in both of its forms."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from weakref import ref

import pytest

from streamkit import Contract, Operator, Run, Stream, Suspend, ops, stage
from streamkit.testing import run


class Number:
    """What a callback adds to is seen to make all its results in one way."""

    alive: list[Any]

    def __init__(self) -> None:
        Number.alive.append(ref(self))

    def __add__(self, other: int) -> "Number":
        return Number()

    def __abs__(self) -> int:
        return 1


@pytest.fixture(autouse=True)
def _anew() -> None:
    Number.alive = []


def held() -> int:
    return sum(each() is not None for each in Number.alive)


async def later(number: Number) -> Number:
    await asyncio.sleep(0)
    return number + 1


PIPES = {
    "one": ops.map(lambda number: number + 1),
    "several": ops.map(lambda number: number + 1) | ops.map(lambda number: number + 2) | ops.enumerate(),
    "a filter": ops.map(lambda number: number + 1) | ops.filter(lambda number: not number),
    "an awaited one": ops.map(later),
    "one that drops": ops.filter(lambda number: not number),
    "some that pass on": ops.skip(1) | ops.filter(lambda number: number is not None) | ops.tap(abs),
}


async def late() -> AsyncIterator[int]:
    await asyncio.sleep(2.0)
    HELD.append(held())
    yield 1


HELD = list[int]()
FOLLOWED: dict[str, Any] = {
    "concat": ops.concat(late),
    "catch": ops.tap(lambda number: 1 / number.nothing) | ops.catch(lambda _: late(), errors=Exception),
}


@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.parametrize("pipe", [ops.skip(0), PIPES["some that pass on"], ops.batch(1)], ids=str)
@pytest.mark.parametrize(
    "source", [lambda: [Number(), Number()], lambda: (Number() for _ in range(2))], ids=["list", "generator"]
)
def test_nothing_is_held_while_what_follows_waits(name: str, pipe: Any, source: Any) -> None:
    HELD.clear()
    run(Stream(source) | FOLLOWED[name] | pipe | ops.drain())
    assert HELD == [0]


async def at_once() -> AsyncIterator[int]:
    yield 1
    yield 2


@pytest.mark.parametrize("name", ["one", "several", "an awaited one"])
def test_a_plain_for_holds_no_item_but_the_last(name: str) -> None:
    found = list[int]()

    def source() -> Iterator[Number]:
        for _ in range(4):
            yield Number()
            found.append(held())

    for item in Stream(source) | PIPES[name]:
        del item
    assert max(found) <= 1, found


@pytest.mark.parametrize("name", PIPES)
@pytest.mark.parametrize("limit", [0, 2])
def test_a_loop_that_waits_holds_none(name: str, limit: int) -> None:
    """With a limit, tasks send the items into the loop, one at a time."""
    found = list[int]()

    async def source() -> AsyncIterator[Number]:
        for _ in range(4):
            await asyncio.sleep(2.0)
            found.append(held())
            yield Number()

    async def main() -> None:
        before = ops.map(later, concurrency=limit) if limit else ops.skip(0)
        await (Stream(source) | before | PIPES[name] | ops.filter(lambda item: not item) | ops.drain())

    run(main)
    assert found == [0, 0, 0, 0]


@pytest.mark.parametrize("source", [[1, 2], lambda: iter([1, 2]), at_once], ids=["list", "iter", "async"])
def test_a_loop_is_left_at_its_end_also_where_there_is_nothing_to_close(source: Any) -> None:
    left = list[str]()
    stream = Stream(source) | ops.on_close(lambda: left.append("left"))
    assert list(stream) == [1, 2]
    for pipe in (ops.skip(0), ops.buffer(Suspend(1)), ops.take(1), ops.filter(bool)):
        run(stream | pipe | ops.drain())
    assert left == ["left"] * 5


async def _reading(run: Run, source: Any) -> AsyncIterator[Any]:
    async for item in run.open(source):
        yield item


@stage(_reading, pumps=False, contract=Contract())
def reading() -> Operator[Any, Any]:
    return Operator(reading)


def test_a_loop_that_nothing_comes_out_of_is_a_stream_too() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    for source in ([1], lambda: iter([1]), numbers, Stream([1]) | ops.merge()):
        for reads in (reading(), ops.timeout(1.0), ops.map(abs)):
            assert run(Stream(source) | ops.ignore_items() | reads | ops.to_list()) == []
