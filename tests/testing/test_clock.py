"""Virtual time, deadlocks, step callbacks, and the check for what a run leaves behind."""

import asyncio
import gc
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from itertools import count
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from hypothesis import given, strategies as st

from streamkit.testing import DeadlockError, LeakError, VirtualLoop, run

ROOT = Path(__file__).parents[2]


def the_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


@contextmanager
def quickly(seconds: float = 5.0) -> Generator[None, None, None]:
    """Real time stays far below what virtual time covers."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


async def numbers() -> AsyncGenerator[int, None]:
    for number in count():
        await asyncio.sleep(1.0)
        yield number


class TestTime:
    def test_starts_at_zero(self) -> None:
        async def main() -> float:
            return the_loop().time()

        assert run(main) == 0.0

    @pytest.mark.parametrize("seconds", [1e-12, 0.1 + 0.2, 1.0, 86_400.0 * 365, 1e9, 1e15])
    def test_jumps_exactly_to_the_timer(self, seconds: float) -> None:
        async def main() -> float:
            await asyncio.sleep(seconds)
            return the_loop().time()

        with quickly():
            assert run(main) == seconds

    def test_sleeps_end_in_order_of_their_time(self) -> None:
        ended: list[tuple[float, float]] = []

        async def sleep(seconds: float) -> None:
            await asyncio.sleep(seconds)
            ended.append((seconds, the_loop().time()))

        async def main() -> None:
            await asyncio.gather(*map(sleep, (3.0, 1.0, 2.0, 0.0)))

        run(main)
        assert ended == [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]

    @given(st.lists(st.integers(0, 3), max_size=30))
    def test_timers_of_equal_times_keep_their_order(self, times: list[int]) -> None:
        fired: list[tuple[int, int]] = []

        async def main() -> None:
            for index, when in enumerate(times):
                the_loop().call_at(when, fired.append, (when, index))
            await asyncio.sleep(4.0)

        run(main)
        assert fired == sorted(fired)
        assert len(fired) == len(times)

    def test_a_timer_waits_for_what_is_ready(self) -> None:
        async def main() -> float:
            timer = the_loop().call_later(0.001, lambda: None)
            for _ in range(1000):
                await asyncio.sleep(0)
            timer.cancel()
            return the_loop().time()

        assert run(main) == 0.0

    def test_a_timer_in_the_past_fires_without_moving_time(self) -> None:
        async def main() -> float:
            await asyncio.sleep(5.0)
            fired = asyncio.Event()
            the_loop().call_at(1.0, fired.set)
            await fired.wait()
            return the_loop().time()

        assert run(main) == 5.0

    def test_timeout(self) -> None:
        async def main() -> float:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2.5):
                    await asyncio.sleep(1000.0)
            return the_loop().time()

        assert run(main) == 2.5

    def test_wait_for(self) -> None:
        async def main() -> tuple[str, float]:
            result = await asyncio.wait_for(asyncio.sleep(1.0, "in time"), 2.0)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.sleep(9.0), 2.0)
            return result, the_loop().time()

        assert run(main) == ("in time", 3.0)

    def test_a_cancelled_timer_does_not_fire_nor_move_time(self) -> None:
        fired: list[str] = []

        async def main() -> float:
            the_loop().call_later(1.0, fired.append, "cancelled").cancel()
            the_loop().call_later(2.0, fired.append, "kept")
            later: list[asyncio.TimerHandle] = []
            the_loop().call_later(3.0, lambda: later[0].cancel())
            later.append(the_loop().call_later(3.0, fired.append, "cancelled by the one before"))
            await asyncio.sleep(3.0)
            return the_loop().time()

        assert run(main) == 3.0
        assert fired == ["kept"]

    def test_cancelled_timers_are_forgotten(self) -> None:
        """A million items, each with a timeout that does not fire, must not pile up."""
        timers: WeakSet[asyncio.TimerHandle] = WeakSet()

        async def main() -> int:
            for _ in range(10_000):
                timer = the_loop().call_later(1e6, print)
                timer.cancel()
                timers.add(timer)
            return len(timers)

        assert run(main) < 500

    def test_a_timer_runs_in_its_context(self) -> None:
        variable = ContextVar("variable", default="outer")
        seen: list[str] = []

        async def main() -> None:
            variable.set("inner")
            the_loop().call_later(1.0, lambda: seen.append(variable.get()))
            variable.set("later")
            await asyncio.sleep(1.0)

        run(main)
        assert seen == ["inner"]
        assert variable.get() == "outer"

    def test_an_error_in_a_timer_goes_to_the_exception_handler(self) -> None:
        contexts: list[dict[str, Any]] = []

        async def main() -> None:
            the_loop().set_exception_handler(lambda _, context: contexts.append(context))
            the_loop().call_later(1.0, int, "x")
            await asyncio.sleep(2.0)

        run(main)
        assert [type(context["exception"]) for context in contexts] == [ValueError]

    def test_debug_mode(self) -> None:
        async def main() -> float:
            the_loop().set_debug(True)
            await asyncio.sleep(1000.0)
            return the_loop().time()

        assert run(main) == 1000.0

    def test_a_closed_loop_takes_no_timers(self) -> None:
        loop = VirtualLoop()
        loop.close()
        with pytest.raises(RuntimeError, match="closed"):
            loop.call_later(1.0, print)

    def test_serves_asyncio_runner(self) -> None:
        with quickly(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(asyncio.sleep(1000.0))
            assert runner.get_loop().time() == 1000.0

    def test_is_deterministic(self) -> None:
        def once() -> list[tuple[int, float, int]]:
            log: list[tuple[int, float, int]] = []

            async def worker(number: int) -> None:
                for _ in range(3):
                    await asyncio.sleep(number % 3)
                    log.append((number, the_loop().time(), the_loop().steps))

            async def main() -> None:
                async with asyncio.TaskGroup() as group:
                    for number in range(9):
                        group.create_task(worker(number))

            run(main)
            return log

        first = once()
        assert all(once() == first for _ in range(5))


class TestDeadlock:
    def test_names_the_tasks_and_what_they_wait_for(self) -> None:
        async def consume(queue: asyncio.Queue[int]) -> None:
            await queue.get()

        async def main() -> None:
            await asyncio.create_task(consume(asyncio.Queue()), name="consumer")

        with quickly(), pytest.raises(DeadlockError) as caught:
            run(main)
        waiting = {line.partition(":")[0]: line for line in caught.value.waiting}
        consumer = waiting.pop("'consumer'")
        assert ".consume (test_clock.py:" in consumer
        assert "Queue.get (queues.py:" in consumer
        assert consumer in str(caught.value)
        assert [line.endswith(" > task 'consumer'") for line in waiting.values()] == [True]

    def test_sees_through_async_generators(self) -> None:
        async def stuck() -> AsyncIterator[int]:
            await asyncio.Event().wait()
            yield 1

        async def main() -> None:
            async for _ in stuck():
                pass

        with pytest.raises(DeadlockError) as caught:
            run(main)
        (line,) = caught.value.waiting
        assert all(place in line for place in (".main (", ".stuck (", " > Event.wait ("))

    @pytest.mark.parametrize("seconds", [math.inf, None])
    def test_a_timer_that_never_fires_is_none(self, seconds: float | None) -> None:
        async def main() -> None:
            the_loop().call_later(1.0, print).cancel()
            if seconds is None:
                await the_loop().create_future()
            else:
                await asyncio.sleep(seconds)

        with quickly(), pytest.raises(DeadlockError, match=r"virtual time 0\.0"):
            run(main)


class TestThreads:
    def test_to_thread_is_waited_for(self) -> None:
        async def main() -> tuple[int, float]:
            ident = await asyncio.to_thread(threading.get_ident)
            return ident, the_loop().time()

        ident, now = run(main)
        assert ident != threading.get_ident()
        assert now == 0.0

    def test_virtual_time_stands_still_while_an_executor_works(self) -> None:
        async def main() -> float:
            async with asyncio.timeout(0.001):
                await asyncio.to_thread(time.sleep, 0.05)
            return the_loop().time()

        assert run(main) == 0.0

    def test_executor_of_ones_own(self) -> None:
        async def main() -> list[int]:
            with ThreadPoolExecutor(2) as pool:
                work = [the_loop().run_in_executor(pool, pow, 2, n) for n in range(4)]
                return [await future for future in work]

        assert run(main, threads=True) == [1, 2, 4, 8]

    def test_a_thread_wakes_the_loop(self) -> None:
        async def main() -> str:
            loop, future = the_loop(), the_loop().create_future()
            release = threading.Event()

            def work() -> None:
                release.wait(5.0)
                time.sleep(0.05)
                loop.call_soon_threadsafe(future.set_result, "woken")

            thread = threading.Thread(target=work)
            thread.start()
            release.set()
            result: str = await future
            thread.join()
            return result

        assert run(main, threads=True) == "woken"

    def test_a_thread_gets_some_time_before_virtual_time_jumps(self) -> None:
        async def main() -> float:
            loop, future = the_loop(), the_loop().create_future()
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(future.set_result, None))
            async with asyncio.timeout(0.000_001):
                thread.start()
                await future
            thread.join()
            return loop.time()

        assert run(main, threads=True) == 0.0

    def test_virtual_time_goes_on_while_a_thread_waits_for_the_loop(self) -> None:
        async def main() -> float:
            loop = the_loop()

            def work() -> None:
                asyncio.run_coroutine_threadsafe(asyncio.sleep(1000.0), loop).result(10.0)
                loop.call_soon_threadsafe(done.set)

            done = asyncio.Event()
            thread = threading.Thread(target=work)
            thread.start()
            await done.wait()
            thread.join()
            return loop.time()

        with quickly():
            assert run(main, threads=True) == 1000.0

    def test_jumps_at_once_where_no_other_thread_lives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def main() -> None:
            for _ in range(1000):
                await asyncio.sleep(1.0)

        monkeypatch.setattr(threading, "active_count", lambda: 1)  # but for those of the test runner
        with quickly():
            run(main, threads=True)

    def test_waiting_for_a_thread_has_a_limit(self) -> None:
        async def main() -> None:
            await asyncio.Event().wait()

        loop = VirtualLoop(threads=True, limit=0.05)
        task = loop.create_task(main())
        with pytest.raises(DeadlockError, match=r"0\.05 real seconds"):
            loop.run_until_complete(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    def test_without_the_option_the_error_says_so(self) -> None:
        async def main() -> None:
            await the_loop().create_future()

        with pytest.raises(DeadlockError, match="threads=True"):
            run(main)

    def test_a_socket_wakes_the_loop(self) -> None:
        async def main() -> bytes:
            loop, future = the_loop(), the_loop().create_future()
            reader, writer = os.pipe()
            loop.add_reader(reader, lambda: future.set_result(os.read(reader, 9)))
            try:
                await asyncio.to_thread(os.write, writer, b"ping")
                result: bytes = await future
            finally:
                loop.remove_reader(reader)
                os.close(reader)
                os.close(writer)
            return result

        assert run(main, threads=True) == b"ping"


class TestSteps:
    def test_are_counted(self) -> None:
        async def main() -> list[int]:
            seen: list[int] = []
            for _ in range(3):
                seen.append(the_loop().steps)
                await asyncio.sleep(0)
            return seen

        assert run(main) == [1, 2, 3]

    def test_callbacks_come_first_in_their_iteration(self) -> None:
        log: list[str] = []

        async def main() -> None:
            loop = the_loop()
            loop.call_at_step(2, lambda: log.append(f"second at {loop.steps}"))
            loop.call_at_step(1, lambda: log.append(f"first at {loop.steps}"))
            loop.call_at_step(1, lambda: log.append("after it"))
            for _ in range(3):
                log.append(f"main at {loop.steps}")
                await asyncio.sleep(0)

        run(main)
        assert log == ["main at 1", "first at 2", "after it", "main at 2", "second at 3", "main at 3"]

    @pytest.mark.parametrize("n", [0, -1])
    def test_n_is_checked(self, n: int) -> None:
        loop = VirtualLoop()
        with pytest.raises(ValueError, match=f"n must be at least 1, not {n}"):
            loop.call_at_step(n, print)
        loop.close()

    def test_what_a_callback_makes_ready_runs_before_time_moves(self) -> None:
        async def main() -> float:
            event = asyncio.Event()
            the_loop().call_at_step(1, event.set)
            async with asyncio.timeout(10.0):
                await event.wait()
            return the_loop().time()

        assert run(main) == 0.0

    def test_an_error_in_a_callback_ends_the_run(self) -> None:
        async def main() -> None:
            the_loop().call_at_step(1, lambda: int("x"))
            await asyncio.sleep(1.0)

        with pytest.raises(ValueError, match="invalid literal"):
            run(main, leaks=False)

    def test_pending_callbacks_neither_hide_a_deadlock_nor_keep_a_run_alive(self) -> None:
        async def main(forever: bool) -> None:
            the_loop().call_at_step(1000, lambda: pytest.fail("called"))
            if forever:
                await the_loop().create_future()

        run(main(False))
        with pytest.raises(DeadlockError):
            run(main(True))

    def test_cancelling_at_every_step_is_deterministic(self) -> None:
        async def work(log: list[str]) -> None:
            async def child(name: str) -> None:
                for index in range(3):
                    await asyncio.sleep(1.0)
                    log.append(f"{name}{index}")

            async with asyncio.TaskGroup() as group:
                group.create_task(child("a"))
                group.create_task(child("b"))
            log.append("end")

        def cancelled_at(step: int) -> tuple[bool, tuple[str, ...]]:
            log: list[str] = []

            async def main() -> bool:
                task = asyncio.create_task(work(log))
                the_loop().call_at_step(step, task.cancel)
                await asyncio.wait([task])
                return task.cancelled()

            return run(main), tuple(log)

        def sweep() -> list[tuple[bool, tuple[str, ...]]]:
            outcomes: list[tuple[bool, tuple[str, ...]]] = []
            for step in count(1):
                outcomes.append(cancelled_at(step))
                if not outcomes[-1][0]:
                    return outcomes
            raise AssertionError

        first = sweep()
        assert first[-1] == (False, ("a0", "b0", "a1", "b1", "a2", "b2", "end"))
        assert {log for _, log in first} >= {(), ("a0", "b0"), ("a0", "b0", "a1", "b1")}
        assert [len(log) for _, log in first] == sorted(len(log) for _, log in first)
        assert sweep() == first


class TestLeaks:
    def leaks(self, main: Callable[[], Any]) -> str:
        with pytest.raises(LeakError) as caught:
            run(main)
        assert "\n  ".join(caught.value.leaks) in str(caught.value)
        run(main, leaks=False)
        (leak,) = caught.value.leaks
        return leak

    def test_none(self) -> None:
        async def main() -> int:
            async with aclosing(numbers()) as source:
                await anext(source)
            return await asyncio.create_task(asyncio.sleep(1.0, 7))

        assert run(main) == 7

    def test_a_task(self) -> None:
        tasks: list[Any] = []

        async def main() -> None:
            tasks.append(asyncio.create_task(asyncio.sleep(1.0), name="forgotten"))

        assert self.leaks(main).startswith("task 'forgotten': sleep (tasks.py:")
        assert all(task.cancelled() for task in tasks)

    def test_a_task_that_is_slow_to_be_cancelled(self) -> None:
        async def stubborn() -> None:
            while True:
                try:
                    await asyncio.sleep(1.0)
                except asyncio.CancelledError:
                    break
            for _ in range(3):
                await asyncio.sleep(1.0)

        async def main() -> None:
            task = asyncio.create_task(stubborn(), name="stubborn")
            await asyncio.sleep(5.0)
            assert not task.done()

        with quickly(), pytest.raises(LeakError, match="stubborn"):
            run(main)

    def test_cleaning_up_ends_even_if_a_task_ticks_for_ever(self) -> None:
        stop = False

        async def ticker() -> None:
            while not stop:
                try:
                    await asyncio.sleep(1.0)
                except asyncio.CancelledError:
                    continue

        async def main() -> None:
            main.task = asyncio.create_task(ticker(), name="ticker")  # type: ignore[attr-defined]
            await asyncio.sleep(5.0)

        with quickly(30.0), pytest.raises(LeakError, match="do not end when cancelled"):
            run(main)

    def test_an_async_generator_that_is_held(self) -> None:
        held: list[Any] = []

        async def main() -> None:
            source = numbers()
            held.append(source)
            await anext(source)

        assert self.leaks(main).startswith("async generator numbers (test_clock.py:")
        assert all(generator.ag_frame is None for generator in held)

    def test_an_async_generator_that_was_dropped_unclosed(self) -> None:
        async def main() -> None:
            async for _ in numbers():
                break

        with pytest.raises(LeakError, match=r"async generator numbers \(test_clock.py:"):
            run(main)

    def test_an_async_generator_that_the_loop_could_close_in_time(self) -> None:
        async def main() -> None:
            async for _ in numbers():
                break
            await asyncio.sleep(1.0)

        run(main)

    def test_a_thread(self) -> None:
        release = threading.Event()
        threads: list[threading.Thread] = []

        async def main() -> None:
            threads.append(threading.Thread(target=release.wait, args=(10.0,), name="worker-7"))
            threads[-1].start()

        try:
            assert self.leaks(main) == "thread 'worker-7'"
        finally:
            release.set()
            for thread in threads:
                thread.join()

    def test_daemon_threads_and_the_default_executor_are_none(self) -> None:
        release = threading.Event()
        thread = threading.Thread(target=release.wait, args=(10.0,), daemon=True)

        async def main() -> None:
            await asyncio.to_thread(thread.start)

        try:
            run(main)
        finally:
            release.set()
            thread.join()

    def test_an_exception_that_nobody_retrieved(self) -> None:
        async def fail() -> None:
            raise ValueError("lost")

        async def main() -> None:
            _ = asyncio.create_task(fail())  # noqa: RUF006
            await asyncio.sleep(1.0)

        with pytest.raises(LeakError) as caught:
            run(main)
        assert caught.value.leaks == ("Task exception was never retrieved: ValueError('lost')",)
        assert isinstance(caught.value.__cause__, ValueError)

    @pytest.mark.parametrize("objects", [0, 100_000])
    def test_an_exception_that_only_the_collector_finds(self, objects: int) -> None:
        """However long the run was, and whatever the collector has moved to its older generations."""

        async def fail(cycle: list[Any]) -> None:
            raise ValueError("lost")

        async def main() -> None:
            cycle: list[Any] = []
            cycle.append(asyncio.create_task(fail(cycle)))
            cycle.append(cycle)
            await asyncio.sleep(1.0)
            ballast = [[number] for number in range(objects)]
            await asyncio.sleep(1.0)
            del ballast

        with pytest.raises(LeakError, match="never retrieved: ValueError"):
            run(main)

    def test_an_error_in_a_callback_of_the_loop(self) -> None:
        async def main() -> None:
            the_loop().call_soon(int, "x")
            await asyncio.sleep(1.0)

        with pytest.raises(LeakError, match="Exception in callback"):
            run(main)

    def test_all_are_named_at_once(self) -> None:
        tasks: list[Any] = []

        async def main() -> None:
            tasks.extend(asyncio.create_task(asyncio.sleep(1.0), name=f"task-{n}") for n in (2, 1, 10))

        with pytest.raises(LeakError) as caught:
            run(main)
        assert [leak.partition(":")[0] for leak in caught.value.leaks] == [
            "task 'task-1'",
            "task 'task-2'",
            "task 'task-10'",
        ]

    def test_an_error_of_main_is_the_cause(self) -> None:
        tasks: list[Any] = []

        async def main() -> None:
            tasks.append(asyncio.create_task(asyncio.sleep(1.0)))
            raise OSError("first")

        with pytest.raises(LeakError) as caught:
            run(main)
        assert isinstance(caught.value.__cause__, OSError)

    @pytest.mark.parametrize(
        "error", [AssertionError("verdict"), KeyboardInterrupt(), DeadlockError("stuck")]
    )
    def test_the_verdict_of_a_test_comes_as_itself(self, error: BaseException) -> None:
        tasks: list[Any] = []

        async def main() -> None:
            tasks.append(asyncio.create_task(asyncio.sleep(1.0), name="forgotten"))
            await asyncio.sleep(0.5)
            raise error

        with pytest.raises(type(error)) as caught:
            run(main)
        assert caught.value is error
        assert "forgotten" in error.__notes__[0]

    def test_an_error_of_main_without_leaks_comes_as_itself(self) -> None:
        async def main() -> None:
            raise OSError("only")

        with pytest.raises(OSError, match="only") as caught:
            run(main)
        assert not hasattr(caught.value, "__notes__")

    def test_leaves_the_collector_as_it_was(self) -> None:
        before = gc.get_freeze_count()
        run(asyncio.sleep(1.0))
        assert gc.get_freeze_count() <= before

    def test_respects_what_others_froze(self) -> None:
        gc.collect()
        gc.freeze()
        try:
            run(asyncio.sleep(1.0))
            assert gc.get_freeze_count() > 0
        finally:
            gc.unfreeze()


class TestRun:
    def test_takes_a_coroutine_or_an_async_function(self) -> None:
        async def main() -> str:
            return "done"

        assert run(main) == run(main()) == "done"

    @pytest.mark.parametrize("main", [3, lambda: 3])
    def test_refuses_anything_else(self, main: Any) -> None:
        with pytest.raises(TypeError, match="main must be a coroutine or an async function"):
            run(main)

    def test_refuses_to_run_inside_a_loop(self) -> None:
        async def main() -> None:
            with pytest.raises(RuntimeError, match="while an event loop is running"):
                run(asyncio.sleep(1.0))

        run(main)

    def test_runs_in_other_threads(self) -> None:
        results: list[float] = []

        async def main() -> float:
            await asyncio.sleep(100.0)
            return the_loop().time()

        threads = [threading.Thread(target=lambda: results.append(run(main, leaks=False))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [100.0] * 4

    def test_cancellation_of_main_arrives(self) -> None:
        async def main() -> None:
            task = asyncio.current_task()
            assert task is not None
            the_loop().call_at_step(1, task.cancel)
            await the_loop().create_future()

        with pytest.raises(asyncio.CancelledError):
            run(main)

    def test_is_fast_beside_many_objects(self) -> None:
        """The collection after a run looks at the run's own objects, not at half a million others."""
        ballast = [[number] for number in range(500_000)]
        start = time.perf_counter()
        for _ in range(100):
            run(asyncio.sleep(1.0))
        seconds = time.perf_counter() - start
        # A hundred full collections of these would take several seconds.
        assert seconds < 1.5
        assert len(ballast) == 500_000

    def test_clean_under_w_error(self) -> None:
        script = """if True:
            import asyncio
            from streamkit.testing import DeadlockError, LeakError, run

            async def numbers():
                yield 1
                await asyncio.sleep(1)
                yield 2

            async def main(leave):
                assert await asyncio.to_thread(int, "3") == 3
                source = numbers()
                await anext(source)
                await (asyncio.Event().wait() if leave == "deadlock" else source.aclose())
                tasks = [asyncio.create_task(asyncio.sleep(9))] if leave else []
                await asyncio.sleep(1)

            for leave, error in ("", None), ("task", LeakError), ("deadlock", DeadlockError):
                try:
                    run(main(leave))
                except (LeakError, DeadlockError) as caught:
                    assert type(caught) is error
                else:
                    assert error is None
        """
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
