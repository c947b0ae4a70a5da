"""A concurrent map: how its workers rest, and what a buffer before it does."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import DropOldest, Strategy, Stream, Suspend, Unbounded, ops
from streamkit.testing import VirtualLoop, run
from tests.stages.pools import BEFORE, Oops, asynchronous, mixed, plain, ready
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


@dataclass(frozen=True)
class Timing:
    """How a source, a concurrent map and a consumer are, and how fast each is with each item."""

    gaps: list[float]
    seconds: list[float]
    busy: list[float]
    concurrency: int
    lookahead: int
    ordered: bool
    strategy: Strategy | None
    ends: str
    last: float
    consumer: str


TIMINGS = st.builds(
    Timing,
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


class Trial:
    """One run with such a timing, and what it did."""

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.dropped: list[int] = []
        self.passed: list[int] = []
        self.begun: list[int] = []
        self.running = self.most = 0

    async def source(self) -> AsyncIterator[int]:
        for number, gap in enumerate(self.timing.gaps):
            await asyncio.sleep(gap)
            yield number
        await asyncio.sleep(self.timing.last)
        if self.timing.ends == "source":
            raise Oops("source")
        if self.timing.ends == "never":
            await asyncio.get_running_loop().create_future()

    async def work(self, number: int) -> int:
        self.begun.append(number)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.timing.seconds[number])
        finally:
            self.running -= 1
        if self.timing.ends == "function" and number == len(self.timing.gaps) // 2:
            raise Oops("function")
        return number

    async def consume(self, number: int) -> None:
        busy = self.timing.busy
        self.passed.append(number)
        await asyncio.sleep(busy[number] if number < len(busy) else 0.0)

    def stream(self) -> Any:
        timing, strategy = self.timing, self.timing.strategy
        stream: Any = Stream(self.source)
        if isinstance(strategy, DropOldest):
            strategy = DropOldest(strategy.capacity, on_drop=lambda item, _: self.dropped.append(item))
        if strategy is not None:
            stream = stream | ops.buffer(strategy)
        return stream | ops.map(
            self.work, concurrency=timing.concurrency, ordered=timing.ordered, lookahead=timing.lookahead
        )

    async def read(self) -> None:
        async with self.stream().open() as items:
            async for number in items:
                await self.consume(number)

    async def main(self) -> Exception | None:
        sinks: dict[str, Any] = {"callback": self.consume, "returned": lambda n: self.consume(n)}
        sink = sinks.get(self.timing.consumer, self.passed.append)
        try:
            async with asyncio.timeout(1000.0):
                if self.timing.consumer == "for":
                    await self.read()
                else:
                    await (self.stream() | ops.for_each(sink))
        except (TimeoutError, Oops) as error:
            return error
        return None


class TestBuffered:
    """In every state: nothing is lost but by the strategy, and the end and errors are always noticed."""

    @settings(max_examples=examples(100))
    @given(timing=TIMINGS)
    def test_random_timings(self, timing: Timing) -> None:
        trial = Trial(timing)
        error = run(trial.main)
        assert trial.running == 0
        assert trial.most <= timing.concurrency
        assert trial.begun == sorted(trial.begun)
        assert not timing.ordered or trial.passed == sorted(trial.passed)
        assert len(set(trial.passed)) == len(trial.passed)
        failing = timing.ends == "function" and len(timing.gaps) // 2 in trial.begun
        if failing:
            assert str(error) == "function"
        elif timing.ends == "source":
            assert str(error) == "source"
        elif timing.ends == "never":
            assert isinstance(error, TimeoutError)
        else:
            assert error is None
        if not failing and timing.ends != "source":
            assert sorted([*trial.passed, *trial.dropped]) == [*range(len(timing.gaps))]
