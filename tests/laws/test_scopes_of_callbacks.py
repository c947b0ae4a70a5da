"""Laws 5 and 6: a scope of the source's own fires while a callback is awaited between source and reader."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

import streamkit
from streamkit import Stream, Suspend, ops
from streamkit.testing import run

PUMPED: dict[str, Callable[[], Any]] = {
    "buffer": lambda: ops.buffer(Suspend(2)),
    "merge": lambda: ops.merge([]),
    "zip": lambda: ops.zip(range(9)),
    "timeout": lambda: ops.timeout(60.0),
    "flat_map": lambda: ops.flat_map(lambda item: [item], concurrency=2),
    "concat, buffer": lambda: ops.concat([]) | ops.buffer(Suspend(2)),
    "broadcast": lambda: ops.broadcast(ops.map(str, concurrency=2), ops.map(str)),
    "combine_latest": lambda: ops.combine_latest([1]),
    "share": lambda: ops.share(),
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "map": ops.map,
    "filter": ops.filter,
    "tap": ops.tap,
    "two": lambda function: ops.map(function) | ops.batch(1) | ops.map(function),
}
INSIDE: dict[str, Callable[[Any], Any]] = {
    "flat_map": lambda stream: [0] | ops.flat_map(lambda _: stream, concurrency=1),
    "flat_map twice": lambda stream: (
        [0] | ops.flat_map(lambda _: [0] | ops.flat_map(lambda _: stream, concurrency=1), concurrency=1)
    ),
    "flat_map of several": lambda stream: [0] | ops.flat_map(lambda _: stream, concurrency=2),
    "concat": lambda stream: streamkit.concat([], stream),
    "the first of concat": lambda stream: streamkit.concat(stream, [0]),
    "concat_map": lambda stream: [0] | ops.concat_map(lambda _: stream),
    "switch_map": lambda stream: [0] | ops.switch_map(lambda _: stream),
    "retry": lambda stream: stream | ops.retry(attempts=1),
    "defer": lambda stream: streamkit.defer(lambda: stream),
}
"""Streams in which one is read in place."""


async def slowly(item: Any) -> Any:
    await asyncio.sleep(5.0)
    return item


class Source:
    """One that lets nobody hold its item for more than a second."""

    def __init__(self, *, scope: str = "asyncio", catches: bool = False) -> None:
        self.scope = scope
        self.catches = catches
        self.closed = 0

    async def __call__(self) -> AsyncIterator[int]:
        task = asyncio.current_task()
        try:
            if self.scope == "anyio":
                with anyio.fail_after(1.0):
                    yield 1
            else:
                async with asyncio.timeout(1.0):
                    yield 1
        except TimeoutError:
            if not self.catches:
                raise
        finally:
            assert asyncio.current_task() is task
            self.closed += 1
        yield 2


@pytest.mark.parametrize("scope", ["asyncio", "anyio"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("pumped", PUMPED)
def test_its_error_comes_as_itself_and_nobody_is_cancelled(pumped: str, call: str, scope: str) -> None:
    source = Source(scope=scope)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async for _ in Stream(source) | CALLS[call](slowly) | PUMPED[pumped]():
                pass
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(main)
    assert source.closed == 1


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("call", CALLS)
def test_so_it_does_from_a_stream_that_is_read_inside_of_another(call: str, inside: str) -> None:
    """No matter who reads that, a pump or the task of a user, whether its callback is known to wait."""

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        for function in (slowly, lambda item: slowly(item)):
            for pumped in ("zip", "buffer", "broadcast"):
                source = Source()
                with pytest.raises(TimeoutError):
                    async for _ in INSIDE[inside](Stream(source) | CALLS[call](function)) | PUMPED[pumped]():
                        pass
                assert (task.cancelling(), source.closed) == (0, 1)

    run(main)


@pytest.mark.parametrize("inside", INSIDE)
def test_a_cancellation_of_the_reader_is_none_of_a_source_that_ignores_it(inside: str) -> None:
    async def stubborn() -> AsyncIterator[int]:
        try:
            yield 1
        except asyncio.CancelledError:
            yield 2

    async def main() -> None:
        for ending in ("buffer", "zip", "concat, buffer", "concat"):
            pumped = PUMPED.get(ending, lambda: ops.concat([]))
            stream = INSIDE[inside](Stream(stubborn) | ops.map(slowly)) | pumped()
            with pytest.raises(TimeoutError):  # by the reader's own timeout: no cancellation was lost
                async with asyncio.timeout(1.0):
                    async for _ in stream:
                        pass

    run(main)


def test_one_that_fires_behind_another_which_the_source_has_not_been_told_of() -> None:
    async def source() -> AsyncIterator[list[float]]:
        async with asyncio.timeout(2.0):
            try:
                async with asyncio.timeout(1.0):
                    yield [0.0, 0.0, 5.0]
            except TimeoutError:
                yield [0.0]

    async def call(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    async def main() -> None:
        stream = Stream(source) | ops.flatten() | ops.map(call) | ops.buffer(Suspend(1))
        with pytest.raises(TimeoutError):
            async for _ in stream:
                await asyncio.sleep(1.5)

    run(main)


@pytest.mark.parametrize("pumped", PUMPED)
def test_a_source_that_goes_on_has_lost_the_call_which_is_told(pumped: str) -> None:
    source = Source(catches=True)

    async def main() -> None:
        with pytest.raises(RuntimeError, match="put a buffer before the callback"):
            async for _ in Stream(source) | ops.map(slowly) | PUMPED[pumped]():
                pass

    run(main)
    assert source.closed == 1


@pytest.mark.parametrize("pumped", PUMPED)
def test_a_scope_of_the_callbacks_own_is_none_of_the_source(pumped: str) -> None:
    source = Source()

    async def briefly(item: Any) -> Any:
        try:
            async with asyncio.timeout(0.5):
                await asyncio.sleep(5.0)
        except TimeoutError:
            return item

    async def main() -> int:
        return len([item async for item in Stream(source) | ops.map(briefly) | PUMPED[pumped]()])

    assert run(main) >= 1
    assert source.closed == 1


@pytest.mark.parametrize("pumped", PUMPED)
def test_a_reader_that_leaves_closes_the_source(pumped: str) -> None:
    seen: list[type] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        except BaseException as error:
            seen.append(type(error))
            raise

    async def second(item: Any) -> Any:
        return item if item == 1 else await slowly(item)

    async def main() -> None:
        for inside in (lambda stream: stream, *INSIDE.values()):
            stream = inside(Stream(source) | ops.map(second)) | PUMPED[pumped]()
            async with stream.open() as items:
                async for _ in items:
                    break
                await asyncio.sleep(1.0)

    run(main)
    assert seen == [GeneratorExit] * (1 + len(INSIDE))


@pytest.mark.parametrize("pumped", PUMPED)
def test_a_source_that_follows_a_list_is_told_as_one_that_comes_first(pumped: str) -> None:
    source = Source()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async for _ in Stream([0]) | ops.concat(source) | ops.map(slowly) | PUMPED[pumped]():
                pass
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(main)
    assert source.closed == 1
