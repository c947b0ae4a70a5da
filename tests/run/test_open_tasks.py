"""Open streams: how often they begin, in which task they are closed, and whose error is raised then."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from streamkit import Stream, Suspend, attached, ops
from streamkit.testing import run

PIPES = pytest.mark.parametrize("pipe", [ops.map(int), ops.buffer(Suspend(1))], ids=["steps", "a stage"])


class Source:
    """Numbers; notes how often it was made, and in which task it was closed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.made = 0
        self.closed: list[Any] = []

    def __call__(self) -> AsyncIterator[int]:
        self.made += 1
        return self.numbers()

    async def numbers(self) -> AsyncIterator[int]:
        try:
            for number in range(9):
                yield number
        finally:
            self.closed.append(asyncio.current_task())
            if self.error is not None:
                raise self.error


class Steps(Coroutine[Any, Any, Any]):
    """A coroutine of another make, as those that compilers of Python give: it has no code to be looked at."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def __await__(self) -> Any:
        return self._coroutine.__await__()


@PIPES
def test_it_begins_once_whoever_reads_it(pipe: Any) -> None:
    async def main() -> None:
        for by_hand in (False, True):
            source = Source()
            async with (Stream(source) | pipe).open() as items:
                found = [await anext(items)] if by_hand else []
                found += [item async for item in items]
            assert (found, source.made, len(source.closed)) == ([*range(9)], 1, 1)

    run(main)


def test_the_task_that_opened_it_closes_it() -> None:
    async def main() -> None:
        source = Source()
        async with (Stream(source) | ops.map(int)).open() as items:
            async for _ in items:
                break
        assert source.closed == [asyncio.current_task()]

    run(main)


@pytest.mark.parametrize("error", [OSError("body"), None])
def test_an_error_of_the_block_stands_and_one_of_closing_is_attached(error: Exception | None) -> None:
    late = LookupError("late")

    async def main() -> None:
        async with (Stream(Source(late)) | ops.map(int)).open() as items:
            async for _ in items:
                break
            if error is not None:
                raise error

    with pytest.raises((OSError, LookupError)) as raised:
        run(main)
    assert raised.value is (late if error is None else error)
    assert error is None or any("late" in note for note in error.__notes__)


def test_a_task_of_any_coroutine_may_close_it() -> None:
    async def main() -> None:
        source = Source()
        opened = (Stream(source) | ops.map(int)).open()
        async with opened as items:
            assert await anext(items) == 0
            await asyncio.create_task(Steps(opened.aclose()))
            assert len(source.closed) == 1

    run(main)


def test_another_task_that_closes_it_runs_the_clean_up() -> None:
    async def main() -> None:
        source = Source()
        async with (Stream(source) | ops.map(int)).open() as items:
            async for _ in items:
                break
            closing = asyncio.create_task(items.aclose())
            await closing
        assert source.closed == [closing]

    run(main)


def test_a_task_of_another_run_that_opened_it_closes_it() -> None:
    source, tasks = Source(), list[Any]()

    async def reads() -> AsyncIterator[int]:
        async with (Stream(source) | ops.map(int)).open() as items:
            async for item in items:
                tasks.append(asyncio.current_task())
                yield item
                break

    assert run(lambda: Stream(reads) | ops.buffer(Suspend(1)) | ops.to_list()) == [0]
    assert source.closed == tasks


def test_what_fails_as_an_iterator_is_closed_by_an_error_hangs_on_that() -> None:
    async def main() -> list[type[BaseException]]:
        items: Any = aiter(Stream(Source(OSError("closed"))))
        await anext(items)
        with pytest.raises(LookupError) as raised:
            await items.athrow(LookupError)
        return [type(each) for each in attached(raised.value)]

    assert run(main) == [OSError]
