"""Virtual time, and deadlocks."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import datetime, timedelta, timezone
from typing import Any
from weakref import WeakSet

import pytest
from hypothesis import given, strategies as st

from streamkit.testing import DeadlockError, VirtualLoop, run
from tests.testing.looping import quickly, the_loop


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


class TestWallTime:
    def test_begins_in_1970_can_be_set_and_goes_on_with_the_time_that_stays(self) -> None:
        async def main() -> None:
            loop = the_loop()
            assert loop.wall_time() == 0.0
            await asyncio.sleep(3.0)
            loop.set_wall_time(datetime(1970, 1, 2, 1, tzinfo=timezone(timedelta(hours=1))))
            await asyncio.sleep(4.0)
            assert (loop.time(), loop.wall_time()) == (7.0, 86_404.0)

        run(main)

    @pytest.mark.parametrize(
        ("when", "error", "words"),
        [
            (86_400.0, TypeError, "when must be a datetime with a time zone, not 86400.0"),
            (datetime(2026, 1, 1), ValueError, "when must have a time zone, as datetime"),
        ],
    )
    def test_bad_argument(self, when: Any, error: type[Exception], words: str) -> None:
        async def main() -> None:
            with pytest.raises(error, match=words):
                the_loop().set_wall_time(when)

        run(main)


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
        assert ".consume (test_clock_time.py:" in consumer
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
