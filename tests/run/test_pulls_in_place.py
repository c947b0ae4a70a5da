"""Pulls by hand out of a stream that an `async for` has begun to read: they go on in the task that asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import FaultySource, run

PIPES: dict[str, Any] = {"steps": ops.map(lambda item: item), "a buffer": ops.buffer(Suspend(1))}


class Ticks:
    """A number each second, for ever; `log` says when it was closed."""

    def __init__(self, *, clean_up: float = 0.0) -> None:
        self.clean_up = clean_up
        self.log: list[float] = []

    async def __call__(self) -> AsyncIterator[int]:
        number = 0
        try:
            while True:
                await asyncio.sleep(1.0)
                yield number
                number += 1
        finally:
            await asyncio.sleep(self.clean_up)
            self.log.append(asyncio.get_running_loop().time())


@pytest.fixture(params=PIPES)
def pipe(request: pytest.FixtureRequest) -> Any:
    return PIPES[request.param]


async def begun(items: AsyncIterator[int]) -> None:
    """Take the first item by a statement."""
    async for item in items:
        assert item == 0
        break


def test_a_pull_goes_on_where_the_statement_has_left(pipe: Any) -> None:
    async def main() -> list[int]:
        async with (Stream(Ticks()) | pipe).open() as items:
            await begun(items)
            found = [await anext(items), await anext(items)]
            async for item in items:
                found.append(item)
                if item == 4:
                    break
            return found

    assert run(main) == [1, 2, 3, 4]


def test_a_pull_that_was_cancelled_is_kept_for_the_next(pipe: Any) -> None:
    ticks = Ticks()

    async def main() -> list[int]:
        found: list[int] = []
        async with (Stream(ticks) | pipe).open() as items:
            await begun(items)
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.25):
                        await anext(items)
            found += [await anext(items), await anext(items)]
        return found

    assert run(main) == [1, 2]
    assert len(ticks.log) == 1


def test_a_pull_that_lets_others_run_is_kept_too() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async def main() -> list[int]:
        async with Stream(source).open() as items:
            await begun(items)
            pull = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0)
            pull.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pull
            return [await anext(items), await anext(items)]

    assert run(main) == [1, 2]


def test_pulls_that_may_take_no_time_go_on_each_a_turn_further() -> None:
    async def source() -> AsyncIterator[int]:
        yield 0
        for _ in range(3):
            await asyncio.sleep(0)
        yield 1

    async def main() -> int:
        async with Stream(source).open() as items:
            await begun(items)
            for pulls in range(9):
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.0):
                        assert await anext(items) == 1
                        return pulls
            return -1

    assert run(main) == 3


@pytest.mark.parametrize("clean_up", [0.0, 2.0])
def test_a_kept_pull_is_ended_with_the_stream(pipe: Any, clean_up: float) -> None:
    ticks = Ticks(clean_up=clean_up)

    async def main() -> float:
        async with (Stream(ticks) | pipe).open() as items:
            await begun(items)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await anext(items)
        return asyncio.get_running_loop().time()

    assert run(main) == 1.5 + clean_up
    assert ticks.log == [1.5 + clean_up]


@pytest.mark.parametrize("clean_up", [0.0, 2.0])
def test_a_pull_that_is_pending_in_another_task_sees_the_end(pipe: Any, clean_up: float) -> None:
    ticks = Ticks(clean_up=clean_up)

    async def main() -> float:
        async with (Stream(ticks) | pipe).open() as items:
            await begun(items)
            pull = asyncio.ensure_future(anext(items, None))
            await asyncio.sleep(0.25)
        assert await pull is None
        assert pull.cancelling() == 0
        return asyncio.get_running_loop().time()

    assert run(main) == 1.25 + clean_up
    assert len(ticks.log) == 1


class Waits:
    """An awaitable whose steps are written as a generator."""

    def __await__(self) -> Generator[Any, Any, None]:
        yield from asyncio.sleep(9.0).__await__()


class Passes:
    """An awaitable whose steps are those of a coroutine."""

    def __await__(self) -> Generator[Any, Any, None]:
        return asyncio.sleep(9.0).__await__()


async def heeds() -> None:
    """Says by an error of its own that it was cancelled."""
    try:
        await asyncio.sleep(9.0)
    except asyncio.CancelledError:
        raise asyncio.CancelledError("heeded") from None


@pytest.mark.parametrize("waits", [Waits, Passes, heeds, lambda: asyncio.sleep(9.0)])
def test_a_pull_is_ended_at_once_in_whatever_it_waits(waits: Callable[[], Awaitable[None]]) -> None:
    async def source() -> AsyncIterator[int]:
        yield 0
        await waits()
        yield 1

    async def main() -> float:
        async with Stream(source).open() as items:
            await begun(items)
            pull = asyncio.ensure_future(anext(items, None))
            await asyncio.sleep(1.0)
        assert await pull is None
        return asyncio.get_running_loop().time()

    assert run(main) == 1.0


def test_an_error_comes_to_a_pull_as_itself(pipe: Any) -> None:
    async def source() -> AsyncIterator[int]:
        yield 0
        raise LookupError("lost")

    async def main() -> None:
        async with (Stream(source) | pipe).open() as items:
            await begun(items)
            with pytest.raises(LookupError, match="lost"):
                await anext(items)
            assert await anext(items, None) is None

    run(main)


def test_a_pull_behind_a_statement_that_was_cancelled_says_that_the_stream_has_ended(pipe: Any) -> None:
    async def main() -> None:
        async with (Stream(Ticks()) | pipe).open() as items:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await begun(items)
            for _ in range(2):
                with pytest.raises(RuntimeError, match=r"make each by anext\(items\)"):
                    await anext(items)
            with pytest.raises(RuntimeError, match="this stream has ended"):
                await begun(items)

    run(main)


@pytest.mark.parametrize("meanwhile", [0.0, 0.5, 5.0])
def test_a_pull_that_is_cancelled_as_its_item_comes_loses_nothing(pipe: Any, meanwhile: float) -> None:
    async def main() -> list[int]:
        async with (Stream(Ticks()) | pipe).open() as items:
            await begun(items)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout_at(2.0):
                    await anext(items)
            await asyncio.sleep(meanwhile)
            return [await anext(items), await anext(items)]

    assert run(main) == [1, 2]


def test_a_close_that_is_given_up_cancels_the_clean_up_of_a_kept_pull() -> None:
    ticks = Ticks(clean_up=9.0)

    async def main() -> float:
        async with Stream(ticks).open() as items:
            await begun(items)
            for wait in (lambda: anext(items), items.aclose):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await wait()
            assert await anext(items, None) is None
        return asyncio.get_running_loop().time()

    assert run(main) == 2.0
    assert ticks.log == []


def test_a_pull_that_is_cancelled_while_another_task_closes_cancels_the_clean_up_in_it() -> None:
    ticks = Ticks(clean_up=9.0)

    async def main() -> float:
        async with Stream(ticks).open() as items:
            await begun(items)
            pull = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0.25)
            closing = asyncio.ensure_future(items.aclose())
            await asyncio.sleep(0.25)
            pull.cancel()
            await asyncio.wait([pull])
            assert pull.cancelled()
            await closing
        return asyncio.get_running_loop().time()

    assert run(main) == 1.5
    assert ticks.log == []


def test_a_kept_pull_whose_source_heeds_no_cancellation_is_waited_for() -> None:
    source = FaultySource(range(9), every=1.0, ignores_cancel=1)

    async def main() -> float:
        async with Stream(source).open() as items:
            await begun(items)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await anext(items)
        return asyncio.get_running_loop().time()

    assert run(main) > 1.5
    source.check()


def test_a_stream_is_closed_while_a_pull_of_another_task_lets_others_run() -> None:
    """There is nothing to cancel; the pull ends with its item, and the stream with that."""
    source = FaultySource(range(9), every=0.0)

    async def main() -> None:
        async with Stream(source).open() as items:
            await begun(items)
            pull = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0)
            await items.aclose()
            assert await pull == 1
            assert await anext(items, None) is None

    run(main)
    assert source.closed == 1


def test_a_source_is_closed_where_the_stream_is_left_before_the_task_of_the_first_pull_has_begun() -> None:
    class Source:
        pulled = closed = 0

        def __aiter__(self) -> AsyncIterator[int]:
            return self

        async def __anext__(self) -> int:
            self.pulled += 1
            return self.pulled

        async def aclose(self) -> None:
            self.closed += 1

    source = Source()

    async def main() -> None:
        async with Stream(source).open() as items:
            pull = asyncio.ensure_future(anext(items, None))
            await asyncio.sleep(0)
        assert await pull is None

    run(main)
    assert (source.pulled, source.closed) == (0, 1)


def test_a_pull_of_a_task_that_was_cancelled_before_and_went_on_sees_the_end(pipe: Any) -> None:
    async def goes_on(items: AsyncIterator[int]) -> int | None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(9.0)
        return await anext(items, None)

    async def main() -> int | None:
        async with (Stream(Ticks()) | pipe).open() as items:
            await begun(items)
            pull = asyncio.ensure_future(goes_on(items))
            await asyncio.sleep(0)
            pull.cancel()
            await asyncio.sleep(0.25)
        return await pull

    assert run(main) is None


def test_a_pull_of_another_task_whose_source_heeds_no_cancellation_is_waited_for() -> None:
    """It begins its second of waiting anew. Nobody says that it has ended: who closes looks now and then."""
    for seconds in (0.02, 1.0, 20.0):
        source = FaultySource(range(9), every=seconds, ignores_cancel=1)

        async def main(source: Any = source, seconds: float = seconds) -> float:
            async with Stream(source).open() as items:
                await begun(items)
                pull = asyncio.ensure_future(anext(items, None))
                await asyncio.sleep(seconds / 2)
            await pull
            return asyncio.get_running_loop().time() - 2.5 * seconds

        late = run(main)
        assert 0 <= late <= 0.05, late
        assert source.closed == 1


def test_a_task_that_was_cancelled_before_and_went_on_closes_with_a_kept_pull(pipe: Any) -> None:
    async def goes_on(items: Any) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(9.0)
        await items.aclose()

    ticks = Ticks()

    async def main() -> None:
        items = (Stream(ticks) | pipe).open()
        async with items:
            await begun(items)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await anext(items)
            closing = asyncio.ensure_future(goes_on(items))
            await asyncio.sleep(0)
            closing.cancel()
            await closing

    run(main)
    assert ticks.log == [1.5]
