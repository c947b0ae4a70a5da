"""repeat."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import from_iterable, operators

from streamkit import SourceConsumedError, Stream, ops
from streamkit.testing import run


class Counted:
    """A source of 1 and 2, which notes when it begins and is closed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.log: list[str] = []

    async def __call__(self) -> AsyncIterator[int]:
        self.log.append("begun")
        try:
            yield 1
            yield 2
            if self.error is not None:
                raise self.error
        finally:
            await asyncio.sleep(1.0)
            self.log.append("closed")


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


def test_each_run_is_closed_before_the_next_begins() -> None:
    source = Counted()
    assert run(lambda: collect(Stream(source) | ops.repeat(2))) == [1, 2, 1, 2]
    assert source.log == ["begun", "closed"] * 2


def test_one_time_is_the_source_as_it_is() -> None:
    assert list(Stream("ab") | ops.repeat(1)) == ["a", "b"]


def test_each_run_of_the_stream_begins_anew() -> None:
    stream = Stream("ab") | ops.repeat(2)
    assert list(stream) == list(stream) == [*"abab"]


def test_all_that_stands_before_it_is_run_again_with_a_fresh_state() -> None:
    assert list(Stream("ab") | ops.enumerate() | ops.repeat(2)) == [(0, "a"), (1, "b")] * 2
    assert list(Stream("ab") | ops.repeat(2) | ops.enumerate()) == [*enumerate("abab")]
    assert list(Stream("abc") | ops.batch(2) | ops.repeat(2)) == [["a", "b"], ["c"]] * 2
    assert list(Stream("abc") | ops.take(1) | ops.repeat(3)) == [*"aaa"]


def test_composes_with_what_goes_on_and_runs_again() -> None:
    assert list(Stream("a") | ops.repeat(2) | ops.repeat(3)) == [*"aaaaaa"]
    assert list(Stream("a") | ops.concat("b") | ops.repeat(2) | ops.concat("c")) == [*"ababc"]
    assert list(Stream([0]) | ops.flat_map(lambda _: Stream("ab") | ops.repeat(2), concurrency=1)) == [
        *"abab"
    ]
    assert list(Stream("a") | ops.repeat(2) | ops.merge("b") | ops.repeat(2)) == [*"abaaba"]
    divisors = iter([1, 0, 1, 1])
    source = Stream([6]) | ops.map(lambda number: number // next(divisors))
    assert list(source | ops.repeat(2) | ops.retry(2)) == [6, 6, 6]


def test_the_next_run_begins_when_its_first_item_is_asked_for() -> None:
    source = Counted()

    async def main() -> None:
        async with (Stream(source) | ops.repeat()).open() as items:
            assert [await anext(items), await anext(items)] == [1, 2]
            await asyncio.sleep(9.0)
            assert source.log == ["begun"]
            assert await anext(items) == 1
            assert source.log == ["begun", "closed", "begun"]

    run(main)
    assert source.log == ["begun", "closed"] * 2


def test_an_error_ends_it() -> None:
    source = Counted(ValueError("bad"))
    with pytest.raises(ValueError, match="bad"):
        run(lambda: collect(Stream(source) | ops.repeat(3)))
    assert source.log == ["begun", "closed"]


def test_a_source_that_can_be_run_once_fails_clearly() -> None:
    with pytest.raises(SourceConsumedError, match="can be run only once") as caught:
        list(Stream(iter("ab")) | ops.repeat(2))
    assert caught.value.__notes__[0].startswith("in repeat(2) at ")
    assert list(Stream(iter("abc")) | ops.repeat() | ops.take(2)) == ["a", "b"]


@pytest.mark.parametrize("source", [[], range(0), lambda: iter([])], ids=["list", "range", "callable"])
def test_others_run_while_a_source_without_items_is_run_again_and_again(source: Any) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await collect(Stream(source) | ops.repeat())

    asyncio.run(main())


def test_ten_thousand_runs_are_as_deep_as_two() -> None:
    def source() -> Iterator[int]:
        yield 1

    assert (Stream(source) | ops.repeat(10_000) | ops.count()).run() == 10_000


@given(st.lists(st.integers(), max_size=4), st.integers(1, 5))
def test_as_a_list_and_rxpy_do(items: list[int], times: int) -> None:
    theirs: list[int] = []
    observable: Any = from_iterable(items)
    observable.pipe(operators.repeat(times)).subscribe(theirs.append)
    assert list(Stream(items) | ops.repeat(times)) == items * times == theirs


@given(st.lists(st.integers(), min_size=1, max_size=4), st.integers(0, 20))
def test_as_cycle_does(items: list[int], count: int) -> None:
    assert list(Stream(items) | ops.repeat() | ops.take(count)) == [*islice(cycle(items), count)]


@pytest.mark.parametrize("times", [0, -1, -(10**30)])
def test_too_few_times(times: int) -> None:
    """RxPY takes 0 for a stream without items; here it is a mistake."""
    with pytest.raises(ValueError, match=r"^times must be a whole number of at least 1, not"):
        ops.repeat(times)


@pytest.mark.parametrize("times", ["3", 1.5, math.nan, math.inf, True, [3], abs])
def test_no_times(times: Any) -> None:
    with pytest.raises(TypeError, match=r"^times must be a whole number of at least 1, not"):
        ops.repeat(times)
