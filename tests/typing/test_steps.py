"""What type checkers infer of the steps that put in, pick out, gather and stamp items."""

from datetime import UTC, datetime
from typing import Any, Never, assert_type

from streamkit import Done, Failed, Next, Operator, Stream, TimeInterval, Timestamped, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])
MAYBE: Stream[str | None] = Stream(["a", None])


def low(number: int) -> bool:
    return number < 2


async def low_later(number: int) -> bool:
    return number < 2


def length(seen: dict[int, int], number: int) -> tuple[dict[int, int], str]:
    return seen, str(seen.setdefault(number, len(seen)))


async def length_later(seen: dict[int, int], number: int) -> tuple[dict[int, int], str]:
    return length(seen, number)


def size(seen: dict[int, int]) -> str:
    return str(len(seen))


def total(state: str, number: int) -> str:
    return f"{state}{number}"


def now() -> datetime:
    return datetime.now(UTC)


def test_insert() -> None:
    assert_type(NUMBERS | ops.start_with("a"), Stream[int | str])
    assert_type(NUMBERS | ops.start_with(0), Stream[int])
    assert_type(NUMBERS | ops.end_with(None), Stream[int | None])
    assert_type(NUMBERS | ops.intersperse("-"), Stream[int | str])


def test_part_and_pick() -> None:
    assert_type(NUMBERS | ops.take_last(2), Stream[int])
    assert_type(NUMBERS | ops.skip_last(2), Stream[int])
    assert_type(NUMBERS | ops.slice(1, 8, 3), Stream[int])
    assert_type(NUMBERS | ops.slice(None), Stream[int])
    assert_type(NUMBERS | ops.element_at(1), Stream[int])
    assert_type(NUMBERS | ops.element_at(1, default=None), Stream[int | None])
    assert_type(NUMBERS | ops.find(low), Stream[int])
    assert_type(NUMBERS | ops.find(low_later), Stream[int])
    assert_type(NUMBERS | ops.find(low, default=None), Stream[int | None])
    assert_type(NUMBERS | ops.find(low_later, default=None), Stream[int | None])


def test_empty() -> None:
    assert_type(NUMBERS | ops.ignore_items(), Stream[Never])
    assert_type(NUMBERS | ops.ignore_items() | ops.concat(["a"]), Stream[str])
    assert_type(NUMBERS | ops.default_if_empty(None), Stream[int | None])
    assert_type(NUMBERS | ops.fail_if_empty(), Stream[int])
    assert_type(NUMBERS | ops.fail_if_empty(KeyError), Stream[int])


def test_distinct() -> None:
    assert_type(NUMBERS | ops.distinct(), Stream[int])
    assert_type(NUMBERS | ops.distinct(last=9), Stream[int])
    assert_type(NUMBERS | ops.distinct(low), Stream[int])
    assert_type(NUMBERS | ops.distinct(low_later, last=9), Stream[int])


def test_filter() -> None:
    assert_type(MAYBE | ops.filter(None), Stream[str])
    assert_type(NUMBERS | ops.filter(None), Stream[int])


def test_slide() -> None:
    assert_type(NUMBERS | ops.sliding(2), Stream[list[int]])
    assert_type(ops.filter(low) | ops.sliding(2, step=3), Operator[int, list[int]])


def test_state() -> None:
    assert_type(NUMBERS | ops.stateful_map(dict[int, int], length), Stream[str])
    assert_type(NUMBERS | ops.stateful_map(dict[int, int], length_later), Stream[str])
    assert_type(NUMBERS | ops.stateful_map(dict[int, int], length, finish=size), Stream[str])


def test_aggregate() -> None:
    assert_type(NUMBERS | ops.aggregate(ops.count()), Stream[int])
    assert_type(NUMBERS | ops.aggregate(ops.to_list()), Stream[list[int]])
    assert_type(NUMBERS | ops.aggregate(ops.first()), Stream[int])
    assert_type(NUMBERS | ops.aggregate(ops.last(default=None)), Stream[int | None])
    assert_type(NUMBERS | ops.aggregate(ops.fold(total, "")), Stream[str])
    assert_type(NUMBERS | ops.aggregate(ops.filter(low) | ops.to_list()), Stream[list[int]])


def test_materialize() -> None:
    assert_type(NUMBERS | ops.materialize(), Stream[Next[int] | Failed | Done])
    assert_type(NUMBERS | ops.materialize() | ops.dematerialize(), Stream[int])
    some: Next[str] | Failed | Done = Next("a")
    assert_type(Stream([some]) | ops.dematerialize(), Stream[str])


def test_stamp() -> None:
    assert_type(NUMBERS | ops.timestamp(), Stream[Timestamped[int, float]])
    assert_type(NUMBERS | ops.timestamp(now), Stream[Timestamped[int, datetime]])
    assert_type(NUMBERS | ops.time_interval(), Stream[TimeInterval[int]])
    some: Timestamped[str, float] = Timestamped("a", 1.0)
    assert_type(some.value, str)
    assert_type(some.time, float)
    rest: Any = some
    assert rest == ("a", 1.0)
