"""map."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import EmptyStreamError, Stream, attached, ops
from streamkit.testing import run


def double(number: int) -> int:
    return 2 * number


async def double_later(number: int) -> int:
    await asyncio.sleep(1.0)
    return 2 * number


class Doubler:
    async def __call__(self, number: int) -> int:
        return 2 * number


class Method:
    async def double(self, number: int) -> int:
        return 2 * number


CALLABLES: dict[str, Callable[[int], Any]] = {
    "function": double,
    "lambda": lambda number: 2 * number,
    "partial": functools.partial(double),
    "bound method of a builtin": (2).__mul__,
    "coroutine function": double_later,
    "lambda that returns an awaitable": lambda number: double_later(number),
    "partial of a coroutine function": functools.partial(double_later),
    "partial of a lambda": functools.partial(lambda number: double_later(number)),
    "object with an async call": Doubler(),
    "bound coroutine method": Method().double,
}


async def hours(*values: Any) -> AsyncIterator[Any]:
    for value in values:
        await asyncio.sleep(3600.0)
        yield value


class TestMap:
    @pytest.mark.parametrize("function", CALLABLES.values(), ids=CALLABLES)
    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_every_kind_of_callable(self, function: Callable[[int], Any], concurrency: int) -> None:
        job = Stream(range(5)) | ops.map(function, concurrency=concurrency) | ops.to_list()
        assert run(lambda: awaited(job)) == [0, 2, 4, 6, 8]

    @pytest.mark.parametrize("function", CALLABLES.values(), ids=CALLABLES)
    def test_plain_for(self, function: Callable[[int], Any]) -> None:
        if "later" in getattr(function, "__name__", "") or function in list(CALLABLES.values())[5:8]:
            function = instant(function)
        assert list(Stream(range(3)) | ops.map(function)) == [0, 2, 4]

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_empty(self, concurrency: int) -> None:
        assert list(Stream([]) | ops.map(double, concurrency=concurrency)) == []

    def test_error_names_the_operator_and_its_place(self) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            list(Stream([1, 0]) | ops.map(lambda number: 1 // number))
        assert caught.value.__notes__[0].startswith("in map(<lambda>) at ")
        assert "test_transform_map.py:" in caught.value.__notes__[0]

    @pytest.mark.parametrize("concurrency", [1, 2])
    @pytest.mark.parametrize("error", [StopIteration, StopAsyncIteration])
    def test_stop_iteration_ends_no_stream(self, error: type[Exception], concurrency: int) -> None:
        async def fail(_: int) -> None:
            raise stopping

        def fail_now(_: int) -> None:
            raise stopping

        stopping = error()
        with pytest.raises(RuntimeError) as caught:
            run(lambda: awaited(Stream([1]) | ops.map(fail_now, concurrency=concurrency) | ops.to_list()))
        assert caught.value.__cause__ is stopping
        with pytest.raises(RuntimeError):
            run(lambda: awaited(Stream([1]) | ops.map(fail, concurrency=concurrency) | ops.to_list()))

    @pytest.mark.parametrize(
        ("arguments", "keywords", "error", "names"),
        [
            ((5,), {}, TypeError, ("function", "5", "callable")),
            ((None,), {}, TypeError, ("function", "None", "callable")),
            (([1],), {}, TypeError, ("function", "[1]", "source")),
            ((double,), {"concurrency": 0}, ValueError, ("concurrency", "0", "at least 1")),
            ((double,), {"concurrency": -1}, ValueError, ("concurrency", "-1", "at least 1")),
            ((double,), {"concurrency": True}, TypeError, ("concurrency", "True", "whole number")),
            ((double,), {"concurrency": 2.0}, TypeError, ("concurrency", "2.0", "whole number")),
            ((double,), {"concurrency": None}, TypeError, ("concurrency", "None", "whole number")),
            ((double,), {"ordered": 1}, TypeError, ("ordered", "1", "True or False")),
        ],
    )
    def test_bad_arguments(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any], error: Any, names: tuple[str, ...]
    ) -> None:
        with pytest.raises(error) as caught:
            ops.map(*arguments, **keywords)
        assert all(name in str(caught.value) for name in names)

    def test_a_coroutine_object_gets_a_hint_and_is_closed(self) -> None:
        with pytest.raises(TypeError, match=r"function must be .* without calling it"):
            ops.map(double_later(1))  # type: ignore[call-overload]


class TestConcurrentMap:
    def test_calls_run_at_once_and_results_keep_order(self) -> None:
        async def work(seconds: float) -> float:
            await asyncio.sleep(seconds)
            return seconds

        async def main() -> tuple[list[float], float]:
            found = await (Stream([3.0, 1.0, 2.0]) | ops.map(work, concurrency=3) | ops.to_list())
            return found, asyncio.get_running_loop().time()

        assert run(main) == ([3.0, 1.0, 2.0], 3.0)

    def test_unordered_results_come_as_they_are_ready(self) -> None:
        async def work(seconds: float) -> float:
            await asyncio.sleep(seconds)
            return seconds

        job = Stream([3.0, 1.0, 2.0]) | ops.map(work, concurrency=3, ordered=False) | ops.to_list()
        assert run(lambda: awaited(job)) == [1.0, 2.0, 3.0]

    @pytest.mark.parametrize("ordered", [True, False])
    @pytest.mark.parametrize("concurrency", [2, 3, 7])
    def test_at_most_concurrency_calls_in_flight(self, concurrency: int, ordered: bool) -> None:
        busy = most = 0

        async def work(number: int) -> int:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            await asyncio.sleep((number * 7) % 5 + 0.5)
            busy -= 1
            return number

        job = Stream(range(40)) | ops.map(work, concurrency=concurrency, ordered=ordered) | ops.to_list()
        assert sorted(run(lambda: awaited(job))) == list(range(40))
        assert most == concurrency

    @pytest.mark.parametrize("ordered", [True, False])
    def test_finished_results_that_wait_count_as_well(self, ordered: bool) -> None:
        pulled = delivered = 0

        def source() -> Any:
            nonlocal pulled
            for pulled in range(1, 30):
                yield pulled

        async def work(number: int) -> int:
            await asyncio.sleep(100.0 if number % 4 == 1 else 0.1)
            return number

        async def main() -> None:
            nonlocal delivered
            async with (Stream(source) | ops.map(work, concurrency=4, ordered=ordered)).open() as items:
                async for _ in items:
                    assert pulled - delivered <= 4 + 1
                    await asyncio.sleep(50.0)
                    assert pulled - delivered <= 4 + 1
                    delivered += 1

        run(main)

    def test_error_comes_after_the_results_before_it(self) -> None:
        seen: list[int] = []
        cancelled: list[int] = []

        async def work(number: int) -> int:
            if number == 2:
                await asyncio.sleep(2.0)
                raise ValueError(number)
            try:
                await asyncio.sleep(1.0 if number < 2 else 9.0)
            except asyncio.CancelledError:
                cancelled.append(number)
                raise
            return number

        async def main() -> None:
            async for item in Stream(range(9)) | ops.map(work, concurrency=4):
                seen.append(item)

        with pytest.raises(ValueError, match="2") as caught:
            run(main)
        assert seen == [0, 1]
        assert sorted(cancelled) == [3, 4, 5]
        assert caught.value.__notes__[0].startswith("in map(work, concurrency=4) at ")

    def test_second_error_is_attached(self) -> None:
        async def work(number: int) -> int:
            try:
                await asyncio.sleep(1.0 + number)
            finally:
                if number:
                    raise OSError(number)
            raise ValueError(number)

        with pytest.raises(ValueError, match="0") as caught:
            run(lambda: awaited(Stream(range(2)) | ops.map(work, concurrency=2) | ops.drain()))
        assert [type(error) for error in attached(caught.value)] == [OSError]

    def test_early_end_cancels_calls_and_waits_for_them(self) -> None:
        ended: list[int] = []

        async def work(number: int) -> int:
            try:
                await asyncio.sleep(10.0 * number)
            finally:
                await asyncio.sleep(5.0)
                ended.append(number)
            return number

        async def main() -> None:
            job = Stream(range(9)) | ops.map(work, concurrency=3) | ops.first()
            assert await job == 0
            assert sorted(ended) == [0, 1, 2]

        run(main)

    def test_synchronous_function(self) -> None:
        assert list(Stream(range(4)) | ops.map(double, concurrency=2)) == [0, 2, 4, 6]

    def test_context_of_workers_is_reused_not_grown(self) -> None:
        tasks: set[str] = set()

        async def work(number: int) -> int:
            await asyncio.sleep(0.0)
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task.get_name())
            return number

        run(lambda: awaited(Stream(range(100)) | ops.map(work, concurrency=3) | ops.drain()))
        assert len(tasks) <= 3


def test_items_that_take_hours_cost_no_time() -> None:
    assert run(lambda: awaited(Stream(hours(1, 2)) | ops.map(double) | ops.last())) == 4


def test_an_error_of_the_source_comes_as_itself_without_a_note() -> None:
    def source() -> Any:
        yield 1
        raise EmptyStreamError("mine")

    with pytest.raises(EmptyStreamError, match="mine") as caught:
        list(Stream(source) | ops.map(double))
    assert not hasattr(caught.value, "__notes__")


async def awaited(job: Any) -> Any:
    return await job


def instant(function: Callable[[int], Any]) -> Callable[[int], Any]:
    """`function`, without its second of waiting, which a plain for would really wait."""

    async def doubled(number: int) -> int:
        return 2 * number

    def call(number: int) -> Any:
        return doubled(number)

    return doubled if "coroutine" in str(function) else call


def test_an_error_of_a_concurrent_callback_keeps_what_it_came_of() -> None:
    async def work(item: int) -> int:
        try:
            return {}[item]
        except KeyError:
            raise ValueError("no such item")  # noqa: B904 - without a `from` is what this is about

    async def main() -> None:
        with pytest.raises(ValueError, match="no such item") as caught:
            await (Stream([1]) | ops.map(work, concurrency=2) | ops.drain())
        assert isinstance(caught.value.__context__, KeyError)
        assert not caught.value.__suppress_context__

    run(main)
