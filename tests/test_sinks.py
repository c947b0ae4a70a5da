"""to_list, fold, count, first, last, for_each, drain."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from operator import add
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import EmptyStreamError, Stream, attached, ops
from streamkit.testing import run

NUMBERS = st.lists(st.integers(), max_size=9)
SINKS: dict[str, Any] = {
    "to_list": ops.to_list(),
    "fold": ops.fold(add, 0),
    "count": ops.count(),
    "first": ops.first(default=None),
    "last": ops.last(default=None),
    "for_each": ops.for_each(bool),
    "for_each, concurrent": ops.for_each(bool, concurrency=3),
    "drain": ops.drain(),
}


class Counted:
    """A source that counts what was pulled and how often it was closed."""

    def __init__(self, count: int = 100) -> None:
        self.count = count
        self.pulled = self.closed = 0

    def __call__(self) -> Iterator[int]:
        try:
            for number in range(self.count):
                self.pulled += 1
                yield number
        finally:
            self.closed += 1


async def awaited(job: Any) -> Any:
    return await job


async def failing() -> AsyncIterator[int]:
    yield 1
    raise OSError("gone")


class TestToList:
    @given(NUMBERS)
    def test_has_every_item_in_order(self, numbers: list[int]) -> None:
        assert (Stream(numbers) | ops.to_list()).run() == numbers

    def test_every_run_makes_a_list_of_its_own(self) -> None:
        job = Stream([1]) | ops.to_list()
        assert job.run() is not job.run()

    def test_what_it_keeps_is_told_as_its_result(self) -> None:
        assert (Stream([1]) | ops.to_list()).explain().parts[-1].result == "every item"


class TestFold:
    @given(NUMBERS, st.integers())
    def test_folds_from_the_initial_value_on(self, numbers: list[int], initial: int) -> None:
        assert (Stream(numbers) | ops.fold(add, initial)).run() == initial + sum(numbers)

    def test_is_given_the_state_first_and_the_item_second(self) -> None:
        assert (Stream("ab") | ops.fold(lambda state, item: f"({state}{item})", "")).run() == "((a)b)"

    @pytest.mark.parametrize("wrap", [lambda call: call, lambda call: lambda *arguments: call(*arguments)])
    def test_an_awaitable_state_is_awaited(self, wrap: Any) -> None:
        async def later(state: int, item: int) -> int:
            await asyncio.sleep(1.0)
            return state + item

        assert run(lambda: awaited(Stream([1, 2, 3]) | ops.fold(wrap(later), 10))) == 16

    @pytest.mark.parametrize("initial", [None, 0, [], ()])
    def test_of_nothing_is_the_initial_value_itself(self, initial: Any) -> None:
        assert (Stream([]) | ops.fold(add, initial)).run() is initial

    @pytest.mark.parametrize("value", [5, None, [1]])
    def test_bad_argument(self, value: Any) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not"):
            ops.fold(value, 0)


class TestCount:
    @given(NUMBERS)
    def test_is_the_length(self, numbers: list[int]) -> None:
        assert (Stream(numbers) | ops.count()).run() == len(numbers)

    def test_false_items_count(self) -> None:
        assert (Stream([None, 0, ""]) | ops.count()).run() == 3


class TestFirst:
    def test_pulls_one_item_and_closes_the_source(self) -> None:
        source = Counted()
        assert (Stream(source) | ops.first()).run() == 0
        assert (source.pulled, source.closed) == (1, 1)

    def test_ends_an_endless_stream(self) -> None:
        async def endless() -> AsyncIterator[int]:
            number = 0
            while True:
                yield number
                number += 1

        assert run(lambda: awaited(Stream(endless) | ops.skip(5) | ops.first())) == 5

    @pytest.mark.parametrize("item", [None, 0, "", []])
    def test_any_value_can_be_first(self, item: Any) -> None:
        assert (Stream([item, 5]) | ops.first()).run() == item
        assert (Stream([item, 5]) | ops.first(default=7)).run() == item


class TestLast:
    def test_is_what_came_last(self) -> None:
        source = Counted(5)
        assert (Stream(source) | ops.last()).run() == 4
        assert (source.pulled, source.closed) == (5, 1)

    @pytest.mark.parametrize("item", [None, 0, "", []])
    def test_any_value_can_be_last(self, item: Any) -> None:
        assert (Stream([5, item]) | ops.last()).run() == item
        assert (Stream([5, item]) | ops.last(default=7)).run() == item

    def test_an_error_after_an_item_is_no_last_item(self) -> None:
        with pytest.raises(OSError, match="gone"):
            run(lambda: awaited(Stream(failing) | ops.last(default=None)))


@pytest.mark.parametrize("sink", [ops.first, ops.last], ids=["first", "last"])
class TestEmptyStreams:
    def test_fail_with_the_name_of_the_sink_and_the_cure(self, sink: Any) -> None:
        with pytest.raises(EmptyStreamError, match=rf"{sink.__name__}\(\) of an empty stream; give default="):
            (Stream([]) | sink()).run()

    def test_can_be_caught_as_a_lookup_error(self, sink: Any) -> None:
        with pytest.raises(LookupError):
            (Stream([1]) | ops.filter(lambda number: number > 1) | sink()).run()

    def test_say_where_the_sink_was_written(self, sink: Any) -> None:
        with pytest.raises(EmptyStreamError) as caught:
            (Stream([]) | sink()).run()
        assert caught.value.__notes__[0].startswith(f"in {sink.__name__}() at ")

    @pytest.mark.parametrize("default", [None, 0, "", []])
    def test_have_the_default_as_their_result(self, sink: Any, default: Any) -> None:
        assert (Stream([]) | sink(default=default)).run() is default

    def test_take_the_default_by_name_only(self, sink: Any) -> None:
        with pytest.raises(TypeError):
            sink(None)


class TestForEach:
    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_calls_with_each_item_and_has_no_result(self, concurrency: int) -> None:
        seen: list[int] = []
        job = Stream([3, 1, 2]) | ops.for_each(seen.append, concurrency=concurrency)
        assert job.run() is None
        assert seen == [3, 1, 2]

    def test_awaits_one_call_before_the_next_item_is_pulled(self) -> None:
        source = Counted(3)
        pulled: list[int] = []

        async def work(_: int) -> None:
            await asyncio.sleep(1.0)
            pulled.append(source.pulled)

        run(lambda: awaited(Stream(source) | ops.for_each(work)))
        assert pulled == [1, 2, 3]

    @pytest.mark.parametrize(("concurrency", "seconds"), [(1, 6.0), (2, 3.0), (3, 2.0), (9, 1.0)])
    def test_so_many_calls_are_in_flight(self, concurrency: int, seconds: float) -> None:
        busy = most = 0

        async def work(_: int) -> None:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(1.0)
            busy -= 1

        async def main() -> float:
            await (Stream(range(6)) | ops.for_each(work, concurrency=concurrency))
            return asyncio.get_running_loop().time()

        assert run(main) == seconds
        assert (most, busy) == (min(concurrency, 6), 0)

    def test_an_error_cancels_the_calls_in_flight_and_waits_for_them(self) -> None:
        cancelled: list[int] = []

        async def work(number: int) -> None:
            if number == 0:
                await asyncio.sleep(1.0)
                raise ValueError(number)
            try:
                await asyncio.sleep(99.0)
            finally:
                await asyncio.sleep(5.0)
                cancelled.append(number)

        with pytest.raises(ValueError, match="0") as caught:
            run(lambda: awaited(Stream(range(9)) | ops.for_each(work, concurrency=3)))
        assert sorted(cancelled) == [1, 2]
        assert attached(caught.value) == ()

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_an_error_says_where(self, concurrency: int) -> None:
        def fail(_: int) -> None:
            raise ValueError("bad")

        with pytest.raises(ValueError, match="bad") as caught:
            (Stream([1]) | ops.for_each(fail, concurrency=concurrency)).run()
        assert "(fail" in caught.value.__notes__[0]
        assert "test_sinks.py:" in caught.value.__notes__[0]

    @pytest.mark.parametrize(
        ("value", "error"), [(0, ValueError), (-1, ValueError), (True, TypeError), (1.0, TypeError)]
    )
    def test_bad_concurrency(self, value: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match=f"concurrency must be a whole number of at least 1, not {value!r}"):
            ops.for_each(print, concurrency=value)

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_bad_function(self, concurrency: int) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not None"):
            ops.for_each(None, concurrency=concurrency)  # type: ignore[arg-type]


class TestDrain:
    def test_pulls_everything_and_has_no_result(self) -> None:
        source = Counted(5)
        assert (Stream(source) | ops.drain()).run() is None
        assert (source.pulled, source.closed) == (5, 1)


@pytest.mark.parametrize("sink", SINKS.values(), ids=SINKS)
class TestEverySink:
    def test_makes_a_new_run_at_each_await(self, sink: Any) -> None:
        source = Counted(2)
        job = Stream(source) | sink

        async def main() -> None:
            assert await job == await job

        run(main)
        assert source.closed == 2

    def test_takes_any_iterable_from_the_left(self, sink: Any) -> None:
        assert ([1, 2] | sink).run() == (Stream([1, 2]) | sink).run()

    def test_behind_operators_is_a_sink(self, sink: Any) -> None:
        joined = ops.map(lambda number: number + 1) | sink
        assert (Stream([1, 2]) | joined).run() == (Stream([2, 3]) | sink).run()

    def test_nothing_can_stand_behind_it(self, sink: Any) -> None:
        with pytest.raises(TypeError):
            sink | ops.take(1)

    def test_an_error_of_the_source_comes_as_itself(self, sink: Any) -> None:
        error = OSError("gone")

        def source() -> Iterator[int]:
            raise error
            yield 1

        with pytest.raises(OSError, match="gone") as caught:
            (Stream(source) | sink).run()
        assert caught.value is error
