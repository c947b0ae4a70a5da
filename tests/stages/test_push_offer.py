"""push: offer, send and send_blocking, and what their callers are told."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import (
    BufferOverflowError,
    Collect,
    DropIncoming,
    DropOldest,
    EmitterClosedError,
    Fail,
    Gap,
    KeepLatest,
    Offered,
    RunningLoopError,
    Strategy,
    Suspend,
    Unbounded,
    ops,
    push,
)
from tests.laws.lab import Boom
from tests.patience import comes
from tests.stages.pushing import (
    ACCEPTED,
    CLOSED,
    DROPPED,
    FULL,
    OUTCOMES,
    check_sum,
    drained,
    every_strategy,
    in_thread,
    rest,
    thread,
    turns,
    virtual,
)


class TestOffer:
    @pytest.mark.parametrize(
        ("strategy", "outcomes", "read"), OUTCOMES, ids=[type(each[0]).__name__ for each in OUTCOMES]
    )
    def test_says_what_became_of_the_item(
        self, strategy: Strategy, outcomes: list[Offered], read: list[Any]
    ) -> None:
        stream, emitter = push(strategy)
        assert [emitter.offer(number) for number in (1, 2, 3)] == outcomes
        check_sum(emitter.stats())
        emitter.close()
        assert emitter.offer(4) is CLOSED
        got: list[Any] = []
        error = asyncio.run(drained(stream, got))
        assert got == read
        assert isinstance(error, BufferOverflowError) == strategy.fails
        check_sum(emitter.stats())
        assert emitter.offer(5) is CLOSED

    def test_under_fail_is_closed_by_the_item_that_is_too_many(self) -> None:
        _, emitter = push(Fail(1))
        assert [emitter.offer(number) for number in range(3)] == [ACCEPTED, FULL, CLOSED]
        assert emitter.closed
        assert not emitter.close()

    @pytest.mark.parametrize("strategy", [None, 16, Suspend])
    def test_needs_a_strategy(self, strategy: Any) -> None:
        with pytest.raises(TypeError, match="strategy must be a strategy such as Suspend"):
            push(strategy)

    @pytest.mark.parametrize("of", [int, Any, list[int], int | None, Callable[[int], str]], ids=repr)
    def test_takes_the_type_of_its_items(self, of: Any) -> None:
        stream, emitter = push(Suspend(1), of=of)
        emitter.offer("not checked against it")
        emitter.close()
        assert list(stream) == ["not checked against it"]

    @pytest.mark.parametrize("of", [3, "int", None, (int, str)], ids=repr)
    def test_takes_a_type_and_nothing_else(self, of: Any) -> None:
        with pytest.raises(TypeError) as caught:
            push(Suspend(1), of=of)
        assert str(caught.value) == f"of must be a type such as int, not {of!r}"


class TestSend:
    @virtual
    async def test_waits_until_there_is_room(self) -> None:
        loop = asyncio.get_running_loop()
        stream, emitter = push(Suspend(1))
        assert await emitter.send(1) is ACCEPTED
        second = asyncio.create_task(emitter.send(2))
        await asyncio.sleep(10.0)
        assert not second.done()
        async with stream.open() as items:
            assert await anext(items) == 1
            assert await second is ACCEPTED
            assert loop.time() == 10.0
            assert await anext(items) == 2

    @every_strategy
    @virtual
    async def test_waits_only_where_the_strategy_does(self, strategy: Strategy) -> None:
        stream, emitter = push(strategy)
        for number in (1, 2):
            await emitter.send(number)
        third = asyncio.create_task(emitter.send(3))
        await asyncio.sleep(1.0)
        assert third.done() is not strategy.waits
        got: list[Any] = []
        if strategy.fails:
            with pytest.raises(EmitterClosedError):
                await third
        elif third.done():
            assert await third in (ACCEPTED, DROPPED)
        reader = asyncio.create_task(drained(stream, got))
        await asyncio.wait([third])
        emitter.close()
        assert isinstance(await reader, BufferOverflowError) == strategy.fails
        check_sum(emitter.stats())

    @virtual
    async def test_waits_in_another_loop_of_another_thread(self) -> None:
        stream, emitter = push(Suspend(1))
        waits, done = threading.Event(), list[Any]()

        async def produce() -> None:
            await emitter.send(1)
            second = asyncio.create_task(emitter.send(2))
            await turns()
            done.append(second.done())
            waits.set()
            done.append(await second)
            for number in range(3, 9):
                await emitter.send(number)
            emitter.close()

        with thread(lambda: asyncio.run(produce())):
            assert comes(waits.wait)
            got: list[int] = []
            assert await drained(stream, got) is None
        assert done == [False, ACCEPTED]
        assert got == [1, 2, 3, 4, 5, 6, 7, 8]

    @virtual
    async def test_cancelled_while_it_waits_refuses_its_item(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        senders = [asyncio.create_task(emitter.send(number)) for number in (2, 3)]
        await turns()
        senders[0].cancel()
        await turns()
        assert senders[0].cancelled()
        assert emitter.stats().refused == 1
        got: list[int] = []
        reader = asyncio.create_task(drained(stream, got))
        assert await senders[1] is ACCEPTED
        emitter.close()
        await reader
        assert got == [1, 3]
        check_sum(emitter.stats())

    @virtual
    async def test_cancelled_when_its_item_was_taken_in_refuses_nothing(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        sender = asyncio.create_task(emitter.send(2))
        await turns()
        got: list[int] = []
        async for item in stream:
            got.append(item)
            if item == 1:  # the item of the sender was taken in just now, and the sender has not run since
                sender.cancel()
                await turns()
                assert sender.cancelled()
                emitter.close()
        assert got == [1, 2]
        assert emitter.stats().refused == 0

    @pytest.mark.parametrize("strategy", [Suspend(3), Collect(3)], ids=repr)
    @virtual
    async def test_nobody_who_waits_is_overtaken(self, strategy: Strategy) -> None:
        stream, emitter = push(strategy)
        finished: list[int] = []

        async def send(number: int) -> None:
            await emitter.send(number)
            finished.append(number)

        for number in range(3):
            emitter.offer(number)
        senders = [asyncio.create_task(send(number)) for number in range(3, 10)]
        await turns()
        senders[2].cancel()
        await turns()
        got: list[Any] = []
        async with stream.open() as items:
            while len(finished) < 6:
                assert emitter.offer(-1) is FULL
                got.append(await anext(items))
                await turns()
            emitter.close()
            async for item in items:
                got.append(item)
        assert finished == [3, 4, 6, 7, 8, 9]
        assert got == ([[0, 1, 2], [3, 4, 6], [7, 8, 9]] if strategy.collects else [0, 1, 2, *finished])


class TestSendBlocking:
    @virtual
    async def test_holds_its_thread_until_there_is_room(self) -> None:
        stream, emitter = push(Suspend(1))
        sent: list[Offered] = []

        def produce() -> None:
            for number in range(5):
                sent.append(emitter.send_blocking(number))
            emitter.close()

        with thread(produce):
            rest()
            assert sent == [ACCEPTED]
            got: list[int] = []
            assert await drained(stream, got) is None
        assert got == [0, 1, 2, 3, 4]
        assert sent == [ACCEPTED] * 5

    def test_times_out_and_refuses_its_item(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        with pytest.raises(TimeoutError, match=r"no room for 2 within 0\.0 s"):
            emitter.send_blocking(2, timeout=0.0)
        assert emitter.stats().refused == 1
        emitter.close()
        assert list(stream) == [1]
        check_sum(emitter.stats())

    @pytest.mark.parametrize(("timeout", "error"), [(-1.0, ValueError), ("1", TypeError)])
    def test_checks_its_timeout(self, timeout: Any, error: type[Exception]) -> None:
        _, emitter = push(Unbounded())
        with pytest.raises(error, match="timeout must be"):
            emitter.send_blocking(1, timeout=timeout)
        assert emitter.stats().offered == 0

    @virtual
    async def test_is_an_error_where_an_event_loop_runs(self) -> None:
        _, emitter = push(Unbounded())
        with pytest.raises(RunningLoopError, match="await send"):
            emitter.send_blocking(1)

        async def elsewhere() -> None:
            with pytest.raises(RunningLoopError, match="await send"):
                emitter.send_blocking(1)

        in_thread(lambda: asyncio.run(elsewhere()))
        assert emitter.stats().offered == 0

    def test_is_an_error_in_the_thread_that_reads(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        for _ in stream:
            with pytest.raises(RunningLoopError, match="the thread that reads"):
                emitter.send_blocking(2)
            emitter.close()


class TestGaps:
    @virtual
    async def test_stand_where_items_were_dropped(self) -> None:
        stream, emitter = push(DropOldest(2, gaps=True))
        for number in range(5):
            emitter.offer(number)
        async with stream.open() as items:
            assert [await anext(items) for _ in range(3)] == [Gap(3), 3, 4]
            emitter.offer(5)
            assert await anext(items) == 5

    @virtual
    async def test_stand_before_the_end_too_and_are_no_items(self) -> None:
        stream, emitter = push(DropIncoming(1, gaps=True))
        for number in range(3):
            emitter.offer(number)
        emitter.fail(Boom())
        check_sum(emitter.stats())
        got: list[Any] = []
        assert isinstance(await drained(stream, got), Boom)
        assert got == [0, Gap(2)]
        check_sum(emitter.stats())


class TestWhatIsTold:
    @every_strategy
    def test_explain_counts_its_buffer(self, strategy: Strategy) -> None:
        stream, _ = push(strategy)
        explained = (stream | ops.map(str)).explain()
        source = explained.parts[0]
        assert (source.kind, source.text) == ("source", f"push({strategy!r})")
        assert source.strategy == repr(strategy)
        assert source.loses == strategy.loses
        bounded = strategy.limit if strategy.overflows else float("inf")
        assert source.holds == source.lookahead == bounded
        assert repr(strategy) in str(explained)

    def test_explain_sums_it(self) -> None:
        stream, _ = push(DropOldest(8))
        alone, batched = stream.explain(), (stream | ops.batch(3)).explain()
        assert alone.lookahead == 8
        assert batched.bound - alone.bound == 3

    @virtual
    async def test_the_handle_has_its_buffer_and_the_emitter_tells_the_same(self) -> None:
        stream, emitter = push(KeepLatest())
        handle = (stream | ops.buffer(Suspend(1)) | ops.for_each(lambda _: asyncio.sleep(1.0))).start()
        for number in range(5):
            emitter.offer(number)
        await asyncio.sleep(0.5)
        mine = [each for each in handle.buffers() if each.strategy == KeepLatest()]
        assert mine == [emitter.stats()]
        assert (mine[0].offered, mine[0].dropped, mine[0].operator) == (5, 4, "push(KeepLatest())")
        emitter.close()
        await handle
        assert emitter.stats() in handle.buffers()

    def test_reprs(self) -> None:
        stream, emitter = push(Suspend(2))
        assert repr(stream) == "Stream(push(Suspend(capacity=2)))"
        assert repr(emitter) == "<Emitter open push(Suspend(capacity=2))>"
        emitter.close()
        assert repr(emitter) == "<Emitter closed push(Suspend(capacity=2))>"
