"""to_observable: the rules that a stream is observed by, each with tests named after it."""

import asyncio
import contextvars
import functools
import gc
import itertools
import random
import threading
from collections.abc import AsyncIterator, Iterator
from threading import get_ident
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as of
from reactivex.scheduler import NewThreadScheduler
from reactivex.scheduler.eventloop import AsyncIOScheduler, AsyncIOThreadSafeScheduler
from reactivex.subject import Subject

import streamkit
from streamkit import Stream, Suspend, ops, push, rx
from streamkit.testing import run
from tests.interop.test_rx_incoming import (
    PATIENCE,
    WHO,
    Halt,
    Source,
    drained,
    threads,
    turns,
    until,
    virtual,
)
from tests.laws.lab import Boom


class Numbers:
    """A source that notes what is done to it; its clean-up takes a second."""

    def __init__(self, count: float = float("inf"), *, error: Any = None) -> None:
        self.count = count
        self.error = error
        self.dirt: Exception | None = None
        """What its clean-up raises."""
        self.begun = self.taken = self.closed = 0

    async def __call__(self) -> AsyncIterator[int]:
        self.begun += 1
        try:
            for number in itertools.count():
                if number >= self.count:
                    break
                await asyncio.sleep(0)
                self.taken += 1
                yield number
            if self.error is not None:
                raise self.error
        finally:
            await asyncio.sleep(1.0)
            self.closed += 1
            if self.dirt is not None:
                raise self.dirt


class Heard:
    """An observer that notes what it hears, and in which thread, and fails if it hears two things at once."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.end: list[Any] = []
        self.threads: set[int] = set()
        self._busy = False

    def _note(self, into: list[Any], what: Any) -> None:
        assert not self._busy, "two at once"
        assert not self.end, "something after the end"
        self._busy = True
        self.threads.add(get_ident())
        into.append(what)
        self._busy = False

    def on_next(self, item: Any) -> None:
        self._note(self.items, item)

    def on_error(self, error: Exception) -> None:
        self._note(self.end, error)

    def on_completed(self) -> None:
        self._note(self.end, "completed")


def reports() -> list[dict[str, Any]]:
    """What reaches the loop's exception handler from now on."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


class TestCold:
    @virtual
    async def test_each_subscription_is_a_run_of_its_own(self) -> None:
        numbers = Numbers(3)
        observable = rx.to_observable(Stream(numbers))
        assert numbers.begun == 0
        first, second = Heard(), Heard()
        observable.subscribe(first)
        observable.subscribe(second)
        await observable.closed()
        assert first.items == second.items == [0, 1, 2]
        assert first.end == second.end == ["completed"]
        assert numbers.begun == numbers.closed == 2

    @virtual
    async def test_nothing_is_heard_inside_subscribe(self) -> None:
        heard = Heard()
        observable = rx.to_observable([1, 2, 3])
        observable.subscribe(heard)
        assert heard.items == []
        await observable.closed()
        assert heard.items == [1, 2, 3]

    @virtual
    async def test_a_source_that_runs_once_only_fails_the_second_subscription(self) -> None:
        first, second = Heard(), Heard()
        observable = rx.to_observable(iter("ab"))
        for heard in (first, second):
            observable.subscribe(heard)
        await observable.closed()
        assert first.items == ["a", "b"]
        assert isinstance(second.end[0], streamkit.SourceConsumedError)

    @virtual
    async def test_closed_has_nothing_to_wait_for_without_a_subscription(self) -> None:
        await rx.to_observable([1]).closed()


class TestSerialised:
    @virtual
    async def test_what_threads_emit_is_heard_one_after_the_other_in_the_loops_thread(self) -> None:
        pairs = [push(Suspend(2)) for _ in range(4)]
        merged, heard = streamkit.merge(*[stream for stream, _ in pairs]), Heard()
        observable = rx.to_observable(merged)
        observable.subscribe(heard)

        def emit(emitter: Any) -> None:
            for number in range(50):
                emitter.send_blocking(number)
            emitter.close()

        with threads(*[functools.partial(emit, emitter) for _, emitter in pairs]):
            await observable.closed()
        assert sorted(heard.items) == sorted([*range(50)] * 4)
        assert heard.end == ["completed"]
        assert heard.threads == {get_ident()}

    @virtual
    async def test_context_variables_are_those_of_the_subscriber(self) -> None:
        seen: list[str] = []
        observable = rx.to_observable(Stream([1]) | ops.tap(lambda _: seen.append(WHO.get())))
        for name in ("first", "second"):
            context = contextvars.copy_context()
            context.run(WHO.set, name)
            context.run(observable.subscribe, lambda _: seen.append(WHO.get()))
            await observable.closed()
        assert seen == ["first", "first", "second", "second"]


class TestTerminals:
    @virtual
    async def test_an_error_of_the_stream_is_heard_as_itself(self) -> None:
        boom, heard = Boom(), Heard()
        observable = rx.to_observable(Stream(Numbers(2, error=boom)))
        observable.subscribe(heard)
        await observable.closed()
        assert (heard.items, heard.end) == ([0, 1], [boom])

    @virtual
    async def test_an_error_without_an_observer_for_it_is_reported(self) -> None:
        found, boom = reports(), Boom()
        observable = rx.to_observable(Stream(Numbers(0, error=boom)))
        observable.subscribe(lambda _: None)
        await observable.closed()
        assert [context["exception"] for context in found] == [boom]

    @virtual
    async def test_what_is_no_exception_class_ends_the_task_and_is_reported(self) -> None:
        found, heard = reports(), Heard()
        observable = rx.to_observable(Stream(Numbers(1, error=Halt)))
        observable.subscribe(heard)
        await observable.closed()
        gc.collect()
        assert heard.items == [0]
        assert [type(context["exception"]) for context in found] == [Halt]

    @virtual
    async def test_an_error_of_the_clean_up_is_heard(self) -> None:
        numbers, heard = Numbers(1), Heard()
        numbers.dirt = OSError("clean-up")
        observable = rx.to_observable(Stream(numbers))
        observable.subscribe(heard)
        await observable.closed()
        assert (heard.items, heard.end) == ([0], [numbers.dirt])

    @virtual
    async def test_a_run_that_someone_else_cancels_ends_in_silence(self) -> None:
        numbers, heard = Numbers(), Heard()
        observable = rx.to_observable(Stream(numbers))
        observable.subscribe(heard)
        await turns()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await observable.closed()
        assert (heard.end, numbers.closed) == ([], 1)


class TestDispose:
    @virtual
    async def test_cancels_the_run_and_its_clean_up_can_be_awaited(self) -> None:
        numbers, heard = Numbers(), Heard()
        observable = rx.to_observable(Stream(numbers) | ops.map(asyncio.sleep) | ops.buffer(Suspend(2)))
        subscription = observable.subscribe(heard)
        await asyncio.sleep(3.5)
        subscription.dispose()
        items = len(heard.items)
        assert numbers.closed == 0
        await observable.closed()
        assert numbers.closed == 1
        assert asyncio.get_running_loop().time() == 4.5
        assert (len(heard.items), heard.end) == (items, [])

    @virtual
    async def test_before_the_run_has_begun_begins_nothing(self) -> None:
        numbers, heard = Numbers(), Heard()
        observable = rx.to_observable(Stream(numbers))
        observable.subscribe(heard).dispose()
        await observable.closed()
        assert (numbers.begun, heard.items, heard.end) == (0, [], [])

    @virtual
    async def test_twice_or_after_the_end_does_nothing(self) -> None:
        numbers, heard = Numbers(1), Heard()
        observable = rx.to_observable(Stream(numbers))
        subscription = observable.subscribe(heard)
        await observable.closed()
        for _ in range(2):
            subscription.dispose()
        await turns()
        assert (heard.end, numbers.closed) == (["completed"], 1)

    @virtual
    async def test_of_one_leaves_the_other_alone(self) -> None:
        numbers, first, second = Numbers(5), Heard(), Heard()
        observable = rx.to_observable(Stream(numbers))
        observable.subscribe(first).dispose()
        observable.subscribe(second)
        await observable.closed()
        assert second.items == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize("sync", [False, True])
    @virtual
    async def test_inside_on_next_stops_pulling_at_once(self, sync: bool) -> None:
        numbers, heard, seen = Numbers(), Heard(), list[int]()
        source = Stream(itertools.count() if sync else numbers) | ops.tap(seen.append)
        observable = rx.to_observable(source)
        observable.pipe(of.take(3)).subscribe(heard)
        await observable.closed()
        assert (heard.items, heard.end, seen) == ([0, 1, 2], ["completed"], [0, 1, 2])
        assert sync or (numbers.taken, numbers.closed) == (3, 1)

    @pytest.mark.usefixtures("real_clock")
    @virtual
    async def test_of_an_endless_source_that_never_waits_is_heard(self) -> None:
        heard = Heard()
        observable = rx.to_observable(itertools.count())
        subscription = observable.subscribe(heard)
        await turns(3)
        subscription.dispose()
        await observable.closed()
        assert heard.items == [*range(len(heard.items))]
        assert heard.end == []

    @virtual
    async def test_from_another_thread_cancels_the_run_in_the_loop(self) -> None:
        numbers, heard = Numbers(), Heard()
        observable = rx.to_observable(Stream(numbers) | ops.map(asyncio.sleep))
        subscription = observable.subscribe(heard)
        await asyncio.sleep(2.5)
        with threads(subscription.dispose):
            await observable.closed()
        assert (numbers.closed, heard.end) == (1, [])

    @virtual
    async def test_from_another_thread_during_on_next_lets_the_clean_up_finish(self) -> None:
        def next_one(number: int) -> None:
            if number == 2:
                with threads(subscription.dispose):
                    pass

        numbers = Numbers()
        observable = rx.to_observable(Stream(numbers))
        subscription = observable.subscribe(next_one)
        await observable.closed()
        assert (numbers.taken, numbers.closed) == (3, 1)  # BUG: cancelled once more, while it cleans up

    def test_after_the_loop_was_closed_does_nothing(self) -> None:
        subscriptions: list[Any] = []

        async def main() -> None:
            observable = rx.to_observable(Stream(Numbers(1)))
            subscriptions.append(observable.subscribe(Heard()))
            await observable.closed()

        run(main)
        subscriptions[0].dispose()


class TestErrorsAfterTheObserverHasLeft:
    """Nobody is left to hear of them: the loop's exception handler is told, not nobody."""

    @virtual
    async def test_of_the_clean_up_when_it_was_disposed(self) -> None:
        found, numbers = reports(), Numbers()
        numbers.dirt = OSError("clean-up")
        observable = rx.to_observable(Stream(numbers))
        subscription = observable.subscribe(lambda _: None)
        await turns()
        subscription.dispose()
        await observable.closed()
        assert [context["exception"] for context in found] == [numbers.dirt]

    @virtual
    async def test_of_the_clean_up_when_it_was_disposed_inside_on_next(self) -> None:
        found, numbers = reports(), Numbers()
        numbers.dirt = OSError("clean-up")
        observable = rx.to_observable(Stream(numbers))
        observable.pipe(of.take(2)).subscribe(Heard())
        await observable.closed()
        assert [context["exception"] for context in found] == [numbers.dirt]

    @virtual
    async def test_of_the_clean_up_of_an_observable_when_it_was_disposed(self) -> None:
        found, source = reports(), Source()
        source.failing = OSError("clean-up")
        observable = rx.to_observable(source.stream())
        subscription = observable.subscribe(lambda _: None)
        await turns()
        subscription.dispose()
        await observable.closed()
        assert len(source.disposals) == 1
        assert [context["exception"] for context in found] == [source.failing]


class TestErrorsOfObservers:
    @pytest.fixture
    def failing(self) -> Any:
        def fail(*_: Any) -> None:
            raise Boom("of the observer")

        return fail

    @virtual
    async def test_in_on_next_end_the_run_and_are_reported_and_not_heard(self, failing: Any) -> None:
        found, numbers, errors = reports(), Numbers(), list[Any]()
        observable = rx.to_observable(Stream(numbers))
        observable.subscribe(failing, errors.append)
        await observable.closed()
        assert [str(context["exception"]) for context in found] == ["of the observer"]
        assert "observer" in found[0]["message"]
        assert (errors, numbers.taken, numbers.closed) == ([], 1, 1)

    @virtual
    async def test_in_on_completed_are_reported(self, failing: Any) -> None:
        found, errors = reports(), list[Any]()
        observable = rx.to_observable([1])
        observable.subscribe(lambda _: None, errors.append, failing)
        await observable.closed()
        assert [str(context["exception"]) for context in found] == ["of the observer"]
        assert errors == []

    @virtual
    async def test_in_on_error_are_reported(self, failing: Any) -> None:
        found = reports()
        observable = rx.to_observable(Stream(Numbers(0, error=OSError())))
        observable.subscribe(lambda _: None, failing)
        await observable.closed()
        assert [str(context["exception"]) for context in found] == ["of the observer"]

    @virtual
    async def test_that_are_no_exception_class_are_reported(self) -> None:
        def halt(_: Any) -> None:
            raise Halt

        found, numbers = reports(), Numbers()
        observable = rx.to_observable(Stream(numbers))
        observable.subscribe(halt)
        await observable.closed()
        gc.collect()
        assert [type(context["exception"]) for context in found] == [Halt]
        assert numbers.closed == 1

    @virtual
    async def test_in_an_operator_of_rxpy_are_the_operators(self, failing: Any) -> None:
        numbers, heard = Numbers(), Heard()
        observable = rx.to_observable(Stream(numbers))
        observable.pipe(of.map(failing)).subscribe(heard)
        await observable.closed()
        assert [str(error) for error in heard.end] == ["of the observer"]
        assert (numbers.taken, numbers.closed) == (1, 1)


class TestWhereItRuns:
    def test_without_a_loop_it_says_what_to_do(self) -> None:
        observable, errors = rx.to_observable([1]), list[Any]()
        with pytest.raises(RuntimeError, match=r"scheduler=AsyncIOThreadSafeScheduler\(loop\)"):
            observable.subscribe(lambda _: None)
        observable.subscribe(lambda _: None, errors.append)
        assert isinstance(errors[0], RuntimeError)
        run(observable.closed())

    @pytest.mark.parametrize("make", [AsyncIOScheduler, AsyncIOThreadSafeScheduler])
    @pytest.mark.parametrize("where", ["to_observable", "subscribe"])
    @virtual
    async def test_the_loop_of_a_scheduler_runs_it_whoever_subscribes(self, make: Any, where: str) -> None:
        scheduler, heard = make(asyncio.get_running_loop()), Heard()
        given = {"scheduler": scheduler}
        observable = rx.to_observable([1, 2], **(given if where == "to_observable" else {}))
        work = functools.partial(observable.subscribe, heard, **(given if where == "subscribe" else {}))
        with threads(work) as (other,):
            await until(lambda: not other.is_alive())
        await observable.closed()
        assert (heard.items, heard.end) == ([1, 2], ["completed"])
        assert heard.threads == {get_ident()}

    @virtual
    async def test_the_scheduler_of_the_observable_comes_before_that_of_subscribe(self) -> None:
        here, heard = asyncio.get_running_loop(), Heard()
        other = asyncio.new_event_loop()
        observable = rx.to_observable([1], scheduler=AsyncIOScheduler(here))
        observable.subscribe(heard, scheduler=AsyncIOScheduler(other))
        await observable.closed()
        other.close()
        assert heard.items == [1]

    @virtual
    async def test_schedulers_of_another_kind_are_no_loop(self) -> None:
        heard = Heard()
        observable = rx.to_observable([1])
        observable.subscribe(heard, scheduler=NewThreadScheduler())
        await observable.closed()
        assert heard.threads == {get_ident()}

    @virtual
    async def test_closed_can_be_awaited_in_another_loop(self) -> None:
        numbers = Numbers(3)
        observable = rx.to_observable(Stream(numbers))
        observable.subscribe(Heard())
        with threads(lambda: asyncio.run(observable.closed())):
            await observable.closed()
        assert numbers.closed == 1

    @pytest.mark.parametrize("scheduler", [3, NewThreadScheduler()], ids=["number", "thread"])
    def test_a_scheduler_that_has_no_loop_is_refused(self, scheduler: Any) -> None:
        with pytest.raises(TypeError, match="scheduler must be an asyncio scheduler of RxPY, not "):
            rx.to_observable([1], scheduler=scheduler)

    def test_what_is_no_source_is_refused(self) -> None:
        with pytest.raises(TypeError, match="source must be an iterable"):
            rx.to_observable(3)  # type: ignore[arg-type]


class TestRoundTrip:
    @given(st.lists(st.integers()), st.booleans(), st.integers(1, 4))
    def test_through_rxpy_and_back_is_the_same_stream(
        self, items: list[int], fails: bool, capacity: int
    ) -> None:
        def source() -> Iterator[int]:
            yield from items
            if fails:
                raise Boom

        async def main() -> tuple[list[int], BaseException | None]:
            stream = Stream(source) | ops.buffer(Suspend(capacity))
            got: list[int] = []
            back = rx.from_observable(rx.to_observable(stream), strategy=Suspend(len(items) + 1))
            return got, await drained(back, got)

        got, error = run(main)
        assert got == items
        assert isinstance(error, Boom) == fails

    @virtual
    async def test_two_of_ours_meet_in_an_operator_of_theirs(self) -> None:
        left, right = rx.to_observable("abc"), rx.to_observable(Stream(Numbers()))
        zipped = left.pipe(of.zip(right))
        got = await (rx.from_observable(zipped, strategy=Suspend(8)) | ops.to_list())
        await right.closed()
        assert got == [("a", 0), ("b", 1), ("c", 2)]

    @virtual
    async def test_it_feeds_a_subject(self) -> None:
        subject, heard = Subject[int](), Heard()
        subject.subscribe(heard)
        observable = rx.to_observable(range(4))
        observable.subscribe(subject)
        await observable.closed()
        assert (heard.items, heard.end) == ([0, 1, 2, 3], ["completed"])


def test_a_thousand_subscriptions_from_four_threads_leave_nothing() -> None:
    sources: list[Numbers] = []

    class Quick(Numbers):
        async def __call__(self) -> AsyncIterator[int]:
            self.begun += 1
            try:
                for number in itertools.count():
                    await asyncio.sleep(0)
                    yield number
            finally:
                await asyncio.sleep(0)
                self.closed += 1

    def cycles(name: int, observable_of: Any) -> None:
        chance = random.Random(name)
        for _ in range(250):
            source = Quick()
            sources.append(source)
            done = threading.Event()
            stream = Stream(source) if chance.random() < 0.5 else Stream(source) | ops.buffer(Suspend(1))
            observable = observable_of(stream).pipe(
                of.take(chance.randrange(1, 6)), of.finally_action(done.set)
            )
            subscription = observable.subscribe(lambda _: None)
            for _ in range(chance.choice([0, 10, 1_000])):
                pass  # a while that is no loop's turn
            if chance.random() < 0.5:
                assert done.wait(PATIENCE)
            subscription.dispose()

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        found = reports()
        observables: list[Any] = []

        def observable_of(stream: Any) -> Any:
            observables.append(rx.to_observable(stream, scheduler=AsyncIOThreadSafeScheduler(loop)))
            return observables[-1]

        with threads(*[functools.partial(cycles, name, observable_of) for name in range(4)]) as workers:
            await until(lambda: not any(worker.is_alive() for worker in workers))
        for observable in observables:
            await observable.closed()
        await turns()
        assert len(observables) == 1_000
        assert all(source.begun == source.closed for source in sources)  # BUG: the same
        assert sum(source.begun for source in sources) > 250, "many began"
        assert not any(observable._subscriptions for observable in observables)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not found
        assert not loop._ready
        assert not [timer for timer in loop._scheduled if not timer.cancelled()]

    asyncio.run(main())
