"""Jobs in threads of their own: how they end, and what is told of it."""

import asyncio
import gc
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

import streamkit
from streamkit import (
    EmitterClosedError,
    Job,
    RunningLoopError,
    StoppedError,
    Stream,
    Suspend,
    attached,
    ops,
)
from tests.runner.jobs import SECONDS, collecting, gone, holds, stuck, until


class TestEnding:
    def test_finish_waits_for_what_is_being_read(self) -> None:
        gate = threading.Event()

        def slowly() -> Iterator[int]:
            yield 1
            gate.wait(SECONDS)
            yield 2

        running = collecting().start_in_thread()
        running.put_from(slowly())
        running.finish()
        gate.set()
        assert running.join(SECONDS) == [1, 2]

    @pytest.mark.parametrize(
        "kind", ["range", "generator", "async", "thread", "merge", "repeat", "push", "defer"]
    )
    def test_stop_ends_the_sources_and_finishes_what_is_inside(self, kind: str) -> None:
        stream, emitter = streamkit.push(Suspend(4))

        async def numbers() -> Any:
            number = 0
            while True:
                yield number
                number += 1
                await asyncio.sleep(0.0005)
                if number == 50:
                    await asyncio.Event().wait()  # a pull that waits for ever is given up

        sources: dict[str, Any] = {
            "range": range(10**9),
            "generator": lambda: iter(range(10**9)),
            "async": numbers,
            "thread": streamkit.from_blocking(range(10**9), lookahead=5),
            "merge": streamkit.merge(streamkit.interval(0.001), Stream(numbers)),
            "repeat": Stream([1, 2]) | ops.repeat(),
            "push": stream,
            "defer": streamkit.defer(lambda: Stream(numbers) | ops.map(abs)),
        }
        seen: list[int] = []
        job = Stream(sources[kind]) | ops.tap(seen.append) | ops.batch(7) | ops.flatten() | ops.to_list()
        running = job.start_in_thread(name="unlike any other")
        if kind == "push":
            emitter.send_blocking(1)
        until(lambda: bool(seen))
        assert running.stop(SECONDS) == seen
        assert running.ok
        assert gone(running)
        if kind == "push":
            assert emitter.closed

    def test_stop_does_not_wait_for_an_iterable_that_blocks(self) -> None:
        gate = threading.Event()

        def blocks() -> Iterator[int]:
            yield 1
            gate.wait(SECONDS)
            yield 2

        running = collecting().start_in_thread()
        running.put_from(blocks())
        until(lambda: running.count == 1)
        assert running.stop(SECONDS) == [1]
        gate.set()

    def test_streams_that_callbacks_have_made_go_on_to_their_end(self) -> None:
        gate, began = threading.Event(), threading.Event()

        async def inner(item: int) -> Any:
            began.set()
            await asyncio.to_thread(gate.wait, SECONDS)
            yield item
            yield item

        running = (
            streamkit.interval(0.001) | ops.take(1) | ops.flat_map(inner, concurrency=2) | ops.to_list()
        ).start_in_thread()
        assert began.wait(SECONDS)
        threading.Timer(0.02, gate.set).start()
        assert running.stop(SECONDS) == [0, 0]

    def test_abandon_says_what_was_left_and_join_that_it_was_stopped(self) -> None:
        job, closed = stuck()
        with job.start_in_thread(name="unlike any other") as running:
            running.put_all([1, 2, 3])
            until(lambda: holds(running, 2))
            (left,) = running.abandon()
            assert left.held == 2
        with pytest.raises(StoppedError):
            running.join(SECONDS)
        assert closed()
        assert not running.ok
        assert gone(running)

    def test_join_gives_up_in_time_and_the_job_goes_on(self) -> None:
        running = collecting().start_in_thread()
        with pytest.raises(TimeoutError, match="has not ended within"):
            running.join(0.01)
        assert running.alive
        running.put(1)
        assert running.stop() == [1]

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("of the block")])
    def test_a_block_that_fails_ends_the_job_at_once(self, error: BaseException) -> None:
        job, closed = stuck()
        with pytest.raises(type(error)) as caught, job.start_in_thread(name="unlike any other") as running:
            running.put_all([1, 2])
            until(lambda: holds(running, 1))
            raise error
        assert caught.value is error
        assert closed()
        assert gone(running)

    def test_an_interrupt_while_it_starts_leaves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Interrupted(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                raise KeyboardInterrupt

        job, _ = stuck()
        monkeypatch.setattr("streamkit.runner.worker.Event", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            job.start_in_thread(name="unlike any other")
        until(lambda: not any("unlike any other" in thread.name for thread in threading.enumerate()))

    def test_an_interrupt_while_the_block_waits_ends_it_too(self) -> None:
        job, closed = stuck()
        # a program that a shell has started in the background ignores it
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        main = threading.main_thread().ident
        assert main is not None
        with pytest.raises(KeyboardInterrupt), job.start_in_thread(name="unlike any other") as running:
            running.put(1)
            threading.Thread(target=interrupt_once_it_waits, args=(main,)).start()
        signal.signal(signal.SIGINT, before)
        assert closed()
        assert gone(running)


def interrupt_once_it_waits(main: int) -> None:
    """Interrupt the main thread when it waits for a job: before that, what runs there might swallow it."""
    until(lambda: "join" in [each.name for each in traceback.extract_stack(sys._current_frames()[main])])
    signal.pthread_kill(main, signal.SIGINT)


def failing(item: int) -> int:
    if item == 3:
        raise LookupError("three")
    return item


class TestFailures:
    @pytest.mark.parametrize("way", ["with", "join", "stop"])
    def test_are_raised_as_themselves(self, way: str) -> None:
        cleaned: list[int] = []
        job = (
            streamkit.inbox(Suspend(8))
            | ops.map(failing)
            | ops.on_close(lambda: cleaned.append(1))
            | ops.drain()
        )
        with pytest.raises(LookupError, match="three") as caught:
            if way == "with":
                with job.start_in_thread(name="unlike any other") as running:
                    for number in range(1000):  # which is refused some time
                        running.put(number)
            else:
                running = job.start_in_thread(name="unlike any other")
                running.put_all(range(4))
                running.join(SECONDS) if way == "join" else running.stop(SECONDS)
        assert any("in map(failing)" in note for note in caught.value.__notes__)
        assert cleaned == [1]
        assert not running.ok
        assert not running.alive
        assert gone(running)
        for _ in range(2):  # and again, with the traceback that it had
            with pytest.raises(LookupError) as again:
                running.join()
            assert again.value is caught.value

    def test_of_the_job_hang_on_those_of_the_block(self) -> None:
        job = streamkit.inbox(Suspend(8)) | ops.map(failing) | ops.drain()
        with pytest.raises(ZeroDivisionError) as caught, job.start_in_thread() as running:
            running.put(3)
            until(lambda: not running.alive and not running.ok)
            raise ZeroDivisionError
        assert [type(each) for each in attached(caught.value)] == [LookupError]

    def test_that_nobody_asks_for_are_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        def forgotten() -> None:
            running = (Stream([3]) | ops.map(failing) | ops.drain()).start_in_thread(name="forgotten")
            until(lambda: not running.ok)

        def told() -> bool:
            gc.collect()
            return "forgotten has failed, and nobody asked" in caplog.text

        forgotten()
        until(told)

    def test_a_job_that_takes_no_more_refuses_and_has_its_result(self) -> None:
        job = streamkit.inbox(Suspend(2)) | ops.take(2) | ops.to_list()
        with pytest.raises(EmitterClosedError), job.start_in_thread() as running:
            running.put_all(range(1000))
        assert running.join() == [0, 1]
        assert running.ok

    def test_where_a_loop_runs_there_is_another_way(self) -> None:
        async def main() -> None:
            with pytest.raises(
                RunningLoopError, match=r"^job\.start_in_thread\(\) needs .* use job\.start\(\)$"
            ):
                collecting().start_in_thread()

        asyncio.run(main())


class TestRates:
    def test_count_what_leaves_each_buffer_and_the_last_operator(self) -> None:
        job = (
            streamkit.inbox(Suspend(9), name="lines") | ops.batch(2) | ops.buffer(Suspend(3)) | ops.to_list()
        )
        with job.start_in_thread() as running:
            running.put_all(range(6))
            until(lambda: running.count == 3)
            rates = running.rates()
            assert [(each.operator, each.count, each.held) for each in rates] == [
                ("inbox(Suspend(capacity=9), name='lines')", 6, 0),
                ("buffer(Suspend(capacity=3))", 3, 0),
                ("to_list()", 3, 0),
            ]
            assert all(each.per_second > 0 for each in rates)
            assert [each.per_second for each in running.rates()] == [0.0, 0.0, 0.0]
        assert "done" in repr(running)


def test_one_that_is_interrupted_as_it_begins_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    gate, handles = threading.Event(), list[Any]()

    def start(job: Any, **named: Any) -> Any:
        assert gate.wait(SECONDS)
        handles.append(usual(job, **named))
        return handles[0]

    usual = Job.start
    monkeypatch.setattr(Job, "start", start)
    monkeypatch.setattr("streamkit.runner.worker.Event", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        collecting().start_in_thread()
    gate.set()
    until(lambda: bool(handles) and handles[0].done)
