"""Errors that many runs raise: the traceback is that of one run, and nothing of the others is kept alive."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import Inlet, Operator, Run, Stream, Suspend, Valve, ops, push, stage
from streamkit._core.again import origin, throw
from streamkit.testing import run
from tests.laws.lab import Boom

RUNS = 20


class Request:
    """Something that a caller has in hand."""


def depth(error: BaseException) -> int:
    trace, found = error.__traceback__, 0
    while trace is not None:
        trace, found = trace.tb_next, found + 1
    return found


async def through_a_valve(error: Boom) -> None:
    valve = Valve()
    valve.abort(error)
    await (Stream([1]) | ops.valve(valve) | ops.drain())


async def of_an_emitter(error: Boom) -> None:
    stream, emitter = push(Suspend(1))
    emitter.fail(error)
    await (stream | ops.drain())


async def through_a_buffer(error: Boom) -> None:
    stream, emitter = push(Suspend(1))
    emitter.fail(error)
    await (stream | ops.map(abs) | ops.buffer(Suspend(2)) | ops.drain())


async def of_branches(error: Boom) -> None:
    stream, emitter = push(Suspend(1))
    emitter.fail(error)
    await (stream | ops.broadcast(ops.map(abs), ops.buffer(Suspend(1))) | ops.drain())


async def zipped(error: Boom) -> None:
    stream, emitter = push(Suspend(1))
    emitter.fail(error)
    await (stream | ops.zip(range(3)) | ops.drain())


WAYS = [through_a_valve, of_an_emitter, through_a_buffer, of_branches, zipped]


@pytest.mark.parametrize("way", WAYS)
def test_one_error_of_many_runs_gathers_nothing_of_them(way: Callable[[Boom], Any]) -> None:
    error, alive, depths = Boom("shared"), [], set()

    async def handle() -> None:
        request = Request()
        alive.append(weakref.ref(request))
        with pytest.raises(Boom) as caught:
            await way(error)
        assert caught.value is error
        depths.add(depth(error))

    async def main() -> None:
        for _ in range(RUNS):
            await handle()

    run(main)
    gc.collect()
    assert len(depths) == 1, "the traceback grows"
    assert sum(each() is not None for each in alive) <= 1
    assert len(getattr(error, "__notes__", ())) <= 1


def test_one_valve_of_many_runs_keeps_nothing_of_them() -> None:
    valve, error, depths = Valve(), Boom("shared"), set()
    valve.abort(error)

    async def main() -> None:
        for _ in range(RUNS):
            with pytest.raises(Boom):
                await (Stream([1]) | ops.valve(valve) | ops.drain())
            depths.add(depth(error))

    run(main)
    assert len(depths) == 1


def test_a_channel_that_is_read_again_after_its_error_raises_it_as_it_came() -> None:
    depths = set()

    async def stubborn(run: Run, source: Inlet[Any]) -> AsyncIterator[Any]:
        channel = run.channel()
        run.feed(channel, source, Suspend(1))
        for _ in range(RUNS):
            try:
                await channel.wait()
            except Boom as error:
                depths.add(depth(error))
        yield "done"

    def failing() -> Any:
        raise Boom("source")
        yield

    @stage(stubborn, name="stubborn")
    def again() -> Operator[Any, Any]:
        return Operator(again)

    async def main() -> None:
        assert await (Stream(failing) | again() | ops.to_list()) == ["done"]

    run(main)
    assert len(depths) == 1


def test_the_frames_that_an_error_came_with_stay() -> None:
    def fails() -> None:
        raise Boom("of a producer")

    async def main() -> None:
        stream, emitter = push(Suspend(1))
        try:
            fails()
        except Boom as error:
            emitter.fail(error)
        with pytest.raises(Boom) as caught:
            await asyncio.wait_for(stream | ops.drain(), 1.0)
        assert caught.traceback[-1].name == "fails"

    run(main)


def test_an_error_that_was_never_thrown_has_the_traceback_it_has() -> None:
    assert origin(Boom("new")) is None
    try:
        raise Boom("raised")
    except Boom as error:
        trace = error.__traceback__
        assert origin(error) is trace
        with pytest.raises(Boom):
            throw(error, trace)
        assert origin(error) is trace
