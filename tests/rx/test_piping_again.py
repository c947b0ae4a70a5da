"""operator: ``retry`` and ``repeat``, and the names of RxPY's operators."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import reactivex
from reactivex import operators as of

import streamkit
from streamkit import SourceConsumedError, Stream, Suspend, ops, push, rx
from streamkit.reactive_streams import from_publisher, to_publisher
from tests.laws.lab import Boom
from tests.rx.observables import Source, drained, turns, until, virtual
from tests.rx.observers import Numbers


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
        # a handler, for RxPY 4 offers a second observable once only, and `repeat` would spin behind that
        [of.compose(of.catch(lambda error, source: reactivex.empty()), of.repeat()), of.retry()],
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


AGAIN: dict[str, Callable[[], Stream[Any]]] = {
    "a list": lambda: Stream([1, 2]),
    "an observable": lambda: rx.from_observable(reactivex.of(1, 2), strategy=Suspend(4)),
    "steps behind an observable": lambda: (
        rx.from_observable(reactivex.of(0, 1), strategy=Suspend(4)) | ops.map(lambda item: item + 1)
    ),
    "a buffer behind an observable": lambda: (
        rx.from_observable(reactivex.of(1, 2), strategy=Suspend(4)) | ops.buffer(Suspend(1))
    ),
    "an observable in a concat": lambda: streamkit.concat(
        [1], rx.from_observable(reactivex.of(2), strategy=Suspend(4))
    ),
    "a publisher": lambda: from_publisher(to_publisher(Stream([1, 2]))),
    "operators of RxPY": lambda: Stream([1, 2]) | rx.operator(of.map(int), strategy=Suspend(4)),
}


class TestWhateverCanBeRunAgain:
    @pytest.mark.parametrize("kind", AGAIN)
    @virtual
    async def test_is(self, kind: str) -> None:
        again = AGAIN[kind]() | rx.operator(of.repeat(3), strategy=Suspend(8))
        assert await (again | ops.to_list()) == [1, 2] * 3

    @virtual
    async def test_an_observable_is_disposed_each_time_and_leaves_one_account(self) -> None:
        source = Source(lambda observer: (observer.on_next(1), observer.on_completed()))
        again = rx.operator(of.repeat(50), strategy=Suspend(200))
        handle = (source.stream() | again | ops.to_list()).start()
        assert await handle == [1] * 50
        assert (source.subscriptions, len(source.disposals)) == (50, 50)
        (stats,) = [each for each in handle.buffers() if "from_observable" in each.operator]
        assert (stats.offered, stats.delivered) == (50, 50)

    @virtual
    async def test_an_observable_that_has_failed_is_subscribed_before_anything_else_happens(self) -> None:
        source = Source()
        again = rx.operator(of.retry(3), strategy=Suspend(8))
        job = (source.stream() | again | ops.to_list()).start()
        await turns()
        for number in range(3):
            source.observer.on_next(number)
            source.observer.on_error(Boom())
            await until(lambda number=number: source.subscriptions == min(number + 2, 3))  # type: ignore[misc]
        with pytest.raises(Boom):
            await job
        assert (source.subscriptions, len(source.disposals)) == (3, 3)


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
        assert ["operator(map" in note and "test_piping_again" in note for note in error.__notes__] == [True]
        plain = await drained(
            Stream(Numbers(1, error=Boom())) | rx.operator(of.map(str), strategy=Suspend(2)), []
        )
        assert not hasattr(plain, "__notes__")
