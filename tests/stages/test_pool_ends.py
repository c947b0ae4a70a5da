"""A concurrent map: how it ends, and the accounting."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
from typing import Any

import pytest

from streamkit import BufferStats, Stream, ops
from streamkit.testing import VirtualLoop, run
from tests.stages.pools import BEFORE, FUNCTIONS, SOURCES, Oops, asynchronous, mixed, one_turn, outcome


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
    @pytest.mark.spread(2, full=2)
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
