"""Law 3: a source that a run was handed is left, also where what reads it never begins, or fails to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

import streamkit
from streamkit import SourceConsumedError, Stream, Suspend, attached, ops, push
from streamkit.testing import run
from tests.laws.items import Item
from tests.laws.lab import Lab, Sample
from tests.samples import SAMPLES

STREAMS = [sample for sample in SAMPLES if not sample.sink]


@pytest.mark.spread
@pytest.mark.parametrize("sample", STREAMS, ids=repr)
def test_a_branch_that_ends_before_it_reads_lets_the_others_go_on(sample: Sample) -> None:
    lab = Lab("turn")
    never = sample.make(lab) | ops.take(0)

    async def main() -> None:
        both = ops.broadcast(ops.throttle(1e6), shaped(sample) | never)
        found = await asyncio.wait_for(_awaited(Stream(range(3)) | both | ops.to_list()), 99.0)
        assert found == [0, 1, 2]
        sinks = ops.broadcast(ops.to_list(), shaped(sample) | never | ops.to_list())
        assert await asyncio.wait_for(_awaited(Stream(range(3)) | sinks), 99.0) == ([0, 1, 2], [])

    run(main)


def shaped(sample: Sample) -> Any:
    """Makes of numbers what `sample` takes."""
    return ops.map(lambda number: sample.shape(Item(number)))


async def _awaited(job: Any) -> Any:
    return await job


@pytest.mark.spread
@pytest.mark.parametrize("sample", STREAMS, ids=repr)
def test_a_push_source_is_closed_by_a_loop_that_ends_in_its_setup(sample: Sample) -> None:
    async def main() -> None:
        for pipe in (ops.take(0), ops.map(abs) | ops.take(0)):
            stream, emitter = push(Suspend(1))
            await (stream | sample.make(Lab()) | pipe | ops.drain())
            assert emitter.closed

    run(main)


@pytest.mark.parametrize("consumed_first", [True, False])
@pytest.mark.parametrize("join", [ops.merge, ops.zip], ids=lambda join: join.__name__)
def test_streams_beside_one_that_cannot_be_opened_are_left(join: Any, consumed_first: bool) -> None:
    async def main() -> None:
        used, emitter = push(Suspend(1))
        emitter.close()
        await (used | ops.drain())
        stream, emitter = push(Suspend(1))
        with pytest.raises(SourceConsumedError):
            await ((used | join(stream) if consumed_first else stream | join(used)) | ops.drain())
        assert emitter.closed

    run(main)


@pytest.mark.parametrize("count", [1, 700])
def test_a_source_before_a_pipe_that_is_cut_in_two_is_left(count: int) -> None:
    pipe: Any = ops.map(abs)
    for _ in range(count):
        pipe = pipe | ops.map(abs)

    async def main() -> None:
        stream, emitter = push(Suspend(1))
        await (stream | pipe | ops.take(0) | ops.drain())
        assert emitter.closed

    run(main)
    closed: list[bool] = []

    def source() -> Any:
        try:
            yield from range(9)
        finally:
            closed.append(True)

    for _ in Stream(source) | pipe:
        break
    assert closed == [True]


async def in_a_group() -> AsyncIterator[int]:
    async with asyncio.TaskGroup() as group:
        for number in range(9):
            group.create_task(asyncio.sleep(0.1))
            await asyncio.sleep(0)
            yield number


@pytest.mark.spread
@pytest.mark.parametrize("sample", STREAMS, ids=repr)
@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_a_source_that_yields_inside_a_task_group_is_left_clean(sample: Sample, most: int) -> None:
    async def main() -> None:
        before = Stream(in_a_group) | shaped(sample)
        await (before | sample.make(Lab(count=9)) | ops.take(most) | ops.drain())
        async with (before | sample.make(Lab(count=9))).open() as items:
            async for _ in items:
                break
        async with Stream(in_a_group).open() as items:
            for _ in range(most):
                await anext(items)

    run(main)


def test_errors_of_its_tasks_are_kept() -> None:
    async def fails() -> None:
        try:
            await asyncio.sleep(99.0)
        finally:
            raise OSError("in the group")

    async def source() -> AsyncIterator[int]:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            await asyncio.sleep(0)
            yield 0

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await (Stream(source) | ops.first())
        assert [str(error) for error in caught.value.exceptions] == ["in the group"]

    run(main)


class Failing:
    """An iterator that fails after two items, and when it is closed."""

    def __init__(self) -> None:
        self.error, self.late = ValueError("gone"), OSError("close")
        self.left = 2

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if not self.left:
            raise self.error
        self.left -= 1
        return self.left

    def close(self) -> None:
        raise self.late


MAKERS: dict[str, Callable[[Callable[..., Any]], Stream[Any]]] = {
    "Stream": Stream,
    "from_blocking": streamkit.from_blocking,
    "defer": streamkit.defer,
    "using": lambda make: streamkit.using(nullcontext, make),
    "concat": lambda make: streamkit.concat([], make),
    "merge": lambda make: streamkit.merge([], make),
    "race": streamkit.race,
    "flat_map": lambda make: Stream([1]) | ops.flat_map(make, concurrency=2),
    "concat_map": lambda make: Stream([1]) | ops.concat_map(make),
    "switch_map": lambda make: Stream([1]) | ops.switch_map(make),
    "exhaust_map": lambda make: Stream([1]) | ops.exhaust_map(make),
    "expand": lambda make: Stream([1]) | ops.expand(make, concurrency=2),
    "catch": lambda make: streamkit.fail(KeyError()) | ops.catch(make),
    "share": lambda make: Stream(make) | ops.share(),
}


@pytest.mark.parametrize("way", MAKERS)
def test_an_error_of_closing_what_was_made_hangs_on_that_of_reading_it(way: str) -> None:
    source = Failing()

    async def main() -> None:
        with pytest.raises(ValueError, match="gone") as caught:
            await (MAKERS[way](lambda *_: source) | ops.drain())
        assert caught.value is source.error
        assert attached(source.error) == (source.late,)

    run(main, threads=True)
