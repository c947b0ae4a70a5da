"""Under load: many pipelines at once, many sources, long chains, and one that is built again and again.

What is asked is the right result, nothing left behind (`run` looks for that), and memory that does not grow,
counted in objects and in bytes that Python has allocated; never how long it took.
"""

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import streamkit
from streamkit import Stream, Suspend, ops
from streamkit.testing import run
from tests.tiers import stride

PIPELINES = 10_000 // stride(50)
SOURCES = 10_000 // stride(50)
OPERATORS = 500
ROUNDS = 100_000 // stride(500)
TRACED = 2_000
"""Rounds in which each byte is traced, which takes four times as long."""


async def turns(number: int, count: int = 3) -> AsyncIterator[int]:
    """`count` items, after a turn of the loop each, the last after a second."""
    for each in range(count):
        await asyncio.sleep(each == count - 1)
        yield number * count + each


async def doubled(item: int) -> int:
    await asyncio.sleep(0)
    return 2 * item


def same(item: Any) -> Any:
    return item


# Many pipelines at once -----------------------------------------------------------------------------------

SMALL: dict[str, Callable[[Stream[int]], Any]] = {
    "steps": lambda stream: stream | ops.map(same) | ops.filter(lambda _: True) | ops.to_list(),
    "awaiting": lambda stream: stream | ops.map(doubled) | ops.map(lambda item: item // 2) | ops.to_list(),
    "concurrent": lambda stream: (
        stream | ops.map(doubled, concurrency=2) | ops.map(lambda item: item // 2) | ops.to_list()
    ),
    "buffered": lambda stream: stream | ops.buffer(Suspend(2)) | ops.to_list(),
    "merged": lambda stream: stream | ops.merge([]) | ops.to_list(),
    "timed": lambda stream: stream | ops.timeout(60.0) | ops.batch_within(9, seconds=9.0) | ops.first(),
    "grouped": lambda stream: (
        stream
        | ops.group_by(lambda _: 0, ops.buffer(Suspend(1)), max_groups=1)
        | ops.map(lambda pair: pair[1])
        | ops.to_list()
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_many_small_pipelines_at_once(name: str) -> None:
    async def main() -> Any:
        jobs = [SMALL[name](Stream(lambda number=number: turns(number))) for number in range(PIPELINES)]
        return await asyncio.gather(*jobs)

    assert run(main) == [[3 * number, 3 * number + 1, 3 * number + 2] for number in range(PIPELINES)]


def test_many_pipelines_are_cancelled_at_once_and_each_source_is_closed() -> None:
    begun, closed = set[int](), set[int]()

    async def source(number: int) -> AsyncIterator[int]:
        begun.add(number)
        try:
            yield number
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(1.0)
            closed.add(number)

    async def main() -> list[Any]:
        streams = [Stream(lambda number=number: source(number)) for number in range(PIPELINES)]
        handles = [(stream | ops.buffer(Suspend(1)) | ops.drain()).start() for stream in streams]
        await asyncio.sleep(5.0)
        await asyncio.gather(*(handle.stop() for handle in handles))
        return [handle.done for handle in handles]

    assert all(run(main))
    assert begun == closed == {*range(PIPELINES)}


# Many sources ---------------------------------------------------------------------------------------------


def merged(sources: list[Any]) -> Stream[Any]:
    return streamkit.merge(*sources)


def one_by_one(sources: list[Any]) -> Stream[Any]:
    stream = Stream(sources[0])
    for source in sources[1:]:
        stream = stream | ops.merge(source)
    return stream


def flattened(sources: list[Any]) -> Stream[Any]:
    return Stream(sources) | ops.flat_map(same, concurrency=len(sources))


def interleaved(sources: list[Any]) -> Stream[Any]:
    return streamkit.interleave(*sources)


JOINED = [merged, one_by_one, flattened, interleaved]


@pytest.mark.parametrize("join", JOINED)
def test_many_sources_as_one(join: Callable[[list[Any]], Stream[Any]]) -> None:
    closed: list[int] = []

    async def source(number: int) -> AsyncIterator[int]:
        try:
            for each in range(3):
                await asyncio.sleep(each == 2)
                yield 3 * number + each
        finally:
            closed.append(number)

    found = run(
        lambda: _result(join([lambda number=n: source(number) for n in range(SOURCES)]) | ops.to_list())
    )
    assert sorted(found) == [*range(3 * SOURCES)]
    assert sorted(closed) == [*range(SOURCES)]


@pytest.mark.parametrize("join", JOINED)
def test_one_of_many_sources_fails_and_all_are_closed(join: Callable[[list[Any]], Stream[Any]]) -> None:
    begun, closed = set[int](), set[int]()

    async def source(number: int) -> AsyncIterator[int]:
        begun.add(number)
        try:
            for each in range(3):
                await asyncio.sleep(each == 2)
                if number == SOURCES // 2 and each == 2:
                    raise LookupError(number)
                yield 3 * number + each
        finally:
            closed.add(number)

    stream = join([lambda number=number: source(number) for number in range(SOURCES)])
    with pytest.raises(LookupError) as caught:
        run(lambda: _result(stream | ops.drain()))
    assert caught.value.args == (SOURCES // 2,)
    assert begun == closed == {*range(SOURCES)}


async def _result(job: Any) -> Any:
    return await job


# Long chains ----------------------------------------------------------------------------------------------

LINKS: dict[str, list[Any]] = {
    "map": [ops.map(same)],
    "map of coroutines": [ops.map(doubled), ops.map(lambda item: item // 2)],
    "steps of many kinds": [
        ops.filter(lambda _: True),
        ops.enumerate(),
        ops.map(lambda pair: pair[1]),
        ops.batch(2),
        ops.flatten(),
        ops.tap(same),
        ops.skip(0),
        ops.take(1_000),
        ops.pairwise(),
        ops.map(lambda pair: pair[1]),
    ],
    "buffer": [ops.buffer(Suspend(1)), ops.map(same)],
    "merge": [ops.merge([])],
    "concurrent map": [ops.map(doubled, concurrency=2), ops.map(lambda item: item // 2)],
    "timeout": [ops.timeout(600.0)],
}


MANY_LOOPS = {"steps of many kinds", "map of coroutines", "concurrent map", "timeout"}
"""Those whose loops take long to compile, or whose stages are many."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.full if name in MANY_LOOPS else ()) for name in LINKS]
)
def test_a_long_chain(name: str) -> None:
    links = LINKS[name]
    chain = [links[number % len(links)] for number in range(OPERATORS)]
    rounds = OPERATORS // len(links) * sum(link.links[0].declaration.name == "pairwise" for link in links)
    length = 60 if rounds else 10
    items = [*range(length)]
    stream = Stream(lambda: turns(0, length)).pipe(*chain)
    assert len(stream.links) == OPERATORS
    assert run(lambda: _result(stream | ops.to_list())) == items[rounds:]
    assert run(lambda: _result(stream | ops.first())) == items[rounds]
    assert str(stream.explain())


# Flat memory ----------------------------------------------------------------------------------------------


AGAIN: dict[str, Callable[[int], Any]] = {
    "steps": lambda number: Stream([1, 2, 3]) | ops.map(lambda item: item + number) | ops.take(2) | ops.sum(),
    "a source that waits": lambda number: (
        Stream(lambda: turns(0)) | ops.map(lambda item: item + number) | ops.take(2) | ops.sum()
    ),
    "stages": lambda number: (
        Stream(lambda: turns(0))
        | ops.buffer(Suspend(2))
        | ops.merge([number])
        | ops.map(doubled, concurrency=2)
        | ops.timeout(99.0)
        | ops.to_list()
    ),
    "groups": lambda number: (
        Stream([number, number + 1])
        | ops.group_by(lambda item: item, ops.buffer(Suspend(1)) | ops.count(), max_groups=2)
        | ops.to_list()
    ),
    "an error": lambda number: (
        Stream([1, 0])
        | ops.map(lambda item: number // item)
        | ops.merge([])
        | ops.catch(lambda _: [number])
        | ops.to_list()
    ),
}


def grown(name: str, rounds: int, *measures: Callable[[], int]) -> list[int]:
    """How much more there is after so many rounds than after a tenth of them, in which caches fill."""
    found: list[list[int]] = []

    async def main() -> None:
        for number in range(rounds + 1):
            if number in (rounds // 10, rounds):
                await asyncio.sleep(1000.0)  # event loops keep timers that were cancelled until then
                gc.collect()
                found.append([measure() for measure in measures])
            await AGAIN[name](number)

    run(main)
    return [after - before for before, after in zip(*found, strict=True)]


@pytest.mark.parametrize("name", AGAIN)
def test_memory_is_flat_where_a_pipeline_is_built_and_run_again_and_again(name: str) -> None:
    rounds = ROUNDS if name == "stages" else ROUNDS // 5
    objects, blocks = grown(name, rounds, lambda: len(gc.get_objects()), sys.getallocatedblocks)
    assert objects < 50
    assert blocks < 400


@pytest.mark.full
@pytest.mark.parametrize("name", AGAIN)
def test_no_bytes_are_left_of_a_pipeline_that_was_run_before(name: str) -> None:
    """Less than the smallest object takes, for each round: 40 kB are buffers that are used again.

    Other threads of the process are traced, too, as that of xdist, which is told of tests. So what counts is
    what is left each time.
    """
    sizes: list[int] = []
    while len(sizes) < 3 and (not sizes or sizes[-1] >= 40_000):
        tracemalloc.start()
        try:
            sizes += grown(name, TRACED, lambda: tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
    assert min(sizes) < 40_000, sizes
