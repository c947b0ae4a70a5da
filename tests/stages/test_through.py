"""Steps between streams that follow each other: a law holds for them as it does where they are one loop."""

import asyncio
import itertools
import sys
import weakref
from collections.abc import AsyncIterator
from functools import reduce
from operator import or_
from typing import Any

import pytest

import streamkit
from streamkit import Failed, Job, Keep, Stream, Suspend, ops, step
from streamkit._engine.run.iterate import iterate
from tests.laws.lab import play
from tests.marbles import ERROR, noted


def same(item: Any) -> Any:
    return item


def between(stream: Any, *steps: Any) -> Any:
    """`stream`, and `steps` behind it, each between two streams."""
    for each in steps:
        stream = stream | ops.concat([]) | each
    return stream | ops.concat([]) | ops.map(same)


STEPS = {
    "one": [ops.map(same)],
    "several": [ops.map(same), ops.filter(lambda _: True), ops.tap(same)],
    "flatten": [ops.map(lambda item: [item]), ops.flatten()],
    "regrouping": [ops.batch(1), ops.flatten()],
    "groups": [ops.group_by(type, pipe=ops.map(same), max_groups=1) | ops.map(lambda pair: pair[1])],
}


async def result(job: Job[Any]) -> Any:
    return await job


@pytest.mark.parametrize("name", STEPS)
def test_a_timeout_of_the_source_is_handed_to_it_while_its_items_wait_behind_steps(name: str) -> None:
    seen: list[int] = []

    async def source() -> AsyncIterator[int]:
        try:
            async with asyncio.timeout(5):
                for number in itertools.count():
                    yield number
        except TimeoutError:
            yield -1

    async def main() -> None:
        stream = between(Stream(source), *STEPS[name]) | ops.buffer(Suspend(1))
        async with stream.open() as items:
            async for item in items:
                seen.append(item)
                await asyncio.sleep(2)

    play(main)
    assert seen == [*range(len(seen) - 1), -1]
    assert len(seen) == 5


@pytest.mark.parametrize("name", STEPS)
def test_who_leaves_after_a_timeout_was_handed_to_the_source_closes_it(name: str) -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            async with asyncio.timeout(5):
                for number in itertools.count():
                    yield number
        except TimeoutError:
            log.append("handed")
            await asyncio.sleep(3600)
        finally:
            log.append("closed")

    async def main() -> None:
        stream = between(Stream(source), *STEPS[name]) | ops.buffer(Suspend(1))
        async with stream.open() as items:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(60):
                    async for _ in items:
                        await asyncio.sleep(2)
        assert log == ["handed", "closed"]

    play(main)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("cancelled", [0.001, 0.5], ids=["while others run", "while the source waits"])
def test_a_run_that_is_cancelled_closes_its_source_whatever_it_does(name: str, cancelled: float) -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            for number in itertools.count():
                if cancelled > 0.1:
                    await asyncio.sleep(1)
                yield number
        finally:
            await asyncio.sleep(1)
            log.append("closed")

    async def main() -> None:
        task = asyncio.ensure_future(result(between(Stream(source), *STEPS[name]) | ops.drain()))
        if cancelled > 0.1:
            await asyncio.sleep(cancelled)
        else:
            for _ in range(2):
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["closed"]

    play(main)


def test_a_step_that_fails_or_has_enough_closes_all_that_it_reads_from_inside_out() -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 0
        finally:
            await asyncio.sleep(1)
            log.append("closed")

    def fail(item: int) -> float:
        return 1 / item

    for ends, wanted in [(ops.map(fail), [1.0, 9]), (ops.take(1), [1]), (ops.take_while(bool), [1])]:
        stream: Any = between(between(Stream(source), *STEPS["regrouping"]), *STEPS["several"])
        stream = stream | ops.concat([]) | ends | ops.concat([]) | ops.map(same)
        stream = stream | ops.catch(lambda _: log.append("made") or [9])
        log.clear()
        assert play(lambda stream=stream: result(stream | ops.to_list())) == wanted
        assert log == (["closed", "made"] if len(wanted) == 2 else ["closed"])


@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_held_between_streams_while_the_source_waits(name: str) -> None:
    class Item:
        pass

    alive: weakref.WeakSet[Item] = weakref.WeakSet()

    async def source() -> AsyncIterator[Item]:
        for _ in range(3):
            item = Item()
            alive.add(item)
            yield item
            del item
        await asyncio.sleep(1)
        assert not alive

    play(lambda: result(between(Stream(source), *STEPS[name]) | ops.drain()))


ENDLESS: dict[str, Any] = {
    "an endless element": lambda: between(Stream([0]), ops.map(lambda _: itertools.count()) | ops.flatten()),
    "a filter that lets nothing through": lambda: between(
        Stream(itertools.count()), ops.filter(lambda _: False)
    ),
    "many streams": lambda: between(Stream(itertools.count()), *[ops.map(same)] * 20),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_others_run_meanwhile(name: str) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(result(ENDLESS[name]() | ops.drain()))
        for _ in range(2):
            await asyncio.sleep(0)  # one that lets nobody run hangs here
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    play(main)


@pytest.mark.parametrize("nests", [1, 7])
def test_steps_that_are_too_many_for_one_loop_are_closed_where_they_stand_still(nests: int) -> None:
    closed: list[str] = []

    async def source() -> AsyncIterator[int]:
        yield 1

    async def main() -> None:
        steps = [
            ops.on_close(lambda: closed.append("first")),
            *[ops.map(lambda item: [item]) | ops.flatten()] * nests,
            ops.on_close(lambda: closed.append("last")),
            ops.catch(lambda _: []),
            ops.zip([1]),  # it ends while the second stream is asked for more
        ]
        stream = reduce(or_, steps, streamkit.concat(source, [1]))
        assert [item async for item in stream] == [(1, 1)]

    play(main)
    assert closed == ["first", "last"]


async def slow(item: Any) -> Any:
    await asyncio.sleep(1)
    return item


def test_what_a_step_holds_at_the_end_may_be_awaited() -> None:
    held = Stream([1]) | ops.concat([2]) | ops.batch(3) | ops.map(slow) | ops.concat([3])
    assert noted(held) == [(1.0, [1, 2]), (1.0, 3), (1.0, "|")]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="to close a pull of a generator does nothing there")
def test_a_pull_that_is_dropped_while_that_is_awaited_leaves_nothing() -> None:
    """As the collector drops one, whose event loop was closed before."""
    closed: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 2
        finally:
            closed.append("source")

    async def waits(item: Any) -> Any:
        try:
            await asyncio.sleep(1)
        finally:
            closed.append("step")
        return item

    async def main() -> None:
        held = Stream([1]) | ops.concat(source) | ops.batch(3) | ops.map(waits) | ops.concat([3])
        items = iterate(held)
        pull = items.__anext__()
        assert asyncio.isfuture(pull.send(None))
        assert closed == ["source"]
        pull.close()
        assert closed == ["source", "step"]

    play(main)


def test_a_stream_between_steps_that_cannot_be_opened_fails_for_them() -> None:
    def fails() -> list[int]:
        raise ERROR

    stream = Stream([1]) | ops.concat(Stream(fails) | ops.concat([2]) | ops.materialize() | ops.concat([3]))
    assert noted(stream) == [(0.0, 1), (0.0, Failed(ERROR)), (0.0, 3), (0.0, "|")]


def test_an_error_of_the_clean_up_of_what_steps_read_is_raised() -> None:
    async def untidy() -> AsyncIterator[int]:
        try:
            yield 2
            yield 3
        finally:
            raise ERROR

    async def main() -> None:
        with pytest.raises(OSError, match=str(ERROR)):
            async with (Stream([1]) | ops.concat(untidy) | ops.map(same) | ops.concat([9])).open() as items:
                assert [await anext(items), await anext(items)] == [1, 2]

    play(main)


def test_a_source_is_closed_where_a_step_that_is_read_with_it_fails_before_it_begins() -> None:
    @step(setup="1 / 0", each="emit(item)")
    def broken() -> Keep:
        return Keep(broken)

    class Numbers:
        closed = 0

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> int:
            return 1

        def close(self) -> None:
            Numbers.closed += 1

    with pytest.raises(ZeroDivisionError):
        list(Stream(Numbers) | ops.take(2) | ops.concat([3]) | broken())
    assert Numbers.closed == 1


BRANCHES = {
    "route": ops.route(lambda item: item % 2, {0: ops.batch(9)}, otherwise=ops.tap(same)),
    "partition": ops.partition(lambda item: item % 2 == 0, ops.batch(9), ops.tap(same)),
    "broadcast": ops.broadcast(ops.batch(9), ops.filter(lambda item: item % 2)),
    "group_by": ops.group_by(lambda _: 0, pipe=ops.batch(9), max_groups=1) | ops.map(lambda pair: pair[1]),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_what_a_branch_holds_back_comes_before_an_error_that_is_caught_behind_it(name: str) -> None:
    """Found by the soak: only steps outside of branches were asked whether they hold something."""
    failing = Stream([6, 3, 2, 0]) | ops.map(lambda item: 12 // item)
    for before in (failing, failing | ops.concat([])):
        found = before | BRANCHES[name] | ops.catch(lambda _: ["caught"])
        assert list(found) == [[2, 4, 6], "caught"]
