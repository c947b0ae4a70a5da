"""Sinks that run a stream for its effects."""

import asyncio
import queue
import sys
from typing import Any

import pytest

import streamkit
from streamkit import Stream, attached, ops
from streamkit.testing import run
from tests.sinks.counting import Counted


async def awaited(job: Any) -> Any:
    return await job


class TestForEach:
    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_calls_with_each_item_and_has_no_result(self, concurrency: int) -> None:
        seen: list[int] = []
        job = Stream([3, 1, 2]) | ops.for_each(seen.append, concurrency=concurrency)
        assert job.run() is None
        assert seen == [3, 1, 2]

    def test_awaits_one_call_before_the_next_item_is_pulled(self) -> None:
        source = Counted(3)
        pulled: list[int] = []

        async def work(_: int) -> None:
            await asyncio.sleep(1.0)
            pulled.append(source.pulled)

        run(lambda: awaited(Stream(source) | ops.for_each(work)))
        assert pulled == [1, 2, 3]

    @pytest.mark.parametrize(("concurrency", "seconds"), [(1, 6.0), (2, 3.0), (3, 2.0), (9, 1.0)])
    def test_so_many_calls_are_in_flight(self, concurrency: int, seconds: float) -> None:
        busy = most = 0

        async def work(_: int) -> None:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(1.0)
            busy -= 1

        async def main() -> float:
            await (Stream(range(6)) | ops.for_each(work, concurrency=concurrency))
            return asyncio.get_running_loop().time()

        assert run(main) == seconds
        assert (most, busy) == (min(concurrency, 6), 0)

    def test_an_error_cancels_the_calls_in_flight_and_waits_for_them(self) -> None:
        cancelled: list[int] = []

        async def work(number: int) -> None:
            if number == 0:
                await asyncio.sleep(1.0)
                raise ValueError(number)
            try:
                await asyncio.sleep(99.0)
            finally:
                await asyncio.sleep(5.0)
                cancelled.append(number)

        with pytest.raises(ValueError, match="0") as caught:
            run(lambda: awaited(Stream(range(9)) | ops.for_each(work, concurrency=3)))
        assert sorted(cancelled) == [1, 2]
        assert attached(caught.value) == ()

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_an_error_says_where(self, concurrency: int) -> None:
        def fail(_: int) -> None:
            raise ValueError("bad")

        with pytest.raises(ValueError, match="bad") as caught:
            (Stream([1]) | ops.for_each(fail, concurrency=concurrency)).run()
        assert "(fail" in caught.value.__notes__[0]
        assert "test_effects.py:" in caught.value.__notes__[0]

    @pytest.mark.parametrize(
        ("value", "error"), [(0, ValueError), (-1, ValueError), (True, TypeError), (1.0, TypeError)]
    )
    def test_bad_concurrency(self, value: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match=f"concurrency must be a whole number of at least 1, not {value!r}"):
            ops.for_each(print, concurrency=value)

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_bad_function(self, concurrency: int) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not None"):
            ops.for_each(None, concurrency=concurrency)  # type: ignore[arg-type]


class TestDrain:
    def test_pulls_everything_and_has_no_result(self) -> None:
        source = Counted(5)
        assert (Stream(source) | ops.drain()).run() is None
        assert (source.pulled, source.closed) == (5, 1)


class TestToQueue:
    def test_fills_a_queue_that_a_stream_reads(self) -> None:
        async def main() -> None:
            items: asyncio.Queue[int | None] = asyncio.Queue(2)
            fills = asyncio.ensure_future(Stream(range(9)) | ops.to_queue(items, end=None))
            assert await (streamkit.from_queue(items, end=None) | ops.to_list()) == [*range(9)]
            assert await fills is None

        run(main)

    def test_waits_while_the_queue_is_full(self) -> None:
        source = Counted()

        async def main() -> None:
            items: asyncio.Queue[int] = asyncio.Queue(3)
            fills = asyncio.ensure_future(Stream(source) | ops.to_queue(items))
            await asyncio.sleep(1.0)
            assert (source.pulled, items.qsize()) == (4, 3)
            assert items.get_nowait() == 0
            await asyncio.sleep(1.0)
            assert source.pulled == 5
            fills.cancel()
            await asyncio.gather(fills, return_exceptions=True)

        run(main)
        assert source.closed == 1

    def test_without_an_end_puts_in_the_items_alone(self) -> None:
        items: asyncio.Queue[int] = asyncio.Queue()
        (Stream([1, 2]) | ops.to_queue(items)).run()
        assert [items.get_nowait() for _ in range(items.qsize())] == [1, 2]

    def test_after_an_error_the_end_is_not_put_in(self) -> None:
        items: asyncio.Queue[Any] = asyncio.Queue()
        with pytest.raises(OSError, match="gone"):
            (streamkit.concat([1], streamkit.fail(OSError("gone"))) | ops.to_queue(items, end=None)).run()
        assert [items.get_nowait() for _ in range(items.qsize())] == [1]

    @pytest.mark.skipif(sys.version_info < (3, 13), reason="queues shut down from Python 3.13 on")
    def test_a_queue_that_was_shut_down_is_an_error(self) -> None:
        async def main() -> None:
            items: Any = asyncio.Queue()
            items.shutdown()
            error: Any = asyncio
            with pytest.raises(error.QueueShutDown) as caught:
                await (Stream([1]) | ops.to_queue(items))
            assert caught.value.__notes__[0].startswith("in to_queue(")

        run(main)

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (None, "queue must be a queue of asyncio, not None$"),
            ([1], r"queue must be a queue of asyncio, not \[1\]$"),
            (queue.Queue(), r"write for_each\(partial\(asyncio.to_thread, queue.put\)\)$"),
        ],
        ids=["None", "list", "blocking"],
    )
    def test_bad_argument(self, value: Any, words: str) -> None:
        with pytest.raises(TypeError, match=words):
            ops.to_queue(value)
