"""operator and pipeable: the operators of each library inside the other's pipe."""

import asyncio
import threading
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as of
from reactivex.scheduler import EventLoopScheduler, NewThreadScheduler
from reactivex.scheduler.eventloop import AsyncIOScheduler

from streamkit import BufferOverflowError, Collect, DropOldest, KeepLatest, Stream, Suspend, ops, rx
from streamkit.testing import FaultySource, Leave, consume, run
from tests.laws.lab import Boom
from tests.patience import comes
from tests.rx.observables import Halt, Source, drained, turns, virtual
from tests.rx.observers import Heard, Numbers, reports

PIPES: dict[str, tuple[Any, Any]] = {
    "map": (of.map(lambda item: item * 2), lambda items: [item * 2 for item in items]),
    "filter": (of.filter(lambda item: item % 2), lambda items: [item for item in items if item % 2]),
    "skip": (of.skip(2), lambda items: items[2:]),
    "take": (of.take(3), lambda items: items[:3]),
    "take_last": (of.take_last(2), lambda items: items[-2:]),
    "buffer": (
        of.buffer_with_count(2),
        lambda items: [items[place : place + 2] for place in range(0, len(items), 2)],
    ),
    "to_list": (of.to_list(), lambda items: [items]),
    "count": (of.count(), lambda items: [len(items)]),
    "start_with": (of.start_with(-1), lambda items: [-1, *items]),
    "concat": (of.concat(reactivex.of(-1)), lambda items: [*items, -1]),
    "pairs": (
        of.flat_map(lambda item: reactivex.of(item, item)),
        lambda items: [i for i in items for _ in "12"],
    ),
}


@pytest.mark.parametrize("name", PIPES)
@given(items=st.lists(st.integers(-9, 9), max_size=12), capacity=st.integers(2, 5))
def test_operators_of_rxpy_do_what_they_do(name: str, items: list[int], capacity: int) -> None:
    operator, plain = PIPES[name]
    if name == "take_last":
        capacity += 1
    assert list(Stream(items) | rx.operator(operator, strategy=Suspend(capacity))) == plain(items)


WINDOWS: dict[str, Any] = {
    "group_by": of.group_by(lambda item: item // 2),
    "group_by_until": of.group_by_until(lambda item: item // 2, None, lambda _: reactivex.never()),
    "window": of.window(reactivex.never()),
    "window_when": of.window_when(lambda: reactivex.never()),
    "window_with_count": of.window_with_count(2),
    "window_with_time_or_count": of.window_with_time_or_count(60.0, 2),
}


class TestObservablesOfObservables:
    """Those that these operators emit are over by the time that a stream would read them."""

    @pytest.mark.parametrize("name", WINDOWS)
    def test_cannot_leave_the_operators(self, name: str) -> None:
        # in RxPY 4, `group_by` is `group_by_until`
        with pytest.raises(TypeError, match=rf"must not end in {name}\w*, whose observables are over before"):
            rx.operator(of.map(str), WINDOWS[name], strategy=Suspend(8))

    @pytest.mark.parametrize("name", WINDOWS)
    def test_lose_nothing_where_they_are_flattened_inside(self, name: str) -> None:
        flat = of.flat_map(lambda inner: inner.pipe(of.to_list()))
        lists = list(Stream(range(6)) | rx.operator(WINDOWS[name], flat, strategy=Suspend(8)))
        assert [item for each in lists for item in each] == [*range(6)]


class TestBackpressure:
    @pytest.mark.parametrize("capacity", [1, 2, 5])
    @virtual
    async def test_no_input_is_pulled_while_the_output_is_full(self, capacity: int) -> None:
        numbers = Numbers()
        stream = Stream(numbers) | rx.operator(of.map(lambda item: item), strategy=Suspend(capacity))
        async with stream.open() as items:
            for wanted in range(20):
                assert await anext(items) == wanted
                await turns(30)
                assert numbers.taken - (wanted + 1) <= capacity
        assert numbers.closed == 1

    @virtual
    async def test_what_filters_all_pulls_on(self) -> None:
        stream = Stream(range(1_000)) | rx.operator(of.filter(lambda _: False), strategy=Suspend(1))
        assert await (stream | ops.to_list()) == []

    @pytest.mark.parametrize(("strategy", "most"), [(Suspend(4), 4), (Suspend(1), 1), (Collect(3), 3)])
    @virtual
    async def test_one_input_may_make_as_many_as_there_is_room_for(self, strategy: Any, most: int) -> None:
        many = of.flat_map(lambda _: reactivex.range(most))
        stream = Stream(range(20)) | rx.operator(many, strategy=strategy)
        got = await (stream | (ops.flatten() if strategy.collects else ops.tap(turns_of)) | ops.to_list())
        assert got == [*range(most)] * 20

    @pytest.mark.parametrize("strategy", [Suspend(1), Suspend(3), Collect(3)], ids=repr)
    @virtual
    async def test_one_input_that_makes_too_many_overflows(self, strategy: Any) -> None:
        numbers, got = Numbers(), list[Any]()
        many = of.flat_map(lambda _: reactivex.range(50))
        error = await drained(Stream(numbers) | rx.operator(many, strategy=strategy), got)
        assert isinstance(error, BufferOverflowError)
        assert numbers.taken == 1
        assert numbers.closed == 1  # BUG: its clean-up is begun by an ObservableError, and then cancelled
        held = got[0] if strategy.collects else got
        assert held == [*range(2 * strategy.limit - 1)]

    @virtual
    async def test_a_lossy_strategy_does_not_make_the_source_wait(self) -> None:
        stream = Stream(range(100)) | rx.operator(of.map(str), strategy=DropOldest(3))
        async with stream.open() as items:
            assert await anext(items) == "97"
            assert [item async for item in items] == ["98", "99"]

    def test_explain_says_what_it_holds(self) -> None:
        for strategy, holds in ((Suspend(3), 5), (DropOldest(3), 3), (KeepLatest(), 1)):
            stream = Stream([1]) | rx.operator(of.map(str), strategy=strategy)
            assert stream.explain().parts[-1].holds == holds


def turns_of(_: Any) -> Any:
    return turns(3)


class TestErrors:
    @virtual
    async def test_of_the_source_come_after_what_it_had_made(self) -> None:
        boom, got = Boom(), list[Any]()
        numbers = Numbers(2, error=boom)
        error = await drained(Stream(numbers) | rx.operator(of.map(str), strategy=Suspend(4)), got)
        assert error is boom
        assert (got, numbers.closed) == (["0", "1"], 1)

    @virtual
    async def test_of_the_source_can_be_caught_by_an_operator_of_rxpy(self) -> None:
        caught = rx.operator(of.catch(reactivex.of("caught")), strategy=Suspend(4))
        got = await (Stream(Numbers(2, error=Boom)) | caught | ops.to_list())
        assert got == [0, 1, "caught"]

    @virtual
    async def test_of_the_source_that_are_no_exception_class_come_too(self) -> None:
        stream = Stream(Numbers(1, error=Halt)) | rx.operator(of.map(str), strategy=Suspend(4))
        found = reports()
        assert isinstance(await drained(stream, []), Halt)
        assert {type(context["exception"]) for context in found} <= {Halt}

    @virtual
    async def test_of_an_operator_stop_the_source(self) -> None:
        def fail(item: int) -> int:
            if item == 2:
                raise Boom
            return item

        numbers, got = Numbers(), list[Any]()
        error = await drained(Stream(numbers) | rx.operator(of.map(fail), strategy=Suspend(4)), got)
        assert isinstance(error, Boom)
        assert (got, numbers.taken, numbers.closed) == ([0, 1], 3, 1)

    @virtual
    async def test_of_an_operator_that_cannot_even_be_applied_come_as_themselves(self) -> None:
        def fail(_: Any) -> Any:
            raise Boom

        numbers = Numbers()
        error = await drained(Stream(numbers) | rx.operator(fail, strategy=Suspend(4)), [])
        assert isinstance(error, Boom)
        assert numbers.begun == numbers.closed

    @virtual
    async def test_of_the_consumer_are_not_the_operators(self) -> None:
        heard, numbers = list[Any](), Numbers()
        watched = rx.operator(of.do_action(on_error=heard.append), strategy=Suspend(2))
        with pytest.raises(Boom):
            async with (Stream(numbers) | watched).open() as items:
                async for _ in items:
                    raise Boom
        assert (heard, numbers.closed) == ([], 1)


class TestTheEnd:
    @virtual
    async def test_that_comes_early_stops_the_source(self) -> None:
        numbers = Numbers()
        stream = Stream(numbers) | rx.operator(of.take(3), strategy=Suspend(8))
        assert await (stream | ops.to_list()) == [0, 1, 2]
        assert (numbers.taken, numbers.closed) == (3, 1)

    @virtual
    async def test_that_comes_before_the_first_item_pulls_none(self) -> None:
        numbers = Numbers()
        stream = Stream(numbers) | rx.operator(of.take(0), strategy=Suspend(8))
        assert await (stream | ops.to_list()) == []
        assert (numbers.taken, numbers.closed) == (0, numbers.begun)

    @virtual
    async def test_of_the_source_is_heard_by_the_operators_which_may_go_on(self) -> None:
        loop = asyncio.get_running_loop()
        late = of.concat(reactivex.timer(5.0, scheduler=AsyncIOScheduler(loop)))
        stream = Stream([1, 2]) | rx.operator(late, strategy=Suspend(2))
        assert await (stream | ops.to_list()) == [1, 2, 0]
        assert loop.time() == pytest.approx(5.0, abs=0.1)

    @virtual
    async def test_by_the_consumer_disposes_once_and_closes_the_source(self) -> None:
        numbers, beside = Numbers(), Source()
        stream = Stream(numbers) | rx.operator(of.merge(beside.observable), strategy=Suspend(2))
        async with stream.open() as items:
            assert await anext(items) == 0
            assert beside.subscriptions == 1
        assert (len(beside.disposals), numbers.closed) == (1, 1)

    @virtual
    async def test_before_the_first_pull_disposes_too(self) -> None:
        numbers, beside = Numbers(), Source()
        stream = Stream(numbers) | rx.operator(of.merge(beside.observable), strategy=Suspend(2))
        async with stream.open():
            pass
        assert len(beside.disposals) == beside.subscriptions
        assert numbers.begun == numbers.closed == 0

    @virtual
    async def test_when_cancelled_disposes_too(self) -> None:
        numbers, beside = Numbers(0), Source()
        stream = Stream(numbers) | rx.operator(of.merge(beside.observable), strategy=Suspend(2))
        reader = asyncio.create_task(drained(stream, []))
        await turns()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert len(beside.disposals) == 1

    @pytest.mark.parametrize("leave", Leave)
    def test_of_a_source_that_ignores_its_cancellation(self, leave: Leave) -> None:
        source = FaultySource(range(6), every=1.0, ignores_cancel=1)
        stream = Stream(source) | rx.operator(of.skip(0), strategy=Suspend(2))

        async def main() -> list[int]:
            seen = await consume(stream, at=2, leave=leave)
            await asyncio.sleep(9.0)
            return seen.items

        assert run(main) == [0, 1]
        source.check()


class TestThreads:
    @virtual
    async def test_observe_on_one_of_their_own(self) -> None:
        scheduler, seen = EventLoopScheduler(), set[str]()
        there = (of.observe_on(scheduler), of.do_action(lambda _: seen.add(threading.current_thread().name)))
        stream = Stream(range(200)) | rx.operator(*there, of.map(str), strategy=Suspend(3))
        assert await (stream | ops.to_list()) == [str(number) for number in range(200)]
        assert threading.current_thread().name not in seen
        scheduler.dispose()

    @virtual
    async def test_observe_on_one_of_their_own_and_leave(self, monkeypatch: pytest.MonkeyPatch) -> None:
        scheduler, numbers, uncaught = EventLoopScheduler(), Numbers(), list[Any]()
        monkeypatch.setattr(threading, "excepthook", uncaught.append)
        stream = Stream(numbers) | rx.operator(of.observe_on(scheduler), strategy=Suspend(1))
        assert await (stream | ops.take(3) | ops.to_list()) == [0, 1, 2]
        assert numbers.closed == 1
        done = threading.Event()
        scheduler.schedule(lambda *_: done.set())
        assert await asyncio.to_thread(comes, done.wait)
        scheduler.dispose()
        assert not uncaught

    @virtual
    async def test_flat_map_on_new_ones(self) -> None:
        def twice(item: int) -> Any:
            return reactivex.of(item, item).pipe(of.subscribe_on(NewThreadScheduler()))

        stream = Stream(range(20)) | rx.operator(of.flat_map(twice), strategy=Suspend(4))
        assert sorted(await (stream | ops.to_list())) == sorted([*range(20)] * 2)


class TestPipeable:
    @virtual
    async def test_operators_of_ours_stand_between_theirs(self) -> None:
        heard = Heard()
        ours = rx.pipeable(ops.pairwise(), ops.map(sum), strategy=Suspend(8))
        piped = reactivex.range(5).pipe(of.map(lambda item: item * 10), ours)
        piped.pipe(of.filter(lambda item: item > 10)).subscribe(heard)
        await piped.closed()
        assert (heard.items, heard.end) == ([30, 50, 70], ["completed"])

    @virtual
    async def test_operators_that_wait_and_run_at_once_stand_there_too(self) -> None:
        async def slow(item: int) -> int:
            await asyncio.sleep(1.0)
            return item

        heard = Heard()
        piped = reactivex.range(8).pipe(rx.pipeable(ops.map(slow, concurrency=4), strategy=Suspend(8)))
        piped.subscribe(heard)
        await piped.closed()
        assert heard.items == list(range(8))
        assert asyncio.get_running_loop().time() == 2.0

    @virtual
    async def test_errors_pass_through(self) -> None:
        boom, heard = Boom(), Heard()
        piped = reactivex.throw(boom).pipe(rx.pipeable(ops.map(str), strategy=Suspend(2)))
        piped.subscribe(heard)
        await piped.closed()
        assert heard.end == [boom]

    @virtual
    async def test_each_subscription_subscribes_anew_and_disposes(self) -> None:
        source = Source()
        piped = source.observable.pipe(rx.pipeable(ops.map(str), strategy=Suspend(2)))
        assert source.subscriptions == 0
        subscriptions = [piped.subscribe(Heard()) for _ in range(2)]
        await turns()
        assert source.subscriptions == 2
        for subscription in subscriptions:
            subscription.dispose()
        await piped.closed()
        assert len(source.disposals) == 2

    @virtual
    async def test_a_buffer_that_comes_first_is_the_strategy(self) -> None:
        heard = Heard()
        piped = reactivex.range(9).pipe(rx.pipeable(ops.buffer(DropOldest(2)) | ops.map(str)))
        piped.subscribe(heard)
        await piped.closed()
        assert heard.items == ["7", "8"]

    @virtual
    async def test_it_takes_a_stream_of_ours_that_is_observed(self) -> None:
        heard = Heard()
        piped = rx.to_observable(range(6)).pipe(rx.pipeable(ops.batch(4), strategy=Suspend(6)))
        piped.subscribe(heard)
        await piped.closed()
        assert heard.items == [[0, 1, 2, 3], [4, 5]]


class TestArguments:
    @pytest.mark.parametrize(
        ("call", "kind", "message"),
        [
            (lambda: rx.operator(strategy=Suspend(1)), ValueError, "operators must be one or more"),
            (lambda: rx.operator(3, strategy=Suspend(1)), TypeError, "operators must be a callable, not 3"),
            (lambda: rx.operator(of.map(str)), TypeError, "strategy"),
            (lambda: rx.operator(of.map(str), strategy=Suspend), TypeError, "strategy must be a strategy"),
            (lambda: rx.pipeable(ops.map(str)), TypeError, "strategy must be a strategy such as Suspend"),
            (lambda: rx.pipeable(of.map(str), strategy=Suspend(1)), TypeError, "operators of streamkit"),
            (lambda: rx.pipeable(ops.to_list(), strategy=Suspend(1)), TypeError, "operators of streamkit"),
            (
                lambda: rx.pipeable(ops.map(str), ops.drain(), strategy=Suspend(1)),
                TypeError,
                "streamkit, not",
            ),
        ],
    )
    def test_that_are_bad_are_named(self, call: Any, kind: type[Exception], message: str) -> None:
        with pytest.raises(kind) as caught:
            call()
        assert message in str(caught.value)

    def test_pipeable_needs_an_observable_before_it(self) -> None:
        with pytest.raises(TypeError, match="observable must be an RxPY observable"):
            rx.pipeable(ops.map(str), strategy=Suspend(1))([1])  # type: ignore[arg-type]

    def test_an_operator_is_a_value(self) -> None:
        double = of.map(str)
        one, same = (rx.operator(double, strategy=Suspend(1)) for _ in range(2))
        assert one == same
        assert "strategy=Suspend(capacity=1)" in repr(one)
        both = one | rx.operator(of.count(), strategy=Suspend(1))
        assert run(drained(Stream("abc") | both, [])) is None
