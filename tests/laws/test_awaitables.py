"""Law 9: what a callback returns is awaited if it is awaitable, each time, in every operator."""

import asyncio
import concurrent.futures
import functools
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.testing import run
from streamkit.testing.conformance.awaitables import WAYS, each_kind, future, mixed_results, value
from streamkit.testing.conformance.keeping import drained as consume
from tests.laws.lab import KINDS, Case, Sample, trying
from tests.samples import SAMPLES


@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.calls], ids=lambda each: each.name)
def test_a_callback_may_return_a_value_now_and_an_awaitable_then(sample: Sample) -> None:
    for style in ("turn", "plain"):
        with trying(style):
            mixed_results(sample, Case(style))


@pytest.mark.spread
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.calls], ids=lambda each: each.name)
def test_a_callback_may_be_of_any_kind(sample: Sample, kind: str) -> None:
    for style in ("turn", "plain"):
        with trying(style):
            each_kind(sample, Case(style, kind))


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


CALLABLES: dict[str, Callable[[Caller], Callable[[int], Any]]] = {
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


@pytest.mark.parametrize("kind", CALLABLES.values(), ids=CALLABLES)
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
