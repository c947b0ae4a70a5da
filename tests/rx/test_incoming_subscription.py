"""from_observable: when it subscribes, and when it disposes."""

import asyncio
import contextlib
from collections.abc import Iterator
from threading import get_ident
from typing import Any

import pytest
import reactivex
from reactivex import operators as of
from reactivex.disposable import Disposable

import streamkit
from streamkit import BufferOverflowError, StreamTimeoutError, Suspend, ops, rx
from tests.laws.lab import Boom
from tests.rx.observables import Source, behind, drained, every_tail, every_terminal, threads, turns, virtual


class TestSubscription:
    @every_tail
    def test_is_never_made_by_composition(self, tail: str) -> None:
        source = Source()
        stream = behind(source.stream())[tail]
        (stream | ops.to_list()).explain(code=True)
        repr(stream)
        stream.open()
        assert source.subscriptions == 0

    @every_tail
    @virtual
    async def test_is_made_on_entering_open(self, tail: str) -> None:
        source = Source()
        async with behind(source.stream())[tail].open() as items:
            assert source.subscriptions == 1
            source.observer.on_next(1)
            source.observer.on_completed()
            assert [item async for item in items] == [1]
        assert source.subscriptions == len(source.disposals) == 1

    @every_tail
    @virtual
    async def test_is_made_at_the_first_pull(self, tail: str) -> None:
        source = Source()
        reader = asyncio.create_task(drained(behind(source.stream())[tail], []))
        await turns()
        source.observer.on_completed()
        assert await reader is None
        assert source.subscriptions == len(source.disposals) == 1

    @every_tail
    @virtual
    async def test_is_made_by_a_job_when_it_starts_or_is_awaited(self, tail: str) -> None:
        source = Source()
        job = behind(source.stream())[tail] | ops.to_list()
        assert source.subscriptions == 0
        handle = job.start()
        await turns()
        source.observer.on_next(1)
        source.observer.on_completed()
        assert await handle == [1]
        assert source.subscriptions == len(source.disposals) == 1

    @virtual
    async def test_of_an_argument_of_merge_is_made_at_the_first_pull_too(self) -> None:
        left, right = Source(), Source()
        merged = left.stream() | ops.merge(right.stream())
        assert (left.subscriptions, right.subscriptions) == (0, 0)
        reader = asyncio.create_task(drained(merged, []))
        await turns()
        left.observer.on_completed()
        right.observer.on_completed()
        assert await reader is None
        assert len(left.disposals) == len(right.disposals) == 1

    @virtual
    async def test_of_what_concat_comes_to_later_is_made_later(self) -> None:
        left, right, got = Source(), Source(), list[Any]()
        reader = asyncio.create_task(drained(streamkit.concat(left.stream(), right.stream()), got))
        await turns()
        assert (left.subscriptions, right.subscriptions) == (1, 0)
        left.observer.on_next(1)
        left.observer.on_completed()
        await turns()
        assert (len(left.disposals), right.subscriptions) == (1, 1)
        right.observer.on_next(2)
        right.observer.on_completed()
        assert await reader is None
        assert got == [1, 2]

    @virtual
    async def test_of_an_iterator_that_is_never_pulled_and_dropped_is_disposed(self) -> None:
        source = Source()
        items = aiter(source.stream())
        del items
        await turns()
        assert source.subscriptions == len(source.disposals)
        assert not source.observers

    @pytest.mark.parametrize(
        "found", [None, lambda: None, Disposable()], ids=["None", "function", "disposable"]
    )
    @virtual
    async def test_may_return_whatever_rx_allows(self, found: Any) -> None:
        observable = reactivex.create(
            lambda observer, _: (observer.on_next(1), observer.on_completed(), found)[-1]
        )
        assert await (rx.from_observable(observable, strategy=Suspend(1)) | ops.to_list()) == [1]

    @virtual
    async def test_is_made_anew_by_each_run(self) -> None:
        source = Source(lambda observer: (observer.on_next(source.subscriptions), observer.on_completed()))
        stream = source.stream()
        assert [await (stream | ops.to_list()) for _ in range(3)] == [[1], [2], [3]]
        assert len(source.disposals) == 3

    @virtual
    async def test_two_runs_at_once_have_one_each(self) -> None:
        source = Source()
        stream = source.stream()
        async with stream.open() as left, stream.open() as right:
            first, second = source.observers
            first.on_next("left")
            second.on_next("right")
            assert (await anext(left), await anext(right)) == ("left", "right")
        assert source.subscriptions == len(source.disposals) == 2

    def test_needs_no_loop_in_a_plain_for(self) -> None:
        assert list(rx.from_observable(reactivex.of(1, 2), strategy=Suspend(2)) | ops.map(str)) == ["1", "2"]

    @virtual
    async def test_does_not_connect_a_connectable_observable(self) -> None:
        source = Source()
        connectable: Any = source.observable.pipe(of.publish())
        async with rx.from_observable(connectable, strategy=Suspend(2)).open() as items:
            await turns()
            assert source.subscriptions == 0
            connected = connectable.connect()
            source.observer.on_next(1)
            assert await anext(items) == 1
        assert not source.disposals, "the connection is not ours"
        connected.dispose()
        assert len(source.disposals) == 1


class TestDisposal:
    """Once, on every exit, in the loop's thread; and when the exit is over, it has happened."""

    @pytest.fixture(autouse=True)
    def _source(self) -> Iterator[None]:
        self.source = Source()
        yield
        assert self.source.disposals == [get_ident()]
        assert not self.source.observers

    @every_tail
    @every_terminal
    @virtual
    async def test_when_it_is_exhausted_from_another_thread(self, tail: str, terminal: Any) -> None:
        reader = asyncio.create_task(drained(behind(self.source.stream())[tail], []))
        await turns()
        observer = self.source.observer
        with threads(lambda: terminal(observer)):
            await reader
        assert len(self.source.disposals) == 1

    @every_tail
    @virtual
    async def test_after_break(self, tail: str) -> None:
        async with behind(self.source.stream())[tail].open() as items:
            self.source.observer.on_next(1)
            self.source.observer.on_next(2)
            async for _ in items:
                break
        assert len(self.source.disposals) == 1

    @virtual
    async def test_after_break_out_of_a_bare_for(self) -> None:
        self.source._first = lambda observer: observer.on_next(1)
        async for _ in self.source.stream():
            break
        assert len(self.source.disposals) == 1

    def test_after_break_out_of_a_plain_for(self) -> None:
        self.source._first = lambda observer: observer.on_next(1)
        for _ in self.source.stream():
            break

    @every_tail
    @virtual
    async def test_after_an_error_in_the_pipeline(self, tail: str) -> None:
        def fail(_: Any) -> None:
            raise Boom

        self.source._first = lambda observer: observer.on_next(1)
        assert isinstance(await drained(behind(self.source.stream())[tail] | ops.tap(fail), []), Boom)

    @every_tail
    @virtual
    async def test_after_an_error_in_the_consumer(self, tail: str) -> None:
        with pytest.raises(Boom):
            async with behind(self.source.stream())[tail].open() as items:
                self.source.observer.on_next(1)
                async for _ in items:
                    raise Boom

    @every_tail
    @virtual
    async def test_when_cancelled(self, tail: str) -> None:
        reader = asyncio.create_task(drained(behind(self.source.stream())[tail], []))
        await turns()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert len(self.source.disposals) == 1

    @every_tail
    @virtual
    async def test_when_closed_before_the_first_pull(self, tail: str) -> None:
        async with behind(self.source.stream())[tail].open():
            pass
        assert len(self.source.disposals) == 1

    @virtual
    async def test_when_closed_while_a_pull_is_pending(self) -> None:
        async with self.source.stream().open() as items:
            pull = asyncio.ensure_future(anext(items, "end"))
            await turns()
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
            assert await pull == "end"
        assert len(self.source.disposals) == 1

    @virtual
    async def test_after_a_timeout(self) -> None:
        assert isinstance(await drained(self.source.stream() | ops.timeout(3.0), []), StreamTimeoutError)
        assert asyncio.get_running_loop().time() == 3.0

    @virtual
    async def test_after_a_timeout_around_it(self) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3.0):
                await (self.source.stream() | ops.drain())

    @virtual
    async def test_when_taken_enough(self) -> None:
        self.source._first = lambda observer: [observer.on_next(number) for number in range(5)]
        assert await (self.source.stream() | ops.take(3) | ops.to_list()) == [0, 1, 2]

    @virtual
    async def test_when_a_handle_is_stopped(self) -> None:
        handle = (self.source.stream() | ops.drain()).start()
        await turns()
        await handle.stop()
        assert len(self.source.disposals) == 1

    @virtual
    async def test_when_it_overflows(self) -> None:
        reader = asyncio.create_task(drained(self.source.stream(Suspend(1)), []))
        await turns()
        observer = self.source.observer
        observer.on_next(1)
        observer.on_next(2)
        assert len(self.source.disposals) == 1, "it is useless to go on"
        observer.on_next(3)
        assert isinstance(await reader, BufferOverflowError)
