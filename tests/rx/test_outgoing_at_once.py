"""to_observable and pipeable: they subscribe before ``subscribe`` returns, and dispose without a loop."""

import asyncio
import sys
from typing import Any

import pytest
import reactivex
from reactivex import operators as of
from reactivex.subject import Subject

import streamkit
from streamkit import SourceConsumedError, Stream, Suspend, ops, push, rx
from streamkit.testing import VirtualLoop
from tests.rx.observables import Source, behind, every_tail, turns, virtual
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
    async def test_and_its_steps_are_told_of_that(self) -> None:
        source, told = Source(), list[str]()
        observable = rx.to_observable(source.stream() | ops.on_close(lambda: told.append("closed")))
        observable.subscribe(Heard()).dispose()
        await observable.closed()
        assert (len(source.disposals), told) == (1, ["closed"])

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
    loop, numbers = VirtualLoop(), Numbers()

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
