"""Laws 5 and 6: a scope of the source's own fires while a callback is awaited between source and reader."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

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
        async with (Stream(source) | ops.map(second) | PUMPED[pumped]()).open() as items:
            async for _ in items:
                break
            await asyncio.sleep(1.0)

    run(main)
    assert seen == [GeneratorExit]


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
