"""Law 9: what a callback returns is awaited if it is awaitable, each time, in every operator."""

import asyncio
import concurrent.futures
import functools
import types
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.testing import run
from tests.laws.items import plain
from tests.laws.lab import Lab, Sample, play, trying
from tests.laws.test_letting_go import consume
from tests.samples import SAMPLES


def value(result: Any) -> Any:
    return result


async def coroutine(result: Any) -> Any:
    return result


async def waiting(result: Any) -> Any:
    await asyncio.sleep(0)
    return result


def future(result: Any) -> Any:
    made = asyncio.get_running_loop().create_future()
    made.set_result(result)
    return made


def of_executor(result: Any) -> Any:
    made: concurrent.futures.Future[Any] = concurrent.futures.Future()
    made.set_result(result)
    return made


@types.coroutine
def generator(result: Any) -> Any:
    yield
    return result


class Awaitable:
    def __init__(self, result: Any) -> None:
        self.result = result

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return self.result


WAYS = (value, coroutine, waiting, future, of_executor, generator, Awaitable)
"""How a callback hands over its result."""
TURNS = {
    "a value first": (value, value, coroutine, waiting, value),
    "an awaitable first": (waiting, value, value, of_executor),
    "of an executor": (of_executor,),
    "all": (value, coroutine, generator, value, Awaitable, future, of_executor, waiting),
}


class Mixing(Lab):
    """A lab whose callbacks hand over their results in one way after the other."""

    turns: tuple[Callable[[Any], Any], ...] = (value,)

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        call, made = super().callback(function), iter(range(10**6))
        return lambda *arguments: self.turns[next(made) % len(self.turns)](call(*arguments))


async def results(built: Any) -> Any:
    if hasattr(built, "open"):
        return [plain(item) async for item in built]
    return plain(await built)


@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.calls], ids=lambda each: each.name)
def test_a_callback_may_return_a_value_now_and_an_awaitable_then(sample: Sample) -> None:
    for style in ("turn", "plain"):
        expected = play(lambda style=style: results(sample.built(Mixing(style, count=9))))
        for name, turns in TURNS.items():
            lab = Mixing(style, count=9)
            lab.turns = turns
            with trying(style, name):
                found = play(lambda lab=lab: results(sample.built(lab)))
                if sample.timed:
                    assert found
                elif isinstance(found, list) and not sample.ordered:
                    assert sorted(map(repr, found)) == sorted(map(repr, expected))
                else:
                    assert found == expected


class Caller:
    """Callables of several kinds, which hand over in turns."""

    def __init__(self, *turns: Callable[[Any], Any]) -> None:
        self.turns = turns
        self.calls = 0

    def __call__(self, number: int) -> Any:
        self.calls += 1
        return self.turns[(self.calls - 1) % len(self.turns)](number % 3)

    def method(self, number: int) -> Any:
        return self(number)


KINDS: dict[str, Callable[[Caller], Callable[[int], Any]]] = {
    "object": lambda caller: caller,
    "method": lambda caller: caller.method,
    "lambda": lambda caller: lambda number: caller(number),
    "partial": lambda caller: functools.partial(caller.method),
    "found": lambda caller: {number: caller(number) for number in range(10)}.__getitem__,
    "either": lambda caller: lambda number: caller(number) or 0,
    "chosen": lambda caller: lambda number: 0 if number == 0 else caller(number),
    "attribute": lambda caller: lambda number: Holder(caller(number)).held,
}


class Holder:
    def __init__(self, held: Any) -> None:
        self.held = held


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("concurrency", [1, 3])
def test_each_kind_of_callable_may(kind: Callable[[Caller], Any], concurrency: int) -> None:
    for first in WAYS:
        for then in WAYS:

            async def main(first: Any = first, then: Any = then) -> tuple[list[int], list[int], int]:
                function = [kind(Caller(first, first, then)) for _ in range(3)]
                mapped = Stream(range(10)) | ops.map(function[0], concurrency=concurrency) | ops.to_list()
                kept = Stream(range(10)) | ops.filter(function[1]) | ops.to_list()
                return (
                    await mapped,
                    await kept,
                    await (Stream(range(10)) | ops.map(function[2]) | ops.count()),
                )

            with trying(first.__name__, then.__name__):
                expected = [number % 3 for number in range(10)]
                assert run(main) == (expected, [number for number in range(10) if number % 3], 10)


@pytest.mark.parametrize("then", WAYS)
def test_so_it_may_in_a_plain_for(then: Callable[[Any], Any]) -> None:
    if then is future:
        pytest.skip("it needs a running loop")
    caller = Caller(value, value, then)
    assert list(Stream(range(6)) | ops.map(caller)) == [0, 1, 2, 0, 1, 2]
    assert list(Stream(range(6)) | ops.filter(Caller(value, then))) == [1, 2, 4, 5]


def test_what_an_executor_was_told_to_do_is_awaited() -> None:
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        functions = {"lambda": lambda number: executor.submit(pow, number, 2)}
        for concurrency in (1, 3):
            job = Stream(range(5)) | ops.map(functions["lambda"], concurrency=concurrency) | ops.to_list()
            assert job.run() == [0, 1, 4, 9, 16]
        assert list(Stream(range(5)) | ops.map(functions["lambda"])) == [0, 1, 4, 9, 16]


def test_a_future_of_an_executor_that_nobody_awaits_any_more_is_cancelled() -> None:
    made: concurrent.futures.Future[Any] = concurrent.futures.Future()

    async def main() -> None:
        job = Stream([1]) | ops.map(lambda _: made) | ops.drain()
        task = asyncio.ensure_future(consume(job))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(main)
    assert made.cancelled()
