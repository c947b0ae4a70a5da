"""Iterators let go of where a program ends: ``asyncio.run`` cancels all tasks, and closes generators."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from streamkit import Stream, Suspend, Valve, merge, ops, zip as zip_streams
from streamkit._engine.run.shelter import sheltered
from streamkit.testing import run

TURNS = 9
"""Turns of the loop that the clean-up of a source takes."""


class Source:
    """Yields numbers, and notes how its clean-up came out."""

    def __init__(self) -> None:
        self.ends: list[object] = []

    async def __call__(self) -> AsyncIterator[int]:
        try:
            for number in range(1000):
                await asyncio.sleep(0)
                yield number
        finally:
            try:
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                self.ends.append("cleaned")
            except BaseException as error:
                self.ends.append(error)
                raise


PIPES: dict[str, Callable[[Any], Any]] = {
    "steps": lambda source: Stream(source) | ops.map(str),
    "buffer": lambda source: Stream(source) | ops.buffer(Suspend(1)),
    "concat": lambda source: Stream(source) | ops.concat([]) | ops.map(str),
    "throttle": lambda source: Stream(source) | ops.throttle(1e6),
    "timeout": lambda source: Stream(source) | ops.timeout(9.0),
    "flat_map": lambda source: Stream(range(3)) | ops.flat_map(lambda _: source, concurrency=2),
    "valve": lambda source: Stream(source) | ops.valve(Valve()),
    "merge": lambda source: merge(source, source),
    "zip": lambda source: zip_streams(source, source) | ops.buffer(Suspend(1)),
}

kept: list[Any] = []
"""What lives longer than the program."""


async def dropped_at_the_end(stream: Any) -> None:
    items = aiter(stream)
    await anext(items)


async def left_by_break(stream: Any) -> None:
    async for _ in stream:
        break


async def held(stream: Any) -> None:
    kept.append(aiter(stream))
    await anext(kept[0])


async def in_a_cycle(stream: Any) -> None:
    owner: list[Any] = [aiter(stream)]
    await anext(owner[0])
    owner.append(owner)


async def held_by_a_task(stream: Any) -> None:
    await begun(dropped_later(aiter(stream)))


async def dropped_later(items: Any) -> None:
    await anext(items)
    await asyncio.get_running_loop().create_future()


async def pulled_by_a_task(stream: Any) -> None:
    await begun(read(stream))


async def read(stream: Any) -> None:
    async for _ in stream:
        pass


async def with_a_pull_that_was_given_up(stream: Any) -> None:
    items = aiter(stream)
    await given_up(items)


async def held_with_such_a_pull(stream: Any) -> None:
    kept.append(aiter(stream))
    await given_up(kept[0])


async def given_up(items: Any) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            await anext(items)


async def begun(work: Any) -> None:
    kept.append(asyncio.ensure_future(work))
    for _ in range(TURNS):
        await asyncio.sleep(0)


WAYS: list[Callable[[Any], Awaitable[None]]] = [
    dropped_at_the_end,
    left_by_break,
    held,
    in_a_cycle,
    held_by_a_task,
    pulled_by_a_task,
    with_a_pull_that_was_given_up,
    held_with_such_a_pull,
]


@pytest.mark.spread
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("pipe", PIPES.values(), ids=PIPES)
def test_the_end_of_the_program_lets_each_clean_up_finish(
    pipe: Any, way: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    sources: list[Source] = []

    def source() -> AsyncIterator[int]:
        sources.append(Source())
        return sources[-1]()

    async def main() -> None:
        await way(pipe(source))

    asyncio.run(main())
    kept.clear()
    gc.collect()
    assert sources
    # a source that was opened and never pulled has nothing to clean up
    assert [each.ends for each in sources if each.ends != ["cleaned"]] in ([], [[]])
    assert not caplog.records


def test_a_timeout_in_the_clean_up_of_a_dropped_iterator_works() -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.get_running_loop().create_future()
            except TimeoutError:
                log.append("given up")

    asyncio.run(left_by_break(Stream(source)))
    assert log == ["given up"]


async def in_a_timeout(log: list[str]) -> None:
    try:
        async with asyncio.timeout(0.001):
            await asyncio.get_running_loop().create_future()
    except TimeoutError:
        log.append("clean")


async def in_a_called_timeout(log: list[str]) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.get_running_loop().create_future(), 0.001)
    log.append("clean")


async def at_once(log: list[str]) -> None:
    log.append("clean")


async def with_a_task_in_hand(log: list[str]) -> None:
    held = SimpleNamespace(_task=asyncio.current_task())
    begun = held._task
    await asyncio.sleep(0)
    log.append("clean" if held._task is begun else "another")


@pytest.mark.parametrize("clean_up", [in_a_timeout, in_a_called_timeout, at_once, with_a_task_in_hand])
def test_what_begins_in_the_clean_up_is_its_own(clean_up: Any) -> None:
    """A timeout there ends that, and not whoever has left."""
    log: list[str] = []
    color: ContextVar[str] = ContextVar("color")

    async def source() -> AsyncIterator[int]:
        beside = (number for number in range(9))  # which it holds, and does not wait for
        assert next(beside) == 0
        token = color.set("red")
        try:
            yield 1
        finally:
            color.reset(token)
            await clean_up(log)

    async def main() -> None:
        await left_by_break(Stream(source))
        if clean_up is at_once:
            assert log == ["clean"]
        async with asyncio.timeout(60.0):  # real time, of which a busy machine may need more
            while not log:  # noqa: ASYNC110 - a list
                await asyncio.sleep(0.001)
        assert log == ["clean"]

    asyncio.run(main())


def test_a_scope_around_the_item_ends_in_the_task_that_entered_it() -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            with anyio.CancelScope():
                yield 1
        finally:
            await asyncio.sleep(0)
            log.append("clean")

    async def main() -> None:
        await left_by_break(Stream(source))
        await asyncio.sleep(0.001)

    asyncio.run(main())
    assert log == ["clean"]


def test_who_waits_for_all_tasks_waits_for_the_clean_up() -> None:
    async def main() -> list[object]:
        source = Source()
        await left_by_break(Stream(source) | ops.buffer(Suspend(1)))
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others)
        return source.ends

    assert asyncio.run(main()) == ["cleaned"]


def test_clean_up_that_begins_when_all_tasks_are_cancelled_already_finishes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            while True:
                await asyncio.sleep(0)
                yield 1
        finally:
            for _ in range(20 * TURNS):
                await asyncio.sleep(0)
            log.append("cleaned")

    asyncio.run(held_by_a_task(Stream(source) | ops.buffer(Suspend(1))))
    kept.clear()
    assert log == ["cleaned"]
    assert not caplog.records


def test_a_stream_that_was_entered_and_never_left_ends_with_the_program() -> None:
    source = Source()

    async def main() -> None:
        kept.append(Stream(source).open())
        async for _ in await kept[0].__aenter__():
            break

    asyncio.run(main())
    assert source.ends == ["cleaned"]
    kept.clear()


def test_a_task_that_drops_the_iterator_of_another_runs_none_of_its_clean_up() -> None:
    tasks: list[Any] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            tasks.append(asyncio.current_task())

    async def pull() -> Any:
        items = (item async for item in Stream(source))
        await anext(items)
        return items

    async def main() -> None:
        holder = [await asyncio.create_task(pull())]
        inner: Any = holder[0].ag_frame.f_locals[".0"]  # what the statement reads
        await holder.pop().aclose()
        del inner
        await asyncio.sleep(0.001)
        assert len(tasks) == 1
        assert asyncio.current_task() not in tasks

    asyncio.run(main())


def test_a_clean_up_that_begins_when_the_program_cancels_its_tasks_finishes() -> None:
    cleaned: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(60.0)
        finally:
            for step in ("begun", "done"):
                await asyncio.sleep(0.01)
                cleaned.append(step)

    async def reading() -> None:
        async for _ in Stream(source) | ops.map(str):
            await asyncio.sleep(60.0)  # cancelled here, it drops the iterator

    async def main() -> None:
        kept.append(asyncio.ensure_future(reading()))
        await asyncio.sleep(0.01)

    asyncio.run(main())
    kept.clear()
    assert cleaned == ["begun", "done"]


def test_what_the_loop_waits_for_at_its_end_is_let_go_of_without_a_task() -> None:
    async def closing() -> None:
        await asyncio.sleep(1.0)

    async def main() -> list[Any]:
        hooks, dropped = sys.get_asyncgen_hooks(), list[Any]()
        sys.set_asyncgen_hooks(finalizer=dropped.append)
        try:
            await sheltered(closing(), asyncio.get_running_loop())
            await asyncio.sleep(1.0)
        finally:
            sys.set_asyncgen_hooks(*hooks)
        return dropped

    assert run(main) == []


def test_a_cancellation_of_who_waits_is_passed_on_when_the_work_has_ended() -> None:
    async def main() -> tuple[bool, float]:
        loop = asyncio.get_running_loop()
        waiter = sheltered(asyncio.sleep(2.0), loop)
        await asyncio.sleep(1.0)
        waiter.cancel()
        await asyncio.wait([waiter])
        return waiter.cancelled(), loop.time()

    assert run(main) == (True, 2.0)
