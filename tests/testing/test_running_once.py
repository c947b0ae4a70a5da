"""`run`, in one schedule: what it takes, where it runs, and what it leaves as it was."""

import asyncio
import gc
import subprocess
import sys
import threading
from typing import Any
from weakref import WeakSet

import pytest

from streamkit.testing import LeakError, run
from streamkit.testing.leaks import frozen as frozen_once
from tests.testing.looping import ROOT, the_loop


class TestRun:
    def test_takes_a_coroutine_or_an_async_function(self) -> None:
        async def main() -> str:
            return "done"

        assert run(main) == run(main()) == "done"

    @pytest.mark.parametrize("main", [3, lambda: 3])
    def test_refuses_anything_else(self, main: Any) -> None:
        with pytest.raises(TypeError, match="main must be a coroutine or an async function"):
            run(main)

    @pytest.mark.parametrize("outer", [run, asyncio.run])
    def test_runs_inside_a_loop_which_stands_still_meanwhile(self, outer: Any) -> None:
        async def main() -> None:
            loop, task, begun = asyncio.get_running_loop(), asyncio.current_task(), []
            other = asyncio.create_task(asyncio.sleep(0, begun.append(1)))
            assert run(asyncio.sleep(1000.0, "inner")) == "inner"
            with pytest.raises(LeakError):
                run(leaving)
            assert asyncio.get_running_loop() is loop
            assert asyncio.current_task() is task
            await asyncio.wait_for(other, 1.0)

        async def leaving() -> None:
            leaving.task = asyncio.create_task(asyncio.sleep(1.0))  # type: ignore[attr-defined]

        outer(main())

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

    @pytest.mark.freezes
    def test_looks_at_no_objects_but_its_own(self) -> None:
        """A full collection of half a million others would take longer than most tests."""
        ballast = [[number] for number in range(1_000)]
        frozen: list[int] = []

        def look(phase: str, info: dict[str, int]) -> None:
            if phase == "start" and info["generation"] == 2:
                frozen.append(gc.get_freeze_count())

        gc.callbacks.append(look)
        try:
            run(asyncio.sleep(1.0))
        finally:
            gc.callbacks.remove(look)
        assert frozen
        assert min(frozen) >= len(ballast)

    @pytest.mark.freezes
    def test_what_tests_leave_to_the_collector_does_not_grow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After each run a cycle that keeps a task, which the next would freeze."""
        monkeypatch.setattr("streamkit.testing.leaks._TIDY", 20)
        left = WeakSet[Any]()

        def test() -> None:
            async def main() -> None:
                main.task = asyncio.current_task()  # type: ignore[attr-defined]
                left.add(main.task)  # type: ignore[attr-defined]

            run(main)

        for _ in range(30):
            test()
            assert len(left) <= 20

    @pytest.mark.freezes
    @pytest.mark.full
    def test_runs_inside_others_leave_what_those_have_frozen(self) -> None:
        ballast = [[number] for number in range(1_000)]
        with frozen_once():
            with frozen_once():
                run(asyncio.sleep(1.0))
            run(asyncio.sleep(1.0))
            assert gc.get_freeze_count() > len(ballast)
        assert gc.get_freeze_count() < len(ballast)

    @pytest.mark.freezes
    def test_what_a_program_has_frozen_itself_stays_frozen(self) -> None:
        ballast = [[number] for number in range(30_000)]
        gc.freeze()
        try:
            with frozen_once():
                run(asyncio.sleep(1.0))
            assert gc.get_freeze_count() >= len(ballast)
        finally:
            gc.unfreeze()

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
