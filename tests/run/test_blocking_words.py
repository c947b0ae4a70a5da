"""What is said where an event loop runs and must not, or does not and must."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from streamkit import RunningLoopError, Stream, Suspend, ops


def one_else(form: str, instead: str) -> str:
    return f"{form} needs an event loop of its own, but one runs in this thread: use {instead}"


def none_for(form: str, instead: str) -> str:
    return f"there is no running event loop for {form}: call it in a coroutine, or write {instead}"


async def numbers() -> AsyncIterator[int]:
    yield 1


async def later(number: int) -> int:
    return number


def awaitable(number: int) -> Awaitable[int]:
    return later(number)


PLAIN_FOR = one_else("for x in stream", "async for x in stream")
STREAMS: dict[str, tuple[Callable[[], Any], str]] = {
    "a source that waits": (lambda: Stream(numbers), PLAIN_FOR),
    "a callable that makes one": (lambda: Stream(lambda: numbers()), PLAIN_FOR),
    "a stage": (lambda: Stream([1]) | ops.buffer(Suspend(1)), PLAIN_FOR),
    "a coroutine function": (lambda: Stream([1]) | ops.map(later), PLAIN_FOR),
    "a callback that waits": (
        lambda: Stream([1]) | ops.map(awaitable),
        one_else("a callback that returns an awaitable", "async for x in stream"),
    ),
}


@pytest.mark.parametrize("which", STREAMS)
def test_a_plain_for_where_a_loop_runs(which: str) -> None:
    make, words = STREAMS[which]

    async def main() -> None:
        with pytest.raises(RunningLoopError) as raised:
            list(make())
        assert str(raised.value) == words

    assert list(make()) == [1]
    asyncio.run(main())
    assert list(make()) == [1]


def test_a_plain_for_that_goes_on_where_a_loop_runs() -> None:
    async def main() -> None:
        with pytest.raises(RunningLoopError) as raised:
            next(items)
        assert str(raised.value) == PLAIN_FOR

    items = iter(Stream(range(9)) | ops.buffer(Suspend(1)))
    found = [next(items)]
    asyncio.run(main())
    with pytest.raises(RunningLoopError) as raised:
        found += (item for item in items)
    assert str(raised.value) == PLAIN_FOR
    assert found == [0, 1]  # what was held came, and then that error


def test_a_job_that_is_run_where_a_loop_runs() -> None:
    async def main() -> None:
        with pytest.raises(RunningLoopError) as raised:
            (Stream([1]) | ops.to_list()).run()
        assert str(raised.value) == one_else("job.run()", "await job")

    asyncio.run(main())


def test_a_job_that_is_started_where_none_does() -> None:
    job = Stream([1]) | ops.to_list()
    with pytest.raises(RuntimeError) as raised:
        job.start()
    assert str(raised.value) == none_for("job.start()", "job.run()")
    assert job.run() == [1]


@pytest.mark.parametrize("ends", ["close", "throw", "drop", "step where a loop runs"])
def test_a_plain_for_that_is_left_asks_its_source_for_nothing_more_and_cancels_nothing(ends: str) -> None:
    asked, closed = list[int](), list[int]()

    async def source() -> AsyncIterator[int]:
        try:
            for number in range(9):
                asked.append(number)
                yield number
        finally:
            task = asyncio.current_task()
            assert task is not None
            closed.append(len(asked) + task.cancelling())

    async def main() -> None:
        with pytest.raises(RunningLoopError):
            next(items)

    items: Any = iter(Stream(source))
    assert [next(items), next(items)] == [0, 1]
    if ends == "close":
        items.close()
    elif ends == "throw":
        with pytest.raises(LookupError):
            items.throw(LookupError())
    elif ends != "drop":
        asyncio.run(main())
        with pytest.raises(RunningLoopError):
            next(items)
    items = None
    assert (asked, closed) == ([0, 1], [2])


@pytest.mark.parametrize("ends", ["close", "step"])
def test_the_thread_that_cleans_up_while_a_loop_runs_bears_a_name(ends: str) -> None:
    names = list[str]()

    async def source() -> AsyncIterator[int]:
        try:
            for number in range(9):
                yield number
        finally:
            names.append(threading.current_thread().name)

    async def main() -> None:
        if ends == "close":
            items.close()
        else:
            with pytest.raises(RunningLoopError):
                next(items)

    items: Any = iter(Stream(source) | ops.buffer(Suspend(1)))
    next(items)
    asyncio.run(main())
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(10.0)
    items.close()
    assert names == ["streamkit clean-up"]
