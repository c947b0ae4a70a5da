"""take_until, skip_until."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops, push
from streamkit.testing import run

OPERATORS: list[Callable[[Any], Any]] = [ops.take_until, ops.skip_until]


class Clock:
    """A source of one number a second, from 1 on, which notes when it is closed."""

    def __init__(self, count: int = 5) -> None:
        self.count = count
        self.pulled = 0
        self.closed: float | None = None

    async def __call__(self) -> AsyncIterator[int]:
        begun = asyncio.current_task()
        try:
            for number in range(1, self.count + 1):
                self.pulled += 1
                await asyncio.sleep(1.0)
                yield number
        finally:
            assert asyncio.current_task() is begun
            self.closed = asyncio.get_running_loop().time()


async def soon() -> str:
    await asyncio.sleep(2.5)
    return "now"


async def ticks() -> AsyncIterator[str]:
    await asyncio.sleep(2.5)
    yield "now"
    await asyncio.sleep(99.0)


def event() -> asyncio.Event:
    found = asyncio.Event()
    asyncio.get_running_loop().call_later(2.5, found.set)
    return found


def future() -> asyncio.Future[None]:
    found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(2.5, found.set_result, None)
    return found


def future_of_an_executor() -> Future[None]:
    found: Future[None] = Future()
    asyncio.get_running_loop().call_later(2.5, found.set_result, None)
    return found


class Awaitable:
    def __await__(self) -> Any:
        return soon().__await__()


SIGNALS: dict[str, Callable[[], Any]] = {
    "event": event,
    "wait of an event": lambda: event().wait,
    "function that makes an event": lambda: event,
    "coroutine": soon,
    "coroutine function": lambda: soon,
    "function that makes a coroutine": lambda: lambda: soon(),
    "partial": lambda: partial(soon),
    "task": lambda: asyncio.ensure_future(soon()),
    "future": future,
    "future of an executor": future_of_an_executor,
    "awaitable": Awaitable,
    "generator function": lambda: ticks,
    "generator": ticks,
    "stream": lambda: Stream(ticks) | ops.map(str.upper),
    "function that makes a stream": lambda: lambda: Stream(ticks),
    "job": lambda: Stream(ticks) | ops.first(),
}


def kept(operator: Any, signal: Callable[[], Any]) -> list[int]:
    async def main() -> list[int]:
        return [item async for item in Stream(Clock()) | operator(signal())]

    return run(main)


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=SIGNALS)
def test_signals_of_every_kind(signal: Callable[[], Any]) -> None:
    assert kept(ops.take_until, signal) == [1, 2]
    assert kept(ops.skip_until, signal) == [3, 4, 5]


def _set() -> asyncio.Event:
    found = asyncio.Event()
    found.set()
    return found


def _done() -> asyncio.Future[None]:
    found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    found.set_result(None)
    return found


@pytest.mark.parametrize("signal", [lambda: ["now"], lambda: ticks_at_once, _set, _done])
@pytest.mark.parametrize("items", [[1, 2], "ready"])
def test_a_signal_that_is_there_comes_before_any_item(signal: Callable[[], Any], items: Any) -> None:
    async def ready() -> AsyncIterator[int]:
        for number in (1, 2):
            yield number

    source: Any = ready if items == "ready" else items

    async def main() -> tuple[list[int], list[int]]:
        return (
            [item async for item in Stream(source) | ops.take_until(signal())],
            [item async for item in Stream(source) | ops.skip_until(signal())],
        )

    assert run(main) == ([], [1, 2])


async def ticks_at_once() -> AsyncIterator[str]:
    yield "now"


def test_a_signal_ends_a_pull_that_waits_at_that_moment_and_both_are_closed() -> None:
    source, signal = Clock(), asyncio.Event()

    async def main() -> None:
        asyncio.get_running_loop().call_later(1.25, signal.set)
        assert [item async for item in Stream(source) | ops.take_until(signal)] == [1]
        assert asyncio.get_running_loop().time() == source.closed == 1.25

    run(main)


def test_a_signal_that_comes_while_the_consumer_works_is_seen_at_the_next_pull() -> None:
    source, signal = Clock(), asyncio.Event()

    async def main() -> None:
        async with (Stream(source) | ops.take_until(signal)).open() as items:
            assert await anext(items) == 1
            signal.set()
            await asyncio.sleep(9.0)
            assert source.pulled == 1, "it was read ahead"
            assert await anext(items, "over") == "over"

    run(main)


def test_a_buffer_before_it_goes_on_reading_and_what_it_holds_is_dropped_at_the_signal() -> None:
    source, signal = Clock(), asyncio.Event()

    async def main() -> None:
        stream = Stream(source) | ops.buffer(Suspend(3)) | ops.take_until(signal)
        async with stream.open() as items:
            assert await anext(items) == 1
            await asyncio.sleep(9.0)
            assert source.pulled == 4
            assert await anext(items) == 2
            signal.set()
            await asyncio.sleep(1.0)
            assert await anext(items, "over") == "over"

    run(main)


def test_the_stream_of_signals_is_closed_when_it_has_let_the_stream_begin() -> None:
    signals = Clock()

    async def main() -> list[int]:
        found: list[int] = []
        async for item in Stream(Clock()) | ops.skip_until(signals):
            assert signals.closed == (None if item == 1 else 1.0)
            found.append(item)
        return found

    assert run(main) == [1, 2, 3, 4, 5]


def test_a_stream_of_signals_that_is_empty_never_gives_one() -> None:
    assert list(Stream("abc") | ops.take_until([])) == ["a", "b", "c"]
    source = Clock()

    async def main() -> list[int]:
        return [item async for item in Stream(source) | ops.skip_until([])]

    assert run(main) == []
    assert source.closed in {None, 0.0}, "it was read on, though nothing could pass"


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_signal_that_fails_fails_the_stream(operator: Any) -> None:
    async def fails() -> None:
        await asyncio.sleep(2.5)
        raise OSError("signal")

    async def main() -> list[int]:
        found: list[int] = []
        with pytest.raises(OSError, match="signal"):
            async for item in Stream(Clock()) | operator(fails()):
                found.append(item)
        assert asyncio.get_running_loop().time() == 2.5
        return found

    assert run(main) == ([1, 2] if operator is ops.take_until else [])


def test_an_error_of_signals_after_the_first_is_none_of_ours() -> None:
    async def signals() -> AsyncIterator[str]:
        yield "now"
        raise OSError("later")

    assert run(lambda: collect(Stream(Clock()) | ops.skip_until(signals))) == [1, 2, 3, 4, 5]


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_error_of_the_source_passes(operator: Any) -> None:
    async def fails() -> AsyncIterator[int]:
        yield 1
        raise OSError("source")

    async def main() -> list[int]:
        found: list[int] = []
        with pytest.raises(OSError, match="source"):
            async for item in Stream(fails) | operator(asyncio.Event()):
                found.append(item)
        return found

    assert run(main) == ([1] if operator is ops.take_until else [])


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_future_of_others_is_not_cancelled_with_the_stream(operator: Any) -> None:
    async def main() -> None:
        signal: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(asyncio.sleep(50.0, "done"))
        elsewhere: Future[None] = Future()
        for each in (signal, task, elsewhere):
            await collect(Stream([1]) | operator(each))
            assert not each.cancelled()
        assert await task == "done"

    run(main)


def test_a_coroutine_is_cancelled_with_the_stream() -> None:
    ended: list[str] = []

    async def signal() -> None:
        try:
            await asyncio.sleep(99.0)
        finally:
            ended.append("cancelled")

    assert run(lambda: collect(Stream(Clock()) | ops.take_until(signal()))) == [1, 2, 3, 4, 5]
    assert ended == ["cancelled"]


def test_a_function_is_called_for_each_run() -> None:
    stream = Stream(Clock()) | ops.take_until(soon)

    async def main() -> list[list[int]]:
        return [await collect(stream) for _ in range(3)]

    assert run(main) == [[1, 2]] * 3


def test_a_push_source_as_a_signal() -> None:
    stream, emitter = push(Suspend(1), of=str)

    async def main() -> list[int]:
        asyncio.get_running_loop().call_later(2.5, emitter.offer, "stop")
        return await collect(Stream(Clock()) | ops.take_until(stream))

    assert run(main) == [1, 2]
    assert emitter.closed


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("bad", [5, 0, -1, 2.5, float("nan"), None, object(), ops.take(1), ops.take])
def test_what_is_no_signal(operator: Any, bad: Any) -> None:
    with pytest.raises(TypeError, match=r"signal must be a stream, an iterable, .* an asyncio.Event, or a"):
        operator(bad)


def test_a_function_that_makes_no_signal_is_told_when_it_runs() -> None:
    with pytest.raises(TypeError, match="must return an iterable or an async iterable, not 5"):
        list(Stream("abc") | ops.take_until(lambda: 5))  # type: ignore[arg-type, return-value]


def test_it_is_shown_with_its_signal() -> None:
    assert repr(ops.take_until(soon)) == "take_until(Stream(soon))"
    assert repr(ops.skip_until([1])) == "skip_until(Stream([1]))"


def test_an_error_of_the_clean_up_of_the_signal_is_one_of_the_stream_that_others_take() -> None:
    async def untidy() -> AsyncIterator[int]:
        try:
            await asyncio.sleep(60.0)
            yield 1
        finally:
            raise OSError("clean-up")

    caught = Stream(Clock(2)) | ops.take_until(untidy) | ops.catch(lambda error: [str(error)])
    assert run(lambda: caught | ops.to_list()) == [1, 2, "clean-up"]
    with pytest.raises(OSError, match="clean-up"):
        run(lambda: Stream(Clock(2)) | ops.take_until(untidy) | ops.concat([9]) | ops.to_list())
