"""operator: operators of RxPY of a user's own, which emit, subscribe and fail as they like."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import reactivex
from reactivex import operators as of
from reactivex.disposable import CompositeDisposable, Disposable

from streamkit import ObservableError, Stream, Suspend, ops, rx
from tests.laws.lab import Boom
from tests.rx.observables import drained, turns, virtual
from tests.rx.observers import Numbers


class Tens:
    """An operator that is an object."""

    def __call__(self, source: Any) -> Any:
        return source.pipe(of.map(lambda item: item * 10))


def each(act: Callable[[Any, Any], object]) -> Callable[[Any], Any]:
    """An operator that does `act` with the observer and the item, whatever that raises."""

    def operator(source: Any) -> Any:
        def subscribe(observer: Any, scheduler: Any = None) -> Any:
            return source.subscribe(
                lambda item: act(observer, item), observer.on_error, observer.on_completed
            )

        return reactivex.create(subscribe)

    return operator


def test_an_operator_that_is_an_object_has_the_name_of_its_class() -> None:
    stream = Stream([1, 2]) | rx.operator(Tens(), strategy=Suspend(2))
    assert list(stream) == [10, 20]
    assert "Tens" in str(stream.explain())


@virtual
async def test_an_error_that_an_operator_raises_by_itself_comes_out() -> None:
    def fails(_: Any, item: Any) -> None:
        raise ObservableError(f"no {item}")

    numbers, got = Numbers(), list[Any]()
    error = await drained(Stream(numbers) | rx.operator(each(fails), strategy=Suspend(2)), got)
    assert isinstance(error, ObservableError)
    assert str(error) == "no 0"
    assert (got, numbers.closed) == ([], 1)


@virtual
async def test_an_error_that_it_raises_behind_its_own_end_is_not_told() -> None:
    def ends(observer: Any, item: Any) -> None:
        observer.on_next(item)
        observer.on_completed()
        raise ObservableError("it goes on and on")

    numbers, got = Numbers(), list[Any]()
    assert await drained(Stream(numbers) | rx.operator(each(ends), strategy=Suspend(2)), got) is None
    assert (got, numbers.closed) == ([0], 1)


@virtual
async def test_an_operator_that_subscribes_twice_shares_one_run() -> None:
    numbers = Numbers(3)

    def twice(source: Any) -> Any:
        return reactivex.merge(source, source)

    found = await (Stream(numbers) | rx.operator(twice, strategy=Suspend(4)) | ops.to_list())
    assert found == [0, 0, 1, 1, 2, 2]
    assert (numbers.begun, numbers.closed) == (1, 1)


@virtual
async def test_an_operator_that_subscribes_once_more_while_it_is_left_begins_no_run() -> None:
    numbers = Numbers()

    def clings(source: Any) -> Any:
        def subscribe(observer: Any, scheduler: Any = None) -> Any:
            again = Disposable(lambda: source.subscribe(observer) and None)
            return CompositeDisposable(source.subscribe(observer), again)

        return reactivex.create(subscribe)

    async with (Stream(numbers) | rx.operator(clings, strategy=Suspend(4))).open() as items:
        assert await anext(items) == 0
    await turns()
    assert (numbers.begun, numbers.closed) == (1, 1)


@virtual
async def test_clean_up_that_fails_when_another_run_has_begun_ends_the_stream_with_it() -> None:
    numbers, got = Numbers(), list[Any]()
    numbers.dirt = OSError("clean-up")
    failed: list[int] = []

    def once(item: int) -> int:
        if not failed:
            failed.append(item)
            raise Boom("once")
        return item

    piped = rx.operator(of.map(once), of.retry(2), strategy=Suspend(4))
    error = await drained(Stream(numbers) | piped | ops.take(3), got)
    assert error is numbers.dirt
    await asyncio.sleep(9.0)
    assert numbers.begun == numbers.closed


@virtual
async def test_clean_up_that_fails_when_the_other_run_has_ended_already_is_told_too() -> None:
    error, runs, got = OSError("long after it"), list[int](), list[Any]()

    async def source() -> AsyncIterator[int]:
        runs.append(1)
        number = len(runs)
        try:
            yield number
        finally:
            if number == 1:
                await asyncio.sleep(60.0)
                raise error

    def once(item: int) -> int:
        if item == 1:
            raise Boom("once")
        return item

    piped = rx.operator(of.map(once), of.retry(2), of.concat(reactivex.never()), strategy=Suspend(4))
    assert await drained(Stream(source) | piped, got) is error
    assert (got, len(runs)) == ([2], 2)


@virtual
async def test_one_that_subscribes_in_another_thread_is_fed_in_the_loop() -> None:
    def operator(source: Any) -> Any:
        def subscribe(observer: Any, scheduler: Any = None) -> Any:
            thread = threading.Thread(target=lambda: found.append(source.subscribe(observer)))
            thread.start()
            thread.join()
            return found[0]

        return reactivex.create(subscribe)

    found, got = list[Any](), list[int]()
    assert await drained(Stream([1, 2]) | rx.operator(operator, strategy=Suspend(4)), got) is None
    assert got == [1, 2]
