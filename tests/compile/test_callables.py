"""Which callables are taken to make all their results in one way, so that the first decides for all."""

import functools
import json
import math
import operator
from collections.abc import Callable
from typing import Any

import pytest

from streamkit._engine.compile.key import Mode, mode_of


def double(number: int) -> int:
    return 2 * number


def written_out(number: int) -> bool:
    if number > 3:
        return True
    doubled = number * 2
    return doubled < 3


def nothing(_: Any) -> None:
    pass


def many(number: int) -> Any:
    yield number


def called(number: int) -> Any:
    return double(number)


def early(number: int) -> Any:
    if number:
        return double(number)
    return 0


def kept(number: int) -> Any:
    found = double(number)
    return found


def handled(number: int) -> Any:
    try:
        return 1 // number
    except ZeroDivisionError:
        return double(number)


async def waits(number: int) -> int:
    return number


class Table:
    def find(self, number: int) -> Any:
        return double(number)

    def add(self, number: int) -> int:
        return number + 1

    async def fetch(self, number: int) -> int:
        return number


class Owed:
    def __await__(self) -> Any:
        yield


class Making(type):
    """Its classes make whatever they like."""


class Made(metaclass=Making):
    pass


WIDE = [f"number_{at}" for at in range(30)]
ONE_WAY: list[Callable[..., Any]] = [
    double,
    written_out,
    nothing,
    many,
    Table().add,
    lambda number: number % 3 == 0,
    lambda number: not number,
    eval(f"lambda {', '.join(WIDE)}: {WIDE[-2]} + {WIDE[-1]}"),
    lambda number: (number, number),
    lambda number: [number, 1],
    lambda n: [n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n],
    lambda number: {"number": number},
    lambda _: 1,
    lambda number: 1 if number else 2,
    functools.partial(operator.add, 1),
    functools.partial(double),
    len,
    repr,
    math.sqrt,
    operator.add,
    str.upper,
    "a".startswith,
]
EITHER_WAY: list[Callable[..., Any]] = [
    called,
    early,
    kept,
    handled,
    Table().find,
    lambda number: number,
    lambda number: double(number),
    lambda number: number or double(number),
    lambda number: number and number + 1,
    lambda number: double(number) if number else 1,
    lambda number: number.result,
    lambda numbers: numbers[0],
    {}.get,
    [1].pop,
    json.loads,
    next,
    max,
    operator.itemgetter(0),
    operator.attrgetter("result"),
    operator.getitem,
    Owed,
    Made,
    functools.lru_cache(double),
]


@pytest.mark.parametrize("function", ONE_WAY)
def test_what_computes_makes_its_results_in_one_way(function: Callable[..., Any]) -> None:
    assert mode_of(function) is Mode.UNKNOWN


@pytest.mark.parametrize("function", EITHER_WAY)
def test_what_passes_on_what_it_was_given_may_make_them_in_another(function: Callable[..., Any]) -> None:
    assert mode_of(function) is Mode.MIXED


@pytest.mark.parametrize("function", [waits, Table().fetch, functools.partial(waits)])
def test_coroutine_functions_are_known(function: Callable[..., Any]) -> None:
    assert mode_of(function) is Mode.ASYNC


def test_classes_are_known() -> None:
    assert mode_of(int) is Mode.SYNC
