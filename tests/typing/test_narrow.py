"""What mypy and pyright infer where a type says more than usual; run by pytest too."""

from typing import TypeGuard, assert_type

import pytest
from typing_extensions import TypeIs

import streamkit
from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Emitter,
    Gap,
    Job,
    Keep,
    KeepLatest,
    Operator,
    Running,
    Sink,
    Strategy,
    Stream,
    Suspend,
    ops,
    push,
)

# what is asserted here is the type: most jobs never run
pytestmark = pytest.mark.filterwarnings("ignore:.* was never awaited:RuntimeWarning")

NUMBERS: Stream[int] = Stream([1, 2, 3])
MIXED: Stream[int | str] = Stream([1, "a"])
PAIRS: Stream[tuple[int, str]] = Stream([(1, "a"), (2, "b")])


def is_number(item: object) -> TypeGuard[int]:
    return isinstance(item, int)


def is_text(item: int | str) -> TypeIs[str]:
    return isinstance(item, str)


def test_filter() -> None:
    numbers, texts = MIXED | ops.filter(is_number), MIXED | ops.filter(is_text)
    assert_type(numbers, Stream[int])
    assert_type(texts, Stream[str])
    assert (list(numbers), list(texts)) == ([1], ["a"])


# the elements of tuples --------------------------------------------------------------------


def repeated(count: int, word: str) -> str:
    return count * word


async def repeated_later(count: int, word: str) -> str:
    return count * word


def usually(count: int, word: str = "") -> str:
    return count * word


def total(*numbers: int) -> float:
    return float(sum(numbers))


def five(a: int, b: str, c: bytes, d: bool, e: float) -> int:
    return a


def text(number: int) -> str:
    return str(number)


def add(total: int, number: int) -> int:
    return total + number


def test_starmap() -> None:
    assert_type(PAIRS | ops.starmap(repeated), Stream[str])
    assert_type(PAIRS | ops.starmap(repeated_later), Stream[str])
    assert_type(PAIRS | ops.starmap(usually), Stream[str])
    assert_type(Stream([(1,), (2,)]) | ops.starmap(text), Stream[str])
    assert_type(Stream([(1, 2), (2, 3)]) | ops.starmap(total), Stream[float])
    assert_type(Stream([(1, "a", b"", True, 1.0)]) | ops.starmap(five), Stream[int])
    assert_type(Stream([[1, 2], [3]]) | ops.starmap(total), Stream[float])
    assert_type(MIXED | ops.filter(is_text) | ops.enumerate() | ops.starmap(repeated), Stream[str])
    assert list(PAIRS | ops.starmap(repeated)) == ["a", "bb"]


# strategies ----------------------------------------------------------------------------------


def test_gaps() -> None:
    assert_type(NUMBERS | ops.buffer(DropOldest(2)), Stream[int])
    assert_type(NUMBERS | ops.buffer(DropOldest(2, gaps=False)), Stream[int])
    assert_type(NUMBERS | ops.buffer(DropOldest(2, gaps=True)), Stream[int | Gap])
    assert_type(NUMBERS | ops.buffer(DropYoungest(2, gaps=True)), Stream[int | Gap])
    assert_type(NUMBERS | ops.buffer(DropIncoming(2, gaps=True)), Stream[int | Gap])
    assert_type(NUMBERS | ops.buffer(DropAll(2, on_drop=print, gaps=True)), Stream[int | Gap])
    assert_type(NUMBERS | ops.buffer(KeepLatest(gaps=True)), Stream[int | Gap])
    assert_type(NUMBERS | ops.buffer(KeepLatest(on_drop=print)), Stream[int])


def test_gaps_that_are_known_at_run_time_only() -> None:
    gaps = bool("of either kind")
    assert_type(NUMBERS | ops.buffer(DropOldest(2, gaps=gaps)), Stream[int | Gap])
    assert_type(NUMBERS | ops.buffer(KeepLatest(gaps=gaps)), Stream[int | Gap])


def whichever() -> Strategy:
    return DropOldest(2, gaps=True)


def test_strategies_as_annotations() -> None:
    plain: DropOldest = DropOldest(2)
    assert_type(NUMBERS | ops.buffer(plain), Stream[int])
    assert_type(NUMBERS | ops.buffer(whichever()), Stream[int])  # a Strategy does not say


def test_push() -> None:
    assert_type(push(Suspend(2), of=int), tuple[Stream[int], Emitter[int]])
    assert_type(push(Suspend(2), of=list[int]), tuple[Stream[list[int]], Emitter[list[int]]])
    assert_type(push(Conflate(add), of=int), tuple[Stream[int], Emitter[int]])
    assert_type(push(Collect(2), of=int), tuple[Stream[list[int]], Emitter[int]])
    assert_type(push(DropOldest(2), of=int), tuple[Stream[int], Emitter[int]])
    assert_type(push(DropOldest(2, gaps=True), of=int), tuple[Stream[int | Gap], Emitter[int]])


def test_inbox() -> None:
    numbers = streamkit.inbox(Suspend(2), of=int)
    assert_type(numbers, Stream[int])
    assert_type(streamkit.inbox(Collect(2), of=int), Stream[list[int]])
    assert_type(streamkit.inbox(DropOldest(2, gaps=True), of=int), Stream[int | Gap])
    running = (numbers | ops.to_list()).start_in_thread()
    assert_type(running, Running[list[int]])
    assert_type(running.stop(), list[int])


# several operators at once -----------------------------------------------------------------


def test_broadcast_of_sinks_typed_by_callbacks() -> None:
    total, each = ops.fold(add, 0), ops.for_each(text)
    assert_type(ops.broadcast(total), Sink[int, tuple[int]])
    assert_type(ops.broadcast(total, each), Sink[int, tuple[int, None]])
    assert_type(ops.broadcast(total, each, total), Sink[int, tuple[int, None, int]])
    assert_type(ops.broadcast(total, each, total, each), Sink[int, tuple[int, None, int, None]])
    five = ops.broadcast(total, each, total, each, total)
    assert_type(five, Sink[int, tuple[int, None, int, None, int]])
    six = ops.broadcast(total, each, total, each, total, each)
    assert_type(six, Sink[int, tuple[int, None, int, None, int, None]])


def test_broadcast_of_sinks_of_any_items() -> None:
    total, texts = ops.fold(add, 0), ops.map(text) | ops.to_list()
    assert_type(NUMBERS | ops.broadcast(ops.to_list()), Job[tuple[list[int]]])
    assert_type(NUMBERS | ops.broadcast(ops.to_list(), ops.count()), Job[tuple[list[int], int]])
    assert_type(NUMBERS | ops.broadcast(ops.count(), total), Job[tuple[int, int]])
    three = NUMBERS | ops.broadcast(total, ops.first(), ops.last(default=None))
    assert_type(three, Job[tuple[int, int, int | None]])
    four = NUMBERS | ops.broadcast(texts, ops.drain(), ops.count(), total)
    assert_type(four, Job[tuple[list[str], None, int, int]])
    five = NUMBERS | ops.broadcast(ops.to_list(), total, total, total, texts)
    assert_type(five, Job[tuple[list[int], int, int, int, list[str]]])
    six = NUMBERS | ops.broadcast(ops.to_list(), ops.to_list(), total, total, total, ops.count())
    assert_type(six, Job[tuple[list[int], list[int], int, int, int, int]])
    assert six.run() == ([1, 2, 3], [1, 2, 3], 6, 6, 6, 3)


def test_broadcast_behind_an_operator() -> None:
    both = ops.map(text) | ops.broadcast(ops.to_list(), ops.count())
    assert_type(both, Sink[int, tuple[list[str], int]])


def test_broadcast_of_operators() -> None:
    assert_type(ops.broadcast(ops.take(1), ops.skip(1)), Keep)
    assert_type(ops.broadcast(ops.map(text), ops.map(text)), Operator[int, str])
