"""A concurrent map behind steps that make several items of one, whose loop its workers run themselves."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Keep, Stream, attached, ops, step
from streamkit.testing import VirtualLoop, run
from tests.laws.lab import Boom
from tests.tiers import stride

VAR: ContextVar[str] = ContextVar("var", default="nobody")


async def outcome(job: Any) -> Any:
    """What `job` returned or raised."""
    try:
        return await job
    except BaseException as error:
        return error


async def turn(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


async def ready(item: Any) -> Any:
    return item


async def sleeping(item: int) -> int:
    await asyncio.sleep(item % 4)
    return item


def plain(item: Any) -> Any:
    return item


def iterating(lists: list[list[int]]) -> Any:
    return lambda: iter(lists)


def asynchronous(lists: list[list[int]]) -> Any:
    async def generate() -> AsyncIterator[list[int]]:
        for each in lists:
            await asyncio.sleep(0)
            yield each

    return generate


SOURCES: dict[str, Callable[[list[list[int]]], Any]] = {
    "native": lambda lists: lists,
    "iterator": iterating,
    "async": asynchronous,
    "zip": lambda lists: Stream(lists) | ops.zip(lists) | ops.map(lambda pair: pair[0]),
}
FUNCTIONS = [turn, ready, sleeping, plain]


def in_lists(count: int, size: int) -> list[list[int]]:
    return [[*range(start, min(start + size, count))] for start in range(0, count, size)]


class TestItems:
    @pytest.mark.spread(2)
    @pytest.mark.parametrize("size", [1, 3, 50, 400])
    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("source", SOURCES)
    def test_all_come_in_order(self, source: str, function: Any, size: int) -> None:
        stream = Stream(SOURCES[source](in_lists(400, size))) | ops.flatten() | ops.filter(lambda n: n % 3)
        kept = stream | ops.map(function, concurrency=4) | ops.to_list()
        assert run(lambda: outcome(kept)) == [number for number in range(400) if number % 3]

    @given(
        lists=st.lists(st.lists(st.integers(0, 9), max_size=20), max_size=6),
        concurrency=st.integers(2, 5),
        function=st.sampled_from(FUNCTIONS),
        source=st.sampled_from([*SOURCES]),
        returned=st.booleans(),
        batch=st.integers(1, 5),
        limit=st.integers(0, 60),
        behind=st.sampled_from([plain, turn]),
    )
    def test_they_are_what_python_makes(
        self,
        lists: list[list[int]],
        concurrency: int,
        function: Any,
        source: str,
        returned: bool,
        batch: int,
        limit: int,
        behind: Any,
    ) -> None:
        less = (lambda number: turn(number - 1)) if returned else (lambda number: number - 1)
        steps = ops.flatten() | ops.map(less) | ops.take(limit) | ops.batch(batch) | ops.map(sum)
        stream = Stream(SOURCES[source](lists)) | steps
        kept = stream | ops.map(function, concurrency=concurrency) | ops.map(behind) | ops.to_list()
        flat = [number - 1 for each in lists for number in each][:limit]
        expected = [sum(flat[start : start + batch]) for start in range(0, len(flat), batch)]
        assert run(lambda: outcome(kept)) == expected

    @pytest.mark.parametrize(
        "source", [range(500), [*range(500)], tuple(range(500))], ids=["range", "list", "tuple"]
    )
    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_of_a_range_list_or_tuple_behind_steps(self, source: Any, function: Any) -> None:
        stream = Stream(source) | ops.map(lambda number: number + 1) | ops.filter(lambda number: number % 2)
        kept = stream | ops.map(function, concurrency=3) | ops.to_list()
        assert run(lambda: outcome(kept)) == [*range(1, 501, 2)]

    def test_no_more_are_begun_than_have_a_place_and_the_next_list_is_not_read_before_it_is_needed(
        self,
    ) -> None:
        read: list[int] = []
        begun: list[int] = []

        def lists() -> Iterator[list[int]]:
            for number in range(3):
                read.append(number)
                yield [*range(20)]

        async def never(item: int) -> None:
            begun.append(item)
            await asyncio.get_running_loop().create_future()

        async def main() -> None:
            stream = Stream(lists) | ops.flatten() | ops.map(never, concurrency=4)
            handle = (stream | ops.drain()).start()
            await asyncio.sleep(9.0)
            assert (read, begun) == ([0], [0, 1, 2, 3])
            await handle.stop()

        run(main)

    def test_a_turn_of_the_event_loop_serves_as_many_items_as_there_are_places(self) -> None:
        async def main() -> int:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            stream = Stream(iterating([[*range(2000)]])) | ops.flatten() | ops.map(turn, concurrency=8)
            before = loop.steps
            assert await (stream | ops.count()) == 2000
            return loop.steps - before

        assert run(main) <= 2000 / 8 + 20


class TestEnds:
    @pytest.mark.spread(2, full=2)
    @pytest.mark.parametrize("at", [0, 5, 60, 99])
    @pytest.mark.parametrize("returned", [False, True])
    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize("kind", [Boom, StopIteration, StopAsyncIteration, asyncio.CancelledError])
    def test_an_error_of_a_step_is_raised_as_itself_and_names_it_once(
        self, source: str, returned: bool, at: int, kind: type[BaseException]
    ) -> None:
        def check(item: int) -> Any:
            if item == at and not returned:
                raise kind("step")
            return later(item) if returned else item

        async def later(item: int) -> int:
            await asyncio.sleep(0)
            if item == at:
                raise kind("step")
            return item

        stream = Stream(SOURCES[source](in_lists(100, 100))) | ops.flatten() | ops.map(check)
        error = run(lambda: outcome(stream | ops.map(turn, concurrency=4) | ops.to_list()))
        if kind in (StopIteration, StopAsyncIteration):
            assert type(error) is RuntimeError
            assert type(error.__cause__) is kind
        else:
            assert type(error) is kind
        if isinstance(error, Exception):
            assert [note.split(" at ")[0] for note in error.__notes__] == ["in map(check)"]
        assert attached(error) == ()

    def test_of_a_step_leaves_nothing_and_the_source_is_closed_in_its_task(self) -> None:
        closed: list[Any] = []

        async def source() -> AsyncIterator[list[int]]:
            task = asyncio.current_task()
            try:
                yield [*range(100)]
            finally:
                closed.append(asyncio.current_task() is task)

        def check(item: int) -> int:
            if item == 50:
                raise Boom
            return item

        async def main() -> None:
            stream = Stream(source) | ops.flatten() | ops.map(check) | ops.map(turn, concurrency=4)
            assert isinstance(await outcome(stream | ops.drain()), Boom)
            assert closed == [True]
            assert asyncio.all_tasks() == {asyncio.current_task()}

        run(main)

    @pytest.mark.parametrize("count", [0, 1, 7, 60])
    @pytest.mark.parametrize("source", SOURCES)
    def test_a_step_that_stops_ends_all(self, source: str, count: int) -> None:
        stream = Stream(SOURCES[source](in_lists(400, 100))) | ops.flatten() | ops.take(count)
        kept = stream | ops.map(turn, concurrency=4) | ops.to_list()
        assert run(lambda: outcome(kept)) == [*range(count)]

    def test_what_a_step_emits_at_the_end_comes_when_there_is_a_place(self) -> None:
        stream = Stream(iterating(in_lists(9, 3))) | ops.flatten() | trailing(range(100, 120))
        kept = stream | ops.map(sleeping, concurrency=2) | ops.to_list()
        assert run(lambda: outcome(kept)) == [*range(9), *range(100, 120)]

    @pytest.mark.spread
    @pytest.mark.parametrize("returned", [False, True])
    @pytest.mark.parametrize("source", ["native", "iterator", "async"])
    def test_cancelled_at_every_step(self, source: str, returned: bool) -> None:
        async def main(steps: int) -> bool:
            later = (lambda item: turn(item)) if returned else plain
            stream = Stream(SOURCES[source](in_lists(40, 20))) | ops.flatten() | ops.map(later)
            task = asyncio.ensure_future(outcome(stream | ops.map(turn, concurrency=2) | ops.to_list()))
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.call_at_step(steps, task.cancel)
            ended = await task
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return isinstance(ended, asyncio.CancelledError)

        steps = 2  # in the first one the task begins
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            while run(lambda: main(steps)):
                steps += stride(5)
            gc.collect()
        assert steps > 10

    def test_cancelled_while_a_step_awaits_what_swallows_that(self) -> None:
        called: list[int] = []

        async def source() -> AsyncIterator[list[int]]:
            yield [1, 2, 3]
            await asyncio.get_running_loop().create_future()

        async def stubborn(item: int) -> int:
            called.append(item)
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(100.0)
            return item

        async def main() -> None:
            stream = Stream(source) | ops.flatten() | ops.map(lambda item: stubborn(item))
            handle = (stream | ops.map(turn, concurrency=2) | ops.drain()).start()
            await asyncio.sleep(1.0)
            await handle.stop()
            assert called == [1]

        run(main)


class TestScopesOfTheSource:
    @pytest.mark.parametrize("handling", [0.0, 1.0, 5.0])
    @pytest.mark.parametrize("seconds", [1.0, 3.0])
    @pytest.mark.parametrize("size", [3, 4, 9])
    def test_places_that_become_free_while_the_source_hears_of_its_timeout_are_used(
        self, size: int, seconds: float, handling: float
    ) -> None:
        async def source() -> AsyncIterator[list[int]]:
            try:
                async with asyncio.timeout(1.0):
                    yield [*range(size)]
                    await asyncio.sleep(100.0)
            except TimeoutError:
                await asyncio.sleep(handling)
                yield [100, 101]

        async def later(item: int) -> int:
            await asyncio.sleep(seconds)
            return item

        kept = Stream(source) | ops.flatten() | ops.map(later, concurrency=2) | ops.to_list()
        assert run(lambda: outcome(kept)) == [*range(size), 100, 101]


class TestWhereItRuns:
    def test_steps_see_the_variables_of_who_runs_the_stream_and_sources_their_own_task(self) -> None:
        tasks: set[Any] = set()
        seen: set[str] = set()

        async def source() -> AsyncIterator[list[int]]:
            for _ in range(3):
                tasks.add(asyncio.current_task())
                yield [*range(50)]

        def look(item: int) -> int:
            seen.add(VAR.get())
            VAR.set("step")
            return item

        async def work(item: int) -> int:
            assert VAR.get() == "runner"
            return await turn(item)

        async def main() -> None:
            VAR.set("runner")
            stream = Stream(source) | ops.flatten() | ops.map(look) | ops.map(work, concurrency=4)
            assert await (stream | ops.count()) == 150
            assert VAR.get() == "runner"

        run(main)
        assert len(tasks) == 1
        assert seen == {"runner", "step"}

    @pytest.mark.parametrize("size", [1, 3, 50])
    def test_steps_see_what_the_source_has_set(self, size: int) -> None:
        async def source() -> AsyncIterator[list[str]]:
            for number in range(5):
                VAR.set(str(number))
                yield [str(number)] * size

        seen: list[tuple[str, str]] = []
        stream = Stream(source) | ops.flatten() | ops.tap(lambda item: seen.append((item, VAR.get())))
        run(lambda: outcome(stream | ops.map(turn, concurrency=4) | ops.drain()))
        assert seen == [(str(number), str(number)) for number in range(5) for _ in range(size)]

    def test_what_a_step_returns_is_awaited_in_the_task_of_the_source(self) -> None:
        tasks: set[Any] = set()

        async def source() -> AsyncIterator[list[int]]:
            tasks.add(asyncio.current_task())
            yield [*range(50)]

        async def later(item: int) -> int:
            async with asyncio.timeout(5.0):
                await asyncio.sleep(1.0)
            tasks.add(asyncio.current_task())
            return item

        stream = Stream(source) | ops.flatten() | ops.map(lambda item: later(item))
        kept = stream | ops.map(turn, concurrency=4) | ops.to_list()
        assert run(lambda: outcome(kept)) == [*range(50)]
        assert len(tasks) == 1

    @pytest.mark.parametrize("source", ["range", "lists"])
    @pytest.mark.usefixtures("real_clock")
    def test_a_filter_that_lets_nothing_through_lets_others_run(self, source: str) -> None:
        async def main() -> None:
            endless = Stream(lambda: repeat([1, 2, 3])) | ops.flatten()
            stream = Stream(range(10**12)) if source == "range" else endless
            stream = stream | ops.filter(lambda _: False) | ops.map(turn, concurrency=4)
            handle = (stream | ops.drain()).start()
            for _ in range(20):
                await asyncio.sleep(0)
            assert not handle.done
            await handle.stop()

        asyncio.run(main())


@step(each="emit(item)", finish="for number in numbers:\n    emit(number)")
def trailing(numbers: range) -> Keep:
    """The items, and after them `numbers`."""
    return Keep(trailing, numbers=numbers)
