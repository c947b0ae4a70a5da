"""Streams that are read in the loop: cancel scopes inside of them, and what is kept of them."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import run
from tests.laws.account import check_sum
from tests.marbles import drawn


async def numbers(size: int) -> AsyncIterator[int]:
    for number in range(size):
        yield number


class Item:
    """Something that can be told to be alive."""


class TestScopes:
    """A timeout inside of a stream that fires while its item is further down is handed to that stream."""

    @pytest.mark.parametrize("wrapped", [False, True])
    def test_of_an_inner_stream_catches_what_it_has_sent(self, wrapped: bool) -> None:
        async def timed() -> AsyncIterator[str]:
            try:
                async with asyncio.timeout(1.0):
                    yield "a"
                    yield "b"
                    await asyncio.sleep(9.0)
            except TimeoutError:
                yield "late"

        def inner(_: int) -> Any:
            return Stream(timed) | ops.map(str) if wrapped else timed()

        async def main() -> list[str]:
            out = list[str]()
            stream = Stream(lambda: numbers(2)) | ops.concat_map(inner) | ops.buffer(Suspend(1))
            async with stream.open() as items:
                async for item in items:
                    out.append(item)
                    await asyncio.sleep(3.0)
            task = asyncio.current_task()
            assert task is not None
            assert not task.cancelling()
            return out

        assert run(main) == ["a", "b", "late", "a", "late"]  # the second "b" was not asked for in time

    def test_of_the_source_that_cuts_a_stream_short_says_so(self) -> None:
        async def timed() -> AsyncIterator[int]:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    yield 1
            yield 2

        async def main() -> None:
            stream = Stream(timed) | ops.concat_map(lambda _: drawn("-----a|")) | ops.buffer(Suspend(1))
            await (stream | ops.drain())

        with pytest.raises(RuntimeError, match="a cancel scope of the source has cancelled"):
            run(main)

    def test_of_the_source_is_handed_to_it_where_a_list_is_gone_through(self) -> None:
        async def timed() -> AsyncIterator[int]:
            try:
                async with asyncio.timeout(1.0):
                    yield 1
            except TimeoutError:
                yield 2

        async def main() -> list[int]:
            stream = Stream(timed) | ops.concat_map(lambda item: [item] * 3) | ops.buffer(Suspend(1))
            out = list[int]()
            async with stream.open() as items:
                async for item in items:
                    out.append(item)
                    await asyncio.sleep(3.0)
            return out

        assert run(main) == [1, 1, 1, 2, 2, 2]


class TestMemory:
    def test_an_item_is_let_go_while_its_stream_is_read(self) -> None:
        alive: weakref.WeakSet[Item] = weakref.WeakSet()

        def items() -> Iterator[Item]:
            made = [Item()]
            alive.add(made[0])
            yield made.pop()

        async def inner() -> AsyncIterator[Item]:
            for _ in range(3):
                made = [Item()]
                alive.add(made[0])
                yield made.pop()
                await asyncio.sleep(1.0)
                assert len(alive) == 0

        async def main() -> None:
            await (Stream(items) | ops.concat_map(lambda _: inner()) | ops.map(lambda _: 1) | ops.drain())

        run(main)

    def test_accounts_of_streams_that_have_ended_are_summed_up(self) -> None:
        async def main() -> None:
            nested = ops.concat_map(lambda number: Stream([number] * 3) | ops.buffer(Suspend(2)))
            handle = (Stream(range(40)) | nested | ops.for_each(lambda _: asyncio.sleep(1.0))).start()
            while not handle.done:
                for stats in handle.buffers():
                    check_sum(stats)
                assert len(handle.buffers()) < 4
                await asyncio.sleep(7.0)
            await handle
            assert sum(stats.delivered for stats in handle.buffers()) == 120

        run(main)
