"""Sources: what may stand at the left of a pipe, in how many runs, and what is refused."""

import asyncio
import copy
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import streamkit
from streamkit import SourceConsumedError, Stream, Suspend, Valve, ops, push
from streamkit._engine.compile.key import Kind
from streamkit._engine.plan.source import Opened, Source
from streamkit.testing import run


def double(number: int) -> int:
    return 2 * number


async def numbers() -> AsyncIterator[int]:
    for number in range(4):
        await asyncio.sleep(1.0)
        yield number


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


class Old:
    """Iterable by ``__getitem__`` alone, as Python still allows."""

    def __getitem__(self, place: int) -> int:
        return [0, 1, 2, 3][place]


class Both:
    """Iterable in both ways; says in which it was."""

    def __iter__(self) -> Iterator[str]:
        yield "plain"

    async def __aiter__(self) -> AsyncIterator[str]:
        yield "async"


class Vector:
    """An array that, as NumPy's do, would take over ``|`` for each of its elements."""

    def __init__(self, *items: int) -> None:
        self.items = items

    def __iter__(self) -> Iterator[int]:
        return iter(self.items)

    def __or__(self, other: Any) -> Any:
        if getattr(other, "__array_ufunc__", self) is None:
            return NotImplemented
        return [item | other for item in self.items]


class TestLeftSide:
    @pytest.mark.parametrize(
        "left",
        [
            [0, 1, 2, 3],
            (0, 1, 2, 3),
            range(4),
            {0: "a", 1: "b", 2: "c", 3: "d"},
            Old(),
            lambda: [0, 1, 2, 3],
            lambda: iter(range(4)),
            lambda: (number for number in range(4)),
            bytes(range(4)),
            Stream(range(4)),
            lambda: Stream(range(4)),
            lambda: Stream(range(4)) | ops.throttle(1e6),
        ],
        ids=[
            "list",
            "tuple",
            "range",
            "dict",
            "getitem",
            "maker",
            "iterators",
            "generators",
            "bytes",
            "stream",
            "streams",
            "streams with a stage",
        ],
    )
    def test_any_iterable_or_what_makes_one(self, left: Any) -> None:
        expected = [0, 2, 4, 6]
        assert list(left | ops.map(double)) == expected
        assert run(lambda: collect(left | ops.map(double))) == expected
        assert (left | ops.map(double) | ops.to_list()).run() == expected

    @pytest.mark.parametrize(
        "left", [numbers, lambda: numbers(), Stream(numbers)], ids=["function", "maker", "stream"]
    )
    def test_any_async_iterable_or_what_makes_one(self, left: Any) -> None:
        stream = left | ops.map(double)
        assert run(lambda: collect(stream)) == run(lambda: collect(stream)) == [0, 2, 4, 6]

    def test_an_array_does_not_take_the_operator_apart(self) -> None:
        assert list(Vector(1, 2) | ops.map(double)) == [2, 4]
        assert (Vector(1, 2) | ops.to_list()).run() == [1, 2]
        assert (Vector(1, 2) | (ops.map(double) | ops.to_list())).run() == [2, 4]

    def test_what_can_be_read_both_ways_is_read_as_the_reader_reads(self) -> None:
        assert list(Stream(Both())) == ["plain"]
        assert run(lambda: collect(Stream(Both()))) == ["async"]

    @pytest.mark.parametrize("value", [5, None, object(), 1.5])
    def test_what_cannot_be_iterated_is_refused_at_once(self, value: Any) -> None:
        for make in (lambda: Stream(value), lambda: value | ops.take(1), lambda: value | ops.count()):
            with pytest.raises(TypeError) as caught:
                make()
            assert str(caught.value) == (
                f"source must be an iterable, an async iterable, or a callable that makes one, not {value!r}"
            )

    @pytest.mark.parametrize("operator", [ops.take(1), ops.batch(2), ops.count()], ids=repr)
    def test_an_operator_is_refused_at_once(self, operator: Any) -> None:
        with pytest.raises(TypeError, match=r"source must be an iterable.*, not (take|batch|count)\("):
            Stream(operator)

    def test_a_coroutine_gets_a_hint_and_is_closed(self) -> None:
        with pytest.raises(TypeError, match="await it first"):
            Stream(asyncio.sleep(1.0))  # type: ignore[arg-type]

    def test_a_coroutine_function_is_refused(self) -> None:
        with pytest.raises(TypeError, match="not the coroutine function"):
            Stream(asyncio.sleep)  # type: ignore[arg-type]

    def test_an_observable_gets_a_hint(self) -> None:
        class Observable:
            def subscribe(self, *_: Any) -> None: ...

        with pytest.raises(TypeError, match=r"use streamkit\.rx\.from_observable"):
            Stream(Observable())  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", [5, None, asyncio.sleep])
    def test_a_callable_that_makes_nothing_iterable_fails_when_it_is_run(self, value: Any) -> None:
        stream = Stream(lambda: value)
        with pytest.raises(TypeError, match="must return an iterable or an async iterable, not"):
            list(stream)
        with pytest.raises(TypeError, match="must return an iterable or an async iterable, not"):
            (stream | ops.drain()).run()


class TestOneShotSources:
    @pytest.mark.parametrize(
        "make", [lambda: iter([1, 2]), lambda: (n for n in [1, 2]), lambda: map(abs, [1, 2])]
    )
    def test_a_second_run_fails_and_says_what_to_do(self, make: Callable[[], Any]) -> None:
        stream = Stream(make())
        assert list(stream) == [1, 2]
        with pytest.raises(SourceConsumedError, match="can be run only once, and was: pass a callable"):
            list(stream)

    def test_an_async_generator_is_one(self) -> None:
        stream = Stream(numbers())
        assert run(lambda: collect(stream)) == [0, 1, 2, 3]
        with pytest.raises(SourceConsumedError):
            run(lambda: collect(stream))

    def test_what_makes_iterators_is_none(self) -> None:
        for again in ([1, 2], lambda: iter([1, 2]), {1: 0, 2: 0}.keys()):
            stream = Stream(again)
            assert list(stream) == list(stream) == [1, 2]


def test_what_is_open_has_what_it_was_opened_with_and_closes_in_its_own_way() -> None:
    closed = list[str]()

    async def close() -> None:
        closed.append("awaited")

    channel, relay = object(), object
    plain = Opened(Kind.ITER, [1], None, lambda: closed.append("at once"))
    waiting = Opened(Kind.CHANNEL, [1], close, buffer=channel, relay=relay)
    assert (plain.buffer, plain.relay, plain.release(), closed) == (None, None, None, ["at once"])
    assert (waiting.buffer, waiting.relay) == (channel, relay)
    release = waiting.release()
    assert release is not None
    run(lambda: awaited(release))
    assert closed == ["at once", "awaited"]
    assert Opened(Kind.SLICE, [1]).release() is None


def test_what_a_callable_makes_is_read_in_the_way_of_its_type() -> None:
    for make, kind in (
        (lambda: [1], Kind.SLICE),
        (lambda: range(3), Kind.SLICE),
        (lambda: {1: 2}, Kind.ITER),
        (lambda: (number for number in [1]), Kind.ITER),
        (numbers, Kind.ASYNC),
    ):
        assert (Source(make).open().kind, Source(make()).open().kind) == (kind, kind)


async def awaited(value: Any) -> Any:
    return await value


class TestDeepCopies:
    def test_of_a_list_reads_its_own(self) -> None:
        items = [[1]]
        stream = copy.deepcopy(Stream(items) | ops.take(1))
        items.append([2])
        items[0].append(3)
        assert list(stream) == [[1]]

    @pytest.mark.parametrize("iterator", [iter([1]), (item for item in [1])], ids=["list", "generator"])
    def test_of_an_iterator_are_run_once(self, iterator: Any) -> None:
        stream = Stream(iterator)
        assert list(stream) == [1]
        with pytest.raises(SourceConsumedError):
            list(copy.deepcopy(stream))

    def test_what_cannot_be_copied_is_shared(self) -> None:
        lock = threading.Lock()
        operator: Any = ops.first(default=lock)
        assert copy.deepcopy(operator) == operator
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        emitter.close()
        job = copy.deepcopy(stream | ops.valve(Valve()) | ops.to_list())
        assert job.run() == [1]


class FromTheStart:
    """An iterator that begins anew whenever an iterator is asked of it, as in many a tutorial."""

    def __iter__(self) -> Iterator[int]:
        self.number = -1
        return self  # type: ignore[return-value]

    def __next__(self) -> int:
        self.number += 1
        if self.number == 4:
            raise StopIteration
        return self.number


class FromTheStartWaiting:
    """The same, asynchronous."""

    def __aiter__(self) -> AsyncIterator[int]:
        self.number = -1
        return self  # type: ignore[return-value]

    async def __anext__(self) -> int:
        await asyncio.sleep(0.1)
        self.number += 1
        if self.number == 4:
            raise StopAsyncIteration
        return self.number


class OnlyNext:
    """A plain ``for`` goes through what it gives, which has no ``__iter__``."""

    def __iter__(self) -> Any:
        class Next:
            __next__ = iter(range(4)).__next__

        return Next()


def test_one_that_another_run_cannot_read_says_so_before_it_is_opened() -> None:
    one_shot: list[Any] = [iter([1]), numbers(), FromTheStart(), FromTheStartWaiting()]
    for value in one_shot:
        source = Stream(value).source
        assert source.anew() is source
        source.open()
        with pytest.raises(SourceConsumedError, match="can be run only once, and was"):
            source.anew()
        with pytest.raises(SourceConsumedError):
            source.open()
    several: list[Any] = [[1], lambda: iter([1]), {1: 2}, numbers, FromTheStart]
    for again in several:
        source = Stream(again).source
        source.open()
        assert source.anew() is source
        assert not source.consumed


def same(number: int) -> int:
    return number


def always(_: int) -> bool:
    return True


class TestIteratorIsAskedForOnce:
    """A run goes on with the iterator that it has, as a plain ``for`` does."""

    PIPES = (
        *(ops.map(same), ops.filter(always), ops.buffer(Suspend(2)), ops.map(same, concurrency=2)),
        *(
            ops.retry(attempts=2),
            ops.merge([]),
            ops.filter(always) | ops.map(asyncio.sleep) | ops.enumerate(),
        ),
    )

    @pytest.mark.parametrize("kind", [FromTheStart, FromTheStartWaiting, OnlyNext])
    @pytest.mark.parametrize("pipe", PIPES, ids=str)
    def test_in_every_pipe(self, kind: type[Any], pipe: Any) -> None:
        async def main() -> None:
            for make in (lambda: kind, kind):  # an object can be run once
                assert len(await (Stream(make()) | pipe | ops.take(9) | ops.to_list())) == 4
                assert len(await collect(Stream(make()) | pipe | ops.take(9))) == 4
                async with (Stream(make()) | pipe | ops.take(9)).open() as items:
                    await anext(items)
                    assert len(await collect(items)) == 3

        run(main)

    @pytest.mark.parametrize("kind", [FromTheStart, OnlyNext])
    def test_in_a_plain_for(self, kind: type[Any]) -> None:
        assert list(Stream(kind) | ops.map(same) | ops.take(9)) == [0, 1, 2, 3]
        assert (Stream(kind()) | ops.take(9) | ops.count()).run() == 4

    @pytest.mark.parametrize("kind", [FromTheStart, OnlyNext])
    def test_as_an_element(self, kind: type[Any]) -> None:
        flat = Stream([kind(), kind()]) | ops.flatten() | ops.take(20)
        assert run(flat | ops.to_list()) == [0, 1, 2, 3, 0, 1, 2, 3]
        assert list(flat) == [0, 1, 2, 3, 0, 1, 2, 3]


def test_a_stream_and_an_operator_are_equal_to_their_like_only() -> None:
    items = [1, 2]
    stream, operator = Stream(items) | ops.map(double), ops.map(double)
    assert stream.links == operator.links == (ops.map(double)).links
    for other in (items, operator, Stream(items), None):
        assert stream != other
    for link in (operator, operator.links, double, None):
        assert operator.links[0] != link


def test_a_handle_is_named_after_the_function_that_has_made_the_source() -> None:
    async def main() -> None:
        handle = (streamkit.interval(1.0) | ops.drain()).start()
        assert "Job(interval | drain())" in repr(handle)
        await handle.stop()

    run(main)
