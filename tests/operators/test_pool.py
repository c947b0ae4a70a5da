"""A concurrent map: order, bound, errors, accounting, and how its workers rest."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import BufferStats, DropOldest, Strategy, Stream, Suspend, Unbounded, ops
from streamkit.testing import VirtualLoop, run
from tests.tiers import examples

MANY = 1500


class Oops(Exception):  # noqa: N818
    """The error of these tests."""


def generated(items: Any) -> Any:
    def generate() -> Iterator[Any]:
        yield from items

    return generate


def asynchronous(items: Any, *, turns: bool = False) -> Any:
    async def generate() -> AsyncIterator[Any]:
        for item in items:
            if turns:
                await asyncio.sleep(0)
            yield item

    return generate


async def outcome(job: Any) -> Any:
    """What `job` returned or raised."""
    try:
        return await job
    except BaseException as error:
        return error


SOURCES: dict[str, Callable[[Any], Any]] = {
    "range": lambda items: items,
    "list": list,
    "tuple": tuple,
    "iterator": generated,
    "async": asynchronous,
    "async turns": lambda items: asynchronous(items, turns=True),
}


async def mixed(item: int) -> int:
    """Ready at once, after some turns, or after some seconds."""
    if item % 3 == 1:
        for _ in range(item % 7):
            await asyncio.sleep(0)
    if item % 3 == 2:
        await asyncio.sleep(item % 5)
    return -item


async def one_turn(item: int) -> int:
    await asyncio.sleep(0)
    return -item


async def slow(item: int) -> int:
    await asyncio.sleep((item * 7) % 11)
    return -item


def plain(item: int) -> int:
    return -item


async def ready(item: int) -> int:
    return -item


def returns(item: int) -> Any:
    return mixed(item)


FUNCTIONS = [plain, ready, one_turn, mixed, slow, returns]
BEFORE: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "": ((), {}),
    "lookahead": ((), {"lookahead": 3}),
    "buffer": ((ops.buffer(Suspend(4)),), {}),
    "unbounded": ((ops.buffer(Unbounded()),), {}),
}


class TestOrder:
    @pytest.mark.spread(2)
    @pytest.mark.parametrize("before", BEFORE)
    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("source", SOURCES)
    def test_of_many_items_over_every_kind_of_source(self, source: str, function: Any, before: str) -> None:
        operators, options = BEFORE[before]
        stream = Stream(SOURCES[source](range(MANY))).pipe(*operators)
        kept = stream | ops.map(function, concurrency=7, **options) | ops.to_list()
        assert run(lambda: outcome(kept)) == [-item for item in range(MANY)]

    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("source", ["list", "iterator"])
    def test_breathing_changes_nothing(
        self, source: str, function: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("streamkit._engine.compile.pace.Pace.due", lambda self: True)
        for operators, options in BEFORE.values():
            stream = Stream(SOURCES[source](range(300))).pipe(*operators)
            kept = stream | ops.map(function, concurrency=5, **options) | ops.to_list()
            assert run(lambda: outcome(kept)) == [-item for item in range(300)]

    @given(
        turns=st.lists(st.integers(0, 5), max_size=30),
        concurrency=st.integers(2, 6),
        source=st.sampled_from([*SOURCES]),
        before=st.sampled_from([*BEFORE]),
        behind=st.sampled_from([None, 0, 1, 2]),
        ordered=st.booleans(),
    )
    def test_it_is_what_python_makes(
        self,
        turns: list[int],
        concurrency: int,
        source: str,
        before: str,
        behind: int | None,
        ordered: bool,
    ) -> None:
        async def work(number: int) -> int:
            for _ in range(turns[number]):
                await asyncio.sleep(0)
            return -number

        async def busy(number: int) -> None:
            for _ in range(behind or 0):
                await asyncio.sleep(0)

        operators, options = BEFORE[before]
        numbers = range(len(turns))
        mapped = ops.map(work, concurrency=concurrency, ordered=ordered, **options)
        stream = Stream(SOURCES[source](numbers)).pipe(*operators) | mapped
        if behind is not None:
            stream = stream | ops.tap(lambda number: busy(number))
        found = run(lambda: outcome(stream | ops.batch(2) | ops.to_list()))
        assert [len(batch) for batch in found[:-1]] == [2] * len(found[:-1])
        flat = [number for batch in found for number in batch]
        assert (flat if ordered else sorted(flat, reverse=True)) == [-number for number in numbers]

    @pytest.mark.spread
    @pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
    @pytest.mark.parametrize("concurrency", [2, 5, 600])
    @pytest.mark.parametrize("function", [plain, ready, one_turn, mixed])
    @pytest.mark.parametrize("source", ["list", "iterator", "async"])
    def test_with_eager_tasks(self, source: str, function: Any, concurrency: int) -> None:
        begun: list[int] = []

        def noting(item: int) -> Any:
            begun.append(item)
            return function(item)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
            for operators, options in BEFORE.values():
                begun.clear()
                stream = Stream(SOURCES[source](range(700))).pipe(*operators)
                kept = stream | ops.map(noting, concurrency=concurrency, **options) | ops.to_list()
                assert await kept == [-item for item in range(700)]
                assert begun == [*range(700)]

        run(main)


class Inside:
    """Counts the items that were begun and not delivered."""

    def __init__(self, turns: Callable[[int], int] = lambda item: item % 4) -> None:
        self.turns = turns
        self.now = self.most = 0

    async def __call__(self, item: int) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(self.turns(item)):
            await asyncio.sleep(0)
        return item

    def delivered(self, _: int) -> None:
        self.now -= 1


class TestBound:
    @pytest.mark.spread
    @pytest.mark.parametrize("ordered", [True, False])
    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize("sink", ["fast", "slow", "returned", "for"])
    def test_no_more_are_begun_than_concurrency_allows(self, sink: str, source: str, ordered: bool) -> None:
        inside = Inside()

        async def later(item: int) -> None:
            inside.delivered(item)
            for _ in range(item % 3):
                await asyncio.sleep(0)

        async def main() -> None:
            stream = Stream(SOURCES[source](range(200))) | ops.map(inside, concurrency=5, ordered=ordered)
            if sink == "for":
                async for item in stream:
                    await later(item)
                return
            sinks: dict[str, Any] = {"fast": inside.delivered, "slow": later, "returned": lambda i: later(i)}
            await (stream | ops.for_each(sinks[sink]))

        run(main)
        assert inside.now == 0
        # what a callback behind returned is awaited in the hand of the loop that reads
        assert inside.most <= 5 + (sink == "returned")
        if source in ("range", "list", "tuple"):
            assert inside.most >= 5

    @pytest.mark.spread
    @pytest.mark.parametrize("before", ["", "lookahead"])
    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize("concurrency", [2, 64, 500])
    def test_all_are_in_flight_within_a_few_steps(self, source: str, concurrency: int, before: str) -> None:
        begun: list[int] = []

        async def work(item: int) -> int:
            begun.append(loops[0].steps)
            await asyncio.sleep(1.0)
            return item

        loops: list[VirtualLoop] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loops.append(loop)
            operators, options = BEFORE[before]
            stream = Stream(SOURCES[source](range(2 * concurrency))).pipe(*operators)
            await (stream | ops.map(work, concurrency=concurrency, **options) | ops.drain())
            assert loop.time() == 2.0

        run(main)
        if source != "async turns":  # its items come one per step
            assert begun[concurrency - 1] - begun[0] <= 12 + concurrency / (2 if before else 4)

    def test_results_that_wait_for_their_turn_have_their_place(self) -> None:
        begun: list[tuple[float, int]] = []

        async def work(item: int) -> int:
            begun.append((asyncio.get_running_loop().time(), item))
            await asyncio.sleep(5.0 if item == 0 else 1.0)
            return item

        run(lambda: outcome(Stream(range(6)) | ops.map(work, concurrency=3) | ops.drain()))
        assert begun == [(0.0, 0), (0.0, 1), (0.0, 2), (5.0, 3), (5.0, 4), (5.0, 5)]


class TestEnds:
    @pytest.mark.spread
    @pytest.mark.parametrize("ordered", [True, False])
    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("source", SOURCES)
    def test_early_closes_the_source_and_begins_no_further_call(
        self, source: str, function: Any, ordered: bool
    ) -> None:
        for count in (1, 2, 5):
            ended: list[bool] = []
            late: list[int] = []

            def work(item: int) -> Any:
                if ended:
                    late.append(item)
                return function(item)

            def note(_: int) -> None:
                noted.append(None)
                if len(noted) == count:
                    ended.append(True)

            noted: list[None] = []
            stream = Stream(SOURCES[source](range(100)))
            stream = stream | ops.map(work, concurrency=4, ordered=ordered) | ops.tap(note)
            found = run(lambda: outcome(stream | ops.take(count) | ops.to_list()))
            assert len(found) == count
            assert not ordered or found == [-item for item in range(count)]
            assert late == []

    @pytest.mark.spread
    @pytest.mark.parametrize("before", BEFORE)
    @pytest.mark.parametrize("source", ["list", "async", "async turns"])
    def test_cancelled_at_every_step(self, source: str, before: str) -> None:
        operators, options = BEFORE[before]

        async def main(steps: int) -> bool:
            running = [0]

            async def work(item: int) -> int:
                running[0] += 1
                try:
                    return await mixed(item)
                finally:
                    running[0] -= 1

            stream = Stream(SOURCES[source](range(15))).pipe(*operators)
            job = stream | ops.map(work, concurrency=3, **options) | ops.to_list()
            task = asyncio.ensure_future(outcome(job))
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.call_at_step(steps, task.cancel)
            ended = await task
            assert running == [0]
            return isinstance(ended, asyncio.CancelledError)

        steps = 2  # in the first one the task begins
        while run(lambda: main(steps)):
            steps += 1
        assert steps > 5

    @pytest.mark.spread
    @pytest.mark.parametrize("before", BEFORE)
    @pytest.mark.parametrize(
        "kind", [Oops, KeyError, StopAsyncIteration, StopIteration, asyncio.CancelledError]
    )
    @pytest.mark.parametrize("turns", [0, 2])
    def test_an_error_of_the_function_is_raised_as_itself(
        self, kind: type[BaseException], turns: int, before: str
    ) -> None:
        operators, options = BEFORE[before]
        begun: list[int] = []

        def work(item: int) -> Any:
            begun.append(item)
            if item == 6 and not turns:
                raise kind("call")
            return later(item)

        async def later(item: int) -> int:
            await one_turn(item)
            if item == 6:
                raise kind("call")
            return item

        job = Stream(range(30)).pipe(*operators) | ops.map(work, concurrency=3, **options) | ops.to_list()
        error = run(lambda: outcome(job))
        if kind in (StopIteration, StopAsyncIteration):
            assert type(error) is RuntimeError
        else:
            assert type(error) is kind
        if isinstance(error, Exception):
            assert error.__notes__[-1].startswith("in map(")
        assert len(begun) <= 6 + 3

    @pytest.mark.parametrize("source", ["list", "async"])
    def test_an_interrupt_of_the_function_ends_all(self, source: str) -> None:
        async def work(item: int) -> int:
            await asyncio.sleep(0)
            if item == 5:
                raise KeyboardInterrupt
            return item

        job = Stream(SOURCES[source](range(30))) | ops.map(work, concurrency=3) | ops.drain()
        with pytest.raises(KeyboardInterrupt):
            job.run()


def balanced(buffers: tuple[BufferStats, ...]) -> None:
    for stats in buffers:
        lost = stats.dropped + stats.folded + stats.refused
        assert stats.offered == stats.delivered + lost + stats.held, stats


class TestAccounting:
    @pytest.mark.spread(2)
    @pytest.mark.parametrize("ordered", [True, False])
    @pytest.mark.parametrize("before", BEFORE)
    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("end", ["whole", "early", "failing", "stopped"])
    def test_what_was_offered_is_accounted_for(
        self, end: str, function: Any, before: str, ordered: bool
    ) -> None:
        operators, options = BEFORE[before]
        passed: list[int] = []

        async def main() -> None:
            def behind(item: int) -> None:
                if end == "failing" and len(passed) == 7:
                    raise Oops
                passed.append(item)

            stream = Stream(asynchronous(range(40), turns=True)).pipe(*operators)
            stream = stream | ops.map(function, concurrency=3, ordered=ordered, **options) | ops.tap(behind)
            limit = 7 if end == "early" else 1000
            handle = (stream | ops.take(limit) | ops.drain()).start()
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.call_at_step(9, lambda: balanced(handle.buffers()))
            if end == "stopped":
                for _ in range(20):
                    await asyncio.sleep(0)
                await handle.stop()
            error = await outcome(handle)
            assert isinstance(error, Oops) == (end == "failing")
            buffers = handle.buffers()
            balanced(buffers)
            assert all(stats.held == 0 for stats in buffers)
            pool = buffers[0]
            assert pool.delivered == len(passed) + (end == "failing")
            if end == "whole":
                assert pool.offered == 40

        run(main)


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
