"""pipeable, to_observable and operator: when they subscribe, and that they can subscribe again."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as of
from reactivex.subject import Subject

import streamkit
from streamkit import SourceConsumedError, Stream, Suspend, ops, push, rx
from tests.laws.lab import Boom
from tests.rx.observables import Source, behind, drained, every_tail, turns, virtual
from tests.rx.observers import Heard, Numbers


class TestBeforeSubscribeReturns:
    @every_tail
    @virtual
    async def test_the_observable_is_subscribed_behind_whatever_stage(self, tail: str) -> None:
        source, heard = Source(), Heard()
        observable = rx.to_observable(behind(source.stream())[tail])
        observable.subscribe(heard)
        assert source.subscriptions == 1
        assert heard.items == []
        source.observer.on_next(1)
        source.observer.on_completed()
        await observable.closed()
        assert (heard.items, heard.end) == ([1], ["completed"])
        assert len(source.disposals) == 1

    @every_tail
    @virtual
    async def test_and_disposed_if_nothing_was_read(self, tail: str) -> None:
        source, heard = Source(), Heard()
        observable = rx.to_observable(behind(source.stream())[tail])
        observable.subscribe(heard).dispose()
        await observable.closed()
        assert (source.subscriptions, len(source.disposals)) == (1, 1)
        assert (heard.items, heard.end) == ([], [])

    @virtual
    async def test_so_a_connectable_loses_nothing(self) -> None:
        heard = Heard()
        shared: Any = reactivex.of(1, 2, 3).pipe(of.publish())
        piped = shared.pipe(rx.pipeable(ops.map(str), strategy=Suspend(8)))
        piped.subscribe(heard)
        shared.connect()
        await piped.closed()
        assert (heard.items, heard.end) == (["1", "2", "3"], ["completed"])

    @virtual
    async def test_nor_does_a_subject_in_a_merge(self) -> None:
        subjects: list[Any] = [Subject(), Subject()]
        streams = [rx.from_observable(each, strategy=Suspend(4)) for each in subjects]
        heard = Heard()
        observable = rx.to_observable(streamkit.merge(*streams))
        observable.subscribe(heard)
        for each in subjects:
            each.on_next(1)
            each.on_completed()
        await observable.closed()
        assert heard.items == [1, 1]

    @virtual
    async def test_a_stream_that_cannot_be_opened_is_an_error_that_the_observer_hears(self) -> None:
        heard = Heard()
        stream, emitter = push(Suspend(1))
        emitter.close()
        await (stream | ops.drain())
        observable = rx.to_observable(stream)
        observable.subscribe(heard)
        assert heard.end == []
        await observable.closed()
        assert [type(error) for error in heard.end] == [SourceConsumedError]

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no eager tasks")
    def test_no_observer_is_called_by_an_eager_task_either(self) -> None:
        async def main() -> None:
            factory: Any = asyncio.eager_task_factory  # type: ignore[attr-defined,unused-ignore]
            asyncio.get_running_loop().set_task_factory(factory)
            for made in (Stream([1, 2]), rx.from_observable(reactivex.of(1, 2), strategy=Suspend(4))):
                heard = Heard()
                observable = rx.to_observable(made)
                observable.subscribe(heard)
                assert (heard.items, heard.end) == ([], [])
                await observable.closed()
                assert (heard.items, heard.end) == ([1, 2], ["completed"])

        asyncio.run(main())


@pytest.mark.parametrize("closed", [False, True])
def test_a_subscription_can_be_disposed_while_no_loop_runs(closed: bool) -> None:
    loop, numbers = asyncio.new_event_loop(), Numbers()

    async def subscribed() -> Any:
        observable = rx.to_observable(Stream(numbers) | ops.map(asyncio.sleep))
        subscription = observable.subscribe(lambda _: None)
        await turns()
        return observable, subscription

    observable, subscription = loop.run_until_complete(subscribed())
    if closed:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
        loop.close()
    subscription.dispose()
    if not closed:
        loop.run_until_complete(observable.closed())
        loop.close()
    assert numbers.begun == numbers.closed == 1


class TestAgain:
    @virtual
    async def test_repeat_begins_another_run_of_the_source(self) -> None:
        numbers = Numbers(3)
        stream = Stream(numbers) | rx.operator(of.repeat(3), strategy=Suspend(2))
        assert await (stream | ops.to_list()) == [0, 1, 2] * 3
        assert (numbers.begun, numbers.closed) == (3, 3)

    @virtual
    async def test_an_endless_repeat_closes_each_run(self) -> None:
        numbers = Numbers(1)
        stream = Stream(numbers) | rx.operator(of.repeat(), strategy=Suspend(2))
        assert await (stream | ops.take(200) | ops.to_list()) == [0] * 200
        assert numbers.begun == 200
        assert numbers.closed >= 199, "the consumer may leave within the clean-up of the last"

    @virtual
    async def test_retry_begins_another_run_when_the_source_has_failed(self) -> None:
        runs = [0]

        async def flaky() -> AsyncIterator[int]:
            runs[0] += 1
            yield runs[0]
            if runs[0] < 3:
                raise Boom

        stream = Stream(flaky) | rx.operator(of.retry(), strategy=Suspend(2))
        assert await (stream | ops.to_list()) == [1, 2, 3]

    @virtual
    async def test_retry_begins_another_run_when_an_operator_has_failed(self) -> None:
        numbers, seen = Numbers(3), list[int]()

        def fail_once(item: int) -> int:
            seen.append(item)
            if seen == [0, 1]:
                raise Boom
            return item

        again = rx.operator(of.map(fail_once), of.retry(2), strategy=Suspend(2))
        assert await (Stream(numbers) | again | ops.to_list()) == [0, 0, 1, 2]
        assert (numbers.begun, numbers.closed) == (2, 2)

    @pytest.mark.parametrize(
        "again",
        [of.compose(of.catch(reactivex.empty()), of.repeat()), of.retry()],
        ids=["repeat", "retry"],
    )
    @pytest.mark.parametrize("kind", ["iterator", "push"])
    @virtual
    async def test_a_source_that_runs_once_is_an_error_and_no_endless_loop(
        self, again: Any, kind: str
    ) -> None:
        def failing() -> Any:
            yield 1
            raise Boom

        pushed, emitter = push(Suspend(4))
        emitter.offer(1)
        emitter.fail(Boom())
        stream = Stream(failing()) if kind == "iterator" else pushed
        got: list[int] = []
        error = await drained(stream | rx.operator(again, strategy=Suspend(2)), got)
        assert isinstance(error, SourceConsumedError)
        assert got == [1]

    @virtual
    async def test_those_who_subscribe_at_once_share_one_run(self) -> None:
        numbers = Numbers(3)
        twice = of.compose(of.publish(lambda shared: reactivex.merge(shared, shared)))
        assert await (Stream(numbers) | rx.operator(twice, strategy=Suspend(4)) | ops.to_list()) == [
            0,
            0,
            1,
            1,
            2,
            2,
        ]
        assert numbers.begun == 1


class TestNames:
    def test_explain_names_the_operators_of_rxpy(self) -> None:
        stream = Stream([1]) | rx.operator(of.map(str), of.delay(1.0), of.pairwise(), strategy=Suspend(2))
        assert "operator(map, delay, pairwise, strategy=" in str(stream.explain())

    @virtual
    async def test_errors_of_their_callbacks_name_operator_and_place_and_those_of_the_source_do_not(
        self,
    ) -> None:
        def fail(_: Any) -> Any:
            raise Boom

        failing = rx.operator(of.map(fail), strategy=Suspend(2))
        error = await drained(Stream([1]) | failing, [])
        assert error is not None
        assert ["operator(map" in note and "test_subscribing" in note for note in error.__notes__] == [True]
        plain = await drained(
            Stream(Numbers(1, error=Boom())) | rx.operator(of.map(str), strategy=Suspend(2)), []
        )
        assert not hasattr(plain, "__notes__")
