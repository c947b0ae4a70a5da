"""Sources that others wait for, and that a run never reads: they are let go when it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from streamkit import (
    DropOldest,
    EmitterClosedError,
    SourceConsumedError,
    Stream,
    Suspend,
    attached,
    ops,
    push,
)
from streamkit.testing import run
from tests.run.staging import written


def live(name: str, told: list[Any], *, fails: bool = False) -> tuple[Stream[Any], Any]:
    def drop(item: Any, why: str) -> None:
        told.append((item, why))
        if fails:
            raise LookupError(name)

    stream, emitter = push(DropOldest(4, on_drop=drop))
    emitter.offer(f"item of {name}")
    return stream, emitter


def unread(*streams: Stream[Any]) -> Any:
    return Stream([1]) | ops.concat(*streams) | ops.take(1) | ops.to_list()


def test_what_they_hold_is_dropped_and_they_take_nothing_more() -> None:
    told = list[Any]()
    sources = [live(name, told) for name in "ab"]
    assert run(lambda: as_awaited(unread(*(stream for stream, _ in sources)))) == [1]
    assert sorted(told) == [("item of a", "closed"), ("item of b", "closed")]
    assert [emitter.offer("late").name for _, emitter in sources] == ["CLOSED", "CLOSED"]


def test_an_error_of_each_of_them_is_told_of() -> None:
    told = list[Any]()
    streams = [live(name, told, fails=True)[0] for name in "ab"]
    with pytest.raises(LookupError) as raised:
        run(lambda: as_awaited(unread(*streams)))
    found = [str(error) for error in (raised.value, *attached(raised.value))]
    assert sorted(found) == ["a", "b"]
    assert len(told) == 2


def test_one_that_stands_in_several_places_is_let_go_once() -> None:
    told = list[Any]()
    stream, _ = live("a", told)
    assert run(lambda: as_awaited(unread(stream, stream))) == [1]
    assert told == [("item of a", "closed")]


def test_whoever_sends_to_one_that_was_let_go_is_told() -> None:
    async def main() -> Any:
        stream, emitter = push(Suspend(1))
        emitter.offer("first")
        waiting = asyncio.create_task(emitter.send("second"))
        await asyncio.sleep(1.0)
        found = await unread(stream)
        with pytest.raises(EmitterClosedError):
            await waiting
        return found

    assert run(main) == [1]


@pytest.mark.parametrize("inside", [False, True])
def test_the_source_of_a_stage_that_never_reads_it_is_let_go(inside: bool) -> None:
    async def _ignoring(run: Any, source: Any) -> AsyncIterator[str]:
        yield "own"

    told = list[Any]()
    stream, emitter = live("a", told)
    source = Stream([1]) | ops.concat(stream) if inside else stream
    assert run(lambda: as_awaited(source | written(_ignoring) | ops.to_list())) == ["own"]
    assert told == [("item of a", "closed")]
    assert emitter.offer("late").name == "CLOSED"


def test_one_that_a_stage_would_have_read_in_a_task_is_let_go() -> None:
    async def _early(run: Any, _: Any) -> AsyncIterator[str]:
        run.feed(run.channel(), Stream([1]) | ops.concat(stream))
        yield "own"

    stream, emitter = live("a", told := list[Any]())
    assert run(lambda: as_awaited(Stream([]) | written(_early) | ops.to_list())) == ["own"]
    assert told == [("item of a", "closed")]
    assert emitter.offer("late").name == "CLOSED"


@pytest.mark.parametrize("join", [ops.merge, ops.zip])
def test_one_that_was_read_before_fails_the_run_that_wants_it(join: Any) -> None:
    async def main() -> None:
        told = list[Any]()
        read, emitter = live("read", told)
        emitter.close()
        await (read | ops.drain())
        fresh, other = live("fresh", told)
        with pytest.raises(SourceConsumedError):
            await (Stream([1]) | join(fresh, read) | ops.drain())
        assert told == [("item of fresh", "closed")]
        assert other.offer("late").name == "CLOSED"

    run(main)


def test_one_inside_of_a_stream_that_a_stage_opens_again_is_kept_for_that() -> None:
    stream, emitter = live("a", told := list[Any]())
    emitter.close()
    inner = Stream([1]) | ops.concat(stream)

    async def _again(run: Any, _: Any) -> AsyncIterator[Any]:
        items = run.open(inner)
        yield await anext(items)
        await run.close(items)
        async for item in run.open(inner):
            yield item

    found = run(lambda: as_awaited(Stream([]) | written(_again) | ops.to_list()))
    assert (found, told) == ([1, 1, "item of a"], [])


def test_one_that_a_callback_returns_which_did_not_heed_the_end_is_let_go() -> None:
    stream, emitter = live("a", told := list[Any]())

    async def heedless(_: int) -> Stream[Any]:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(9.0)
        return stream

    async def main() -> None:
        async with (Stream([1]) | ops.concat_map(heedless) | ops.buffer(Suspend(1))).open() as items:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await anext(items)

    run(main)
    assert told == [("item of a", "closed")]
    assert emitter.offer("late").name == "CLOSED"


async def as_awaited(job: Any) -> Any:
    return await job
