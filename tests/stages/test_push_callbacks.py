"""push: callbacks of its strategy, senders within senders, and one run at a time."""

import asyncio
import gc
import threading
from collections.abc import Callable
from functools import partial
from operator import add
from typing import Any

import pytest

import streamkit
from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    EmitterClosedError,
    KeepLatest,
    Offered,
    SourceConsumedError,
    Spill,
    Strategy,
    Suspend,
    Unbounded,
    attached,
    ops,
    push,
)
from tests.laws.lab import Boom
from tests.patience import joined
from tests.stages.pushing import (
    ACCEPTED,
    CLOSED,
    DROPPED,
    by_block,
    check_sum,
    deserted,
    drained,
    in_thread,
    refused,
    thread,
    turns,
    virtual,
)


class TestOnDrop:
    @pytest.mark.parametrize("when", ["full", "closed", "closed loop"])
    def test_is_called_outside_of_the_lock(self, when: str) -> None:
        told: list[str] = []
        outcomes: list[Offered] = []
        waited: list[Offered] = []

        def drop(_: object, reason: str) -> None:
            told.append(reason)
            if len(told) == 1:
                other = threading.Thread(target=lambda: outcomes.append(emitter.offer(0)))
                other.start()
                joined(other)
                waited.extend(outcomes)

        stream, emitter = push(DropIncoming(1, on_drop=drop))
        if when == "closed loop":
            with deserted(stream):
                in_thread(lambda: emitter.offer(1))
        else:
            emitter.offer(1)
            asyncio.run(by_block(stream)) if when == "closed" else emitter.offer(2)
        assert waited == [DROPPED if when == "full" else CLOSED], (
            "on_drop could not wait for the other thread"
        )
        assert told == (["full", "full"] if when == "full" else ["closed"])
        check_sum(emitter.stats())

    @virtual
    async def test_an_error_in_it_fails_the_stream(self) -> None:
        def drop(item: object, _: str) -> None:
            raise Boom(item)

        stream, emitter = push(DropOldest(1, on_drop=drop))
        assert [emitter.offer(number) for number in (1, 2, 3)] == [ACCEPTED, ACCEPTED, CLOSED]
        got: list[int] = []
        error = await drained(stream, got)
        assert got == [2]
        assert isinstance(error, Boom)
        assert error.args == (1,)

    @virtual
    async def test_errors_in_it_reach_the_consumer_that_leaves(self) -> None:
        def drop(item: object, _: str) -> None:
            raise Boom(item)

        stream, emitter = push(DropOldest(2, on_drop=drop))
        emitter.offer(1)
        emitter.offer(2)
        with pytest.raises(Boom) as caught:
            await by_block(stream)
        assert [each.args for each in (caught.value, *attached(caught.value))] == [(1,), (2,)]
        assert emitter.offer(3) is CLOSED
        check_sum(emitter.stats())


class TestCallbacksThatMisbehave:
    @virtual
    async def test_a_fold_that_raises_fails_the_stream_after_what_waits(self) -> None:
        stream, emitter = push(Conflate(add))
        assert [emitter.offer(item) for item in (1, "x", 2)] == [ACCEPTED, CLOSED, CLOSED]
        got: list[Any] = []
        assert isinstance(await drained(stream, got), TypeError)
        assert got == [1]
        assert emitter.stats().refused == 2
        check_sum(emitter.stats())

    @virtual
    async def test_what_a_fold_offers_is_folded_after_it(self) -> None:
        def fold(waiting: list[int], item: list[int]) -> list[int]:
            if item == [2]:
                emitter.offer([3])
            return waiting + item

        stream, emitter = push(Conflate(fold))
        emitter.offer([1])
        assert emitter.offer([2]) is ACCEPTED
        emitter.close()
        got: list[Any] = []
        assert await drained(stream, got) is None
        assert got == [[1, 2, 3]]
        check_sum(emitter.stats())

    @virtual
    async def test_a_fold_that_always_offers_fails_the_stream(self) -> None:
        def fold(waiting: int, item: int) -> int:
            emitter.offer(1)
            return waiting + item

        stream, emitter = push(Conflate(fold))
        emitter.offer(1)
        emitter.offer(1)
        got: list[Any] = []
        error = await drained(stream, got)
        assert isinstance(error, RuntimeError)
        assert "its fold offers an item for each" in str(error)
        check_sum(emitter.stats())

    @virtual
    async def test_an_item_that_cannot_be_spilled_fails_the_stream_after_what_is_held(self) -> None:
        stream, emitter = push(Spill(1))
        with pytest.raises(EmitterClosedError):
            for item in (1, 2, threading.Lock(), 3):
                await emitter.send(item)
        got: list[Any] = []
        assert isinstance(await drained(stream, got), TypeError)
        assert got == [1, 2]
        assert emitter.stats().refused == 1
        check_sum(emitter.stats())

    @virtual
    async def test_an_item_that_cannot_be_read_back_costs_no_other_item(self) -> None:
        class Broken:
            def __reduce__(self) -> Any:
                return int, ("x",)

        stream, emitter = push(Spill(1))
        for item in (1, Broken(), 3):
            emitter.offer(item)
        got: list[Any] = []
        assert isinstance(await drained(stream, got), ValueError)
        assert got == [1]
        check_sum(emitter.stats())


DROPPING: list[Callable[..., Strategy]] = [
    partial(DropOldest, 2),
    partial(DropIncoming, 2),
    partial(DropYoungest, 2),
    partial(DropAll, 2),
    KeepLatest,
]


class TestReentrance:
    def test_on_drop_may_offer(self) -> None:
        dropped: list[int] = []

        def drop(item: int, _: str) -> None:
            dropped.append(item)
            if item < 9:
                emitter.offer(item + 10)

        stream, emitter = push(DropOldest(1, on_drop=drop))
        for number in (1, 2, 3):
            emitter.offer(number)
        emitter.close()
        assert (list(stream), dropped) == ([3], [1, 2, 11, 12])
        check_sum(emitter.stats())

    @pytest.mark.parametrize("kind", DROPPING)
    def test_on_drop_may_offer_as_often_as_it_likes_and_is_told_of_each_in_no_call_of_its_own(
        self, kind: Callable[..., Strategy]
    ) -> None:
        told, left, inside = list[Any](), [700], [0]

        def drop(item: Any, why: str) -> None:
            inside[0] += 1
            assert inside == [1]
            told.append(item)
            if left[0]:
                left[0] -= 1
                emitter.offer(-left[0])
            inside[0] -= 1

        stream, emitter = push(kind(on_drop=drop))
        for item in range(1, 5):
            emitter.offer(item)
        emitter.close()
        got = list(stream)
        assert sorted(told + got) == [*range(-699, 5)]
        check_sum(emitter.stats())

    @pytest.mark.parametrize("kind", DROPPING)
    def test_on_drop_that_offers_without_an_end_fails_the_stream(self, kind: Callable[..., Strategy]) -> None:
        stream, emitter = push(kind(on_drop=lambda item, why: emitter.offer(item)))
        for item in range(4):
            emitter.offer(item)
        with pytest.raises(RuntimeError, match="on_drop offers"):
            list(stream)
        check_sum(emitter.stats())

    @virtual
    async def test_on_drop_may_close_the_stream_that_tells_it(self) -> None:
        async def leave() -> None:
            async with stream.open() as items:
                await anext(items)

        told: list[Any] = []
        stream, emitter = push(
            DropOldest(
                3, on_drop=lambda item, why: told.append((item, why, emitter.offer(item), emitter.close()))
            )
        )
        for item in range(3):
            emitter.offer(item)
        await leave()
        assert told == [(1, "closed", CLOSED, False), (2, "closed", CLOSED, False)]

    def test_an_item_may_offer_when_it_is_deleted(self) -> None:
        class Last:
            def __del__(self) -> None:
                outcomes.append(emitter.offer("from __del__"))

        outcomes: list[Offered] = []
        stream, emitter = push(KeepLatest())
        emitter.offer(Last())
        emitter.offer("next")
        gc.collect()
        emitter.close()
        assert outcomes == [ACCEPTED]
        assert len(list(stream)) == 1
        check_sum(emitter.stats())

    @virtual
    async def test_callbacks_of_the_pipeline_may_offer_and_send(self) -> None:
        stream, emitter = push(Suspend(2))

        async def next_ones(number: int) -> None:
            if number < 20:
                assert emitter.offer(number + 1) is ACCEPTED
            elif number < 30:
                await emitter.send(number + 1)
            else:
                emitter.close()

        emitter.offer(1)
        got = await (stream | ops.tap(next_ones) | ops.to_list())
        assert got == list(range(1, 31))


@pytest.mark.parametrize(
    "strategy", [Unbounded(), DropOldest(1_000), Suspend(1_000), Collect(1_000)], ids=repr
)
@virtual
async def test_a_burst_from_a_thread_wakes_a_busy_loop_once(strategy: Strategy) -> None:
    loop = asyncio.get_running_loop()
    call_soon_threadsafe, calls = loop.call_soon_threadsafe, list[Any]()

    def counted(callback: Any, *arguments: Any, **named: Any) -> Any:
        calls.append(callback)
        return call_soon_threadsafe(callback, *arguments, **named)

    loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
    stream, emitter = push(strategy)
    got: list[Any] = []
    reader = asyncio.create_task(drained(stream | ops.tap(lambda _: None), got))
    await turns()
    for burst in (1, 2):
        in_thread(lambda: [emitter.offer(number) for number in range(1_000)])
        assert len(calls) == burst
        await turns(2_000 if strategy.collects else 20)
    emitter.close()
    assert await reader is None
    in_thread(lambda: emitter.offer(0))
    assert len(calls) == 2, "it wakes nobody when the stream has ended"
    assert emitter.stats().delivered == 2_000


class TestRunning:
    def test_a_second_time_is_an_error(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.close()
        mapped = stream | ops.map(str)
        assert list(stream) == []
        for again in (stream, mapped):
            with pytest.raises(SourceConsumedError, match="run only once"):
                list(again)
            with pytest.raises(SourceConsumedError, match="run only once"):
                (again | ops.to_list()).run()

    def test_nothing_runs_when_it_is_composed_or_explained(self) -> None:
        stream, emitter = push(Suspend(2))
        emitter.offer(1)
        job = stream | ops.map(str) | ops.to_list()
        job.explain(code=True)
        emitter.offer(2)
        emitter.close()
        assert job.run() == ["1", "2"]

    def test_a_plain_for_reads_what_a_thread_sends(self) -> None:
        stream, emitter = push(Suspend(3))

        def produce() -> None:
            for number in range(50):
                emitter.send_blocking(number)
            emitter.close()

        with thread(produce):
            assert list(stream | ops.batch(10)) == [list(range(at, at + 10)) for at in range(0, 50, 10)]

    def test_a_plain_for_that_is_left_lets_the_thread_go(self) -> None:
        stream, emitter = push(Suspend(1))

        with thread(refused(lambda: [emitter.send_blocking(0) for _ in range(99)])):
            for _ in stream:
                break

    @virtual
    async def test_what_the_other_stages_do_is_done_to_its_items(self) -> None:
        async def slow(number: int) -> int:
            await asyncio.sleep(1.0)
            return number

        stream, emitter = push(Suspend(2))
        pipe = (
            stream | ops.merge([]) | ops.buffer(Suspend(3)) | ops.map(slow, concurrency=4) | ops.timeout(5.0)
        )
        handle = (pipe | ops.to_list()).start()
        for number in range(20):
            await emitter.send(number)
        emitter.close()
        assert await handle == list(range(20))
        assert "push(Suspend(capacity=2))" in [each.operator for each in handle.buffers()]

    @virtual
    async def test_two_of_them_merge(self) -> None:
        (left, first), (right, second) = push(Suspend(1)), push(KeepLatest())
        got: list[str] = []
        reader = asyncio.create_task(drained(streamkit.merge(left, right), got))
        await turns()
        for letter in "abc":
            await first.send(letter)
            await turns()
            second.offer(letter.upper())
            await turns()
        first.close()
        second.fail(Boom())
        assert isinstance(await reader, Boom)
        assert got == ["a", "A", "b", "B", "c", "C"]

    @virtual
    async def test_a_stage_behind_it_that_leaves_closes_it(self) -> None:
        stream, emitter = push(Unbounded())
        for number in range(9):
            emitter.offer(number)
        timed = stream | ops.timeout(1.0) | ops.buffer(Suspend(1)) | ops.map(asyncio.sleep, concurrency=2)
        assert await (timed | ops.take(3) | ops.count()) == 3
        assert emitter.closed
        check_sum(emitter.stats())

    @virtual
    async def test_silence_times_out(self) -> None:
        stream, emitter = push(Suspend(1))
        with pytest.raises(TimeoutError):
            await (stream | ops.timeout(3.0) | ops.drain())
        assert asyncio.get_running_loop().time() == 3.0
        assert emitter.closed
