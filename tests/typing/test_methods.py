"""Methods of streams: both checkers infer lambdas that nobody annotated; run by pytest too."""

from typing import assert_type

import pytest

from streamkit import Collect, Gap, Job, KeepLatest, Stream, ops

# what is asserted here is the type: most jobs never run
pytestmark = pytest.mark.filterwarnings("ignore:.* was never awaited:RuntimeWarning")

NUMBERS: Stream[int] = Stream([1, 2, 3])


async def later(number: int) -> str:
    return str(number)


def test_lambdas() -> None:
    assert_type(NUMBERS.map(lambda number: number + 1), Stream[int])
    assert_type(NUMBERS.map(lambda number: [str(number)]).flatten(), Stream[str])
    assert_type(
        NUMBERS.map(lambda number: str(number)).filter(lambda text: text.isdigit()).take(3).batch(2),
        Stream[list[str]],
    )
    assert_type(NUMBERS.scan(lambda total, number: total + number), Stream[int])
    assert_type(NUMBERS.scan(lambda total, number: total + str(number), ""), Stream[str])
    assert_type(NUMBERS.fold(lambda total, number: total + number, 0), Job[int])
    assert_type(NUMBERS.zip(["a"]).starmap(lambda number, text: (text, number)), Stream[tuple[str, int]])
    assert_type(NUMBERS.for_each(lambda number: print(number + 1)), Job[None])
    assert_type(
        NUMBERS.group_by(lambda number: number % 2, ops.take(2), max_groups=3), Stream[tuple[int, int]]
    )
    assert_type(NUMBERS.flat_map(lambda number: [str(number)], concurrency=2), Stream[str])


def test_shapes() -> None:
    assert_type(NUMBERS.merge(["a"]), Stream[int | str])
    assert_type(NUMBERS.enumerate().pairwise(), Stream[tuple[tuple[int, int], tuple[int, int]]])
    assert_type(NUMBERS.buffer(Collect(3)), Stream[list[int]])
    assert_type(NUMBERS.buffer(KeepLatest(gaps=True)), Stream[int | Gap])
    assert_type(NUMBERS.map(later, concurrency=3), Stream[str])


def test_sinks() -> None:
    assert_type(NUMBERS.to_list(), Job[list[int]])
    assert_type(NUMBERS.count(), Job[int])
    assert_type(NUMBERS.first(default=None), Job[int | None])
    assert_type(NUMBERS.broadcast(ops.to_list(), ops.count()), Job[tuple[list[int], int]])
