"""Law 7 inside steps: a loop that a step has of its own lets others run, in every form of the loop around."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count, product
from typing import Any

import pytest

from streamkit import Operator, Resume, Sink, Stream, Suspend, ops, step
from streamkit.testing import run
from tests.laws.lab import trying
from tests.tiers import stride


class Endless:
    """Elements without an end, which fail where nobody else has run for long."""

    def __init__(self) -> None:
        self.turn = -1

    def __iter__(self) -> Iterator[int]:
        for number in count():
            if number % 1000 == 0:
                turn = asyncio.get_running_loop().steps  # type: ignore[attr-defined]
                assert turn != self.turn, "nobody else has run since the last thousand"
                self.turn = turn
            yield number


@step(each="for each in item:\n    for _ in (0,):\n        emit(each)")
def twice_deep() -> Operator[Any, Any]:
    return Operator(twice_deep)


@step(setup="number = 0", each="for each in item:\n    number += predicate(each)", result="number")
def counted(predicate: Callable[[Any], int]) -> Sink[Any, int]:
    return Sink(counted, predicate=predicate)


@step(setup="for each in items:\n    emit(each)", each="emit(item)")
def begun(items: Any) -> Operator[Any, Any]:
    return Operator(begun, items=items)


@step(each="pass", finish="for each in items:\n    emit(each)")
def finished(items: Any) -> Operator[Any, Any]:
    return Operator(finished, items=items)


def never(_: Any) -> bool:
    return False


def kept(number: int) -> int:
    return number


async def one(item: Any) -> AsyncIterator[Any]:
    yield item


STEPS: dict[str, Callable[[], Any]] = {
    "flatten": lambda: ops.flatten(),
    "flatten-filter": lambda: ops.flatten() | ops.filter(never),
    "flatten-map": lambda: ops.flatten() | ops.map(kept) | ops.filter(lambda number: number % 7),
    "own": lambda: twice_deep(),
    "setup": lambda: begun(Endless()),
    "finish": lambda: finished(Endless()),
    "flatten-awaiting": lambda: ops.flatten() | ops.map(ready),
    "group_by": lambda: ops.flatten() | ops.group_by(lambda number: number % 3, ops.batch(5), max_groups=3),
    "inside a group": lambda: ops.group_by(lambda _: 0, ops.flatten() | ops.filter(never), max_groups=1),
    "inside a branch": lambda: ops.broadcast(ops.flatten(), ops.skip(1)),
}


async def ready(number: int) -> int:
    return number


SOURCES: dict[str, Callable[[], Any]] = {
    "list": lambda: [Endless()],
    "iterator": lambda: iter([Endless()]),
    "asynchronous": lambda: one(Endless()),
}
AROUND: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "sink": (lambda: ops.skip(0), lambda: ops.drain()),
    "sink that awaits": (lambda: ops.skip(0), lambda: ops.for_each(ready)),
    "iterated": (lambda: ops.skip(0), lambda: ops.skip(0)),
    "stage": (lambda: ops.skip(0), lambda: ops.buffer(Suspend(8)) | ops.drain()),
    "workers": (lambda: ops.skip(0), lambda: ops.map(ready, concurrency=3) | ops.drain()),
    "behind a channel": (lambda: ops.buffer(Suspend(8)), lambda: ops.drain()),
    "behind workers": (lambda: ops.map(same, concurrency=2), lambda: ops.drain()),
}


async def same(item: Any) -> Any:
    return item


async def consume(built: Any) -> None:
    if hasattr(built, "open"):
        async with built.open() as items:
            async for _ in items:
                pass
    else:
        await built


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever a loop looks at the clock, it has run for long enough to let others run."""
    ticks = count()
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: next(ticks))


async def cancelled_soon(built: Any) -> None:
    """Others run while `built` does, and it can be cancelled."""
    consumer = asyncio.ensure_future(consume(built))
    for _ in range(60):
        await asyncio.sleep(0)
    assert not consumer.done() or consumer.exception() is None, consumer.exception()
    assert not consumer.done(), "it has ended"
    consumer.cancel()
    await asyncio.wait([consumer], timeout=5)
    assert consumer.cancelled()


@pytest.mark.parametrize("made", STEPS)
def test_a_loop_inside_a_step_lets_others_run(made: str) -> None:
    every = stride(4)  # another quarter for each step; together they try them all
    for source, around in [*product(SOURCES, AROUND)][[*STEPS].index(made) % every :: every]:
        before, after = AROUND[around]
        stream = Stream(SOURCES[source]()) | before() | STEPS[made]() | after()
        with trying(source, around):
            run(lambda: cancelled_soon(stream))  # noqa: B023 - run now


@pytest.mark.parametrize("source", SOURCES)
def test_so_does_one_inside_a_sink(source: str) -> None:
    run(lambda: cancelled_soon(Stream(SOURCES[source]()) | counted(kept)))


MANY = 10_000
DROPPING: dict[str, Callable[[Any, Any], Any]] = {
    "map": lambda fails, resume: ops.map(fails, on_error=resume),
    "map-concurrency": lambda fails, resume: ops.map(fails, concurrency=MANY, on_error=resume),
    "map-key": lambda fails, resume: ops.map(same, concurrency=2, key=fails, lookahead=MANY, on_error=resume),
    "batch_within": lambda fails, resume: ops.batch_within(
        MANY, seconds=9.0, weight=fails, heaviest=9.0, on_error=resume
    ),
    "throttle": lambda fails, resume: ops.throttle(1.0, cost=fails, on_error=resume),
    "throttle-key": lambda fails, resume: ops.throttle(
        1.0, key=fails, max_keys=1, lookahead=MANY, on_error=resume
    ),
    "merge_sorted": lambda fails, resume: ops.merge_sorted([], key=fails, lookahead=MANY, on_error=resume),
}


@pytest.mark.parametrize("made", DROPPING)
def test_items_that_are_dropped_one_after_the_other_let_others_run(made: str) -> None:
    turn = -1

    async def fails(number: int) -> None:
        nonlocal turn
        if not number:
            await asyncio.sleep(1.0)  # until all have come
        elif number % 3_000 == 0:
            now = asyncio.get_running_loop().steps  # type: ignore[attr-defined]
            assert now != turn, "nobody else has run since the last three thousand"
            turn = now
        raise ValueError(number)

    async def main() -> int:
        dropping = DROPPING[made](fails, Resume(errors=ValueError))
        return await (Stream(range(MANY)) | dropping | ops.count())

    assert run(main) == 0


@pytest.mark.parametrize("make", [list, tuple, iter, lambda numbers: (each for each in numbers)])
def test_elements_come_one_by_one_and_in_order(make: Callable[[Any], Any]) -> None:
    """However it is sliced, nothing is lost, and none is read before it is asked for."""
    for size in (0, 1, 2, 255, 256, 257, 1_024, 1_025, 5_000):
        read: list[int] = []
        seen: list[tuple[int, int]] = []

        async def main(size: int = size, read: Any = read, seen: Any = seen) -> list[int]:
            numbers = make(range(size))
            if not isinstance(numbers, (list, tuple)):
                numbers = (read.append(number) or number for number in numbers)
            return await (
                Stream([numbers, ()])
                | ops.flatten()
                | ops.tap(lambda _: seen.append(len(read)))
                | ops.to_list()
            )

        assert run(main) == [*range(size)]
        assert seen == ([*range(1, size + 1)] if read else [0] * size)
