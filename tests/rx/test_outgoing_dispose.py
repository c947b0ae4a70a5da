"""to_observable: disposal, and errors of observers and of those who have left."""

import asyncio
import functools
import gc
import itertools
import random
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from reactivex import operators as of
from reactivex.scheduler.eventloop import AsyncIOThreadSafeScheduler

from streamkit import Stream, Suspend, ops, rx
from streamkit.testing import Faults, run
from tests.laws.lab import Boom
from tests.patience import comes, idle
from tests.rx.observables import Halt, Source, threads, turns, until, virtual
from tests.rx.observers import Heard, Numbers, reports


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

    @pytest.mark.parametrize("later", range(4))
    @virtual
    async def test_at_any_turn_disposes_what_the_stream_has_subscribed_to(self, later: int) -> None:
        source = Source()
        observable = rx.to_observable(source.stream())
        subscription = observable.subscribe(Heard())
        await turns(later)
        subscription.dispose()
        await observable.closed()
        assert len(source.disposals) == source.subscriptions

    @virtual
    async def test_while_the_source_closes_by_itself_cuts_nothing_short(self) -> None:
        numbers = Numbers(1)
        observable = rx.to_observable(Stream(numbers))
        subscription = observable.subscribe(Heard())
        await asyncio.sleep(0.5)
        subscription.dispose()
        await observable.closed()
        assert numbers.closed == 1

    def test_when_the_program_ends_cuts_nothing_short(self) -> None:
        async def main() -> None:
            numbers, source, pumped = Numbers(), Source(), rx.operator(of.map(abs), strategy=Suspend(1))
            observables = [
                rx.to_observable(Stream(numbers)),
                rx.to_observable(Stream(Numbers()) | pumped),  # its pump is cancelled, which is no error
                rx.to_observable(source.stream()),
            ]
            subscriptions = [each.subscribe(Heard()) for each in observables]
            try:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            finally:
                for subscription in subscriptions:
                    subscription.dispose()
                for each in observables:
                    await each.closed()
                assert (numbers.closed, len(source.disposals)) == (numbers.begun, source.subscriptions)

        run(main, faults=Faults.SHUTDOWN)

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

    @virtual
    async def test_from_another_thread_before_the_run_has_begun_opens_nothing(self) -> None:
        numbers, heard = Numbers(), Heard()
        scheduler = AsyncIOThreadSafeScheduler(asyncio.get_running_loop())
        observable = rx.to_observable(Stream(numbers), scheduler=scheduler)
        with threads(lambda: observable.subscribe(heard).dispose()):
            pass  # this thread, the loop's, waits until that has ended
        await observable.closed()
        assert (numbers.begun, heard.items, heard.end) == (0, [], [])

    @virtual
    async def test_inside_on_next_and_a_cancellation_of_the_clean_up_after_it_report_nothing(self) -> None:
        found, numbers = reports(), Numbers()
        observable = rx.to_observable(Stream(numbers))
        observable.pipe(of.take(2)).subscribe(Heard())
        await turns()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await observable.closed()
        assert found == []

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


class Quick(Numbers):
    """One whose clean-up takes a turn only."""

    async def __call__(self) -> AsyncIterator[int]:
        self.begun += 1
        try:
            for number in itertools.count():
                await asyncio.sleep(0)
                yield number
        finally:
            await asyncio.sleep(0)
            self.closed += 1


def cycle(chance: random.Random, source: Quick, observable_of: Callable[[Any], Any]) -> None:
    """Subscribe to `source`, and dispose at some time: before it begins, meanwhile, or when it has ended."""
    done = threading.Event()
    stream = Stream(source) if chance.random() < 0.5 else Stream(source) | ops.buffer(Suspend(1))
    observable = observable_of(stream).pipe(of.take(chance.randrange(1, 6)), of.finally_action(done.set))
    subscription = observable.subscribe(lambda _: None)
    for _ in range(chance.choice([0, 10, 1_000])):
        pass  # a while that is no loop's turn
    if chance.random() < 0.5:
        assert comes(done.wait)
    subscription.dispose()


@pytest.mark.full
def test_a_thousand_subscriptions_from_four_threads_leave_nothing() -> None:
    sources: list[Numbers] = []

    def cycles(name: int, observable_of: Any) -> None:
        chance = random.Random(name)
        for _ in range(250):
            source = Quick()
            sources.append(source)
            cycle(chance, source, observable_of)

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
        await idle()
        assert len(observables) == 1_000
        assert all(source.begun == source.closed for source in sources)  # BUG: the same
        assert sum(source.begun for source in sources) > 250, "many began"
        assert not any(observable._subscriptions for observable in observables)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not found

    asyncio.run(main())
