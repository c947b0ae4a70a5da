"""Names: whose call it is that fails, and several calls of a callback in one statement."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from streamkit import Job, Operator, Resume, Sink, Stream, Suspend, ops, step
from streamkit.testing import run


async def later(function: Callable[..., Any], *values: Any) -> Any:
    return function(*values)


async def numbers() -> AsyncIterator[int]:
    for number in (1, 2, 3):
        yield number


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: function(*values)


def computing(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: (function(*values),)


def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*values: Any) -> Any:
        return function(*values)

    return call


def handing(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: later(function, *values)


def now_and_then(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a value for odd items, and an awaitable for even ones."""
    return lambda *values: function(*values) if values[-1] % 2 else later(function, *values)


KINDS = [as_it_is, computing, waiting, handing, now_and_then]
SOURCES: list[Any] = [[1, 2, 3], lambda: iter([1, 2, 3]), numbers, Stream([1, 2, 3]) | ops.buffer(Suspend(1))]
OPERATORS: list[Callable[[Any], Any]] = [
    ops.map,
    ops.filter,
    lambda function: ops.scan(function, 0),
    lambda function: ops.map(function, on_error=Resume(errors=KeyError)),
    lambda function: ops.partition(function, ops.skip(0), ops.skip(0)),
    ops.take_while,
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SOURCES, ids=["list", "iter", "async", "channel"])
def test_an_error_names_the_step_whose_callback_has_failed(kind: Callable[[Any], Any], source: Any) -> None:
    def fails_at(number: int) -> Callable[..., Any]:
        def function(*values: Any) -> Any:
            if values[-1] == number:
                raise ArithmeticError(number)
            return True

        return kind(function)

    def same(number: int) -> int:
        return number

    for number in (1, 3):
        for operator in OPERATORS:
            made = operator(fails_at(number))
            before = ops.map(kind(same) if kind is not computing else same)
            job = Stream(source) | before | made | (ops.count() if number == 1 else ops.to_list())
            with pytest.raises(ArithmeticError) as caught:
                run(job)
            (note,) = caught.value.__notes__
            assert repr(made) in note, (number, note)


def makes(item: int) -> list[int]:
    return [1 // (item - 2)]


def generates(item: int) -> Iterator[int]:
    yield 1 // (item - 2)


async def streams(item: int) -> AsyncIterator[int]:
    yield 1 // (item - 2)


MAKERS: list[Callable[[int], Any]] = [makes, generates, streams, lambda item: streams(item)]
MAKERS += [lambda item: map(makes, [item]), lambda item: Stream([item]) | ops.flat_map(makes, concurrency=1)]


@pytest.mark.parametrize("function", MAKERS)
def test_so_does_one_of_a_stream_that_a_callback_has_made(function: Callable[[int], Any]) -> None:
    made = ops.flat_map(function, concurrency=1)
    for source in SOURCES:
        with pytest.raises(ZeroDivisionError) as caught:
            run(Stream(source) | ops.map(abs) | made | ops.count())
        assert repr(made) in caught.value.__notes__[-1]


class Odd:
    """A collection that fails in one of the ways in which a loop goes through it."""

    def __init__(self, failing: str, at: int, size: int) -> None:
        self.failing, self.at, self.size = failing, at, size

    def __length_hint__(self) -> int:
        return 1 // 0 if self.failing == "length" else self.size

    def __iter__(self) -> Iterator[int]:
        if self.failing == "iter":
            raise ZeroDivisionError
        return (1 // (self.at - number) for number in itertools.count())


ODD = [("length", 0), ("iter", 0), *[("next", at) for at in (0, 1, 3, 2000)]]
"""What is said to be long is taken in slices, of which the first is begun by one item."""


@pytest.mark.parametrize("source", SOURCES, ids=["list", "iter", "async", "channel"])
def test_so_does_one_of_what_a_step_goes_through(source: Any) -> None:
    for (failing, at), size in itertools.product(ODD, (1, 5000)):
        made = Odd(failing, at, size)
        stream = Stream(source) | ops.map(lambda _, made=made: made) | ops.flatten()
        with pytest.raises(ZeroDivisionError) as caught:
            run(stream | ops.count()) if failing != "iter" else [*stream]
        assert caught.value.__notes__[-1].startswith("in flatten()"), (failing, at, size)


@step(setup="total = 0", each="total += item", result="1 // total")
def _share() -> Sink[Any, Any]:
    return Sink(_share)


RESULTS: list[Any] = [
    _share(),
    ops.broadcast(ops.count(), _share()),
    ops.partition(bool, ops.count(), _share()),
    ops.route(abs, {0: _share()}),
    ops.group_by(abs, _share(), max_groups=2),
]


def test_one_of_a_result_names_the_sink_or_what_has_several() -> None:
    inside = [ops.aggregate(sink) for sink in RESULTS[:4]]
    for made, name in [*zip(RESULTS, RESULTS, strict=True), *zip(inside, RESULTS, strict=False)]:
        pipe = Stream([0]) | ops.map(abs) | made
        with pytest.raises(ZeroDivisionError) as caught:
            run(pipe if isinstance(pipe, Job) else pipe | ops.drain())
        assert caught.value.__notes__[-1].startswith(f"in {name!r} at"), (made, name)


@step(each="emit([f(item), f(-item)])")
def _both(f: Any) -> Operator[Any, Any]:
    return Operator(_both, f=f)


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_two_calls_that_may_drop_the_item_has_its_own_result(kind: Callable[[Any], Any]) -> None:
    def sixth(number: int) -> float:
        if number in (2, -3):
            raise ArithmeticError
        return 6 // number

    guarded = ops.map(kind(sixth), on_error=Resume()).links[0].arguments["function"]
    expected = [[(6,), (-6,)], [(1,), (-1,)]] if kind is computing else [[6, -6], [1, -1]]
    for source in ([1, 2, 3, 6], lambda: iter([1, 2, 3, 6])):
        stream = Stream(source) | _both(guarded)
        assert run(stream | ops.to_list()) == expected
        assert list(stream) == expected


def test_what_two_steps_make_of_an_item_is_kept_apart_where_either_may_drop_it() -> None:
    made, seen = ops.map(abs, on_error=Resume()), list[int]()
    stream = Stream([-1, -2]) | made | ops.tap(seen.append, on_error=Resume()) | ops.map(str)
    assert (list(stream), run(stream | ops.to_list()), seen) == (["1", "2"], ["1", "2"], [1, 2] * 2)
