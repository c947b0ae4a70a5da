"""Law 3: what was opened and never asked for an item is left, and those who fill it are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

import streamkit
from streamkit import EmitterClosedError, Job, Stream, Suspend, live, ops, push
from streamkit.testing import run
from tests.laws.lab import Sample
from tests.laws.test_push_left import Fed
from tests.laws.test_sources_left import shaped
from tests.run.staging import written
from tests.samples import SAMPLES


class Made:
    """What a callable makes for each run, and every run closes what it was given."""

    def __init__(self) -> None:
        self.made = self.closed = 0

    def __call__(self) -> Any:
        self.made += 1
        return Endless(self)

    def check_ended(self) -> None:
        assert self.made == self.closed


class Endless:
    def __init__(self, of: Made) -> None:
        self.of = of

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        await asyncio.sleep(1.0)
        return 0

    async def aclose(self) -> None:
        self.of.closed += 1


class Blocking(Made):
    def __call__(self) -> Iterator[int]:
        self.made += 1
        return Opened(self)


class Opened:
    def __init__(self, of: Made) -> None:
        self.of = of

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return 0

    def close(self) -> None:
        self.of.closed += 1


class Pushed:
    """A push source whose buffer is full, and who waits to send more."""

    def __init__(self) -> None:
        self.stream, self.emitter = push(Suspend(1), of=int)
        self.emitter.offer(0)
        self.sender = asyncio.ensure_future(self.emitter.send(1))

    def check_ended(self) -> None:
        assert self.emitter.closed
        assert isinstance(self.sender.exception(), EmitterClosedError)


async def opened(built: Any) -> None:
    """By a stage that ends before it asks for the first item."""

    async def opening(run: Any, source: Any) -> AsyncIterator[str]:
        run.open(built)
        yield "own"

    assert await (Stream(()) | written(opening) | ops.to_list()) == ["own"]


async def closed(built: Any) -> None:
    """By a stage that goes on."""

    async def closing(run: Any, source: Any) -> AsyncIterator[str]:
        items = run.open(built)
        await run.close(items)
        yield "own"
        with pytest.raises(StopAsyncIteration):
            await anext(items)

    assert await (Stream(()) | written(closing) | ops.to_list()) == ["own"]


async def entered(built: Any) -> None:
    async with built.open():
        pass


async def iterated(built: Any) -> None:
    await aiter(built).aclose()


async def held(built: Any) -> None:
    """A job is paused before it begins, and stopped in that pause."""
    handle = (built if isinstance(built, Job) else built | ops.drain()).start()
    handle.pause()
    await asyncio.sleep(1.0)
    await handle.stop()


def has_begun(way: Callable[[Any], Awaitable[None]]) -> bool:
    """Whether a job cannot be held before it begins: an eager one reads until it waits, which is never."""
    return way is held and asyncio.get_running_loop().get_task_factory() is not None


PULLING = [opened, closed, entered, iterated]
WAYS = [*PULLING, held]
CASES = [
    pytest.param(sample, way, id=f"{sample} {way.__name__}")
    for sample in SAMPLES
    for way in ([held] if sample.sink else WAYS)
]


@pytest.mark.spread
@pytest.mark.parametrize(("sample", "way"), CASES)
def test_all_that_an_operator_reads_is_left(sample: Sample, way: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        if has_begun(way):
            return
        pushed, made, blocking = Pushed(), Made(), Blocking()
        for source in (pushed.stream, made, blocking):
            lab = Fed(hang=("main",))
            await way(Stream(source) | shaped(sample) | sample.make(lab))
            lab.check_ended()
        await asyncio.sleep(0)  # whoever was told has a turn to end
        for each in (pushed, made, blocking):
            each.check_ended()

    run(main, threads=True)


PIPES: dict[str, Callable[[Stream[Any]], Any]] = {
    "alone": lambda stream: stream,
    "steps": lambda stream: stream | ops.map(abs),
    "two loops": lambda stream: many(stream, 700),
    "a slot": lambda stream: stream | live.Slot(ops.map(abs)) | ops.map(str),
    "behind another": lambda stream: streamkit.concat([], stream),
    "a slot with a stage": lambda stream: stream | live.Slot(ops.buffer(Suspend(1))) | ops.map(str),
    "steps in a row": lambda stream: streamkit.concat(stream | ops.map(abs), [1]) | ops.map(abs),
}
CALLED: dict[str, Callable[[Stream[Any]], Any]] = {
    "steps, made by a call": lambda stream: Stream(lambda: stream | ops.map(abs)),
    "a stage": lambda stream: Stream(lambda: stream | ops.buffer(Suspend(1))),
    "a sequence": lambda stream: Stream(lambda: stream | ops.concat([1])) | ops.catch(lambda _: []),
    "steps of a sequence": lambda stream: Stream(lambda: stream | ops.map(abs)) | ops.concat([1]),
    "before a slot": lambda stream: Stream(lambda: stream | ops.on_close(str)) | live.Slot(ops.map(abs)),
}


def many(stream: Stream[Any], count: int) -> Stream[Any]:
    for _ in range(count):
        stream = stream | ops.map(abs)
    return stream


JOINED = [
    *[pytest.param(pipe, way, id=f"{name}, {way.__name__}") for name, pipe in PIPES.items() for way in WAYS],
    *[
        pytest.param(pipe, way, id=f"{name}, {way.__name__}")  # what a job calls when it begins, it has not
        for name, pipe in CALLED.items()
        for way in PULLING
    ],
]


@pytest.mark.parametrize(("pipe", "way"), JOINED)
def test_it_is_left_however_it_is_joined(pipe: Any, way: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        if has_begun(way):
            return
        pushed, made, blocking = Pushed(), Made(), Blocking()
        for source in (pushed.stream, made, blocking, streamkit.from_blocking(blocking)):
            await way(pipe(Stream(source)))
        await asyncio.sleep(0)
        for each in (pushed, made, blocking):
            each.check_ended()

    run(main, threads=True)


@pytest.mark.parametrize("count", [0, 1, 700])
def test_an_iterator_of_no_loop_closes_it(count: int) -> None:
    for source in (Blocking(), Made()):
        for end in (lambda items: items.close(), lambda items: None):
            end(iter(many(Stream(source), count)))
            assert source.made > 0
            source.check_ended()
