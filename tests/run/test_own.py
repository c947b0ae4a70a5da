"""Generators that have not begun, iterators that are made before they are read, streams not entered."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any

import pytest

from streamkit import DropOldest, SourceConsumedError, Stream, ops, push
from streamkit._engine.run.own import is_new, own
from streamkit.testing import run
from tests.run.staging import outcome, written


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        await asyncio.sleep(1.0)
        yield number


def test_a_generator_is_new_until_its_first_step() -> None:
    async def main() -> list[bool]:
        items: Any = numbers()
        found = [is_new(items)]
        step = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0.5)
        found.append(is_new(items))  # in the midst of it
        await step
        found.append(is_new(items))
        await items.aclose()
        found.append(is_new(items))
        own(items)  # which has nothing to give any more
        other: Any = numbers()
        await other.aclose()
        return [*found, is_new(other)]

    assert run(main) == [True, False, False, False, False]


@pytest.mark.parametrize(("owned", "begun"), [*product([False, True], repeat=2)])
def test_one_that_is_owned_before_it_has_begun_is_not_closed_by_the_loop(owned: bool, begun: bool) -> None:
    async def main() -> list[str]:
        closed = list[str]()

        async def source() -> AsyncIterator[int]:
            try:
                for number in range(9):
                    yield number
            finally:
                closed.append("by the loop")

        items: Any = source()
        hooks = sys.get_asyncgen_hooks()
        if begun:
            await anext(items)
        if owned:
            own(items)
        assert sys.get_asyncgen_hooks() == hooks
        assert await anext(items) == int(begun)
        del items
        await asyncio.sleep(1.0)
        return closed

    assert run(main) == ([] if owned and not begun else ["by the loop"])


class TestNotEntered:
    def test_nothing_can_be_read(self) -> None:
        async def main() -> None:
            opened = (Stream(numbers) | ops.map(str)).open()
            for read in (lambda: anext(opened), lambda: aiter(opened)):
                with pytest.raises(RuntimeError) as raised:
                    await read()
                assert str(raised.value) == "enter the stream first: async with stream.open() as items"

        run(main)

    def test_and_one_that_is_cannot_be_entered_again(self) -> None:
        async def main() -> list[str]:
            opened = (Stream(numbers) | ops.map(str)).open()
            async with opened as items:
                with pytest.raises(RuntimeError) as raised:
                    await opened.__aenter__()
                assert str(raised.value) == "this stream is open already; call open() for each use"
                return [item async for item in items]

        assert run(main) == ["0", "1", "2"]


def test_an_iterator_has_its_source_from_when_it_is_made() -> None:
    async def main() -> list[Any]:
        stream, emitter = push(DropOldest(2))
        first = aiter(stream)
        with pytest.raises(SourceConsumedError):
            aiter(stream)
        emitter.offer("item")
        emitter.close()
        return [item async for item in first]

    assert run(main) == ["item"]


@pytest.mark.parametrize("stage", [False, True])
def test_one_that_is_made_before_a_loop_runs_begins_with_its_first_item(stage: bool) -> None:
    stream: Any = Stream(numbers)
    items = aiter(stream | ops.delay(1.0) if stage else stream)

    async def main() -> list[int]:
        return [item async for item in items]

    assert run(main) == [0, 1, 2]


@pytest.mark.parametrize("stage", [False, True])
def test_a_loop_that_is_left_closes_its_source_before_anything_else_runs(stage: bool) -> None:
    async def main() -> list[str]:
        done = list[str]()

        async def source() -> AsyncIterator[int]:
            try:
                for number in range(9):
                    yield number
            finally:
                done.append("closed")

        stream: Any = Stream(source)
        asyncio.get_running_loop().call_soon(done.append, "another")
        async for _ in stream | ops.concat([]) if stage else stream:
            break
        done.append("behind it")
        await asyncio.sleep(1.0)
        return done

    assert run(main) == ["closed", "behind it", "another"]


def test_one_that_is_dropped_is_left_to_its_run() -> None:
    """The collector would close it in any order with what reads it, and with no loop."""
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            log.append("closed")

    async def main() -> None:
        items = source()
        own(items)
        assert await anext(items) == 1
        del items
        gc.collect()
        assert log == []

    run(main)


class Closing:
    """An iterator that counts how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return 1

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("early", [False, True])
def test_a_stage_that_reads_nothing_of_what_it_has_opened_leaves_that(early: bool) -> None:
    async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
        streams = source, Stream(lambda: second) | ops.map(str), Stream(never_asked) | written(stage)
        opened = [run.open(stream) for stream in streams]
        if early:
            for items in opened:
                await run.close(items)
                yield [item async for item in items]
            yield first.closed, second.closed

    def never_asked() -> Any:
        raise LookupError("a stage asks for its source when it reads it")

    first, second = Closing(), Closing()
    assert outcome(stage, lambda: first) == ([[], [], [], (1, 1)] if early else [])
    assert (first.closed, second.closed) == (1, 1)


def test_a_stage_may_read_what_gives_nothing() -> None:
    async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
        async for item in run.open(source):
            yield item

    assert outcome(stage, Stream([1, 2]) | ops.ignore_items()) == []


def test_what_a_stage_opens_is_not_left_to_the_event_loop() -> None:
    """When a program ends, the loop closes what it has seen begin, all at once."""

    async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
        async for item in run.open(source):
            yield item

    async def main() -> list[str]:
        begun, hooks = list[str](), sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(lambda items: begun.append(items.__name__), hooks.finalizer)
        assert await (Stream(numbers) | ops.map(str) | written(stage) | ops.to_list()) == ["0", "1", "2"]
        sys.set_asyncgen_hooks(*hooks)
        return begun

    assert run(main) == []
