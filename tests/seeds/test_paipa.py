"""What users of a threaded pipeline library relied on, and its defects, which must be gone: by their numbers.

The numbers are those of the list of features in the project's notes. Items go in from threads that block, and
the job runs in a thread of its own.
"""

import asyncio
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import streamkit
from streamkit import Replace, Resume, Retry, StoppedError, Stream, Suspend, ops, runner
from streamkit.executors import ChunkDone, Event, Threads
from streamkit.testing import run
from tests.patience import comes

SECONDS = 30.0


def until(condition: Callable[[], bool]) -> None:
    assert comes(lambda seconds: condition() or time.sleep(seconds)), "nothing has happened"


def three_fails(item: int) -> int:
    if item == 3:
        raise ValueError(item)
    return item


def slowly(item: str) -> str:
    time.sleep(0.002)
    return item


class Doubling:
    def __call__(self, item: int) -> int:
        return 2 * item


class TestSteps:
    def test_pa2_steps_are_functions_objects_and_generators_in_any_order(self) -> None:
        def twice(item: int) -> Iterator[int]:
            yield item
            yield item

        pipe = ops.batch(2) | ops.map(sum) | ops.map(Doubling()) | ops.concat_map(twice) | ops.map(str)
        assert list(range(4) | pipe) == ["2", "2", "10", "10"]

    def test_pa3_a_step_may_drop_expand_and_keep_a_state_which_is_that_of_its_run(self) -> None:
        even = Stream(range(6)) | ops.filter(lambda item: item % 2 == 0)
        sums = even | ops.scan(lambda total, item: total + item, 0)
        assert list(sums) == list(sums) == [0, 2, 6]
        assert list(even | ops.sliding(2)) == [[0, 2], [2, 4]]

    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_pa4_an_item_that_is_skipped_is_dropped_and_nothing_else(self, concurrency: int) -> None:
        async def skip(item: int) -> int:
            if item % 2 == 0:
                raise LookupError("skip it")
            return item

        skipped = Resume(errors=LookupError)
        job = Stream(range(6)) | ops.map(skip, concurrency=concurrency, on_error=skipped) | ops.count()
        assert job.run() == 3

    @pytest.mark.parametrize("attempts", [1, 2, 3])
    def test_pa8_there_are_as_many_attempts_as_were_said(self, attempts: int) -> None:
        tried: list[int] = []

        async def fails(item: int) -> int:
            tried.append(item)
            raise OSError

        with pytest.raises(OSError):  # noqa: PT011 - it says nothing more
            (Stream([1]) | ops.map(fails, concurrency=2, on_error=Retry(attempts)) | ops.drain()).run()
        assert len(tried) == attempts


class TestErrors:
    def test_pa9_a_retry_of_the_last_item_before_the_end_happens(self) -> None:
        tried: list[int] = []

        async def twice(item: int) -> int:
            tried.append(item)
            await asyncio.sleep(0)
            if item == 4 and tried.count(4) < 3:
                raise OSError("not yet")
            return item

        job = streamkit.inbox(Suspend(8)) | ops.map(twice, concurrency=2, on_error=Retry(3)) | ops.to_list()
        with job.start_in_thread() as running:
            running.put_all(range(5))
        assert running.join() == [0, 1, 2, 3, 4]
        assert tried.count(4) == 3  # as many attempts as were said, neither fewer nor more
        assert running.ok

    def test_pa10_what_becomes_of_an_item_whose_retries_are_used_up_is_said(self) -> None:
        dead: list[tuple[int, str]] = []
        after = Resume(lambda item, error: dead.append((item, str(error))))
        for policy, ok in ((Retry(1), False), (Retry(1, then=after), True)):
            job = streamkit.inbox(Suspend(8)) | ops.map(three_fails, on_error=policy) | ops.to_list()
            running = job.start_in_thread()
            running.put(3)
            if ok:
                assert running.stop(SECONDS) == []
            else:
                with pytest.raises(ValueError, match="3"):
                    running.stop(SECONDS)
            assert running.ok is ok
        assert dead == [(3, "3")]

    def test_pa11_others_still_finish_where_one_fails(self) -> None:
        errors: list[Exception] = []
        seen: list[int] = []
        kept = Resume(lambda _, error: errors.append(error))
        job = streamkit.inbox(Suspend(8)) | ops.map(three_fails, on_error=kept) | ops.for_each(seen.append)
        with job.start_in_thread() as running:
            running.put_all(range(6))
        assert seen == [0, 1, 2, 4, 5]
        assert [repr(error) for error in errors] == ["ValueError(3)"]

    def test_pa12_a_step_that_crashes_ends_an_endless_source(self) -> None:
        read: list[int] = []

        def endless() -> Iterator[int]:
            while True:
                read.append(len(read))
                yield read[-1]

        with pytest.raises(ValueError, match="3"):
            (Stream(endless) | ops.map(three_fails) | ops.batch(2) | ops.drain()).start_in_thread().join(
                SECONDS
            )
        assert len(read) == 4

    @pytest.mark.parametrize("way", ["with", "stop", "join"])
    def test_pa13_a_failure_in_the_background_is_raised(self, way: str) -> None:
        running = (streamkit.inbox(Suspend(8)) | ops.map(three_fails) | ops.drain()).start_in_thread()
        with pytest.raises(ValueError, match="3"):
            if way == "with":
                with running:
                    running.put(3)
            running.put(3)
            running.stop(SECONDS) if way == "stop" else running.join(SECONDS)
        assert not running.ok

    def test_pa14_a_crash_is_seen_by_a_health_probe(self) -> None:
        running = (streamkit.inbox(Suspend(8)) | ops.map(three_fails) | ops.drain()).start_in_thread()
        assert (running.alive, running.ok) == (True, True)
        running.put(3)
        until(lambda: not running.alive)
        until(lambda: not running.ok)
        with pytest.raises(ValueError, match="3"):
            running.join()


class TestFeeding:
    def test_pa15_a_slow_sink_bounds_how_far_the_source_is_ahead(self) -> None:
        gate = threading.Semaphore(0)
        stages = ops.map(abs) | ops.buffer(Suspend(4)) | ops.map(lambda item: gate.acquire() and item)
        stream = streamkit.inbox(Suspend(8)) | stages
        bound = stream.explain().bound
        running = (stream | ops.count()).start_in_thread()
        put: list[int] = []

        def items() -> Iterator[int]:
            for item in range(100):
                put.append(item)
                yield item

        running.put_from(items())
        for done in range(1, 50):
            gate.release()
            until(lambda done=done: running.count >= done)  # type: ignore[misc]
            assert len(put) - running.count <= bound + 1  # and the one in the hand of the thread that reads
        for _ in range(60):
            gate.release()
        running.finish()
        assert running.join(SECONDS) == 100

    def test_pa16_items_come_from_calls_lists_iterables_and_queues(self) -> None:
        inbox: queue.Queue[int] = queue.Queue()
        job = streamkit.inbox(Suspend(2)) | ops.to_set()
        with job.start_in_thread() as running:
            running.put(0)
            running.put_all([1, 2, 3])
            running.put_from(number for number in (4, 5, 6))
            running.put_from(inbox)
            filling = threading.Thread(target=lambda: [inbox.put(number) for number in (7, 8, 9)])
            filling.start()
            filling.join()
        assert running.join() == set(range(10))

    def test_pa17_a_batch_blocks_a_service_runs_behind_and_both_end(self) -> None:
        job = Stream(range(5)) | ops.map(abs) | ops.to_list()
        assert job.run() == job.start_in_thread().join(SECONDS) == [0, 1, 2, 3, 4]
        with (streamkit.inbox(Suspend(1)) | ops.to_list()).start_in_thread() as running:
            running.put(1)
        assert running.join() == [1]  # all is done when the block has ended

    def test_pa18_a_job_that_nobody_can_feed_is_refused(self) -> None:
        with pytest.raises(RuntimeError, match="nobody can fill inbox"):
            (streamkit.inbox(Suspend(1)) | ops.drain()).run()
        step: Any = "no step"
        with pytest.raises(TypeError):
            Stream([1]) | step

    def test_pa19_order_is_kept_unless_it_is_given_up(self) -> None:
        async def nap(item: int) -> int:
            await asyncio.sleep(5.0 - item)
            return item

        for ordered, expected in ((True, [0, 1, 2]), (False, [2, 1, 0])):
            job = Stream(range(3)) | ops.map(nap, concurrency=3, ordered=ordered) | ops.to_list()
            assert run(lambda job=job: job) == expected  # type: ignore[misc]

    @pytest.mark.parametrize("count", [0, 1])
    def test_pa20_it_always_ends_however_many_workers_have_nothing_to_do(self, count: int) -> None:
        async def nothing(item: int) -> int:
            return item

        job = streamkit.inbox(Suspend(1)).map(nothing, concurrency=40)
        for _ in range(9):
            job = job | ops.map(nothing, concurrency=40, ordered=False)
        with (job | ops.count()).start_in_thread() as running:
            running.put_all(range(count))
        assert running.join() == count


FLUSH = "flush"


class TestControl:
    def test_pa21_control_items_pass_and_flush_a_batch(self) -> None:
        async def step(item: Any) -> Any:
            await asyncio.sleep(0)
            return item if isinstance(item, int) else item.upper()

        mixed = Stream(["a", 1, "b", 2, "c", 3])
        assert (mixed | ops.map(step, concurrency=3) | ops.count()).run() == 6

        def is_control(item: object) -> int:
            return 2 * (item is FLUSH)

        # an item that alone is too heavy is a list of its own, and hands on the list before it
        job = (
            streamkit.inbox(Suspend(8))
            | ops.batch_within(100, seconds=600.0, weight=is_control, heaviest=1)
            | ops.to_list()
        )
        with job.start_in_thread() as running:
            running.put_all([1, 2, FLUSH, 3])
            until(lambda: running.count == 2)  # not at the end: now
        assert running.join() == [[1, 2], [FLUSH], [3]]

    def test_pa22_a_step_feeds_itself_and_the_end_waits_for_it(self) -> None:
        async def less(number: int) -> list[int]:
            await asyncio.sleep(0)
            return [number - 1] if number else []

        job = (
            streamkit.inbox(Suspend(8))
            | ops.expand(less, concurrency=2)
            | ops.filter(lambda number: not number)
            | ops.map(lambda _: "done")
            | ops.to_list()
        )
        with job.start_in_thread() as running:
            running.put(3)
        assert (running.join(), running.count) == (["done"], 1)

    def test_pa23_a_list_leaves_when_it_is_full_old_or_at_the_end(self) -> None:
        async def apart() -> Any:
            yield 1
            await asyncio.sleep(5.0)
            yield 2
            await asyncio.sleep(5.0)

        assert run(lambda: Stream(apart) | ops.batch_within(5, seconds=1.0) | ops.to_list()) == [[1], [2]]
        job = Stream(range(10)) | ops.batch_within(5, seconds=1.0) | ops.map(len) | ops.to_list()
        assert run(lambda: job) == [5, 5]


class TestWatching:
    def test_pa24_a_tracker_sees_each_item_before_and_after_a_step(self) -> None:
        told: list[str] = []

        def broken(item: str) -> None:
            told.append(item)
            raise LookupError

        ignored = Replace(lambda item, error: item)
        before, after = ops.tap(lambda _: told.append("b")), ops.tap(lambda _: told.append("a"))
        assert list(Stream([0]) | before | ops.map(str) | after) == ["0"]
        assert told == ["b", "a"]
        assert list(Stream("xy") | ops.tap(broken, on_error=ignored)) == ["x", "y"]

    def test_pa25_counts_and_rates_of_each_part_are_told_while_it_runs(self) -> None:
        job = streamkit.inbox(Suspend(8)) | ops.buffer(Suspend(8)) | ops.drain()
        with job.start_in_thread() as running:
            running.put_all(range(20))
            until(lambda: running.count == 20)
            counts = [(rate.operator.split("(")[0], rate.count, rate.held) for rate in running.rates()]
        assert counts == [("inbox", 20, 0), ("buffer", 20, 0), ("drain", 20, 0)]

    def test_pa26_abandon_waits_for_nobody_and_says_what_is_lost(self) -> None:
        job = streamkit.inbox(Suspend(8)) | ops.map(lambda _: asyncio.sleep(600.0)) | ops.drain()
        running = job.start_in_thread()
        running.put_all(range(5))
        until(lambda: [each.held for each in running.buffers()] == [4])
        assert [left.held for left in running.abandon()] == [4]
        with pytest.raises(StoppedError):
            running.join(SECONDS)

    def test_pa27_the_count_of_what_came_out_and_whether_all_was_well(self) -> None:
        job = Stream(range(10)) | ops.filter(lambda number: number % 2) | ops.to_list()
        with job.start_in_thread() as running:
            pass
        assert (running.count, running.ok, running.join()) == (5, True, [1, 3, 5, 7, 9])

    def test_pa30_the_slow_step_shows_by_its_seconds_while_it_runs_and_at_the_end(self) -> None:
        done: dict[str, list[ChunkDone]] = {"quick": [], "slow": []}

        def reporter(step: str) -> Callable[[Event], None]:
            return lambda event: done[step].append(event) if isinstance(event, ChunkDone) else None

        quick, slow = (Threads(1, on_event=reporter(step)) for step in done)
        job = streamkit.inbox(Suspend(8)) | ops.map(str, on=quick) | ops.map(slowly, on=slow) | ops.drain()
        with job.start_in_thread() as running:
            running.put_all(range(10))
            until(lambda: running.count == 10)
            [now] = slow.workers()
            assert (now.items, now.seconds) == (10, sum(event.seconds for event in done["slow"]))
            assert now.pid is None, "a thread: what it needs is that of the process"
        assert [len(events) for events in done.values()] == [10, 10]
        assert min(event.seconds for event in done["slow"]) >= 0.002
        own = {step: sum(event.seconds for event in events) for step, events in done.items()}
        assert own["slow"] > own["quick"]  # each without what it waits for


class TestGenerators:
    def test_pa28_pipes_are_values_that_nest_and_take_any_source(self) -> None:
        pipe = ops.map(abs) | (ops.map(abs) | ops.batch(3))
        assert list(range(7) | pipe) == [[0, 1, 2], [3, 4, 5], [6]]
        assert list(Stream(lambda: range(-2, 0)) | pipe) == [[2, 1]]

    def test_pa29_the_small_tools_are_operators(self) -> None:
        assert [len(each) for each in Stream(range(8)) | ops.batch(3)] == [3, 3, 2]
        assert list(Stream([[1, 2], [], [3]]) | ops.flatten()) == [1, 2, 3]
        nested: list[Any] = [1, [2, [3, []], 4]]
        parts = ops.expand(lambda item: item if isinstance(item, list) else [], concurrency=1)
        flat = Stream([nested]) | parts | ops.filter(lambda item: not isinstance(item, list))
        assert sorted(flat) == [1, 2, 3, 4]
        items = iter(range(5))
        (Stream(items) | ops.take(2) | ops.drain()).run()
        assert list(items) == [2, 3, 4]


class TestPrograms:
    def test_pa31_a_signal_ends_intake_what_is_inside_is_done_and_a_failure_is_the_exit_code(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done: list[int] = []

        async def work(item: int) -> int:
            if item == 5:
                signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.001)
            return item

        requests = streamkit.interval(0.0005) | ops.map(work, concurrency=4)
        assert runner.run(requests | ops.for_each(done.append)) == 0
        assert done == list(range(len(done)))
        assert len(done) >= 6
        shown: list[BaseException] = []
        monkeypatch.setattr("sys.excepthook", lambda kind, error, trace: shown.append(error))
        failing = streamkit.interval(0.001) | ops.map(three_fails) | ops.drain()
        server = streamkit.interval(0.001) | ops.drain()
        assert runner.run(failing, server) == 1  # the failure of one ends the other
        assert [repr(error) for error in shown] == ["ValueError(3)"]
