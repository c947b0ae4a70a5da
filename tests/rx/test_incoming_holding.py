"""from_observable: what is held under each strategy, and observables that never stop."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as of
from reactivex.disposable import Disposable
from reactivex.scheduler import NewThreadScheduler
from reactivex.subject import Subject

from streamkit import (
    BufferOverflowError,
    Collect,
    DropIncoming,
    DropOldest,
    Fail,
    ObservableError,
    Suspend,
    ops,
    rx,
)
from tests.laws.lab import Boom
from tests.patience import joined
from tests.rx.observables import Source, drained, threads, turns, until, virtual


class TestHolding:
    @pytest.mark.parametrize("strategy", [Suspend(1), Suspend(2), Suspend(5), Collect(3)], ids=repr)
    @virtual
    async def test_suspend_holds_a_thread_until_there_is_room(self, strategy: Any) -> None:
        subject: Any = Subject()
        begun, done, ahead, got = [0], [0], list[int](), list[int]()

        def emit() -> None:
            for number in range(60):
                begun[0] += 1
                subject.on_next(number)
                done[0] += 1
            subject.on_completed()

        async with rx.from_observable(subject, strategy=strategy).open() as items:
            with threads(emit) as (emitter,):
                await until(lambda: begun[0] == strategy.limit + 1)
                await until(lambda: done[0] == strategy.limit)
                await turns(100)
                assert (begun[0], done[0], emitter.is_alive()) == (strategy.limit + 1, strategy.limit, True)
                async for each in items:
                    got += each if strategy.collects else [each]
                    ahead.append(done[0] - len(got))
        assert got == list(range(60))
        assert max(ahead) <= strategy.limit

    @virtual
    async def test_a_close_lets_the_thread_that_is_held_go(self) -> None:
        source = Source()
        async with source.stream(Suspend(1)).open() as items:
            observer = source.observer
            with threads(lambda: [observer.on_next(number) for number in range(3)]) as (emitter,):
                assert await anext(items) == 0
                await turns(50)
                assert emitter.is_alive()
                await items.aclose()
        assert len(source.disposals) == 1

    @virtual
    async def test_an_error_of_the_observable_lets_the_threads_that_are_held_go(self) -> None:
        source, got = Source(lambda observer: observer.on_next(0)), list[Any]()
        async with source.stream(Suspend(1)).open() as items:
            observer, held = source.observer, [0]

            def emit() -> None:
                held[0] += 1
                observer.on_next(1)

            with threads(emit, emit):
                await until(lambda: held[0] == 2)
                await turns(20)
                observer.on_error(Boom())
            assert isinstance(await drained(items, got), Boom)
        assert got[0] == 0

    def test_a_plain_for_that_is_left_lets_the_thread_go(self) -> None:
        observable = reactivex.from_iterable(range(1_000)).pipe(of.subscribe_on(NewThreadScheduler()))
        for item in rx.from_observable(observable, strategy=Suspend(1)):
            if item == 3:
                break

    @pytest.mark.parametrize("strategy", [Suspend(2), Collect(2)], ids=repr)
    @virtual
    async def test_what_emits_on_the_loops_own_thread_overflows_with_the_cure(self, strategy: Any) -> None:
        subject, beside, got = Subject[int](), list[int](), list[Any]()
        subject.subscribe(beside.append)
        reader = asyncio.create_task(drained(rx.from_observable(subject, strategy=strategy), got))
        await turns()
        for number in range(4):
            subject.on_next(number)
        error = await reader
        assert isinstance(error, BufferOverflowError)
        assert "subscribe_on" in str(error)
        assert "event loop's own thread" in str(error)
        assert got == ([[0, 1]] if strategy.collects else [0, 1])
        assert beside == [0, 1, 2, 3], "others that observe it hear all"

    @virtual
    async def test_fail_overflows_without_the_cure_where_it_was_asked_to(self) -> None:
        got: list[int] = []
        stream = rx.from_observable(reactivex.range(4), strategy=Fail(2))
        error = await drained(stream, got)
        assert isinstance(error, BufferOverflowError)
        assert "subscribe_on" not in str(error)
        assert got == [0, 1]

    @virtual
    async def test_a_lossy_strategy_loses_as_it_says(self) -> None:
        handle = (rx.from_observable(reactivex.range(9), strategy=DropOldest(2)) | ops.to_list()).start()
        assert await handle == [7, 8]
        (stats,) = handle.buffers()
        assert (stats.offered, stats.delivered, stats.dropped) == (9, 2, 7)

    @virtual
    async def test_a_strategy_that_drops_what_comes_drops_it(self) -> None:
        stream = rx.from_observable(reactivex.range(9), strategy=DropIncoming(2))
        handle = (stream | ops.to_list()).start()
        assert await handle == [0, 1]
        (stats,) = handle.buffers()
        assert (stats.offered, stats.delivered, stats.dropped) == (9, 2, 7)

    @virtual
    async def test_what_the_loop_emits_has_its_place_again_when_all_was_taken(self) -> None:
        source = Source()
        async with source.stream(Suspend(2)).open() as items:
            observer = source.observer
            with threads(lambda: [observer.on_next(number) for number in range(3)]):
                await until(lambda: len(source.observer._waiters) == 1)
                observer.on_next("beyond")
                assert [await anext(items) for _ in range(4)] == [0, 1, "beyond", 2]
            observer.on_next("first")
            observer.on_next("second")
            assert [await anext(items), await anext(items)] == ["first", "second"]


ENDLESS: dict[str, Callable[[], Any]] = {
    "from_iterable": lambda: reactivex.from_iterable(itertools.count()),
    "repeat_value": lambda: reactivex.repeat_value(1),
    "generate": lambda: reactivex.generate(0, lambda _: True, lambda number: number + 1),
    "repeat": lambda: reactivex.range(3).pipe(of.repeat()),
    "range": lambda: reactivex.range(10**9),
    "create": lambda: reactivex.create(_on_and_on),
}
every_endless = pytest.mark.parametrize("endless", ENDLESS)


def _on_and_on(observer: Any, _: Any = None) -> Disposable:
    """A producer that looks at nothing: only an error can end it."""
    for number in itertools.count():
        observer.on_next(number)
    raise AssertionError("count() has ended")


class TestEndlessInsideSubscribe:
    @every_endless
    @pytest.mark.parametrize("strategy", [Suspend(4), Fail(4)], ids=repr)
    @virtual
    async def test_overflows_after_what_was_held_and_names_the_cure(
        self, endless: str, strategy: Any
    ) -> None:
        got: list[Any] = []
        error = await drained(rx.from_observable(ENDLESS[endless](), strategy=strategy), got)
        assert isinstance(error, BufferOverflowError)
        assert ("subscribe_on" in str(error)) == strategy.waits
        assert len(got) == 4


class TestEndlessOnAThread:
    """What overflows inside subscribe, with the cure."""

    @pytest.fixture(autouse=True)
    def _its_thread_ends(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """The thread ends by an error of ours at the worst: RxPY 4 lets it out."""
        before, uncaught = set(threading.enumerate()), list[Any]()
        monkeypatch.setattr(threading, "excepthook", uncaught.append)
        yield
        for thread in set(threading.enumerate()) - before:
            assert joined(thread)
        assert [each.exc_type for each in uncaught if each.exc_type is not ObservableError] == []

    @every_endless
    @pytest.mark.parametrize("strategy", [Suspend(1), Suspend(16), DropOldest(4)], ids=repr)
    @virtual
    async def test_can_be_taken_from(self, endless: str, strategy: Any) -> None:
        observable = ENDLESS[endless]().pipe(of.subscribe_on(NewThreadScheduler()))
        stream = rx.from_observable(observable, strategy=strategy)
        assert len(await (stream | ops.take(3) | ops.to_list())) == 3

    @every_endless
    @virtual
    async def test_can_be_left_with_the_thread_held(self, endless: str) -> None:
        observable = ENDLESS[endless]().pipe(of.subscribe_on(NewThreadScheduler()))
        async with rx.from_observable(observable, strategy=Suspend(1)).open() as items:
            await anext(items)

    @every_endless
    @virtual
    async def test_fails_where_the_strategy_fails(self, endless: str) -> None:
        observable = ENDLESS[endless]().pipe(of.subscribe_on(NewThreadScheduler()))
        stream = rx.from_observable(observable, strategy=Fail(1))
        assert isinstance(await drained(stream | ops.tap(lambda _: turns()), []), BufferOverflowError)

    @pytest.mark.parametrize("endless", ["from_iterable", "generate", "create"])
    @virtual
    async def test_loses_nothing(self, endless: str) -> None:
        observable = ENDLESS[endless]().pipe(of.subscribe_on(NewThreadScheduler()))
        stream = rx.from_observable(observable, strategy=Suspend(3))
        assert await (stream | ops.take(200) | ops.to_list()) == list(range(200))
