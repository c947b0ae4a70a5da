"""A channel as the source of a stream: it is run once, and it is left with its run."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import reactivex

from streamkit import EmitterClosedError, Hub, SourceConsumedError, Stream, Suspend, ops, push, rx
from streamkit.testing import run

ONCE = "a push stream can be run only once, and was: make another with push()"
PIPES: dict[str, Callable[[Any], Any]] = {
    "alone": lambda stream: stream,
    "steps": lambda stream: stream | ops.map(int),
    "a stage": lambda stream: stream | ops.buffer(Suspend(2)),
    "in another": lambda stream: Stream([]) | ops.concat(stream),
}
every_pipe = pytest.mark.parametrize("pipe", PIPES.values(), ids=PIPES)


def filled(count: int) -> tuple[Stream[int], Any]:
    stream, emitter = push(Suspend(9))
    for number in range(count):
        emitter.offer(number)
    return stream, emitter


@pytest.mark.parametrize("pipe", [PIPES["alone"], PIPES["steps"], PIPES["a stage"]])
def test_it_cannot_be_run_again(pipe: Callable[[Any], Any]) -> None:
    stream, emitter = filled(3)
    emitter.close()
    found = list[int]()
    with pytest.raises(SourceConsumedError) as raised:
        run(lambda: drained(pipe(stream) | ops.repeat(2), found))
    assert str(raised.value) == ONCE
    assert found == [0, 1, 2]


@every_pipe
def test_a_second_run_of_it_is_refused(pipe: Callable[[Any], Any]) -> None:
    stream, emitter = filled(1)
    emitter.close()
    assert list(pipe(stream)) == [0]
    with pytest.raises(SourceConsumedError):
        list(pipe(stream))


def test_one_of_several_runs_that_share_it_opens_it() -> None:
    async def main() -> list[list[int]]:
        stream, emitter = filled(0)
        shared = stream | ops.share()
        reading = [asyncio.ensure_future(shared | ops.to_list()) for _ in range(2)]
        await asyncio.sleep(1.0)
        await emitter.send(7)
        emitter.close()
        return [await each for each in reading]

    assert run(main) == [[7], [7]]


@pytest.mark.parametrize("pipe", [PIPES["alone"], PIPES["steps"], PIPES["a stage"]])
def test_of_a_hub_it_is_another_when_it_is_run_again(pipe: Callable[[Any], Any]) -> None:
    async def main() -> list[int]:
        hub = Hub[int](Suspend(9))
        found = list[int]()
        reading = asyncio.create_task(drained(pipe(hub.stream()) | ops.take(2) | ops.repeat(2), found))
        for number in range(4):
            await asyncio.sleep(1.0)
            await (Stream([number]) | hub.sink())
        await reading
        return found

    assert run(main) == [0, 1, 2, 3]


@every_pipe
def test_it_is_left_when_the_reader_leaves(pipe: Callable[[Any], Any]) -> None:
    async def main() -> None:
        stream, emitter = filled(9)
        waiting = asyncio.create_task(emitter.send(9))
        await asyncio.sleep(1.0)
        assert await (pipe(stream) | ops.take(2) | ops.to_list()) == [0, 1]
        with pytest.raises(EmitterClosedError):
            await waiting
        assert emitter.offer("late").name == "CLOSED"
        stats = emitter.stats()
        assert stats.held == 0
        assert stats.delivered + stats.dropped + stats.refused == stats.offered

    run(main)


@every_pipe
def test_it_is_left_when_a_callback_fails(pipe: Callable[[Any], Any]) -> None:
    async def main() -> None:
        stream, emitter = filled(5)
        with pytest.raises(ZeroDivisionError):
            await (pipe(stream) | ops.map(lambda number: 1 // (2 - number)) | ops.drain())
        assert emitter.offer("late").name == "CLOSED"
        assert emitter.stats().held == 0

    run(main)


async def drained(stream: Any, found: list[int]) -> None:
    async for item in stream:
        found.append(item)


def test_what_is_read_for_another_run_is_opened_anew() -> None:
    numbers: Any = rx.from_observable(reactivex.from_iterable([1, 2]), strategy=Suspend(5))
    merged = numbers | ops.repeat(2) | ops.merge([0])
    assert sorted(run(lambda: merged | ops.to_list())) == [0, 1, 1, 2, 2]
