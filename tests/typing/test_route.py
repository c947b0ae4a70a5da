"""The types of the family `route`."""

from types import EllipsisType
from typing import assert_type

import pytest

from streamkit import Job, Output, Stream, Tagged, ops

pytestmark = pytest.mark.filterwarnings("ignore:.* was never awaited:RuntimeWarning")

NUMBERS: Stream[int] = Stream([1, 2, 3])


def low(number: int) -> bool:
    return number < 2


async def low_later(number: int) -> bool:
    return number < 2


def text(number: int) -> str:
    return str(number)


def add(total: int, number: int) -> int:
    return total + number


def test_partition() -> None:
    assert_type(NUMBERS | ops.partition(low, ops.take(1), ops.skip(1)), Stream[int])
    assert_type(NUMBERS | ops.partition(low_later, ops.map(text), ops.map(low)), Stream[str | bool])
    assert_type(NUMBERS | ops.partition(low, ops.map(text), ops.take(1)), Stream[str | int])
    assert_type(NUMBERS | ops.partition(low, ops.take(1), ops.batch(2)), Stream[int | list[int]])
    assert_type(NUMBERS | ops.partition(low, ops.to_list(), ops.count()), Job[tuple[list[int], int]])
    assert_type(NUMBERS | ops.partition(low, ops.fold(add, 0), ops.to_list()), Job[tuple[int, list[int]]])


def test_route() -> None:
    assert_type(NUMBERS | ops.route(low, {True: ops.take(1)}, otherwise=ops.skip(1)), Stream[int])
    assert_type(NUMBERS | ops.route(low, {True: ops.map(text)}), Stream[str])
    assert_type(
        NUMBERS | ops.route(text, {"a": ops.to_list(), "b": ops.to_list()}), Job[dict[str, list[int]]]
    )
    assert_type(NUMBERS | ops.route(text, {"a": ops.fold(add, 0)}), Job[dict[str, int]])
    assert_type(
        NUMBERS | ops.route(text, {"a": ops.fold(add, 0)}, otherwise=ops.fold(add, 1)),
        Job[dict[str | EllipsisType, int]],
    )


PRICE = Output[float]("price")
ERROR = Output[Exception]("error")


def parsed(number: int) -> Tagged[float] | Tagged[Exception]:
    return PRICE(1.5) if number else ERROR(ValueError())


def price(value: float) -> str:
    return str(value)


def shown(error: Exception) -> bytes:
    return repr(error).encode()


def test_outputs() -> None:
    assert_type(PRICE(1.5), Tagged[float])
    tagged = NUMBERS | ops.map(parsed)
    assert_type(tagged | ops.route({PRICE: ops.count(), "error": ops.count()}), Job[dict[str, int]])
    routes = PRICE.to(ops.map(price)) | ERROR.to(ops.map(shown))
    assert_type(tagged | ops.route(routes), Stream[str | bytes])
    assert_type(
        tagged | ops.route(PRICE.to(ops.to_list()) | ERROR.to(ops.count())), Job[dict[str, list[float] | int]]
    )
    assert_type(tagged | ops.route(PRICE.to(ops.take(1)) | ERROR.to(ops.skip(1))), Stream[float | Exception])
    assert_type(
        tagged | ops.route({PRICE: ops.count()}, otherwise=ops.count()), Job[dict[str | EllipsisType, int]]
    )
    assert_type(tagged | ops.route({PRICE: ops.map(price)}), Stream[str])


def test_balance() -> None:
    assert_type(NUMBERS | ops.balance(ops.take(1), ops.skip(1)), Stream[int])
    assert_type(NUMBERS | ops.balance(ops.map(text), workers=4), Stream[str])
    assert_type(NUMBERS | ops.balance(ops.fold(add, 0), workers=4), Job[tuple[int, ...]])
    assert_type(NUMBERS | ops.balance(ops.to_list(), ops.to_list()), Job[tuple[list[int], ...]])
