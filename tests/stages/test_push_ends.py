"""push: how it ends, from either side, and a loop that was closed."""

import asyncio
import contextlib
import functools
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import DropIncoming, Emitter, EmitterClosedError, Strategy, Suspend, attached, ops, push
from tests.laws.lab import Boom
from tests.stages.pushing import (
    CLOSED,
    by_block,
    check_sum,
    deserted,
    drained,
    every_strategy,
    in_thread,
    refused,
    rest,
    thread,
    turns,
    virtual,
)

WAYS: dict[str, Callable[[Emitter[Any]], object]] = {
    "send": lambda emitter: asyncio.run(emitter.send(9)),
    "send_blocking": lambda emitter: emitter.send_blocking(9),
}
ENDS: dict[str, Callable[[Emitter[Any]], bool]] = {
    "close": lambda emitter: emitter.close(),
    "fail": lambda emitter: emitter.fail(Boom("told")),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
class TestEnding:
    @every_strategy
    def test_what_is_held_comes_first(self, strategy: Strategy, end: Callable[[Emitter[Any]], bool]) -> None:
        stream, emitter = push(strategy)
        emitter.offer(1)
        assert not emitter.closed
        assert end(emitter)
        assert emitter.closed
        got: list[Any] = []
        error = asyncio.run(drained(stream, got))
        assert got == [[1] if strategy.collects else 1]
        assert (type(error) is Boom) == (end is ENDS["fail"])

    def test_a_second_time_says_false_and_changes_nothing(self, end: Callable[[Emitter[Any]], bool]) -> None:
        stream, emitter = push(Suspend(1))
        assert end(emitter)
        assert not emitter.close()
        assert not emitter.fail(ValueError("too late"))
        error = asyncio.run(drained(stream, []))
        assert (type(error) is Boom) == (end is ENDS["fail"])
        assert not attached(error or Boom())
        assert not end(emitter)

    @pytest.mark.spread
    @pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
    @every_strategy
    def test_refuses_what_is_sent_later(self, strategy: Strategy, way: Any, end: Any) -> None:
        stream, emitter = push(strategy)
        end(emitter)
        with pytest.raises(EmitterClosedError):
            way(emitter)
        assert emitter.offer(9) is CLOSED
        assert emitter.stats().refused == 2
        got: list[Any] = []
        asyncio.run(drained(stream, got))
        assert got == []

    @virtual
    async def test_lets_those_who_wait_go(self, end: Callable[[Emitter[Any]], bool]) -> None:
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        sender = asyncio.create_task(emitter.send(2))
        with thread(refused(lambda: emitter.send_blocking(3))):
            await turns()
            rest()
            assert end(emitter)
            with pytest.raises(EmitterClosedError):
                await sender
        got: list[int] = []
        await drained(stream, got)
        assert got == [1]
        check_sum(emitter.stats())

    @virtual
    async def test_wakes_a_consumer_that_waits(self, end: Callable[[Emitter[Any]], bool]) -> None:
        for elsewhere in (False, True):
            stream, emitter = push(Suspend(1))
            reader = asyncio.create_task(drained(stream, []))
            await turns()
            in_thread(functools.partial(end, emitter)) if elsewhere else end(emitter)
            assert (type(await reader) is Boom) == (end is ENDS["fail"])


def test_fail_needs_an_exception() -> None:
    _, emitter = push(Suspend(1))
    for wrong in ("boom", Boom):
        with pytest.raises(TypeError, match="error must be an exception"):
            emitter.fail(wrong)  # type: ignore[arg-type]
    assert not emitter.closed


async def by_break(stream: Any) -> None:
    async for _ in stream:
        break


async def by_error(stream: Any) -> None:
    with contextlib.suppress(Boom):
        async with stream.open() as items:
            async for _ in items:
                raise Boom


async def by_callback(stream: Any) -> None:
    def fail(_: object) -> None:
        raise Boom

    with contextlib.suppress(Boom):
        await (stream | ops.for_each(fail))


async def by_cancel(stream: Any) -> None:
    async def hang(_: object) -> None:
        await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(drained(stream | ops.tap(hang), []))
    await turns()
    task.cancel()
    await asyncio.wait([task])


async def by_stop(stream: Any) -> None:
    handle = (stream | ops.for_each(lambda _: asyncio.sleep(9.0))).start()
    await turns()
    await handle.stop()


async def by_stop_at_once(stream: Any) -> None:
    await (stream | ops.drain()).start().stop()


async def by_take(stream: Any) -> None:
    assert await (stream | ops.take(1) | ops.count()) == 1


async def by_block_behind_a_stage(stream: Any) -> None:
    async with (stream | ops.merge([])).open() as items:
        await anext(items)


async def by_block_behind_a_stage_before_the_first_pull(stream: Any) -> None:
    async with (stream | ops.merge([])).open():
        pass


LEAVES = [
    by_break,
    by_block,
    by_error,
    by_callback,
    by_cancel,
    by_stop,
    by_stop_at_once,
    by_take,
    by_block_behind_a_stage,
    by_block_behind_a_stage_before_the_first_pull,
]


@pytest.mark.parametrize("leave", LEAVES, ids=lambda leave: leave.__name__)
class TestLeaving:
    @virtual
    async def test_closes_the_emitter_and_lets_those_who_wait_go(self, leave: Any) -> None:
        stream, emitter = push(Suspend(2))
        senders = [asyncio.create_task(emitter.send(number)) for number in range(9)]
        await turns()
        with thread(refused(lambda: emitter.send_blocking(9))):
            try:
                rest()
                await leave(stream)
                await turns()
                assert emitter.closed
            finally:
                emitter.close()
        assert emitter.offer(10) is CLOSED
        outcomes = await asyncio.gather(*senders, return_exceptions=True)
        assert any(type(outcome) is EmitterClosedError for outcome in outcomes)
        stats = emitter.stats()
        assert stats.held == 0
        assert stats.refused == 2 + sum(type(outcome) is EmitterClosedError for outcome in outcomes)
        check_sum(stats)

    @virtual
    async def test_tells_on_drop_what_was_held(self, leave: Any) -> None:
        dropped: list[Any] = []
        stream, emitter = push(DropIncoming(4, on_drop=lambda *told: dropped.append(told)))
        for number in range(4):
            emitter.offer(number)
        await leave(stream)
        assert dropped == [(number, "closed") for number in range(emitter.stats().delivered, 4)]
        assert emitter.stats().dropped == len(dropped)


class TestALoopThatWasClosed:
    def test_is_found_out_by_who_offers_in_another_thread(self) -> None:
        stream, emitter = push(Suspend(2))
        with deserted(stream):
            in_thread(lambda: emitter.offer(1))
            assert emitter.closed
            assert emitter.offer(2) is CLOSED
            in_thread(refused(lambda: emitter.send_blocking(3)))
            assert emitter.stats().held == 0
            check_sum(emitter.stats())

    def test_is_found_out_by_who_offers_in_its_thread(self) -> None:
        stream, emitter = push(Suspend(2))
        with deserted(stream):
            emitter.offer(1)
            assert emitter.closed
            assert emitter.offer(2) is CLOSED
            assert emitter.stats().held == 0
            check_sum(emitter.stats())

    def test_is_found_out_though_a_thread_was_just_waking_it(self) -> None:
        stream, emitter = push(Suspend(1))
        with deserted(stream, before=lambda: in_thread(lambda: emitter.offer(1))):
            in_thread(refused(lambda: emitter.send_blocking(2, timeout=0.0)))

    @pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
    @pytest.mark.parametrize("where", [in_thread, lambda work: work()], ids=["elsewhere", "there"])
    def test_is_no_error_of_who_ends_the_stream(self, where: Any, end: Any) -> None:
        stream, emitter = push(Suspend(2))
        with deserted(stream):
            where(lambda: end(emitter))
            assert emitter.closed

    def test_lets_those_who_wait_go_when_its_task_is_collected(self) -> None:
        stream, emitter = push(Suspend(1))
        with deserted(stream):
            pass
        assert emitter.closed
        in_thread(refused(lambda: emitter.send_blocking(1)))

    def test_in_which_one_waited_to_send_is_no_error_of_the_consumer(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        loop = asyncio.new_event_loop()
        task = loop.create_task(emitter.send(2))
        loop.run_until_complete(turns())
        loop.close()
        got: list[int] = []

        def consume() -> None:
            items = iter(stream)
            got.extend((next(items), next(items)))
            emitter.close()
            got.extend(items)

        in_thread(consume)
        assert got == [1, 2]
        task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_thread_that_has_read_may_send_afterwards_as_any_other() -> None:
    stream, emitter = push(Suspend(1))
    emitter.close()
    assert list(stream) == []
    with pytest.raises(EmitterClosedError):
        emitter.send_blocking(1)
