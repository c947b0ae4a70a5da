"""Pulling an open stream by hand: one pull at a time, its item kept, its error as it came, its end."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from streamkit import Stream, Suspend, ops, push
from streamkit.testing import run

WAYS: dict[str, Callable[[Any], Any]] = {
    "a source": lambda stream: stream,
    "steps": lambda stream: stream | ops.map(int),
    "a stage": lambda stream: stream | ops.buffer(Suspend(2)),
}
every_way = pytest.mark.parametrize("pipe", WAYS.values(), ids=WAYS)
BUSY = "anext(): this stream is already running: another task waits for an item"


def numbers(count: int, error: Exception | None = None) -> Stream[int]:
    async def source() -> AsyncIterator[int]:
        for number in range(count):
            await asyncio.sleep(1.0)
            yield number
        if error is not None:
            raise error

    return Stream(source)


@every_way
def test_two_at_once_are_an_error_of_the_second(pipe: Callable[[Any], Any]) -> None:
    async def main() -> list[Any]:
        async with pipe(numbers(3)).open() as items:
            first = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0.5)
            for _ in range(2):
                with pytest.raises(RuntimeError) as raised:
                    await anext(items)
                assert str(raised.value) == BUSY
            return [await first, await anext(items), await anext(items)]

    assert run(main) == [0, 1, 2]


@every_way
def test_one_that_was_cancelled_is_no_longer_in_the_way(pipe: Callable[[Any], Any]) -> None:
    async def main() -> list[Any]:
        async with pipe(numbers(3)).open() as items:
            found = list[Any]()
            while len(found) < 3:
                try:
                    found.append(await asyncio.wait_for(anext(items), 0.4))
                except TimeoutError:
                    found = [*found]
            return found

    assert run(main) == [0, 1, 2]


@every_way
@pytest.mark.parametrize("make", [aiter, None], ids=["aiter", "open"])
def test_an_error_comes_once_with_the_lines_of_its_source(pipe: Callable[[Any], Any], make: Any) -> None:
    boom = OSError("gone")

    async def pulled(items: Any) -> None:
        assert await anext(items) == 0
        with pytest.raises(OSError, match="gone") as raised:
            await anext(items)
        assert raised.value is boom
        assert "source" in [frame.name for frame in traceback.extract_tb(boom.__traceback__)]
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(items)

    async def main() -> None:
        stream = pipe(numbers(1, boom))
        if make is not None:
            await pulled(make(stream))
            return
        async with stream.open() as items:
            await pulled(items)

    run(main)


@every_way
def test_the_end_comes_as_often_as_it_is_asked_for(pipe: Callable[[Any], Any]) -> None:
    async def main() -> list[Any]:
        items = aiter(pipe(numbers(2)))
        found = [await anext(items, "end") for _ in range(5)]
        await items.aclose()
        return found

    assert run(main) == [0, 1, "end", "end", "end"]


@every_way
def test_one_that_is_pending_sees_the_end_when_the_stream_is_closed(pipe: Callable[[Any], Any]) -> None:
    async def main() -> list[Any]:
        items = aiter(pipe(numbers(9)))
        waiting = asyncio.ensure_future(anext(items, "end"))
        await asyncio.sleep(0.5)
        await items.aclose()
        return [await waiting, await anext(items, "end"), asyncio.get_running_loop().time()]

    assert run(main) == ["end", "end", 0.5]


@pytest.mark.parametrize("ends", ["aclose", "open"])
def test_one_that_nobody_pulled_is_closed_as_it_was_opened(ends: str) -> None:
    async def main() -> str:
        stream, emitter = push(Suspend(1))
        if ends == "open":
            async with stream.open() as items:
                assert emitter.offer(1).name == "ACCEPTED"
                assert await anext(items) == 1
        else:
            await cast(Any, aiter(stream)).aclose()
        return emitter.offer(2).name

    assert run(main) == "CLOSED"


def test_it_is_opened_once() -> None:
    class Source:
        opened = 0

        def __aiter__(self) -> AsyncIterator[int]:
            self.opened += 1
            return numbers(2).__aiter__()

    async def main() -> tuple[int, int]:
        async with Stream(source := Source()).open() as items:
            return await anext(items), source.opened

    assert run(main) == (0, 1)
