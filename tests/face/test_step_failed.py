"""`failed=` of a step: what it makes of an error that came from before it."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from streamkit import Operator, Sink, SourceConsumedError, Stream, Suspend, attached, ops, step
from streamkit.testing import run


@step(
    setup="seen = 0",
    each="seen += 1\nemit(item)",
    finish='emit(f"end after {seen}")',
    failed='emit(f"{function(error)} after {seen}")',
)
def told(function: Callable[[Exception], Any] = str) -> Operator[Any, Any]:
    return Operator(told, function=function)


@step(setup="found = None", each="pass", failed="found = str(error)", result="found")
def why() -> Sink[Any, str | None]:
    return Sink(why)


async def later(error: Exception) -> str:
    await asyncio.sleep(1.0)
    return f"later {error}"


async def failing() -> AsyncIterator[int]:
    yield 1
    yield 2
    raise OSError("broken")


def failing_now() -> Iterator[int]:
    yield 1
    yield 2
    raise OSError("broken")


def two_of(number: int) -> int:
    if number > 2:
        raise OSError("broken")
    return number


SOURCES: dict[str, Callable[[], Any]] = {
    "async": lambda: Stream(failing),
    "sync": lambda: Stream(failing_now),
    "step": lambda: Stream([1, 2, 3, 4]) | ops.map(two_of),
    "step over async": lambda: Stream([1, 2, 3]) | ops.merge() | ops.map(two_of),
    "stage": lambda: Stream(failing) | ops.merge(),
    "buffer": lambda: Stream(failing) | ops.buffer(Suspend(3)),
    "concurrent": lambda: Stream([1, 2, 3]) | ops.map(two_of, concurrency=2),
    "after steps": lambda: Stream(failing) | ops.take(9) | ops.map(two_of),
    "concat": lambda: Stream([]) | ops.concat(failing),
    "group": lambda: (
        Stream(failing) | ops.group_by(lambda _: 0, ops.take(9), max_groups=1) | ops.map(lambda p: p[1])
    ),
}
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


@every_source
def test_the_stream_ends_with_what_is_made_of_the_error(source: Callable[[], Any]) -> None:
    wanted = [1, 2, "broken after 2"]
    assert list(source() | told()) == wanted
    assert run(lambda: source() | told() | ops.to_list()) == wanted
    assert run(lambda: source() | told() | ops.merge() | ops.to_list()) == wanted
    assert run(lambda: source() | told() | ops.batch(2) | ops.to_list()) == [[1, 2], ["broken after 2"]]
    assert run(lambda: source() | why()) == "broken"


@every_source
def test_its_callbacks_are_awaited(source: Callable[[], Any]) -> None:
    for function in (later, lambda error: later(error)):
        assert (
            run(lambda function=function: source() | told(function) | ops.to_list())[-1]
            == "later broken after 2"
        )


def test_without_an_error_it_is_not_run() -> None:
    assert list(Stream("ab") | told()) == ["a", "b", "end after 2"]
    assert list(Stream("ab") | ops.take(1) | told()) == ["a", "end after 1"]
    assert (Stream("ab") | why()).run() is None


def test_the_next_of_two_sees_an_end() -> None:
    assert list(Stream(failing) | told() | told()) == [1, 2, "broken after 2", "end after 3"]


def test_what_is_held_before_it_comes_first() -> None:
    assert list(Stream(failing) | ops.batch(9) | told()) == [[1, 2], "broken after 1"]


def test_an_error_from_behind_it_is_not_for_it() -> None:
    with pytest.raises(OSError, match="broken") as caught:
        list(Stream([1, 2, 3]) | told() | ops.map(two_of))
    assert caught.value.__notes__[0].startswith("in map(two_of)")


def test_an_error_in_it_is_its_own() -> None:
    def fails(error: Exception) -> str:
        raise KeyError(str(error))

    with pytest.raises(KeyError) as caught:
        list(Stream(failing) | told(fails))
    assert caught.value.__notes__[0].startswith("in told(")
    with pytest.raises(OSError, match="broken") as failed:
        list(Stream(failing) | told() | ops.map(lambda item: two_of(9) if item == "broken after 2" else item))
    assert failed.value.__notes__[0].startswith("in map(")


@pytest.mark.parametrize(
    "inside", [told(), ops.take(9) | told(), ops.aggregate(told() | ops.to_list())], ids=repr
)
def test_in_branches_and_groups(inside: Any) -> None:
    pipe = ops.map(two_of) | inside
    assert "broken after 2" in str(
        run(lambda: Stream([1, 2, 3, 4]) | ops.broadcast(pipe, ops.map(str)) | ops.to_list())
    )
    groups = ops.group_by(lambda _: 0, pipe, max_groups=1)
    assert "broken after 2" in str(run(lambda: Stream([1, 2, 3, 4]) | groups | ops.to_list()))


def test_errors_of_the_program_are_not_for_it() -> None:
    def deep(_: Any) -> None:
        raise RecursionError

    with pytest.raises(RecursionError):
        list(Stream("a") | ops.map(deep) | told())
    once = Stream(iter("a")) | told()
    assert list(once) == ["a", "end after 1"]
    with pytest.raises(SourceConsumedError):
        list(once)


def test_a_cancellation_and_a_consumer_that_leaves_are_not_for_it() -> None:
    called: list[Exception] = []

    async def endless() -> AsyncIterator[int]:
        while True:
            await asyncio.sleep(1.0)
            yield 1

    async def main() -> None:
        stream = Stream(endless) | told(called.append)
        task = asyncio.ensure_future(stream | ops.drain())
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        async with stream.open() as items:
            async for _ in items:
                break

    run(main)
    assert called == []


def test_what_clean_up_raises_then_fails_the_stream() -> None:
    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 9
        finally:
            raise KeyError("clean-up")

    async def main() -> list[Any]:
        out: list[Any] = []
        with pytest.raises(KeyError, match="clean-up") as caught:
            async with (Stream(source) | ops.map(two_of) | told()).open() as items:
                async for item in items:
                    out.append(item)
        assert attached(caught.value) == ()
        return out

    assert run(main) == [1, "broken after 1"]


def test_the_error_does_not_keep_what_was_on_the_way() -> None:
    class Item:
        pass

    def refused(_: Item) -> Item:
        raise OSError

    def source() -> Iterator[Item]:
        item = Item()
        alive.append(weakref.ref(item))
        yield item

    @step(each="emit(item)", failed="emit(error)")
    def caught() -> Operator[Any, Any]:
        return Operator(caught)

    alive: list[weakref.ref[Item]] = []
    gc.disable()
    try:
        (error,) = Stream(source) | ops.map(refused) | caught()
        error.__traceback__ = None
        assert alive[0]() is None
    finally:
        gc.enable()


def test_a_parameter_of_that_name_is_refused() -> None:
    with pytest.raises(SyntaxError, match="a parameter must not have a name that pieces use: error"):

        @step(each="emit(item)", failed="emit(error)")
        def bad(error: Any) -> Operator[Any, Any]:
            return Operator(bad, error=error)

    @step(each="emit((item, error))")
    def good(error: Any) -> Operator[Any, Any]:
        return Operator(good, error=error)

    assert list(Stream("a") | good(1)) == [("a", 1)]


def test_what_cannot_be_spliced_is_refused_there_too() -> None:
    with pytest.raises(SyntaxError, match=r"\(failed, line 1: return error\)"):

        @step(each="emit(item)", failed="return error")
        def bad() -> Operator[Any, Any]:
            return Operator(bad)

    with pytest.raises(TypeError, match="failed must be Python in quotes"):
        step(each="emit(item)", failed=print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
