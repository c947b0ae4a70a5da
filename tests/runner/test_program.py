"""Programs that are jobs: what signals do, and how they end; in this process, and in real ones."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import streamkit
from streamkit import RunningLoopError, Stream, Suspend, ops, push, runner

ROOT = Path(__file__).parent.parent.parent
SECONDS = 30.0


def raising(*numbers: signal.Signals) -> Callable[[int], int]:
    """Raises a signal at the third item, and another at each item after it."""
    left = [*numbers]

    def raises(item: int) -> int:
        if item >= 3 and left:
            signal.raise_signal(left.pop(0))
        return item

    return raises


class TestRun:
    def test_gives_zero_when_all_jobs_have_ended(self) -> None:
        seen: list[int] = []
        assert (
            runner.run(Stream([1]) | ops.for_each(seen.append), Stream([2]) | ops.for_each(seen.append)) == 0
        )
        assert sorted(seen) == [1, 2]

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_drains(self, number: signal.Signals) -> None:
        lists: list[list[int]] = []
        others: list[int] = []
        before = signal.getsignal(number)
        one = streamkit.count() | ops.map(raising(number)) | ops.batch_within(10**6, seconds=60.0)
        other = streamkit.interval(0.001) | ops.map(others.append)
        assert runner.run(one | ops.for_each(lists.append), other | ops.drain()) == 0
        assert lists == [list(range(len(lists[0])))]  # the list that was not full has left
        assert len(lists[0]) >= 4
        assert signal.getsignal(number) is before

    def test_a_push_source_gives_what_it_holds(self) -> None:
        stream, emitter = push(Suspend(8))
        for number in range(8):
            emitter.offer(number)
        seen: list[int] = []
        assert runner.run(stream | ops.map(raising(signal.SIGTERM)) | ops.for_each(seen.append)) == 0
        assert seen == list(range(8))
        assert emitter.closed

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_second_one_cancels_and_closes(self, number: signal.Signals) -> None:
        closed: list[int] = []

        async def hold(item: int) -> None:
            if item == 3:
                asyncio.get_running_loop().call_later(0.01, signal.raise_signal, number)
            if item == 2:
                asyncio.get_running_loop().call_later(0.02, signal.raise_signal, number)
            try:
                await asyncio.Event().wait()
            finally:
                closed.append(item)

        job = streamkit.interval(0.001) | ops.for_each(hold, concurrency=4)
        assert runner.run(job) == 128 + number
        assert sorted(closed) == [0, 1, 2, 3]

    def test_a_third_one_may_come_while_the_second_is_answered(self) -> None:
        kept: list[int] = []
        before = signal.signal(signal.SIGINT, lambda *_: kept.append(1))

        def interrupted(at: int) -> Callable[..., Any]:
            """Raises a signal at the line with that number of `_restore`."""
            left = at

            def lines(frame: Any, event: str, argument: Any) -> Any:
                nonlocal left
                if frame.f_code.co_name != "_restore":
                    return None
                if event == "line":
                    left -= 1
                    if left == 0:
                        signal.raise_signal(signal.SIGINT)
                return lines

            return lines

        def second(item: int) -> None:
            signal.raise_signal(signal.SIGINT)
            usual = sys.gettrace()
            sys.settrace(interrupted(item))
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                sys.settrace(usual)

        try:
            for at in range(1, 7):
                code = runner.run(Stream([at]) | ops.tap(second) | ops.for_each(lambda _: asyncio.sleep(60)))
                assert code == 130
            assert len(kept) < 6  # some came while they were ours
        finally:
            signal.signal(signal.SIGINT, before)

    def test_one_that_comes_before_the_loop_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        main = runner.program._Program.main  # type: ignore[attr-defined]

        async def late(program: Any) -> None:
            signal.raise_signal(signal.SIGTERM)
            await main(program)

        monkeypatch.setattr("streamkit.runner.program._Program.main", late)
        assert runner.run(streamkit.count() | ops.drain()) == 0

    def test_a_job_that_fails_is_shown_and_ends_the_intake_of_the_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown: list[type[BaseException]] = []
        monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: shown.append(kind))
        lists: list[list[int]] = []
        others = streamkit.interval(0.001) | ops.batch(10**6) | ops.for_each(lists.append)
        failing = streamkit.interval(0.005) | ops.map(lambda item: 1 // (1 - item)) | ops.drain()
        assert runner.run(others, failing) == 1
        assert shown == [ZeroDivisionError]
        assert lists[0]

    def test_so_is_one_that_is_cancelled_by_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def cancelled(_: object) -> None:
            raise asyncio.CancelledError

        shown: list[type[BaseException]] = []
        monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: shown.append(kind))
        assert runner.run(streamkit.never() | ops.drain(), Stream([1]) | ops.for_each(cancelled)) == 1
        assert shown == [asyncio.CancelledError]

    def test_wrong_arguments_are_answered(self) -> None:
        with pytest.raises(TypeError, match="run needs a job"):
            runner.run()
        stream: Any = Stream([1])
        with pytest.raises(TypeError, match=r"jobs must be jobs, as stream \| ops.drain\(\) is one"):
            runner.run(stream)

        async def main() -> None:
            with pytest.raises(RunningLoopError, match=r"use job.start\(\)"):
                runner.run(Stream([1]) | ops.drain())

        asyncio.run(main())
        errors: list[BaseException] = []

        def elsewhere() -> None:
            try:
                runner.run(Stream([1]) | ops.drain())
            except RuntimeError as error:
                errors.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert "only the main thread may" in str(errors[0])


SERVICE = """
import asyncio, sys, time, streamkit
from streamkit import ops, runner
async def work(item):
    print(item, flush=True)
    await asyncio.sleep({seconds})
    return item
stream = streamkit.interval(0.001) | ops.map(work, concurrency=2) | ops.batch(10**6) | ops.map(len)
sys.exit(runner.run(stream | ops.for_each(print)))
"""
LEAVING = """
import asyncio, atexit, threading, time, streamkit
from streamkit import Suspend, ops, runner
atexit.register(lambda: print("at exit", flush=True))  # as what came after `runner` may do
entered = threading.Event()
def block(item):
    entered.set()
    time.sleep(600.0)
async def wait(item):
    try:
        entered.set()
        await asyncio.sleep(600.0)
    finally:
        print("closed", flush=True)
running = (streamkit.inbox(Suspend(1)) | ops.map({callback}) | ops.drain()).start_in_thread(name="service")
running.put(1)
entered.wait()
{last}
print("end", flush=True)
"""


def started(text: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-W", "always::ResourceWarning", "-c", text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # what is read ahead of a line would be lost to `communicate`
        cwd=ROOT,
    )


class TestProcesses:
    def test_signals_end_a_program(self) -> None:
        drained, aborted = (started(SERVICE.format(seconds=seconds)) for seconds in (0.01, 600.0))
        for process in (drained, aborted):
            assert process.stdout is not None
            assert process.stdout.readline() == b"0\n"
        drained.send_signal(signal.SIGTERM)
        aborted.send_signal(signal.SIGINT)
        output, errors = drained.communicate(timeout=SECONDS)
        assert (drained.returncode, errors) == (0, b"")
        *began, length = map(int, output.split())
        assert length == len(began) + 1  # each item that began is in the list
        assert aborted.poll() is None
        aborted.send_signal(signal.SIGTERM)
        assert aborted.communicate(timeout=SECONDS)[1] == b""
        assert aborted.returncode == 128 + signal.SIGTERM

    def test_a_job_in_a_thread_keeps_no_program_from_ending(self) -> None:
        abandoned = started(LEAVING.format(callback="block", last="running.abandon()"))
        forgotten = started(LEAVING.format(callback="wait", last=""))
        output, errors = abandoned.communicate(timeout=SECONDS)
        assert (abandoned.returncode, output, errors) == (0, b"end\nat exit\n", b"")
        output, errors = forgotten.communicate(timeout=SECONDS)
        assert (forgotten.returncode, output) == (0, b"end\nclosed\nat exit\n")  # what it had open was closed
        assert b"service was running when the program ended" in errors
