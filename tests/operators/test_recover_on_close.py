"""on_close."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators

from streamkit import Keep, Stream, Suspend, attached, ops
from streamkit.testing import run


class Log(list[str]):
    """What happened, in order."""

    async def source(self) -> AsyncIterator[int]:
        try:
            for number in range(1, 4):
                await asyncio.sleep(1.0)
                yield number
        finally:
            await asyncio.sleep(1.0)
            self.append("source closed")

    def noting(self, text: str) -> Keep:
        return ops.on_close(lambda: self.append(text))


@pytest.fixture
def log() -> Log:
    return Log()


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


def test_is_called_when_the_source_has_ended_and_was_closed(log: Log) -> None:
    assert run(lambda: collect(Stream(log.source) | log.noting("called"))) == [1, 2, 3]
    assert log == ["source closed", "called"]


@pytest.mark.parametrize("source", [[1, 2], (1, 2), range(1, 3), iter([1, 2]), lambda: iter([1, 2])])
def test_is_called_whatever_the_source_is(source: Any, log: Log) -> None:
    stream = Stream(source) | log.noting("called")
    assert list(stream) == [1, 2]
    assert log == ["called"]


@pytest.mark.parametrize("sink", [ops.to_list(), ops.drain(), ops.first(), ops.for_each(abs)], ids=repr)
def test_is_called_in_a_job(sink: Any, log: Log) -> None:
    for source in ([1, 2], log.source):
        log.clear()
        run(lambda source=source: awaited(Stream(source) | log.noting("called") | sink))
        assert log[-1] == "called"
        assert log.count("called") == 1


async def awaited(job: Any) -> Any:
    return await job


def test_is_called_once_in_each_run(log: Log) -> None:
    stream = Stream([1]) | log.noting("called")
    assert list(stream) == list(stream) == [1]
    assert log == ["called", "called"]


def test_an_awaitable_is_awaited(log: Log) -> None:
    async def called() -> None:
        await asyncio.sleep(5.0)
        log.append("called")

    for function in (called, lambda: called()):
        log.clear()
        assert run(lambda function=function: collect(Stream([1]) | ops.on_close(function))) == [1]
        assert log == ["called"]
    assert list(Stream([1]) | ops.on_close(lambda: asyncio.sleep(0))) == [1]


def test_after_an_error(log: Log) -> None:
    with pytest.raises(ZeroDivisionError):
        run(
            lambda: collect(
                Stream(log.source) | ops.map(lambda number: 1 // (2 - number)) | log.noting("called")
            )
        )
    assert log == ["source closed", "called"]


def test_after_an_error_behind_it(log: Log) -> None:
    with pytest.raises(ZeroDivisionError):
        run(
            lambda: collect(
                Stream(log.source) | log.noting("called") | ops.map(lambda number: 1 // (2 - number))
            )
        )
    assert log == ["source closed", "called"]


def test_after_a_cancellation(log: Log) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await collect(Stream(log.source) | log.noting("called"))

    run(main)
    assert log == ["source closed", "called"]


def test_when_the_consumer_leaves(log: Log) -> None:
    async def main() -> None:
        async with (Stream(log.source) | log.noting("called")).open() as items:
            assert await anext(items) == 1
        assert log == ["source closed", "called"]

    run(main)


def test_when_an_operator_behind_it_has_enough(log: Log) -> None:
    stream = Stream(log.source) | log.noting("called") | ops.take(1) | ops.concat([9])
    assert run(lambda: collect(stream | ops.tap(lambda item: log.append(str(item))))) == [1, 9]
    assert log == ["1", "source closed", "called", "9"]


@pytest.mark.parametrize(
    "operator",
    [
        ops.buffer(Suspend(2)),
        ops.map(abs, concurrency=2),
        ops.merge([9]),
        ops.catch(lambda _: []),
        ops.flat_map(lambda item: [item], concurrency=2),
        ops.timeout(9.0),
        ops.batch(2),
        ops.broadcast(ops.map(abs), ops.map(abs)),
        ops.group_by(abs, ops.take(1), max_groups=9),
    ],
    ids=repr,
)
def test_once_before_and_behind_any_operator_in_order(operator: Any, log: Log) -> None:
    run(lambda: collect(Stream(log.source) | log.noting("before") | operator | log.noting("behind")))
    assert log == ["source closed", "before", "behind"]


def test_between_operators_that_go_on_with_other_streams(log: Log) -> None:
    stream = (
        Stream([1])
        | ops.concat([2])
        | log.noting("first")
        | ops.map(abs)
        | ops.concat([3])
        | log.noting("last")
    )
    assert list(stream | ops.tap(lambda item: log.append(str(item)))) == [1, 2, 3]
    assert log == ["1", "2", "first", "3", "last"]


def test_in_each_group_and_each_branch(log: Log) -> None:
    list(Stream([1, 2]) | ops.group_by(str, log.noting("group"), max_groups=2))
    assert log == ["group", "group"]
    log.clear()
    list(Stream([1, 2]) | ops.broadcast(log.noting("branch"), ops.take(1) | log.noting("early")))
    assert sorted(log) == ["branch", "early"]


def test_in_each_run_of_a_stream_that_is_run_again(log: Log) -> None:
    assert list(Stream([1]) | log.noting("inner") | ops.repeat(2) | log.noting("outer")) == [1, 1]
    assert log == ["inner", "inner", "outer"]


def test_several_are_called_in_their_order_though_one_fails(log: Log) -> None:
    def fail() -> None:
        log.append("failing")
        raise KeyError("of on_close")

    stream = Stream([1]) | log.noting("first") | ops.on_close(fail) | log.noting("last")
    with pytest.raises(KeyError, match="of on_close") as caught:
        list(stream)
    assert log == ["first", "failing", "last"]
    assert caught.value.__notes__[0].startswith("in on_close(fail) at ")


def test_its_error_hangs_on_the_one_that_the_stream_has_ended_with(log: Log) -> None:
    late = KeyError("of on_close")

    def fail() -> None:
        raise late

    with pytest.raises(ZeroDivisionError) as caught:
        list(Stream([0]) | ops.map(lambda number: 1 // number) | ops.on_close(fail))
    assert attached(caught.value) == (late,)


def test_an_error_of_clean_up_comes_before_its_own(log: Log) -> None:
    async def dirty() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise OSError("clean-up")

    async def main() -> None:
        with pytest.raises(OSError, match="clean-up") as caught:
            async with (Stream(dirty) | ops.on_close(lambda: {}["x"])).open() as items:
                await anext(items)
        assert [type(error) for error in attached(caught.value)] == [KeyError]

    run(main)


def test_the_end_of_an_iterator_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        list(Stream([1]) | ops.on_close(lambda: next(iter([]))))


def test_costs_nothing_in_the_loop() -> None:
    def text(*operators_: Any) -> str:
        code = (Stream([1]).pipe(*operators_) | ops.map(abs) | ops.to_list()).explain(code=True).code[0]
        return code.split("items", 1)[1].split("return")[0]

    assert text(ops.on_close(print)).replace("_2", "_1").replace("_1", "_0") == text().replace("_1", "_0")


@given(st.lists(st.integers(-2, 2), max_size=4), st.integers(0, 5))
def test_as_rxpy_does(numbers: list[int], count: int) -> None:
    def played(pipe: Callable[[list[Any]], Any]) -> list[Any]:
        out: list[Any] = []
        try:
            pipe(out)
        except ZeroDivisionError:
            out.append("error")
        return out

    def theirs(out: list[Any]) -> None:
        observable: Any = reactivex.from_iterable(numbers)
        piped = observable.pipe(
            operators.map(lambda number: 6 // number),
            operators.finally_action(lambda: out.append("closed")),
            operators.take(count),
        )
        errors: list[Exception] = []
        piped.subscribe(out.append, errors.append)
        if errors:
            raise errors[0]

    def ours(out: list[Any]) -> None:
        stream = (
            Stream(numbers) | ops.map(lambda number: 6 // number) | ops.on_close(lambda: out.append("closed"))
        )
        (stream | ops.take(count) | ops.for_each(out.append)).run()

    found, expected = played(ours), played(theirs)
    if count == 0:
        expected = ["closed"]  # RxPY does not subscribe
    assert found == expected


@pytest.mark.parametrize("function", [5, None, "f", [abs], ops.take(1)])
def test_no_function(function: Any) -> None:
    with pytest.raises(TypeError, match=r"^function must be a callable"):
        ops.on_close(function)


def test_a_coroutine_in_place_of_a_function() -> None:
    with pytest.raises(TypeError, match="pass the function without calling it"):
        ops.on_close(asyncio.sleep(0))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
