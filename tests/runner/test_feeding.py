"""What goes into jobs in threads: from calls, iterables and queues."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import streamkit
from streamkit import (
    DropOldest,
    EmitterClosedError,
    SourceConsumedError,
    Stream,
    Suspend,
    ops,
)
from streamkit._stages import hold
from streamkit._stages.hold import HoldingChannel
from tests.patience import joined
from tests.runner.jobs import SECONDS, collecting, holds, stuck, until


class TestFeeding:
    def test_items_come_from_calls_iterables_and_queues_of_any_thread(self) -> None:
        numbers: queue.Queue[int] = queue.Queue()
        read: list[int] = []

        def lazily() -> Iterator[int]:
            for number in range(20, 30):
                read.append(number)
                yield number

        with collecting().start_in_thread() as running:
            running.put(0)
            running.put_all(range(1, 10))
            running.put_from(lazily())
            running.put_from(numbers)
            threads = [threading.Thread(target=running.put, args=(30 + each,)) for each in range(5)]
            for each in threads:
                each.start()
            for number in range(10, 20):
                numbers.put(number)
            for each in threads:
                each.join()
        assert sorted(running.join()) == list(range(35))
        assert running.ok
        assert not running.alive
        assert running.count == 35

    def test_each_run_has_an_inbox_of_its_own(self) -> None:
        job = collecting()
        with job.start_in_thread() as one, job.start_in_thread() as other:
            one.put(1)
            other.put(2)
        assert (one.join(), other.join()) == ([1], [2])

    def test_of_several_inboxes_put_says_which(self) -> None:
        first, second = streamkit.inbox(Suspend(2)), streamkit.inbox(Suspend(2), name="other")
        job = streamkit.merge(first | ops.map(str), second) | ops.to_list()
        with job.start_in_thread() as running:
            running.put(1, into=first)
            running.put_all([2], into=second)
            with pytest.raises(ValueError, match=r"into must be .*, name='other'\), not None"):
                running.put(3)
            with pytest.raises(ValueError, match="into must be"):
                running.put(3, into=streamkit.inbox(Suspend(1)))
        assert sorted(running.join(), key=str) == ["1", 2]

    def test_an_inbox_is_read_in_one_place(self) -> None:
        twice = streamkit.inbox(Suspend(2))
        with pytest.raises(SourceConsumedError, match=r"was: make another with inbox\(\)"):
            (streamkit.merge(twice, twice) | ops.drain()).start_in_thread().stop(SECONDS)

    def test_an_inbox_may_stand_inside_of_a_branch(self) -> None:
        more = streamkit.inbox(Suspend(2))
        job = Stream([1]) | ops.broadcast(ops.merge(more) | ops.to_list(), ops.count())
        with job.start_in_thread() as running:
            running.put(2, into=more)
        assert sorted(running.join()[0]) == [1, 2]

    def test_whoever_puts_waits_for_room_and_no_longer_than_was_said(self) -> None:
        gate = threading.Event()
        job = streamkit.inbox(Suspend(1)) | ops.map(lambda item: gate.wait(SECONDS) and item) | ops.to_list()
        with job.start_in_thread() as running:
            running.put(1)
            until(lambda: holds(running, 0))
            running.put(2)
            with pytest.raises(TimeoutError, match="no room for 3"):
                running.put(3, timeout=0.01)
            gate.set()
        assert running.join() == [1, 2]

    @pytest.mark.parametrize("room", [1, 8])
    @pytest.mark.parametrize("early", [False, True])
    def test_what_was_taken_in_comes_out_however_it_ends(self, room: int, early: bool) -> None:
        taken: list[int] = []

        async def breathe(item: int) -> int:
            await asyncio.sleep(0)
            return item

        job = streamkit.inbox(Suspend(room)) | ops.map(breathe, concurrency=3) | ops.batch(7) | ops.flatten()
        running = (job | ops.to_list()).start_in_thread()

        def feed(first: int) -> None:
            with contextlib.suppress(EmitterClosedError):
                for item in range(first, first + 200):
                    running.put(item)
                    taken.append(item)

        threads = [threading.Thread(target=feed, args=(first,)) for first in (0, 1000, 2000)]
        for each in threads:
            each.start()
        if early:
            until(lambda: running.count > 20)
        else:
            assert all(map(joined, threads))
        found = running.stop(SECONDS)
        assert all(map(joined, threads))  # whoever waited for room was refused
        assert sorted(found) == sorted(taken)
        assert len(taken) == 600 or early

    def test_a_lossy_inbox_makes_nobody_wait(self) -> None:
        gate = threading.Event()
        kept = streamkit.inbox(DropOldest(2))
        with (
            kept | ops.map(lambda item: gate.wait(SECONDS) and item) | ops.to_list()
        ).start_in_thread() as running:
            running.put(0)
            until(lambda: holds(running, 0))
            running.put_all(range(1, 100))
            gate.set()
        assert running.join() == [0, 98, 99]

    def test_a_queue_may_have_nothing_for_a_while_and_be_shut_down(self) -> None:
        class Slow:
            def __init__(self) -> None:
                self.left: list[Any] = [queue.Empty, 1, queue.Empty, 2, getattr(queue, "ShutDown", None)]

            def get(self, timeout: float) -> Any:
                return self.get_nowait()

            def get_nowait(self) -> Any:
                found = self.left.pop(0) if self.left else queue.Empty
                if found is None:  # there is no such thing before Python 3.13
                    found = queue.Empty
                if isinstance(found, type):
                    raise found
                return found

        running = collecting().start_in_thread()
        running.put_from(Slow())
        until(lambda: running.count == 2)
        running.finish()
        assert running.join(SECONDS) == [1, 2]

    def test_an_iterable_that_fails_fails_the_job(self) -> None:
        def broken() -> Iterator[int]:
            yield 1
            raise OSError("torn")

        seen: list[int] = []
        with (
            pytest.raises(OSError, match="torn"),
            streamkit.inbox(Suspend(2)).for_each(seen.append).start_in_thread() as running,
        ):
            running.put_from(broken())
        assert seen == [1]
        assert not running.ok

    def test_what_cannot_be_read_is_refused_at_the_call(self) -> None:
        with collecting().start_in_thread() as running:
            with pytest.raises(TypeError, match="items must be an iterable, or a queue"):
                running.put_from(3)
            running.finish()
            with pytest.raises(EmitterClosedError, match="told to finish"):
                running.put_from([1])
            with pytest.raises(EmitterClosedError, match=r"finish\(\) or stop\(\) was called"):
                running.put(1)

    def test_a_job_without_an_inbox_takes_nothing(self) -> None:
        running = (Stream([1]) | ops.to_list()).start_in_thread()
        with pytest.raises(ValueError, match="the job has no inbox: begin its stream with"):
            running.put(1)
        assert running.join() == [1]

    def test_an_inbox_is_read_only_where_somebody_can_fill_it(self) -> None:
        stream = streamkit.inbox(Suspend(3))
        for run in ((stream | ops.to_list()).run, (stream | ops.buffer(Suspend(1)) | ops.drain()).run):
            with pytest.raises(
                RuntimeError, match=r"nobody can fill inbox\(Suspend\(capacity=3\)\) here: start"
            ):
                run()


def test_one_that_waits_for_room_looks_whether_there_is_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = list[int]()
    usual = HoldingChannel._forsaken

    def look(channel: HoldingChannel) -> None:
        looks.append(1)
        usual(channel)

    monkeypatch.setattr(hold, "_LONG", 0.001)
    monkeypatch.setattr(HoldingChannel, "_forsaken", look)
    job, closed = stuck()
    running = job.start_in_thread()
    running.put_from(range(99))
    until(lambda: len(looks) > 1)
    running.abandon()
    until(closed)
    until(lambda: not running.alive)


def test_a_job_in_no_thread_has_an_inbox_that_nobody_can_fill() -> None:
    async def main() -> None:
        handle = collecting().start()
        assert "inbox" in repr(handle)
        with pytest.raises(RuntimeError, match="nobody can fill inbox"):
            await handle

    asyncio.run(main())
    with pytest.raises(RuntimeError, match="nobody can fill inbox"):
        list(streamkit.inbox(Suspend(1)))
