"""from_observable: the rules that an observable is read by, each with tests named after it."""

import asyncio
import contextlib
import contextvars
import functools
import itertools
import random
import threading
from collections.abc import Callable, Iterator
from threading import get_ident
from time import monotonic
from typing import Any

import pytest
import reactivex
from reactivex import operators as of
from reactivex.disposable import Disposable
from reactivex.scheduler import EventLoopScheduler, NewThreadScheduler, ThreadPoolScheduler, TimeoutScheduler
from reactivex.scheduler.eventloop import AsyncIOScheduler, AsyncIOThreadSafeScheduler
from reactivex.subject import AsyncSubject, BehaviorSubject, ReplaySubject, Subject
from reactivex.testing import ReactiveTest, TestScheduler

import streamkit
from streamkit import (
    BufferOverflowError,
    Collect,
    DropOldest,
    Fail,
    ObservableError,
    Stream,
    StreamTimeoutError,
    Suspend,
    Unbounded,
    attached,
    ops,
    rx,
)
from streamkit.testing import run
from tests.laws.lab import Boom

PATIENCE = 5.0
"""Real seconds after which a thread that should have ended counts as stuck."""


class Halt(BaseException):
    """As KeyboardInterrupt is: no `Exception`."""


class Source:
    """An observable in the test's hand, which keeps no grammar and notes what is done to it."""

    def __init__(self, first: Callable[[Any], object] = lambda observer: None) -> None:
        self.observers: list[Any] = []
        self.subscriptions = 0
        self.disposals: list[int] = []
        """The threads that disposed."""
        self.failing: Exception | None = None
        """What dispose raises."""
        self._first = first
        self.observable: Any = reactivex.create(self._subscribe)

    def _subscribe(self, observer: Any, _: Any = None) -> Disposable:
        self.subscriptions += 1
        self.observers.append(observer)
        self._first(observer)
        return Disposable(lambda: self._dispose(observer))

    def _dispose(self, observer: Any) -> None:
        self.disposals.append(get_ident())
        self.observers.remove(observer)
        if self.failing is not None:
            raise self.failing

    @property
    def observer(self) -> Any:
        (only,) = self.observers
        return only

    def stream(self, strategy: Any = None) -> Stream[Any]:
        return rx.from_observable(self.observable, strategy=strategy or Suspend(8))


async def turns(count: int = 8) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until `condition` holds; the other threads make it so."""
    late = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < late, "the other threads are stuck"
        await asyncio.to_thread(lambda: None)  # gives the other threads their turn


async def drained(stream: Any, got: list[Any]) -> BaseException | None:
    """Read all of `stream` into `got`; return the error that it ends with."""
    try:
        async for item in stream:
            got.append(item)
    except (Exception, Halt) as error:
        return error
    return None


@contextlib.contextmanager
def threads(*works: Callable[[], object]) -> Iterator[list[threading.Thread]]:
    """Do `works` in threads of their own meanwhile; raise what they raised, or if one is stuck."""
    errors: list[BaseException] = []

    def main(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=main, args=(work,), daemon=True) for work in works]
    for worker in workers:
        worker.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.join(PATIENCE)
    assert not any(worker.is_alive() for worker in workers), "a thread is stuck"
    for error in errors:
        raise error


def virtual(test: Callable[..., Any]) -> Any:
    """Run the coroutine of a test in virtual time, woken by other threads too; nothing may be left."""

    @functools.wraps(test)
    def wrapped(*arguments: Any, **named: Any) -> None:
        run(lambda: test(*arguments, **named), threads=True)

    return wrapped


TERMINALS: dict[str, Callable[[Any], object]] = {
    "completed": lambda observer: observer.on_completed(),
    "failed": lambda observer: observer.on_error(Boom("first")),
}
every_terminal = pytest.mark.parametrize("terminal", TERMINALS.values(), ids=TERMINALS)


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
            other.join(PATIENCE)
            assert not other.is_alive()
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


def behind(stream: Stream[Any]) -> dict[str, Stream[Any]]:
    """`stream`, and what may follow it."""

    async def slow(item: Any) -> Any:
        await asyncio.sleep(0)
        return item

    return {
        "alone": stream,
        "a step": stream | ops.map(lambda item: item),
        "an async step": stream | ops.map(slow),
        "a buffer": stream | ops.buffer(Suspend(2)),
        "a merge": stream | ops.merge([]),
        "first in a merge": streamkit.merge(stream, []),
        "a concurrent map": stream | ops.map(slow, concurrency=3),
        "steps and a buffer": stream | ops.map(slow) | ops.buffer(Suspend(2)) | ops.map(lambda item: item),
        "a timeout": stream | ops.timeout(60.0),
        "two stages": stream | ops.map(slow, concurrency=2) | ops.buffer(Suspend(2)),
    }


CANCELS = ("a concurrent map", "two stages")
"""Those in which an error of the source cancels the call that has the item."""

every_tail = pytest.mark.parametrize("tail", behind(Stream([])))


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
            thread.join(PATIENCE)
            assert not thread.is_alive()
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


class TestErrors:
    @virtual
    async def test_that_are_no_exception_class_arrive_as_themselves(self) -> None:
        source, got = Source(), list[Any]()
        reader = asyncio.create_task(drained(source.stream(), got))
        await turns()
        halt = Halt()
        source.observer.on_next(1)
        source.observer.on_error(halt)
        assert await reader is halt
        assert got == [1]
        assert len(source.disposals) == 1

    @pytest.mark.parametrize("error", ["no more", None, 42, ValueError], ids=repr)
    @virtual
    async def test_that_are_no_exceptions_arrive_as_observable_error(self, error: Any) -> None:
        source, got = Source(lambda observer: (observer.on_next(1), observer.on_error(error))), list[Any]()
        found = await drained(source.stream(), got)
        assert isinstance(found, ObservableError)
        assert str(error) in str(found)
        assert got == [1]

    @every_tail
    @virtual
    async def test_of_subscribe_itself_arrive_after_what_it_had_emitted(self, tail: str) -> None:
        boom, got = Boom("in subscribe"), list[Any]()

        def subscribe(observer: Any, _: Any) -> Any:
            observer.on_next(1)
            raise boom

        stream = rx.from_observable(reactivex.create(subscribe), strategy=Suspend(2))
        assert await drained(behind(stream)[tail], got) is boom
        assert got == ([] if tail in CANCELS else [1])

    @virtual
    async def test_of_subscribe_after_a_terminal_are_not_told(self) -> None:
        def subscribe(observer: Any, _: Any) -> Any:
            observer.on_completed()
            raise Boom

        stream = rx.from_observable(reactivex.create(subscribe), strategy=Suspend(2))
        assert await (stream | ops.to_list()) == []

    @virtual
    async def test_of_subscribe_that_end_the_program_are_not_kept(self) -> None:
        def subscribe(observer: Any, _: Any) -> Any:
            raise Halt

        with pytest.raises(Halt):
            await (rx.from_observable(reactivex.create(subscribe), strategy=Suspend(2)) | ops.drain())
        after = rx.from_observable(reactivex.of(1), strategy=Suspend(2))
        assert await (after | ops.to_list()) == [1], "RxPY's trampoline of this thread is as before"

    @every_tail
    @virtual
    async def test_of_dispose_are_those_of_the_clean_up(self, tail: str) -> None:
        source = Source(lambda observer: (observer.on_next(1), observer.on_completed()))
        source.failing = OSError("dispose")
        got: list[Any] = []
        assert await drained(behind(source.stream())[tail], got) is source.failing
        assert got == ([] if tail in CANCELS else [1])

    @virtual
    async def test_of_dispose_hang_on_the_error_that_came_before(self) -> None:
        source = Source()
        source.failing = OSError("dispose")
        with pytest.raises(Boom) as caught:
            async with source.stream().open():
                raise Boom
        assert attached(caught.value) == (source.failing,)
        source = Source(lambda observer: observer.on_error(Boom()))
        source.failing = OSError("dispose")
        error = await drained(source.stream(), [])
        assert isinstance(error, Boom)
        assert attached(error) == (source.failing,)

    @virtual
    async def test_of_dispose_come_after_a_break(self) -> None:
        source = Source(lambda observer: observer.on_next(1))
        source.failing = OSError("dispose")
        with pytest.raises(OSError, match="dispose"):
            async with source.stream().open() as items:
                async for _ in items:
                    break
        assert len(source.disposals) == 1

    @virtual
    async def test_what_dispose_itself_emits_is_ignored(self) -> None:
        def subscribe(observer: Any, _: Any) -> Any:
            observer.on_next(1)
            return Disposable(lambda: (observer.on_next(2), observer.on_error(Boom())))

        stream = rx.from_observable(reactivex.create(subscribe), strategy=Suspend(2))
        assert await (stream | ops.take(1) | ops.to_list()) == [1]


WHO = contextvars.ContextVar("WHO", default="nobody")


@pytest.mark.parametrize("buffered", [False, True])
@virtual
async def test_context_variables_are_the_consumers_whichever_thread_emits(buffered: bool) -> None:
    seen: list[tuple[str, str]] = []

    def emit(observer: Any) -> None:
        WHO.set("emitter")
        observer.on_next(1)
        observer.on_completed()

    def subscribe(observer: Any, _: Any) -> Any:
        seen.append(("subscribe", WHO.get()))
        threading.Thread(target=emit, args=(observer,)).start()
        return Disposable(lambda: seen.append(("dispose", WHO.get())))

    WHO.set("consumer")
    stream = rx.from_observable(reactivex.create(subscribe), strategy=Suspend(1))
    stream = stream | ops.buffer(Suspend(1)) if buffered else stream
    await (stream | ops.tap(lambda _: seen.append(("step", WHO.get()))) | ops.drain())
    assert seen == [("subscribe", "consumer"), ("step", "consumer"), ("dispose", "consumer")]


class TestSubjects:
    @virtual
    async def test_a_replay_subject_replays(self) -> None:
        subject: Any = ReplaySubject(buffer_size=3)
        for number in range(5):
            subject.on_next(number)
        async with rx.from_observable(subject, strategy=Suspend(4)).open() as items:
            subject.on_next(5)
            subject.on_completed()
            assert [item async for item in items] == [2, 3, 4, 5]
        assert not subject.observers

    @virtual
    async def test_a_replay_subject_that_replays_too_much_overflows(self) -> None:
        subject, got = ReplaySubject[int](), list[int]()
        for number in range(5):
            subject.on_next(number)
        error = await drained(rx.from_observable(subject, strategy=Suspend(4)), got)
        assert isinstance(error, BufferOverflowError)
        assert got == [0, 1, 2, 3]
        assert not subject.observers

    @virtual
    async def test_a_behavior_subject_begins_with_its_value(self) -> None:
        subject: Any = BehaviorSubject("now")
        async with rx.from_observable(subject, strategy=Suspend(2)).open() as items:
            subject.on_next("later")
            assert (await anext(items), await anext(items)) == ("now", "later")
        assert not subject.observers

    @virtual
    async def test_an_async_subject_gives_its_last(self) -> None:
        subject: Any = AsyncSubject()
        async with rx.from_observable(subject, strategy=Suspend(1)).open() as items:
            for number in range(9):
                subject.on_next(number)
            subject.on_completed()
            assert [item async for item in items] == [8]

    @virtual
    async def test_a_subject_that_has_ended_ends_the_stream_at_once(self) -> None:
        for end, error in ((Subject.on_completed, None), (lambda each: each.on_error(Boom()), Boom)):
            subject: Any = Subject()
            end(subject)
            found = await drained(rx.from_observable(subject, strategy=Suspend(1)), [])
            assert found is None if error is None else isinstance(found, error)


class TestSchedulers:
    @pytest.mark.parametrize("make", [AsyncIOScheduler, AsyncIOThreadSafeScheduler])
    @virtual
    async def test_of_asyncio_keep_the_loops_time(self, make: Any) -> None:
        loop = asyncio.get_running_loop()
        ticks = reactivex.interval(1.5, scheduler=make(loop))
        stream = rx.from_observable(ticks, strategy=Suspend(2)) | ops.map(lambda tick: (tick, loop.time()))
        got = await (stream | ops.take(3) | ops.to_list())
        assert [tick for tick, _ in got] == [0, 1, 2]
        assert [when for _, when in got] == pytest.approx([1.5, 3.0, 4.5], abs=0.1)

    @virtual
    async def test_of_a_thread_pool_are_held_and_let_go(self) -> None:
        pool = ThreadPoolScheduler(2)
        counting = reactivex.from_iterable(range(10**9)).pipe(of.subscribe_on(pool))
        stream = rx.from_observable(counting, strategy=Suspend(2))
        for _ in range(3):
            assert await (stream | ops.take(5) | ops.to_list()) == [0, 1, 2, 3, 4]
        await asyncio.to_thread(pool.executor.shutdown)

    @virtual
    async def test_of_a_thread_pool_may_stand_before_our_end(self) -> None:
        pool = ThreadPoolScheduler(1)
        counting = reactivex.range(100).pipe(of.observe_on(pool))
        stream = rx.from_observable(counting, strategy=Suspend(2))
        assert await (stream | ops.to_list()) == list(range(100))
        await asyncio.to_thread(pool.executor.shutdown)

    @virtual
    async def test_of_a_thread_that_is_shared_go_on_when_we_leave(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scheduler, uncaught = EventLoopScheduler(), list[Any]()
        monkeypatch.setattr(threading, "excepthook", uncaught.append)
        watched = reactivex.range(100).pipe(of.observe_on(scheduler))
        assert await (rx.from_observable(watched, strategy=Suspend(1)) | ops.take(3) | ops.count()) == 3
        done = threading.Event()
        scheduler.schedule(lambda *_: done.set())
        assert await asyncio.to_thread(done.wait, PATIENCE)
        scheduler.dispose()
        assert not uncaught  # BUG: what is late ends the scheduler's thread by an ObservableError

    @virtual
    async def test_of_timer_threads_tick_in_real_time_beside_ours(self) -> None:
        ticks = reactivex.interval(0.001, scheduler=TimeoutScheduler())
        stream = rx.from_observable(ticks, strategy=Suspend(1))
        assert await (stream | ops.take(3) | ops.to_list()) == [0, 1, 2]
        await until(lambda: not any(isinstance(each, threading.Timer) for each in threading.enumerate()))

    @virtual
    async def test_in_virtual_time_of_rxpy_stand_beside_our_virtual_time(self) -> None:
        scheduler, loop = TestScheduler(), asyncio.get_running_loop()
        hot: Any = scheduler.create_hot_observable(
            *[ReactiveTest.on_next(100.0 * number, number) for number in (1, 2, 3)],
            ReactiveTest.on_completed(400.0),
        )
        async with rx.from_observable(hot, strategy=Suspend(2)).open() as items:
            scheduler.advance_to(150.0)
            await asyncio.sleep(60.0)
            assert await anext(items) == 1
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(items), 30.0)
        assert (scheduler.clock, loop.time()) == (150.0, 90.0)
        async with rx.from_observable(hot, strategy=Suspend(2)).open() as items:
            scheduler.advance_to(500.0)
            assert [item async for item in items] == [2, 3]
        assert [(each.subscribe, each.unsubscribe) for each in hot.subscriptions] == [(0, 150), (150, 500)]


class TestArguments:
    @pytest.mark.parametrize("make", [Stream, ops.merge, streamkit.concat, rx.to_observable])
    def test_stream_of_an_observable_says_which_call_to_use(self, make: Any) -> None:
        with pytest.raises(TypeError, match=r"streamkit\.rx\.from_observable\(observable, strategy"):
            make(reactivex.of(1))

    @pytest.mark.parametrize(
        "value", [[1], None, lambda: reactivex.of(1), Stream([1])], ids=lambda value: type(value).__name__
    )
    def test_what_is_no_observable_is_named(self, value: Any) -> None:
        with pytest.raises(TypeError, match="observable must be an RxPY observable, not "):
            rx.from_observable(value, strategy=Suspend(1))

    def test_the_strategy_must_be_given(self) -> None:
        with pytest.raises(TypeError, match="strategy"):
            rx.from_observable(reactivex.of(1))  # type: ignore[call-arg]
        for value in (None, 16, Suspend):
            with pytest.raises(TypeError, match="strategy must be a strategy such as Suspend"):
                rx.from_observable(reactivex.of(1), strategy=value)  # type: ignore[arg-type]

    def test_the_front_door_leads_there(self) -> None:
        assert streamkit.rx is rx

    def test_explain_counts_what_the_strategy_holds(self) -> None:
        stream = Source().stream(DropOldest(8)) | ops.batch(3)
        source = stream.explain().parts[0]
        assert (source.strategy, source.holds, source.loses) == ("DropOldest(capacity=8)", 8, "oldest items")

    @virtual
    async def test_the_handle_has_the_account(self) -> None:
        source = Source(lambda observer: [observer.on_next(number) for number in range(5)])
        handle = (source.stream(Suspend(3)) | ops.buffer(Suspend(1)) | ops.take(2) | ops.drain()).start()
        await handle
        (stats,) = [each for each in handle.buffers() if "from_observable" in each.operator]
        assert stats.offered == stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held


def test_a_thousand_subscriptions_from_four_threads_leave_nothing() -> None:
    shared, ended = Subject[int](), [0]

    async def consume(subject: Any, seed: int) -> None:
        stream = rx.from_observable(subject, strategy=Suspend(1 + seed % 3))
        tail = behind(stream)[[*behind(stream)][seed % len(behind(stream))]]
        try:
            async for _ in tail | ops.take(1 + seed % 4):
                await turns(seed % 2)
        finally:
            ended[0] += 1

    def cycles(name: int, loop: asyncio.AbstractEventLoop) -> None:
        chance = random.Random(name)
        for _ in range(250):
            subject = chance.choice([shared, Subject[int]()])
            consumer = asyncio.run_coroutine_threadsafe(consume(subject, chance.randrange(10**6)), loop)
            for number in range(chance.randrange(6)):
                for _ in range(chance.choice([0, 10, 1_000])):
                    pass  # a while that is no loop's turn
                subject.on_next(number)
            if subject is shared or chance.random() < 0.4:
                consumer.cancel()
            else:
                subject.on_completed()
                consumer.result(PATIENCE)

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        reported: list[Any] = []
        loop.set_exception_handler(lambda _, context: reported.append(context))
        with threads(*[functools.partial(cycles, name, loop) for name in range(4)]) as workers:
            await until(lambda: not any(worker.is_alive() for worker in workers))
        await until(lambda: len(asyncio.all_tasks()) == 1)
        await turns()
        assert not shared.observers
        assert not reported
        assert not loop._ready
        assert not [timer for timer in loop._scheduled if not timer.cancelled()]
        assert ended[0] > 250, "many began to read"

    asyncio.run(main())
