"""The check for what a run leaves behind."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from streamkit.testing import DeadlockError, LeakError, run
from tests.testing.looping import numbers, quickly, the_loop


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

    def test_an_error_that_cannot_be_shown(self) -> None:
        class UnshownError(Exception):
            def __repr__(self) -> str:
                raise ValueError("no words")

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": "a callback failed", "exception": UnshownError()})

        assert self.leaks(main).startswith("a callback failed: <")

    def test_an_error_without_a_message(self) -> None:
        async def main() -> None:
            asyncio.get_running_loop().call_exception_handler({"exception": KeyError("k")})

        assert self.leaks(main) == "an error without a message: KeyError('k')"

    def test_a_thread_that_another_one_is_just_starting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`threading.enumerate` has it already, and it cannot be joined yet."""
        alive, coming = threading.enumerate, threading.Thread(target=print)

        async def main() -> None:
            monkeypatch.setattr(threading, "enumerate", lambda: [*alive(), coming])

        run(main)

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

        assert self.leaks(main).startswith("async generator numbers (looping.py:")
        assert all(generator.ag_frame is None for generator in held)

    def test_an_async_generator_that_was_dropped_unclosed(self) -> None:
        async def main() -> None:
            async for _ in numbers():
                break

        with pytest.raises(LeakError, match=r"async generator numbers \(looping.py:"):
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

    @pytest.mark.freezes
    def test_leaves_the_collector_as_it_was(self) -> None:
        before = gc.get_freeze_count()
        run(asyncio.sleep(1.0))
        assert gc.get_freeze_count() <= before

    @pytest.mark.freezes
    def test_respects_what_others_froze(self) -> None:
        gc.freeze()
        try:
            run(asyncio.sleep(1.0))
            assert gc.get_freeze_count() > 0
        finally:
            gc.unfreeze()


def test_a_deadlock_tells_once_what_waits() -> None:
    """Nothing is left behind by a `main` that has not ended."""

    async def endless() -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 1

    async def main() -> None:
        async for _ in endless():
            pass

    with pytest.raises(DeadlockError) as caught:
        run(main)
    assert len(caught.value.waiting) == 1
    assert not getattr(caught.value, "__notes__", [])


def test_a_deadlock_tells_what_else_is_left() -> None:
    other: list[object] = []

    async def main() -> None:
        items = numbers()
        other.append(items)
        await anext(items)
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError) as caught:
        run(main)
    (note,) = caught.value.__notes__
    assert "async generator" in note
    assert "numbers" in note
    assert "task" not in note
