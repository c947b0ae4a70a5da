"""Blocking iterables, read in threads of their own: by real threads, and events that say when they go on."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import streamkit
from streamkit import SourceConsumedError, Stream, attached, ops
from streamkit.testing import run as in_virtual_time

SECONDS = 10.0
"""How long a thread waits at most for what a test lets it have."""
NAME: ContextVar[str] = ContextVar("NAME", default="none")


def run(main: Callable[[], Any]) -> Any:
    return in_virtual_time(main, threads=True)


class Blocking:
    """An iterator that notes in which threads it is used; a test lets through as many numbers as it wants."""

    def __init__(self, count: int = 100, *, gated: bool = False, error: Exception | None = None) -> None:
        self.count = count
        self.error = error
        self.gate = threading.Semaphore(0 if gated else 10**6)
        self.stepped = threading.Semaphore(0)
        self.threads = set[threading.Thread]()
        self.given = self.closed = 0

    def __iter__(self) -> Iterator[int]:
        self.threads.add(threading.current_thread())
        return self

    def __next__(self) -> int:
        self.threads.add(threading.current_thread())
        self.stepped.release()
        assert self.gate.acquire(timeout=SECONDS)
        if self.given == self.count:
            if self.error is not None:
                raise self.error
            raise StopIteration
        self.given += 1
        return self.given - 1

    def close(self) -> None:
        self.threads.add(threading.current_thread())
        self.closed += 1

    def check(self) -> None:
        """It was used by one thread, and that was none of the program's; it was closed once."""
        (thread,) = self.threads
        assert thread is not threading.current_thread()
        assert not thread.is_alive()
        assert self.closed == 1


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(int(SECONDS / 0.001)):
        if condition():
            return
        await asyncio.get_running_loop().run_in_executor(None, threading.Event().wait, 0.001)
    raise AssertionError("nothing has happened")


class TestFromBlocking:
    @settings(max_examples=10)
    @given(st.lists(st.integers(), max_size=30), st.integers(1, 9))
    def test_gives_the_items_of_the_iterable(self, numbers: list[int], lookahead: int) -> None:
        assert list(streamkit.from_blocking(numbers, lookahead=lookahead)) == numbers

    def test_one_thread_does_it_all_and_ends_with_the_run(self) -> None:
        source = Blocking(5)
        assert list(streamkit.from_blocking(lambda: source)) == [0, 1, 2, 3, 4]
        source.check()

    def test_the_event_loop_goes_on_while_a_step_blocks(self) -> None:
        source = Blocking(1, gated=True)

        async def main() -> None:
            reads = asyncio.ensure_future(streamkit.from_blocking(lambda: source) | ops.to_list())
            await until(lambda: source.stepped.acquire(blocking=False))
            assert not reads.done()
            source.gate.release(2)
            assert await reads == [0]

        run(main)
        source.check()

    @pytest.mark.parametrize("lookahead", [1, 2, 5])
    def test_no_more_is_read_ahead_than_it_says(self, lookahead: int) -> None:
        source = Blocking()

        async def main() -> None:
            stream = streamkit.from_blocking(lambda: source, lookahead=lookahead)
            assert stream.explain().lookahead == lookahead
            async with stream.open() as items:
                assert source.given == 0
                for number in range(4):
                    assert await anext(items) == number
                    assert source.given <= number + 1 + lookahead
                await until(lambda: source.given >= 4 + lookahead // 2)
                await asyncio.sleep(1.0)
                assert source.given <= 4 + lookahead

        run(main)
        source.check()

    def test_it_sees_the_context_of_who_pulls_first(self) -> None:
        def names() -> Iterator[str]:
            yield NAME.get()

        async def main() -> None:
            stream = streamkit.from_blocking(names)
            NAME.set("mine")
            assert await (stream | ops.to_list()) == ["mine"]

        run(main)

    def test_what_is_dropped_is_let_go_of(self) -> None:
        class Thing:
            pass

        alive: weakref.WeakSet[Thing] = weakref.WeakSet()

        def things() -> Iterator[Thing]:
            for _ in range(9):
                thing = Thing()
                alive.add(thing)
                yield thing
                del thing

        async def main() -> None:
            async with streamkit.from_blocking(things).open() as items:
                for _ in range(9):
                    await anext(items)
                gc.collect()
                assert len(alive) <= 2  # that which its generator has in hand, and one read ahead

        run(main)
        gc.collect()
        assert not alive


class TestLeaving:
    def test_ends_the_thread_after_the_step_under_way(self) -> None:
        source = Blocking(gated=True)

        async def main() -> None:
            reads = asyncio.ensure_future(streamkit.from_blocking(lambda: source) | ops.to_list())
            await until(lambda: source.stepped.acquire(blocking=False))
            reads.cancel()
            await asyncio.sleep(1.0)
            assert not reads.done()  # the step cannot be interrupted
            reads.cancel()  # and who cancels again does not leave it behind either
            await asyncio.sleep(1.0)
            assert source.closed == 0
            source.gate.release()
            with pytest.raises(asyncio.CancelledError):
                await reads
            source.check()

        run(main)
        assert source.given == 1

    def test_wakes_a_thread_that_waits_for_room(self) -> None:
        source = Blocking()

        async def main() -> None:
            async with streamkit.from_blocking(lambda: source).open() as items:
                await anext(items)
                await until(lambda: source.given == 2)
            source.check()

        run(main)

    def test_before_the_first_pull_begins_no_thread(self) -> None:
        source = Blocking()

        async def main() -> None:
            async with streamkit.from_blocking(lambda: source).open():
                await asyncio.sleep(1.0)

        run(main)
        assert source.threads == set()

    def test_of_several_that_are_read_at_once_closes_all(self) -> None:
        sources = [Blocking() for _ in range(4)]

        async def main() -> None:
            streams = [streamkit.from_blocking(lambda each=each: each) for each in sources]
            assert len(await (streamkit.merge(*streams) | ops.take(20) | ops.to_list())) == 20
            for source in sources:
                source.check()

        run(main)

    def test_an_error_of_the_close_is_told(self) -> None:
        error = OSError("close")

        def failing() -> Iterator[int]:
            try:
                yield from range(9)
            finally:
                raise error

        async def main() -> None:
            with pytest.raises(OSError, match="close") as caught:
                await (streamkit.from_blocking(failing) | ops.first())
            assert caught.value is error
            boom = ValueError("consumer")
            with pytest.raises(ValueError, match="consumer"):
                async with streamkit.from_blocking(failing).open() as items:
                    await anext(items)
                    raise boom

        run(main)

    def test_an_error_of_a_later_operator_comes_first(self) -> None:
        error = OSError("close")

        def failing() -> Iterator[int]:
            try:
                yield from range(9)
            finally:
                raise error

        with pytest.raises(ZeroDivisionError) as caught:
            (streamkit.from_blocking(failing) | ops.map(lambda number: 1 // number) | ops.drain()).run()
        assert attached(caught.value) == (error,)

    def test_an_event_loop_that_was_closed_lets_the_thread_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("streamkit._stages.threaded._BEAT", 0.01)
        source = Blocking()

        async def main() -> Any:
            opened = streamkit.from_blocking(lambda: source)._source.open()
            channel = opened.items()
            assert await channel.wait()
            return opened

        loop = asyncio.new_event_loop()
        opened = loop.run_until_complete(main())
        loop.close()  # and what was open there is not cleaned up
        (thread,) = source.threads
        thread.join(SECONDS)
        source.check()
        with pytest.raises(StopIteration):  # nobody waits, where nobody can
            opened.close().send(None)


class TestErrors:
    def test_of_the_iterable_come_after_what_is_held(self) -> None:
        error = OSError("gone")
        source = Blocking(3, error=error)
        out: list[int] = []

        async def main() -> None:
            stream = streamkit.from_blocking(lambda: source, lookahead=5)
            with pytest.raises(OSError, match="gone") as caught:
                await (stream | ops.for_each(out.append))
            assert caught.value is error

        run(main)
        assert out == [0, 1, 2]
        source.check()

    def test_of_the_callable_come_as_themselves(self) -> None:
        def fail() -> list[int]:
            raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            list(streamkit.from_blocking(fail))

    def test_one_of_the_close_hangs_on_one_of_the_iterable(self) -> None:
        first, late = ValueError("gone"), OSError("close")

        class Failing(Blocking):
            def close(self) -> None:
                super().close()
                raise late

        source = Failing(2, error=first)
        with pytest.raises(ValueError, match="gone") as caught:
            list(streamkit.from_blocking(lambda: source))
        assert caught.value is first
        assert attached(first) == (late,)
        source.check()

    @pytest.mark.parametrize("make", [lambda: None, lambda: 5, lambda: asyncio.sleep(0), lambda: generator()])
    def test_the_callable_must_make_an_iterable(self, make: Any) -> None:
        with pytest.raises(TypeError, match="<lambda> must return an iterable, not"):
            list(streamkit.from_blocking(make))


class TestRuns:
    def test_a_one_shot_iterator_can_be_run_once(self) -> None:
        stream = streamkit.from_blocking(iter([1, 2]))
        assert list(stream) == [1, 2]
        with pytest.raises(SourceConsumedError, match="can be run only once, and was"):
            list(stream)

    def test_a_generator_is_closed_and_another_iterator_that_was_handed_in_is_not(self) -> None:
        closed: list[int] = []

        def numbers() -> Iterator[int]:
            try:
                yield from range(9)
            finally:
                closed.append(1)

        (streamkit.from_blocking(numbers()) | ops.first()).run()
        assert closed == [1]
        source = Blocking()
        (streamkit.from_blocking(source) | ops.first()).run()
        assert source.closed == 0

    def test_runs_at_once_have_a_thread_each(self) -> None:
        async def main() -> None:
            job = streamkit.from_blocking(range(50)) | ops.to_list()
            assert await asyncio.gather(job, job, job) == [[*range(50)]] * 3

        run(main)

    def test_a_stream_can_be_read_in_a_thread_with_a_loop_of_its_own(self) -> None:
        async def main() -> None:
            inner = Stream([1, 2]) | ops.map(lambda number: number + 1, concurrency=2)
            assert await (streamkit.from_blocking(inner) | ops.to_list()) == [2, 3]

        run(main)

    def test_a_job_that_was_started_tells_of_its_buffer(self) -> None:
        async def main() -> None:
            handle = (streamkit.from_blocking(range(9), lookahead=3) | ops.count()).start()
            assert await handle == 9
            (buffer,) = handle.buffers()
            assert (buffer.offered, buffer.delivered, buffer.dropped) == (9, 9, 0)
            assert buffer.operator == "from_blocking(range(0, 9))"

        run(main)


async def coroutine() -> list[int]:
    return [1]


async def generator() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("value", "error"),
    [(None, TypeError), (5, TypeError), (coroutine, TypeError), (ops.take(1), TypeError)],
)
def test_bad_iterable(value: Any, error: Any) -> None:
    with pytest.raises(error, match="iterable must be an iterable, or a callable that makes one, not"):
        streamkit.from_blocking(value)


def test_an_asynchronous_iterable_is_refused() -> None:
    value: Any = generator()
    with pytest.raises(TypeError, match="iterable must be an iterable, or a callable that makes one, not"):
        streamkit.from_blocking(value)


@pytest.mark.parametrize(
    ("value", "error"),
    [("1", TypeError), (1.0, TypeError), (True, TypeError), (0, ValueError), (-1, ValueError)],
)
def test_bad_lookahead(value: Any, error: Any) -> None:
    with pytest.raises(error, match="lookahead must be a whole number of at least 1"):
        streamkit.from_blocking([1], lookahead=value)


def test_a_thread_waits_for_room_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamkit._stages.threaded._BEAT", 0.001)

    async def main() -> list[int]:
        found = list[int]()
        async with streamkit.from_blocking(range(4), lookahead=1).open() as items:
            async for item in items:
                found.append(item)
                time.sleep(0.02)  # noqa: ASYNC251 - the thread waits for more than a beat
        return found

    assert run(main) == [0, 1, 2, 3]
