"""from_observable: the order of signals, from one thread, from several, and from within each other."""

import asyncio
import functools
import sys
from typing import Any

import pytest
import reactivex
from reactivex import operators as of
from reactivex.subject import Subject

from streamkit import BufferOverflowError, DropOldest, ObservableError, Suspend, Unbounded, attached, ops, rx
from streamkit.testing import run
from tests.laws.lab import Boom
from tests.patience import joined
from tests.rx.observables import TERMINALS, Source, drained, every_terminal, threads, turns, virtual

untraced = pytest.mark.skipif(
    sys.gettrace() is not None, reason="measured line by line, the producer takes longer than it is granted"
)


class TestGrammar:
    @every_terminal
    @virtual
    async def test_what_comes_after_a_terminal_is_ignored(self, terminal: Any) -> None:
        def emit(observer: Any) -> None:
            observer.on_next(1)
            terminal(observer)
            observer.on_next(2)
            observer.on_error(OSError("late"))
            observer.on_completed()

        source, got = Source(), list[Any]()
        reader = asyncio.create_task(drained(source.stream(), got))
        await turns()
        emit(source.observer)
        error = await reader
        assert got == [1]
        assert (error is None) == (terminal is TERMINALS["completed"])
        assert error is None or (isinstance(error, Boom) and not attached(error))
        assert len(source.disposals) == 1

    @every_terminal
    @pytest.mark.parametrize("second", TERMINALS.values(), ids=TERMINALS)
    def test_of_two_terminals_the_first_counts(self, terminal: Any, second: Any) -> None:
        source, got = Source(lambda observer: (terminal(observer), second(observer))), list[Any]()
        error = run(drained(source.stream(), got))
        assert isinstance(error, Boom) == (terminal is TERMINALS["failed"])
        assert len(source.disposals) == 1

    @pytest.mark.parametrize("size", range(4))
    def test_what_is_held_is_delivered_before_the_terminal(self, size: int) -> None:
        for end, kind in ((reactivex.empty(), type(None)), (reactivex.throw(Boom()), Boom)):
            got: list[int] = []
            observable = reactivex.range(size).pipe(of.concat(end))
            error = run(drained(rx.from_observable(observable, strategy=Suspend(4)), got))
            assert isinstance(error, kind)
            assert got == list(range(size))

    @virtual
    async def test_an_observable_that_never_ends_is_waited_for(self) -> None:
        async with rx.from_observable(reactivex.never(), strategy=Suspend(1)).open() as items:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(items), 3600.0)


class TestThreads:
    @pytest.mark.parametrize("strategy", [Suspend(1), Suspend(7), Unbounded()], ids=repr)
    @virtual
    async def test_four_of_them_may_emit_at_once_on_one_subject(self, strategy: Any) -> None:
        subject: Any = Subject()

        def emit(name: int) -> None:
            for number in range(200):
                subject.on_next((name, number))

        got: list[Any] = []
        reader = asyncio.create_task(
            drained(rx.from_observable(subject, strategy=strategy) | ops.take(800), got)
        )
        await turns()
        with threads(*[functools.partial(emit, name) for name in range(4)]):
            assert await reader is None
        for name in range(4):
            assert [number for who, number in got if who == name] == list(range(200))
        assert not subject.observers

    @virtual
    async def test_four_of_them_may_end_it_at_once(self) -> None:
        source, got = Source(), list[Any]()
        reader = asyncio.create_task(drained(source.stream(Unbounded()), got))
        await turns()
        observer = source.observer

        def emit(name: int) -> None:
            observer.on_next(name)
            observer.on_error(Boom(name))

        with threads(*[functools.partial(emit, name) for name in range(4)]):
            error = await reader
        assert isinstance(error, Boom)
        assert not attached(error)
        assert len(got) == len(set(got)) >= 1
        assert len(source.disposals) == 1

    @virtual
    async def test_one_that_goes_on_and_on_after_the_disposal_is_told_with_an_error(self) -> None:
        source = Source()
        async with source.stream().open():
            observer = source.observer

        def emit() -> None:
            observer.on_next("may have begun before")
            with pytest.raises(ObservableError, match="subscription was disposed"):
                for number in range(10**6):
                    observer.on_next(number)

        with threads(emit):
            pass

    @pytest.mark.parametrize("length", [10, 1_000, pytest.param(20_000, marks=untraced)])
    def test_a_queue_of_rxpys_runs_dry_after_the_disposal_without_an_error(self, length: int) -> None:
        source, uncaught, emitted = Source(), list[BaseException](), [0]

        async def main() -> None:
            async with source.stream(Suspend(1)).open() as items:
                observer = source.observer
                with threads(lambda: fill(observer)):
                    await anext(items)
                    await asyncio.sleep(0.02)
                    await items.aclose()

        def fill(observer: Any) -> None:
            try:
                for number in range(length):
                    observer.on_next(number)
                    emitted[0] += 1
            except ObservableError as error:
                uncaught.append(error)

        asyncio.run(main())
        assert (emitted[0], uncaught) == (length, [])

    @virtual
    async def test_what_another_loop_emits_cannot_be_held(self) -> None:
        source, got = Source(), list[Any]()
        reader = asyncio.create_task(drained(source.stream(Suspend(2)), got))
        await turns()
        observer = source.observer

        async def emit() -> None:
            for number in range(10):
                observer.on_next(number)

        with threads(lambda: asyncio.run(emit())) as (other,):
            assert joined(other)
            error = await reader
        assert isinstance(error, BufferOverflowError)
        assert "subscribe_on" in str(error)
        assert got == [0, 1]


class TestReentrance:
    @virtual
    async def test_on_drop_may_emit(self) -> None:
        source, dropped = Source(), list[int]()

        def drop(item: int, _: str) -> None:
            dropped.append(item)
            if item < 9:
                source.observer.on_next(item + 10)

        async with source.stream(DropOldest(1, on_drop=drop)).open() as items:
            for number in (1, 2, 3):
                source.observer.on_next(number)
            source.observer.on_completed()
            assert [item async for item in items] == [3]
        assert dropped == [1, 2, 11, 12]

    @virtual
    async def test_the_pipeline_may_emit_into_its_own_source(self) -> None:
        subject: Any = Subject()

        def next_one(number: int) -> None:
            if number < 20:
                subject.on_next(number + 1)
            else:
                subject.on_completed()

        async with (rx.from_observable(subject, strategy=Suspend(2)) | ops.tap(next_one)).open() as items:
            subject.on_next(1)
            assert [item async for item in items] == list(range(1, 21))

    @virtual
    async def test_an_observer_beside_ours_may_emit_while_it_is_told(self) -> None:
        subject: Any = Subject()
        async with rx.from_observable(subject, strategy=Suspend(8)).open() as items:
            subject.subscribe(lambda item: subject.on_next(item - 1) if item else subject.on_completed())
            subject.on_next(3)
            assert [item async for item in items] == [3, 2, 1, 0]
