"""A concurrent map: how its workers rest, and what a buffer before it does."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import DropOldest, Strategy, Stream, Suspend, Unbounded, ops
from streamkit.testing import VirtualLoop, run
from tests.stages.pools import (
    BEFORE,
    Oops,
    asynchronous,
    mixed,
    plain,
    ready,
)
from tests.tiers import examples


class TestRest:
    @pytest.mark.parametrize("before", BEFORE)
    @pytest.mark.parametrize("ordered", [True, False])
    def test_nothing_happens_while_nothing_comes(self, ordered: bool, before: str) -> None:
        operators, options = BEFORE[before]

        async def source() -> AsyncIterator[int]:
            for item in range(20):
                yield item
            await asyncio.sleep(1000.0)
            yield 20

        async def main() -> None:
            stream = Stream(source).pipe(*operators)
            mapped = stream | ops.map(mixed, concurrency=4, ordered=ordered, **options)
            handle = (mapped | ops.drain()).start()
            await asyncio.sleep(100.0)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            before, tasks = loop.steps, len(asyncio.all_tasks())
            await asyncio.sleep(800.0)
            assert loop.steps - before <= 3
            assert tasks <= 2 + 1 + 4
            await handle

        run(main)

    @pytest.mark.parametrize("before", BEFORE)
    @pytest.mark.parametrize("function", ["now", "later", "returned"])
    def test_workers_keep_no_item_alive(self, function: str, before: str) -> None:
        class Thing:
            pass

        operators, options = BEFORE[before]
        things: weakref.WeakSet[Thing] = weakref.WeakSet()

        async def source() -> AsyncIterator[Thing]:
            for _ in range(20):
                thing = Thing()
                things.add(thing)
                yield thing
                del thing
            await asyncio.sleep(1000.0)

        async def later(thing: Thing) -> Thing:
            await asyncio.sleep(1.0)
            return thing

        functions: dict[str, Any] = {"now": lambda t: t, "later": later, "returned": lambda t: later(t)}

        async def main() -> None:
            stream = Stream(source).pipe(*operators)
            mapped = stream | ops.map(functions[function], concurrency=4, **options)
            handle = (mapped | ops.for_each(lambda _: None)).start()
            await asyncio.sleep(100.0)
            gc.collect()
            # one in the hand of each task that runs a loop: the pump's, the reader's
            assert len(things) <= 2
            await handle

        run(main)

    @pytest.mark.parametrize("function", [plain, ready])
    @pytest.mark.parametrize("endless", ["iterator", "async", "buffer"])
    def test_callbacks_that_are_always_ready_let_others_run(self, endless: str, function: Any) -> None:
        def count() -> Iterator[int]:
            number = 0
            while True:
                yield number
                number += 1

        async def main() -> int:
            source = asynchronous(count()) if endless == "async" else count
            stream = Stream(source)
            if endless == "buffer":
                stream = stream | ops.buffer(Suspend(4))
            handle = (stream | ops.map(function, concurrency=3) | ops.drain()).start()
            turns = 0
            for turns in range(20):  # noqa: B007 - how often it has come round
                await asyncio.sleep(0)
            await handle.stop()
            return turns

        assert run(main) == 19


SECONDS = st.integers(0, 6).map(lambda quarters: quarters / 4)


class TestBuffered:
    """In every state: nothing is lost but by the strategy, and the end and errors are always noticed."""

    @settings(max_examples=examples(100))
    @given(
        gaps=st.lists(SECONDS, max_size=12),
        seconds=st.lists(SECONDS, min_size=13, max_size=13),
        busy=st.lists(SECONDS, max_size=12),
        concurrency=st.integers(2, 5),
        lookahead=st.integers(0, 4),
        ordered=st.booleans(),
        strategy=st.sampled_from([None, DropOldest(1), DropOldest(3), Suspend(1), Suspend(2), Unbounded()]),
        ends=st.sampled_from(["end", "source", "function", "never"]),
        last=SECONDS,
        consumer=st.sampled_from(["callback", "returned", "plain", "for"]),
    )
    def test_random_timings(
        self,
        gaps: list[float],
        seconds: list[float],
        busy: list[float],
        concurrency: int,
        lookahead: int,
        ordered: bool,
        strategy: Strategy | None,
        ends: str,
        last: float,
        consumer: str,
    ) -> None:
        dropped: list[int] = []
        passed: list[int] = []
        begun: list[int] = []
        running = [0, 0]
        if isinstance(strategy, DropOldest):
            strategy = DropOldest(strategy.capacity, on_drop=lambda item, _: dropped.append(item))

        async def source() -> AsyncIterator[int]:
            for number, gap in enumerate(gaps):
                await asyncio.sleep(gap)
                yield number
            await asyncio.sleep(last)
            if ends == "source":
                raise Oops("source")
            if ends == "never":
                await asyncio.get_running_loop().create_future()

        async def work(number: int) -> int:
            begun.append(number)
            running[0] += 1
            running[1] = max(running)
            try:
                await asyncio.sleep(seconds[number])
            finally:
                running[0] -= 1
            if ends == "function" and number == len(gaps) // 2:
                raise Oops("function")
            return number

        async def consume(number: int) -> None:
            passed.append(number)
            await asyncio.sleep(busy[number] if number < len(busy) else 0.0)

        async def main() -> Any:
            stream = Stream(source)
            if strategy is not None:
                stream = stream | ops.buffer(strategy)
            stream = stream | ops.map(work, concurrency=concurrency, ordered=ordered, lookahead=lookahead)

            async def read() -> None:
                async with stream.open() as items:
                    async for number in items:
                        await consume(number)

            sinks: dict[str, Any] = {"callback": consume, "returned": lambda n: consume(n)}
            sink = sinks.get(consumer, passed.append)
            try:
                async with asyncio.timeout(1000.0):
                    await (read() if consumer == "for" else stream | ops.for_each(sink))
            except (TimeoutError, Oops) as error:
                return error
            return None

        error = run(main)
        assert running[0] == 0
        assert running[1] <= concurrency
        assert begun == sorted(begun)
        assert not ordered or passed == sorted(passed)
        assert len(set(passed)) == len(passed)
        failing = ends == "function" and len(gaps) // 2 in begun
        if failing:
            assert str(error) == "function"
        elif ends == "source":
            assert str(error) == "source"
        elif ends == "never":
            assert isinstance(error, TimeoutError)
        else:
            assert error is None
        if not failing and ends != "source":
            assert sorted([*passed, *dropped]) == [*range(len(gaps))]
