"""to_observable: each subscription a run, one signal at a time, the end, and where it runs."""

import asyncio
import contextvars
import functools
import gc
from collections.abc import Iterator
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
from tests.laws.lab import Boom
from tests.rx.observables import WHO, Halt, drained, threads, turns, until, virtual
from tests.rx.observers import Heard, Numbers, reports


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
    async def test_a_cancellation_that_the_stream_raises_by_itself_is_heard(self) -> None:
        numbers, heard = Numbers(1, error=asyncio.CancelledError("nobody did it")), Heard()
        observable = rx.to_observable(Stream(numbers))
        observable.subscribe(heard)
        await observable.closed()
        assert (heard.items, [type(each) for each in heard.end]) == ([0], [asyncio.CancelledError])

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
