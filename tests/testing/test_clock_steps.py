"""Virtual time beside threads, and callbacks at steps of the loop."""

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from streamkit.testing import DeadlockError, VirtualLoop, run
from tests.testing.looping import quickly, the_loop


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
        with pytest.raises(ValueError, match=f"n must be a whole number of at least 1, not {n}"):
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
