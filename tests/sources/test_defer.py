"""Sources that are made when they are read."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as of
from reactivex.disposable import Disposable

import streamkit
from streamkit import Stream, Suspend, attached, ops
from streamkit.testing import run

NUMBERS = st.lists(st.integers(), max_size=5)


async def awaited(job: Any) -> Any:
    return await job


async def later(value: Any) -> Any:
    await asyncio.sleep(1.0)
    return value


class TestDefer:
    @given(NUMBERS)
    def test_is_that_of_rx(self, numbers: list[int]) -> None:
        theirs = reactivex.defer(lambda _: reactivex.from_iterable(numbers))
        assert list(streamkit.defer(lambda: numbers)) == theirs.pipe(of.to_list()).run()

    @pytest.mark.parametrize(
        "make", [lambda: [1, 2], lambda: Stream([1, 2]), lambda: iter([1, 2]), lambda: lambda: [1, 2]]
    )
    def test_takes_whatever_a_stream_can_begin_with(self, make: Callable[[], Any]) -> None:
        assert list(streamkit.defer(make)) == [1, 2]

        async def make_later() -> Any:
            return await later(make())

        for function in (make_later, lambda: make_later()):
            stream = streamkit.defer(function)
            assert run(lambda stream=stream: awaited(stream | ops.to_list())) == [1, 2]

    def test_calls_the_function_for_each_run_and_not_before_the_first_pull(self) -> None:
        calls: list[int] = []

        def make() -> list[int]:
            calls.append(len(calls))
            return calls[:]

        stream = streamkit.defer(make)

        async def main() -> None:
            async with stream.open():
                await asyncio.sleep(1.0)
                assert calls == []
            assert await (stream | ops.to_list()) == [0]
            assert await (stream | ops.to_list()) == [0, 1]

        run(main)

    def test_closes_what_was_made(self) -> None:
        file = io.StringIO("a\nb\n")
        assert (streamkit.defer(lambda: file) | ops.first()).run() == "a\n"
        assert file.closed

    def test_an_error_of_the_function_names_it_and_can_be_caught(self) -> None:
        async def fail() -> list[int]:
            raise OSError("gone")

        with pytest.raises(OSError, match="gone") as caught:
            list(streamkit.defer(fail))
        assert caught.value.__notes__[0].startswith("in defer(fail) at tests/sources/test_defer.py:")
        assert list(streamkit.defer(fail) | ops.catch(lambda _: [5])) == [5]
        assert list(streamkit.defer(fail) | ops.map(str) | ops.catch(lambda _: [5])) == [5]

    def test_a_deferred_stream_that_fails_can_be_retried(self) -> None:
        calls: list[int] = []

        async def make() -> list[int]:
            calls.append(1)
            if len(calls) < 3:
                raise OSError("gone")
            return calls

        assert list(streamkit.defer(make) | ops.retry(3)) == [1, 1, 1]

    def test_pages_that_chain_to_the_next_page_need_no_more_stack(self) -> None:
        last = 3_000

        def page(number: int) -> Stream[int]:
            async def following() -> Any:
                return page(number + 1) if number < last else []

            return streamkit.concat([number], streamkit.defer(following))

        assert (page(1) | ops.count()).run() == last

    def test_streams_that_defer_to_others_need_no_more_stack(self) -> None:
        def chain(left: int) -> Stream[int]:
            return streamkit.defer(lambda: chain(left - 1) if left else [7])

        assert list(chain(3_000)) == [7]

    @pytest.mark.parametrize("value", [None, 5, "text", [1]])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not"):
            streamkit.defer(value)

    @pytest.mark.parametrize("value", [None, 5, ops.take(1)])
    @pytest.mark.parametrize("waits", [False, True])
    def test_what_it_returns_must_be_one(self, value: Any, waits: bool) -> None:
        stream = streamkit.defer(lambda: later(value) if waits else value)
        with pytest.raises(TypeError, match="must return a stream, an iterable or an async iterable, not"):
            run(lambda: awaited(stream | ops.to_list()))


class Log:
    """Context managers, and the order of what happens with them."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.task: Any = None

    def note(self, event: str) -> None:
        self.events.append(event)

    @contextmanager
    def plain(self) -> Iterator[int]:
        self.note("open")
        try:
            yield 3
        except BaseException as error:
            self.note(type(error).__name__)
            raise
        finally:
            self.note("close")

    @asynccontextmanager
    async def waits(self) -> AsyncGenerator[int, None]:
        await asyncio.sleep(1.0)
        task = asyncio.current_task()
        with self.plain() as number:
            yield number
            await asyncio.sleep(1.0)
        assert asyncio.current_task() is task

    async def awaitable(self) -> Any:
        return self.waits()

    async def numbers(self, count: int) -> AsyncIterator[int]:
        try:
            for number in range(count):
                yield number
        finally:
            self.note("end of stream")


KINDS = ["plain", "waits", "awaitable"]


class TestUsing:
    @given(NUMBERS)
    def test_is_that_of_rx(self, numbers: list[int]) -> None:
        disposed: list[int] = []
        theirs = reactivex.using(
            lambda: Disposable(lambda: disposed.append(1)), lambda _: reactivex.from_iterable(numbers)
        )
        closes: list[int] = []
        ours = streamkit.using(lambda: closing(Closes(closes)), lambda _: numbers)
        assert list(ours) == theirs.pipe(of.to_list()).run()
        assert closes == disposed == [1]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("function", [lambda log, number: log.numbers(number), None])
    def test_is_open_while_the_stream_is_read(self, kind: str, function: Any) -> None:
        log = Log()

        async def stream_later(number: int) -> Any:
            return await later(log.numbers(number))

        make = stream_later if function is None else (lambda number: function(log, number))
        stream: Stream[int] = streamkit.using(getattr(log, kind), make)

        async def main() -> None:
            for _ in range(2):
                assert await (stream | ops.tap(lambda item: log.note(str(item))) | ops.to_list()) == [0, 1, 2]

        run(main)
        assert log.events == ["open", "0", "1", "2", "end of stream", "close"] * 2

    @pytest.mark.parametrize("kind", KINDS)
    def test_is_left_after_the_stream_when_the_consumer_leaves(self, kind: str) -> None:
        log = Log()
        stream: Stream[int] = streamkit.using(getattr(log, kind), log.numbers)
        assert run(lambda: awaited(stream | ops.first())) == 0
        assert log.events == ["open", "end of stream", "GeneratorExit", "close"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_sees_an_error_of_the_stream_and_none_of_the_consumer(self, kind: str) -> None:
        log = Log()

        def fail(_: object) -> Any:
            raise OSError("gone")

        made: list[Stream[Any]] = [
            streamkit.using(getattr(log, kind), lambda _: streamkit.fail(OSError("gone"))),
            streamkit.using(getattr(log, kind), fail),
            streamkit.using(getattr(log, kind), log.numbers) | ops.map(fail),
        ]
        for stream, seen in zip(made, ["OSError", "OSError", "GeneratorExit"], strict=True):
            log.events.clear()
            with pytest.raises(OSError, match="gone"):
                run(lambda stream=stream: awaited(stream | ops.to_list()))
            assert [each for each in log.events if each != "end of stream"] == ["open", seen, "close"]

    def test_an_error_that_the_resource_suppresses_ends_the_stream(self) -> None:
        stream = streamkit.using(lambda: suppress(OSError), lambda _: streamkit.fail(OSError("gone")))
        assert list(streamkit.concat([1], stream, [2])) == [1, 2]

    def test_an_error_of_leaving_hangs_on_that_of_the_consumer(self) -> None:
        error = OSError("left")

        @contextmanager
        def fails() -> Iterator[None]:
            try:
                yield
            finally:
                raise error

        stream = streamkit.using(fails, lambda _: [0, 1]) | ops.map(lambda number: 1 // number)
        with pytest.raises(ZeroDivisionError) as caught:
            (stream | ops.drain()).run()
        assert attached(caught.value) == (error,)

    def test_an_error_of_entering_names_it(self) -> None:
        def fails() -> Any:
            raise OSError("closed")

        with pytest.raises(OSError, match="closed") as caught:
            list(streamkit.using(fails, lambda _: [1]))
        assert caught.value.__notes__[0].startswith(
            "in using(fails, <lambda>) at tests/sources/test_defer.py:"
        )

    def test_a_timeout_of_the_resource_holds_for_all_of_the_reading(self) -> None:
        async def main() -> None:
            stream = streamkit.using(lambda: asyncio.timeout(2.5), lambda _: streamkit.interval(1.0))
            out: list[int] = []
            with pytest.raises(TimeoutError):
                await (stream | ops.for_each(out.append))
            assert out == [0, 1]

        run(main)

    def test_a_timeout_inside_the_stream_that_fires_while_a_pump_waits_is_its_own(self) -> None:
        seen: list[str] = []

        async def inside(_: object) -> AsyncIterator[int]:
            try:
                async with asyncio.timeout(2.5):
                    for number in range(9):
                        yield number
            except TimeoutError:
                seen.append("caught")
                yield 99

        async def main() -> None:
            stream = streamkit.using(lambda: suppress(KeyError), inside) | ops.buffer(Suspend(1))
            out: list[int] = []
            async with stream.open() as items:
                async for number in items:
                    out.append(number)
                    await asyncio.sleep(2.0)
            assert out[-1] == 99
            assert seen == ["caught"]

        run(main)

    def test_what_is_awaitable_and_a_context_manager_is_entered(self) -> None:
        class Both(Closes):
            async def __aenter__(self) -> str:
                return "entered"

            async def __aexit__(self, *error: object) -> None:
                self.close()

            def __await__(self) -> Any:
                raise AssertionError("awaited")

        closes: list[int] = []
        assert list(streamkit.using(lambda: Both(closes), list)) == [*"entered"]
        assert closes == [1]

    @pytest.mark.parametrize("name", ["resource", "function"])
    @pytest.mark.parametrize("value", [None, 5, "text", [1]])
    def test_bad_argument(self, name: str, value: Any) -> None:
        with pytest.raises(TypeError, match=f"{name} must be a callable, not"):
            streamkit.using(**{"resource": Log().plain, "function": list, name: value})

    @pytest.mark.parametrize("value", [None, 5, [1]])
    def test_what_its_functions_return_must_be_right(self, value: Any) -> None:
        with pytest.raises(TypeError, match="must return a context manager, not"):
            list(streamkit.using(lambda: value, lambda _: [1]))
        if value != [1]:
            with pytest.raises(TypeError, match="must return a stream, an iterable or an async iterable"):
                list(streamkit.using(Log().plain, lambda _: value))


class Closes:
    def __init__(self, closes: list[int]) -> None:
        self.closes = closes

    def close(self) -> None:
        self.closes.append(1)


@pytest.mark.parametrize(
    "pipe", [lambda made: made, lambda made: Stream([1]) | ops.concat(made | ops.concat([2]))]
)
def test_an_end_that_the_function_raises_is_an_error_that_names_it(pipe: Callable[[Any], Any]) -> None:
    async def ends() -> Any:
        raise StopAsyncIteration

    with pytest.raises(RuntimeError, match="raised StopAsyncIteration"):
        run(lambda: pipe(streamkit.defer(ends)) | ops.to_list())
