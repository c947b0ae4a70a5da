"""Law 3: a push source that a run might have read ends with it, and one that nobody has ends by itself."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

import streamkit
from streamkit import (
    DropIncoming,
    Emitter,
    EmitterClosedError,
    Job,
    SourceConsumedError,
    StoppedError,
    Stream,
    Suspend,
    ops,
    push,
)
from streamkit.testing import run
from tests.laws.items import Item
from tests.laws.lab import Boom, Lab, Sample, trying
from tests.samples import SAMPLES
from tests.stages.pushing import drained, in_thread, refused, thread, turns, virtual

STEPS = 12


class Fed(Lab):
    """A lab whose other sources are push sources. It keeps them: none ends because nobody has it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.pushed: list[tuple[Stream[Any], Emitter[Any]]] = []

    def source(self, shape: Callable[[Item], Any] = lambda item: item) -> Any:
        source = super().source(shape)
        if source.name == "main":
            return source
        self.pushed.append(push(Suspend(1)))
        return self.pushed[-1][0]

    def check_ended(self) -> None:
        assert all(emitter.closed for _, emitter in self.pushed), self.pushed


class Called(Fed):
    """It calls each callback at once: those that make a source have made it."""

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        with suppress(Exception):
            function(Item(0))
        return function


def has_others(sample: Sample) -> bool:
    lab = Called()
    sample.built(lab)
    return bool(lab.pushed)


OTHERS = [sample for sample in SAMPLES if has_others(sample)]


def alone(sample: Sample, lab: Lab) -> Any:
    return sample.built(lab)


def behind(sample: Sample, lab: Lab) -> Any:
    """Its turn comes late, or never."""
    return Stream(lab.source()) | ops.concat(Stream([]) | ops.timeout(9.0)) | sample.make(lab)


def later(sample: Sample, lab: Lab) -> Any:
    main = lab.source()
    return Stream(main) | ops.concat(Stream([]) | sample.make(lab))


def in_a_branch(sample: Sample, lab: Lab) -> Any:
    main, made = lab.source(sample.shape), sample.make(lab)
    other = ops.map(str) | ops.count() if sample.sink else ops.map(str)
    return Stream(main) | ops.broadcast(made, other)


def in_a_group(sample: Sample, lab: Lab) -> Any:
    return Stream(lab.source(sample.shape)) | ops.group_by(id, sample.make(lab), max_groups=9)


def deep(sample: Sample, lab: Lab) -> Any:
    main, made = lab.source(sample.shape), sample.make(lab)
    stages = ops.timeout(9.0) | ops.buffer(Suspend(1)) | ops.map(same, concurrency=2)
    return Stream(main) | stages | made


def made_by_a_call(sample: Sample, lab: Lab) -> Any:
    main = lab.source(sample.shape)
    return Stream(lambda: Stream(main) | sample.make(lab)) | ops.catch(boom)


def same(item: Any) -> Any:
    return item


def boom(error: Exception) -> Any:
    raise error


OF_ANY = [alone, behind, in_a_branch, in_a_group, deep]
OF_OPERATORS = [later, made_by_a_call]
CASES = [
    pytest.param(sample, place, id=f"{sample} {place.__name__}")
    for sample in OTHERS
    for place in (OF_ANY if sample.sink else [*OF_ANY, *OF_OPERATORS])
]


def job(built: Any) -> Any:
    job = built if isinstance(built, Job) else built | ops.drain()
    hash(job)  # it was used: it does not warn where a test cancels it before it begins
    return job


async def fails(make: Callable[..., Any]) -> None:
    with suppress(Boom, TimeoutError):  # what goes on with a push source waits for it
        async with asyncio.timeout(99.0):
            await job(make(failing=("main",), count=1))


async def is_cancelled(make: Callable[..., Any], step: int) -> None:
    task = asyncio.ensure_future(_awaited(job(make(hang=("main",), count=1))))
    await turns(1 + step)
    task.cancel()
    await asyncio.wait([task])


async def is_stopped_at_once(make: Callable[..., Any]) -> None:
    handle = job(make()).start()
    await handle.stop()
    with suppress(StoppedError):
        await handle
    await turns()


async def is_opened_and_left(make: Callable[..., Any]) -> None:
    built = make()
    if isinstance(built, Job):
        handle = built.start()
        await turns(1)
        await handle.stop()
        return
    async with built.open():
        pass


async def takes_none(make: Callable[..., Any]) -> None:
    built = make(failing=("main",))
    with suppress(Boom, TimeoutError):
        async with asyncio.timeout(99.0):
            await job(built if isinstance(built, Job) else built | ops.take(0))


async def _awaited(job: Any) -> Any:
    return await job


ENDS: dict[str, Callable[..., Awaitable[None]]] = {
    "fails": fails,
    "stopped": is_stopped_at_once,
    "left": is_opened_and_left,
    "none": takes_none,
}


@pytest.mark.spread(full=2)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize(("sample", "place"), CASES)
def test_it_ends_with_the_run(sample: Sample, place: Any, end: Any) -> None:
    labs: list[Fed] = []

    def make(**named: Any) -> Any:
        labs.append(Fed(**named))
        return place(sample, labs[-1])

    run(lambda: end(make))
    for lab in labs:
        lab.check_ended()


@pytest.mark.spread
@pytest.mark.parametrize(("sample", "place"), CASES)
def test_it_ends_with_a_run_that_is_cancelled_at_any_step(sample: Sample, place: Any) -> None:
    for step in range(STEPS):
        lab = Fed()

        def make(lab: Fed = lab, **named: Any) -> Any:
            vars(lab).update(named)
            return place(sample, lab)

        with trying(step):
            run(lambda make=make, step=step: is_cancelled(make, step))
            lab.check_ended()


class TestAfterwards:
    """What is left where a run did not come to its push source."""

    @virtual
    async def test_those_who_wait_to_send_are_let_go(self) -> None:
        for ended in (Stream([1, 2]), Stream(map(int, "x"))):
            live, emitter = push(Suspend(1))
            sender = asyncio.ensure_future(_awaited(emitter.send(1)))
            await sender
            waiting = asyncio.ensure_future(_awaited(emitter.send(2)))
            with thread(refused(lambda emitter=emitter: emitter.send_blocking(3))) as blocked:
                await turns()
                blocked.join(0.01)
                with suppress(ValueError):
                    await (streamkit.concat(ended, live) | ops.take(2) | ops.drain())
            with pytest.raises(EmitterClosedError):
                await waiting
            assert (emitter.stats().dropped, emitter.stats().refused) == (1, 2)

    @virtual
    async def test_an_error_of_on_drop_is_one_of_the_clean_up(self) -> None:
        def fail(_: object, __: object) -> None:
            raise Boom

        live, emitter = push(DropIncoming(1, on_drop=fail))
        emitter.offer(1)
        with pytest.raises(Boom) as caught:
            await (streamkit.concat([1], live) | ops.take(1) | ops.drain())
        assert caught.value.__notes__[0].startswith("in concat(Stream(push(DropIncoming(")
        assert emitter.closed

    @virtual
    async def test_a_second_run_says_so(self) -> None:
        live, _ = push(Suspend(1))
        stream = streamkit.concat([1], live)
        assert await (stream | ops.first()) == 1
        with pytest.raises(SourceConsumedError, match="can be run only once"):
            await (stream | ops.drain())


class TestClaims:
    """A push source ends with the last run that may come to it."""

    @virtual
    async def test_a_stream_that_is_read_again_after_an_error_finds_it(self) -> None:
        for between in (ops.map(same), ops.buffer(Suspend(2)), ops.timeout(9.0), ops.merge([])):
            live, emitter = push(Suspend(2))
            tries: list[int] = []

            def once(tries: list[int] = tries) -> Any:
                tries.append(1)
                if len(tries) == 1:
                    raise Boom
                yield 1

            stream = streamkit.concat(once, live) | between
            emitter.offer(2)
            again = stream | ops.catch(lambda _, stream=stream: stream) | ops.take(2)
            assert await (again | ops.to_list()) == [1, 2]
            assert emitter.closed

    @virtual
    async def test_another_run_that_has_it_goes_on(self) -> None:
        live, emitter = push(Suspend(2))
        opened = asyncio.Event()

        async def waits() -> Any:
            await opened.wait()
            yield 1

        other = asyncio.ensure_future(_awaited(streamkit.concat(waits, live) | ops.to_list()))
        await turns()
        await (streamkit.concat([1], live) | ops.take(1) | ops.drain())
        emitter.offer(2)
        emitter.close()
        opened.set()
        assert await other == [1, 2]

    @virtual
    async def test_a_branch_that_ends_leaves_it_to_the_other(self) -> None:
        live, emitter = push(Suspend(2))
        emitter.offer(9)
        emitter.close()
        both = ops.broadcast(ops.take(1) | ops.concat(live) | ops.take(1), ops.concat(live))
        assert sorted(await (Stream([1, 2]) | both | ops.to_list())) == [1, 1, 2, 9]


USES: dict[str, Callable[[Stream[Any]], Any]] = {
    "itself": lambda stream: stream,
    "a pipe": lambda stream: stream | ops.map(same) | ops.buffer(Suspend(1)),
    "a source": lambda stream: streamkit.merge([1], stream),
    "a job": lambda stream: hash(stream | ops.drain()),
    "explained": lambda stream: stream.explain(code=True),
    "an open stream": lambda stream: stream.open(),
    "an iterator": lambda stream: iter(stream | ops.timeout(9.0)),
}


class TestDropped:
    """One that nobody has any more, and none has read."""

    @pytest.mark.parametrize("use", USES.values(), ids=USES)
    def test_lets_go_of_those_who_send(self, use: Callable[[Stream[Any]], Any]) -> None:
        told: list[Any] = []
        stream, emitter = push(DropIncoming(2, on_drop=lambda *drop: told.append(drop)))
        emitter.offer(1)
        used = use(stream)
        gc.collect(1)
        assert not emitter.closed
        del stream, used
        gc.collect(1)
        assert emitter.closed
        assert told == [(1, "closed")]
        in_thread(refused(lambda: emitter.send_blocking(2)))

    @virtual
    async def test_wakes_those_who_wait(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        waiting = asyncio.ensure_future(_awaited(emitter.send(2)))
        with thread(refused(lambda: emitter.send_blocking(3))) as blocked:
            await turns()
            blocked.join(0.01)
            del stream
            gc.collect(1)
        with pytest.raises(EmitterClosedError):
            await waiting

    @virtual
    async def test_is_none_while_a_run_reads_it(self) -> None:
        for read in (lambda stream: stream, lambda stream: stream | ops.buffer(Suspend(1))):
            stream, emitter = push(Suspend(2))
            reader = asyncio.ensure_future(drained(read(stream), got := []))
            del stream
            await turns()
            gc.collect(1)
            await emitter.send(1)
            emitter.close()
            assert await reader is None
            assert got == [1]

    def test_may_be_collected_in_the_middle_of_a_call(self) -> None:
        """As by an object of the producer that has the stream in a cycle, and that a fold lets go of."""
        held: list[Any] = []

        def fold(one: int, other: int) -> int:
            held.clear()
            gc.collect(1)
            return one + other

        stream, emitter = push(streamkit.Conflate(fold))
        held.append(stream)
        del stream
        emitter.offer(1)
        emitter.offer(2)
        assert emitter.closed
        stats = emitter.stats()
        assert (stats.offered, stats.held) == (2, 0)
        assert stats.dropped + stats.folded == 2
