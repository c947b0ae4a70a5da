"""push: a stream and its emitter, filled from callbacks, threads and other event loops."""

import asyncio
import contextlib
import functools
import gc
import threading
from collections.abc import Callable, Iterator
from operator import add
from typing import Any

import pytest

import streamkit
from streamkit import (
    BufferOverflowError,
    BufferStats,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Emitter,
    EmitterClosedError,
    Fail,
    Gap,
    KeepLatest,
    Offered,
    RunningLoopError,
    SourceConsumedError,
    Spill,
    Strategy,
    Suspend,
    Unbounded,
    attached,
    ops,
    push,
)
from streamkit.testing import run
from tests.laws.lab import Boom

ACCEPTED, DROPPED, FULL, CLOSED = Offered
PATIENCE = 2.0
"""Real seconds after which a thread that should have ended counts as stuck."""

OUTCOMES: list[tuple[Strategy, list[Offered], list[Any]]] = [
    (Suspend(2), [ACCEPTED, ACCEPTED, FULL], [1, 2]),
    (Collect(2), [ACCEPTED, ACCEPTED, FULL], [[1, 2]]),
    (Fail(2), [ACCEPTED, ACCEPTED, FULL], [1, 2]),
    (DropIncoming(2), [ACCEPTED, ACCEPTED, DROPPED], [1, 2]),
    (DropOldest(2), [ACCEPTED, ACCEPTED, ACCEPTED], [2, 3]),
    (DropYoungest(2), [ACCEPTED, ACCEPTED, ACCEPTED], [1, 3]),
    (DropAll(2), [ACCEPTED, ACCEPTED, ACCEPTED], [3]),
    (KeepLatest(), [ACCEPTED, ACCEPTED, ACCEPTED], [3]),
    (Conflate(add), [ACCEPTED, ACCEPTED, ACCEPTED], [6]),
    (Spill(2), [ACCEPTED, ACCEPTED, ACCEPTED], [1, 2, 3]),
    (Unbounded(), [ACCEPTED, ACCEPTED, ACCEPTED], [1, 2, 3]),
]
every_strategy = pytest.mark.parametrize(
    "strategy", [each[0] for each in OUTCOMES], ids=lambda strategy: type(strategy).__name__
)


async def turns(count: int = 8) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def check_sum(stats: BufferStats) -> None:
    assert stats.offered == stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held, stats


async def drained(stream: Any, got: list[Any]) -> BaseException | None:
    """Read all of `stream` into `got`; return the error that it ends with."""
    try:
        async for item in stream:
            got.append(item)
    except Exception as error:
        return error
    return None


@contextlib.contextmanager
def thread(work: Callable[[], object]) -> Iterator[threading.Thread]:
    """Do `work` in another thread meanwhile, and raise what it raised."""
    errors: list[BaseException] = []

    def main() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    worker = threading.Thread(target=main)
    worker.start()
    try:
        yield worker
    finally:
        worker.join(PATIENCE)
    assert not worker.is_alive(), "the other thread is stuck"
    for error in errors:
        raise error


def in_thread(work: Callable[[], object]) -> None:
    """Do `work` in another thread now; this one is busy meanwhile."""
    with thread(work):
        pass


def refused(send: Callable[[], object]) -> Callable[[], None]:
    """`send`, which must find the stream closed."""

    def work() -> None:
        with pytest.raises(EmitterClosedError):
            send()

    return work


def virtual(test: Callable[..., Any]) -> Any:
    """Run the coroutine of a test in virtual time, woken by other threads too; nothing may be left."""

    @functools.wraps(test)
    def wrapped(*arguments: Any, **named: Any) -> None:
        run(lambda: test(*arguments, **named), threads=True)

    return wrapped


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
            assert waits.wait(PATIENCE)
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
        async with stream.open() as items:
            assert await anext(items) == 1
            sender.cancel()
            await turns()
            assert sender.cancelled()
            assert await anext(items) == 2
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

        with thread(produce) as producer:
            producer.join(0.01)
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
        with thread(refused(lambda: emitter.send_blocking(3))) as blocked:
            await turns()
            blocked.join(0.01)
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


async def by_block(stream: Any) -> None:
    async with stream.open():
        pass


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
        with thread(refused(lambda: emitter.send_blocking(9))) as blocked:
            try:
                blocked.join(0.01)
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
                other.join(PATIENCE / 4)
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
    async def test_a_fold_that_offers_fails_the_stream(self) -> None:
        def fold(waiting: list[int], item: list[int]) -> list[int]:
            if item == [2]:
                emitter.offer([3])
            return waiting + item

        stream, emitter = push(Conflate(fold))
        emitter.offer([1])
        assert emitter.offer([2]) is CLOSED
        got: list[Any] = []
        error = await drained(stream, got)
        assert isinstance(error, RuntimeError)
        assert "the fold itself offered" in str(error)
        assert got == [[1, 3]]
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


@contextlib.contextmanager
def deserted(stream: Any, before: Callable[[], object] = lambda: None) -> Iterator[None]:
    """While a task whose event loop was closed reads `stream`; `before` is called just before that."""

    async def read() -> None:
        await (stream | ops.drain())

    loop = asyncio.new_event_loop()
    task = loop.create_task(read())
    loop.run_until_complete(turns())
    before()
    loop.close()
    try:
        yield
    finally:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        coroutine: Any = task.get_coro()
        coroutine.close()


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
        assert repr(emitter) == "<Emitter open Suspend(capacity=2)>"
        emitter.close()
        assert repr(emitter) == "<Emitter closed Suspend(capacity=2)>"
