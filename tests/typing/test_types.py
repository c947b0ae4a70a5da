"""What mypy and pyright infer, both in strict mode; run by pytest too, so that it is true of values."""

from typing import Any, assert_type

import pytest

import streamkit
from streamkit import Collect, Conflate, Job, KeepLatest, Operator, Sink, Stream, Suspend, Valve, ops

# what is asserted here is the type: most jobs never run
pytestmark = pytest.mark.filterwarnings("ignore:.* was never awaited:RuntimeWarning")


def text(number: int) -> str:
    return str(number)


def positive(number: int) -> bool:
    return number > 0


def add(total: int, number: int) -> int:
    return total + number


async def later(number: int) -> str:
    return str(number)


def length(word: str) -> int:
    return len(word)


NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_streams() -> None:
    assert_type(NUMBERS | ops.map(text), Stream[str])
    assert_type(NUMBERS | ops.map(later), Stream[str])
    assert_type(NUMBERS | ops.map(later, concurrency=2), Stream[str])
    assert_type(NUMBERS | ops.filter(positive), Stream[int])
    assert_type(NUMBERS | ops.take(1), Stream[int])
    assert_type(NUMBERS | ops.tap(print), Stream[int])
    assert_type(NUMBERS | ops.skip(1) | ops.map(text), Stream[str])
    assert_type(NUMBERS | ops.batch(2), Stream[list[int]])
    assert_type(NUMBERS | ops.batch(2) | ops.flatten(), Stream[int])
    assert_type(NUMBERS | ops.pairwise(), Stream[tuple[int, int]])
    assert_type(NUMBERS | ops.enumerate(), Stream[tuple[int, int]])
    assert_type(NUMBERS | ops.scan(add, 0), Stream[int])
    assert_type(NUMBERS | ops.merge(["a"]), Stream[int | str])
    assert_type(NUMBERS | ops.concat(["a"]), Stream[int | str])
    assert_type(NUMBERS | ops.zip(["a"]), Stream[tuple[int, str]])
    assert_type(streamkit.merge([1], [2]), Stream[int])
    assert_type(streamkit.merge([1], ["a"]), Stream[int | str])
    assert_type(streamkit.merge([1], ["a"], [b"c"], lookahead=2), Stream[int | str | bytes])
    assert_type(streamkit.merge([1], ["a"], [b"c"], [2.0]), Stream[int | str | bytes | float])
    assert_type(streamkit.merge(*[[1], [2]]), Stream[int])
    assert_type(streamkit.merge([1], *[["a"], ["b"]]), Stream[int | str])
    assert_type(streamkit.concat([1]), Stream[int])
    assert_type(streamkit.concat([1], ["a"]), Stream[int | str])
    assert_type(streamkit.concat([1], [2], [3], [4], [5]), Stream[int])
    assert_type(streamkit.zip([1], ["a"]), Stream[tuple[int, str]])
    assert_type([1, 2] | ops.map(text), Stream[str])


def test_chosen() -> None:
    assert_type(NUMBERS | ops.take_while(positive, inclusive=True), Stream[int])
    assert_type(NUMBERS | ops.skip_while(positive), Stream[int])
    assert_type(NUMBERS | ops.distinct_until_changed(), Stream[int])
    assert_type(NUMBERS | ops.distinct_until_changed(text), Stream[int])


def test_groups() -> None:
    assert_type(NUMBERS | ops.group_by(text, ops.count(), max_groups=2), Stream[tuple[str, int]])
    assert_type(NUMBERS | ops.group_by(text, ops.map(later), max_groups=2), Stream[tuple[str, str]])
    assert_type(NUMBERS | ops.group_by(text, ops.take(1), max_groups=2), Stream[tuple[str, int]])
    assert_type(NUMBERS | ops.group_by(text, ops.batch(2), max_groups=2), Stream[tuple[str, list[int]]])
    assert_type(NUMBERS | ops.group_by(text, ops.to_list(), max_groups=2), Stream[tuple[str, list[int]]])
    assert_type(NUMBERS | ops.group_by(later, ops.to_list(), max_groups=2), Stream[tuple[str, list[int]]])


def test_jobs() -> None:
    assert_type(NUMBERS | ops.to_list(), Job[list[int]])
    assert_type(NUMBERS | ops.fold(add, 0), Job[int])
    assert_type(NUMBERS | ops.count(), Job[int])
    assert_type(NUMBERS | ops.for_each(text), Job[None])
    assert_type(NUMBERS | ops.drain(), Job[None])
    assert_type(NUMBERS | ops.first(), Job[int])
    assert_type(NUMBERS | ops.last(default=None), Job[int | None])
    assert_type(NUMBERS | ops.broadcast(ops.for_each(text), ops.fold(add, 0)), Job[tuple[None, int]])
    assert_type((NUMBERS | ops.map(text) | ops.to_list()).run(), list[str])


def test_operators() -> None:
    assert_type(ops.map(text) | ops.map(length), Operator[int, int])
    assert_type(ops.take(1) | ops.map(text), Operator[int, str])
    assert_type(ops.map(text) | ops.take(1), Operator[int, str])
    assert_type(ops.map(text) | ops.batch(2), Operator[int, list[str]])
    assert_type(ops.filter(positive) | ops.fold(add, 0), Sink[int, int])


def test_shapes_that_are_joined() -> None:
    assert_type(ops.batch(2) | ops.count(), Sink[Any, int])
    assert_type(ops.map(text) | ops.to_list(), Sink[int, list[str]])
    assert_type([1, 2] | ops.count(), Job[int])


def test_lambdas() -> None:
    # mypy infers lambdas through `|`; pyright does not, and the docs say so
    stream = NUMBERS | ops.filter(lambda x: x > 1) | ops.take(3)  # pyright: ignore
    job = stream | ops.map(lambda x: [x]) | ops.batch(2) | ops.to_list()
    assert_type(job, Job[list[list[list[int]]]])  # pyright: ignore
    assert job.run() == [[[2], [3]]]


async def weighed(number: int) -> float:
    return float(number)


async def numbers_later(number: int) -> list[int]:
    return [number]


def numbers(number: int) -> list[int]:
    return [number]


def counted(number: int) -> Stream[str]:
    return Stream([str(number)])


async def counted_later(number: int) -> Stream[str]:
    return counted(number)


def test_nests() -> None:
    assert_type(NUMBERS | ops.flat_map(numbers, concurrency=2), Stream[int])
    assert_type(NUMBERS | ops.flat_map(numbers_later, concurrency=2, lookahead=3), Stream[int])
    assert_type(NUMBERS | ops.flat_map(counted, concurrency=2), Stream[str])
    assert_type(NUMBERS | ops.flat_map(counted_later, concurrency=2), Stream[str])
    assert_type(ops.map(text) | ops.flat_map(list, concurrency=1) | ops.map(length), Operator[int, int])
    assert_type(NUMBERS | ops.expand(numbers, concurrency=2), Stream[int])
    assert_type(NUMBERS | ops.expand(numbers_later, concurrency=2, frontier=Suspend(9)), Stream[int])
    assert_type(NUMBERS | ops.concat_map(counted), Stream[str])
    assert_type(NUMBERS | ops.concat_map(numbers_later, lookahead=2), Stream[int])
    assert_type(NUMBERS | ops.switch_map(counted), Stream[str])
    assert_type(NUMBERS | ops.switch_map(numbers_later, lookahead=2), Stream[int])
    assert_type(NUMBERS | ops.exhaust_map(counted_later), Stream[str])
    assert_type(NUMBERS | ops.exhaust_map(numbers, lookahead=2, on_drop=print), Stream[int])


def beat() -> None:
    return None


async def beat_later() -> str:
    return "still here"


def test_rates() -> None:
    assert_type(NUMBERS | ops.buffer(Suspend(2)), Stream[int])
    assert_type(NUMBERS | ops.buffer(KeepLatest()), Stream[int])
    assert_type(NUMBERS | ops.buffer(Conflate(add)), Stream[int])
    assert_type(NUMBERS | ops.buffer(Collect(2)), Stream[list[int]])
    assert_type(NUMBERS | ops.conflate(add), Stream[int])
    assert_type(NUMBERS | ops.extrapolate(numbers), Stream[int])
    assert_type(NUMBERS | ops.extrapolate(numbers_later), Stream[int])
    assert_type(NUMBERS | ops.throttle(2.0), Stream[int])
    assert_type(NUMBERS | ops.throttle(2.0, burst=2, cost=text, failing=True), Stream[int])
    assert_type(NUMBERS | ops.buffer(Suspend(2)) | ops.map(later, concurrency=2, lookahead=2), Stream[str])
    assert_type(NUMBERS | ops.map(text, concurrency=2, lookahead=2, ordered=False), Stream[str])


def instead(error: Exception) -> list[str]:
    return [str(error)]


async def instead_later(error: Exception) -> list[str]:
    return [str(error)]


def test_recovery() -> None:
    assert_type(NUMBERS | ops.catch(instead), Stream[int | str])
    assert_type(NUMBERS | ops.catch(instead_later, errors=ValueError), Stream[int | str])


def test_clocks() -> None:
    assert_type(NUMBERS | ops.timeout(1.0), Stream[int])
    assert_type(NUMBERS | ops.keep_alive(1.0, function=beat_later), Stream[int | str])
    assert_type(NUMBERS | ops.keep_alive(1.0, function=beat), Stream[int | None])
    assert_type(NUMBERS | ops.sample(1.0), Stream[int])
    assert_type(NUMBERS | ops.sample(1.0, on_drop=print), Stream[int])
    assert_type(NUMBERS | ops.debounce(1.0), Stream[int])
    assert_type(NUMBERS | ops.batch_within(2, seconds=1.0), Stream[list[int]])
    heavy = ops.batch_within(2, seconds=1.0, weight=weighed, heaviest=2)
    assert_type(NUMBERS | heavy, Stream[list[int]])
    assert_type(ops.map(text) | heavy, Operator[int, list[str]])


def test_valves() -> None:
    assert_type(NUMBERS | ops.valve(Valve()), Stream[int])
    assert_type(Valve().paused, bool)
    assert_type(Valve().ended, bool)
