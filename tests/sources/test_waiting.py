"""Sources that wait for what asyncio has."""

import asyncio
import concurrent.futures
import queue
import sys
from collections.abc import Generator
from typing import Any

import pytest

import streamkit
from streamkit import SourceConsumedError, Stream, ops
from streamkit.testing import run


async def fetch() -> str:
    await asyncio.sleep(1.0)
    return "page"


class Waits:
    """An awaitable of no known kind."""

    def __await__(self) -> Generator[Any, None, str]:
        return fetch().__await__()


class TestFromAwaitable:
    @pytest.mark.parametrize("make", [fetch, Waits, lambda: fetch(), lambda: asyncio.ensure_future(fetch())])
    def test_gives_the_result_of_what_a_function_returns_in_each_run(self, make: Any) -> None:
        async def main() -> None:
            job = streamkit.from_awaitable(make) | ops.to_list()
            assert [await job, await job] == [["page"], ["page"]]
            assert asyncio.get_running_loop().time() == 2.0

        run(main)

    def test_a_coroutine_can_be_run_once(self) -> None:
        async def main() -> None:
            stream = streamkit.from_awaitable(fetch())
            assert await (stream | ops.to_list()) == ["page"]
            with pytest.raises(SourceConsumedError, match="pass a function that makes a fresh coroutine"):
                await (stream | ops.to_list())

        run(main)

    @pytest.mark.parametrize("kind", ["future", "task", "executor"])
    def test_what_keeps_its_result_can_be_run_again(self, kind: str) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            waited: Any = {
                "future": loop.create_future,
                "task": lambda: loop.create_task(fetch()),
                "executor": concurrent.futures.Future,
            }[kind]()
            if kind != "task":
                loop.call_later(1.0, waited.set_result, "page")
            job = streamkit.from_awaitable(waited) | ops.to_list()
            assert await asyncio.gather(job, job) == [["page"], ["page"]]

        run(main)

    def test_a_task_goes_on_when_its_reader_leaves(self) -> None:
        async def main() -> None:
            task = asyncio.create_task(fetch())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(streamkit.from_awaitable(task) | ops.first(), 0.5)
            assert await task == "page"

        run(main)

    def test_a_coroutine_is_cancelled_when_its_reader_leaves(self) -> None:
        seen: list[str] = []

        async def slow() -> None:
            try:
                await asyncio.sleep(9.0)
            finally:
                seen.append("cleaned up")

        async def main() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(streamkit.from_awaitable(slow) | ops.first(), 0.5)
            assert seen == ["cleaned up"]

        run(main)

    def test_a_coroutine_whose_stream_was_opened_and_not_pulled_is_closed(self) -> None:
        async def main() -> None:
            coroutine = fetch()
            opened = streamkit.from_awaitable(coroutine)._source.open()
            assert opened.close is not None
            await opened.close()
            with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
                coroutine.send(None)

        run(main)

    @pytest.mark.parametrize("error", [OSError("gone"), asyncio.CancelledError()])
    def test_an_error_comes_as_itself_each_time(self, error: BaseException) -> None:
        async def main() -> None:
            future = asyncio.get_running_loop().create_future()
            if isinstance(error, Exception):
                future.set_exception(error)
            else:
                future.cancel()
            for _ in range(2):
                with pytest.raises(type(error)) as caught:
                    await (streamkit.from_awaitable(future) | ops.to_list())
                assert caught.value is error or not isinstance(error, Exception)

        run(main)

    def test_the_end_of_an_iterator_is_an_error(self) -> None:
        class Ends:
            def __await__(self) -> Generator[Any, None, None]:
                raise StopAsyncIteration
                yield

        async def main() -> None:
            with pytest.raises(RuntimeError, match="raised StopAsyncIteration"):
                await (streamkit.from_awaitable(Ends()) | ops.to_list())

        run(main)

    @pytest.mark.parametrize("value", [None, 5, "text", [1]])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="waited must be a callable, not"):
            streamkit.from_awaitable(value)

    def test_a_function_must_return_an_awaitable(self) -> None:
        function: Any = lambda: 5  # noqa: E731
        with pytest.raises(TypeError, match="must return an awaitable, not 5"):
            list(streamkit.from_awaitable(function))


def filled(*items: Any, size: int = 0) -> "asyncio.Queue[Any]":
    made: asyncio.Queue[Any] = asyncio.Queue(size)
    for item in items:
        made.put_nowait(item)
    return made


class TestFromQueue:
    def test_gives_what_is_put_until_the_end_comes_out(self) -> None:
        async def main() -> None:
            items = filled(1, 2)

            async def later() -> None:
                for item in (3, None, 4):
                    await asyncio.sleep(1.0)
                    items.put_nowait(item)

            task = asyncio.create_task(later())
            assert await (streamkit.from_queue(items, end=None) | ops.to_list()) == [1, 2, 3]
            await task
            assert items.get_nowait() == 4

        run(main)

    def test_without_an_end_any_item_is_one(self) -> None:
        stream = streamkit.from_queue(filled(None, 0, streamkit.ABSENT, streamkit.EMPTY)) | ops.take(4)
        assert list(stream) == [None, 0, streamkit.ABSENT, streamkit.EMPTY]

    def test_the_end_is_that_object_and_no_equal_one(self) -> None:
        end = [0]
        assert list(streamkit.from_queue(filled([0], end), end=end)) == [[0]]

    def test_no_more_is_taken_than_asked_for_and_another_run_goes_on(self) -> None:
        items = filled(1, 2, 3, None)
        stream = streamkit.from_queue(items, end=None)
        assert (stream | ops.first()).run() == 1
        assert items.qsize() == 3
        assert list(stream) == [2, 3]

    def test_a_full_queue_has_room_as_the_stream_is_read(self) -> None:
        async def main() -> None:
            items = filled(size=1)

            async def fill() -> None:
                for number in range(5):
                    await items.put(number)
                await items.put(None)

            task = asyncio.create_task(fill())
            assert await (streamkit.from_queue(items, end=None) | ops.to_list()) == [0, 1, 2, 3, 4]
            await task

        run(main)

    def test_two_runs_share_the_items(self) -> None:
        async def main() -> None:
            items = filled(*range(9), None, None)
            stream = streamkit.from_queue(items, end=None)
            one, other = await asyncio.gather(stream | ops.to_list(), stream | ops.to_list())
            assert sorted(one + other) == [*range(9)]

        run(main)

    def test_a_reader_that_gives_up_loses_no_item(self) -> None:
        async def main() -> None:
            items = filled()
            async with streamkit.from_queue(items).open() as stream:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(stream), 1.0)
                items.put_nowait("a")
                assert await anext(stream) == "a"

        run(main)

    @pytest.mark.skipif(sys.version_info < (3, 13), reason="queues shut down from Python 3.13 on")
    def test_ends_when_the_queue_was_shut_down_and_is_empty(self) -> None:
        async def main() -> None:
            items: Any = filled(1, 2)
            items.shutdown()
            assert await (streamkit.from_queue(items) | ops.to_list()) == [1, 2]
            waits = asyncio.ensure_future(streamkit.from_queue(other := filled()) | ops.to_list())
            await asyncio.sleep(1.0)
            shut: Any = other
            shut.shutdown()
            assert await waits == []

        run(main)

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (None, "queue must be a queue of asyncio, not None$"),
            ([1], "queue must be a queue of asyncio, not"),
            (queue.Queue(), r"write streamkit.from_blocking\(iter\(queue.get, end\)\)$"),
            (queue.SimpleQueue(), r"write streamkit.from_blocking\(iter\(queue.get, end\)\)$"),
            (Stream([1]), "queue must be a queue of asyncio, not"),
        ],
        ids=["None", "list", "blocking", "simple", "stream"],
    )
    def test_bad_argument(self, value: Any, words: str) -> None:
        with pytest.raises(TypeError, match=words):
            streamkit.from_queue(value)
