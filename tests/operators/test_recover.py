"""catch."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from streamkit import Stream, attached, ops
from streamkit.testing import run


class Failing:
    """A source that gives 1 and 2 and fails; it notes what was done to it."""

    def __init__(self, error: BaseException, log: list[str] | None = None) -> None:
        self.error = error
        self.log = [] if log is None else log

    async def __call__(self) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
            raise self.error
        finally:
            await asyncio.sleep(1.0)
            self.log.append("closed")


def boom(*_: object) -> Any:
    raise KeyError("boom")


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def three() -> AsyncIterator[int]:
    yield 3


async def later(_: Exception) -> list[int]:
    await asyncio.sleep(5.0)
    return [3]


class TestCatch:
    @pytest.mark.parametrize(
        "function",
        [
            lambda _: [3],
            lambda _: iter([3]),
            lambda _: three(),
            lambda _: three,
            lambda _: Stream([2]) | ops.map(lambda number: number + 1),
            later,
            lambda error: later(error),
        ],
        ids=["list", "iterator", "async iterator", "callable", "stream", "coroutine function", "awaitable"],
    )
    def test_goes_on_with_what_the_function_makes(self, function: Any) -> None:
        stream = Stream(Failing(ValueError("bad"))) | ops.catch(function)
        assert run(lambda: collect(stream)) == [1, 2, 3]

    def test_is_not_called_where_nothing_fails(self) -> None:
        assert list(Stream([1, 2]) | ops.catch(boom)) == [1, 2]

    def test_an_empty_list_ends_the_stream(self) -> None:
        assert run(lambda: collect(Stream(Failing(ValueError())) | ops.catch(lambda _: []))) == [1, 2]

    def test_the_function_is_given_the_error_itself(self) -> None:
        given: list[Exception] = []
        error = ValueError("bad")
        assert run(lambda: collect(Stream(Failing(error)) | ops.catch(lambda e: given.append(e) or []))) == [
            1,
            2,
        ]
        assert given == [error]

    def test_catches_errors_of_callbacks_before_it(self) -> None:
        stream = Stream([2, 1, 0, 5]) | ops.map(lambda number: 2 // number) | ops.catch(lambda _: ["caught"])
        assert list(stream) == [1, 2, "caught"]

    def test_the_source_is_closed_before_the_function_is_called(self) -> None:
        log: list[str] = []

        def function(_: Exception) -> list[int]:
            log.append("called")
            return []

        run(lambda: collect(Stream(Failing(ValueError(), log)) | ops.catch(function)))
        assert log == ["closed", "called"]

    def test_errors_of_clean_up_hang_on_the_error_that_the_function_gets(self) -> None:
        async def dirty() -> AsyncIterator[int]:
            try:
                yield 3
                await asyncio.sleep(99.0)
            finally:
                raise OSError("clean-up")

        found: list[str] = []
        stream = (
            Stream(Failing(ValueError("bad")))
            | ops.merge(dirty)
            | ops.catch(lambda e: found.extend(map(str, [e, *attached(e)])) or [])
        )
        assert sorted(run(lambda: collect(stream))) == [1, 2, 3]
        assert found == ["bad", "clean-up"]

    def test_every_run_begins_anew(self) -> None:
        stream = Stream(Failing(ValueError())) | ops.catch(lambda _: [3])
        assert run(lambda: collect(stream)) == run(lambda: collect(stream)) == [1, 2, 3]


class TestErrors:
    @pytest.mark.parametrize("errors", [ValueError, (KeyError, ValueError), Exception, UnicodeError.__base__])
    def test_of_the_types_given_are_caught(self, errors: Any) -> None:
        stream = Stream(Failing(ValueError("bad"))) | ops.catch(lambda _: [3], errors=errors)
        assert run(lambda: collect(stream)) == [1, 2, 3]

    @pytest.mark.parametrize("errors", [KeyError, (KeyError, OSError), ()])
    def test_of_other_types_are_not(self, errors: Any) -> None:
        error = ValueError("bad")
        with pytest.raises(ValueError, match="bad") as caught:
            run(lambda: collect(Stream(Failing(error)) | ops.catch(boom, errors=errors)))
        assert caught.value is error

    def test_of_what_follows_are_not_caught_again(self) -> None:
        calls: list[Exception] = []

        def function(error: Exception) -> Any:
            calls.append(error)
            return Failing(KeyError("second"))

        with pytest.raises(KeyError, match="second"):
            run(lambda: collect(Stream(Failing(ValueError("first"))) | ops.catch(function)))
        assert len(calls) == 1

    def test_of_operators_behind_it_are_not_caught(self) -> None:
        with pytest.raises(KeyError, match="boom"):
            list(Stream([1]) | ops.catch(lambda _: [9]) | ops.map(boom))

    def test_of_the_consumer_are_not_caught(self) -> None:
        async def main() -> None:
            async for _ in Stream([1, 2]) | ops.catch(lambda _: [9]):
                raise KeyError("consumer")

        with pytest.raises(KeyError, match="consumer"):
            run(main)

    def test_of_the_function_end_the_stream_and_remember_what_was_caught(self) -> None:
        with pytest.raises(KeyError, match="boom") as caught:
            run(lambda: collect(Stream(Failing(ValueError("first"))) | ops.catch(boom)))
        assert isinstance(caught.value.__cause__, ValueError)
        assert caught.value.__notes__[0].startswith("in catch(boom) at ")

    def test_a_type_of_error_is_no_function(self) -> None:
        refused: Any = ValueError
        with pytest.raises(TypeError, match=r"write catch\(function, errors=ValueError\)"):
            ops.catch(refused)

    @pytest.mark.parametrize("value", [5, None])
    def test_a_function_that_returns_no_source_is_blamed(self, value: Any) -> None:
        with pytest.raises(TypeError, match=f"<lambda> must return an iterable.*, not {value}") as caught:
            run(lambda: collect(Stream(Failing(ValueError())) | ops.catch(lambda _: value)))
        assert caught.value.__notes__[0].startswith("in catch(<lambda>) at ")

    def test_cancellation_is_never_caught(self) -> None:
        async def main() -> None:
            task = asyncio.ensure_future(collect(Stream(hang) | ops.catch(boom)))
            await asyncio.sleep(5.0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

        async def hang() -> AsyncIterator[int]:
            yield 1
            await asyncio.sleep(99.0)

        run(main)

    @pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
    def test_what_ends_the_program_is_never_caught(self, error: type[BaseException]) -> None:
        def source() -> Iterator[int]:
            yield 1
            raise error

        with pytest.raises(error):
            (Stream(source) | ops.catch(boom) | ops.drain()).run()


class TestArguments:
    @pytest.mark.parametrize("function", [5, None, [3]])
    def test_no_function(self, function: Any) -> None:
        with pytest.raises(TypeError) as caught:
            ops.catch(function)
        assert str(caught.value).startswith(f"function must be a callable, not {function!r}")

    @pytest.mark.parametrize(
        "errors", [5, None, "ValueError", ValueError(), int, [ValueError], (ValueError, 5)]
    )
    def test_no_types(self, errors: Any) -> None:
        with pytest.raises(TypeError) as caught:
            ops.catch(boom, errors=errors)
        assert str(caught.value) == f"errors must be a type of Exception, or a tuple of them, not {errors!r}"

    @pytest.mark.parametrize(
        "errors", [BaseException, asyncio.CancelledError, KeyboardInterrupt, GeneratorExit]
    )
    def test_what_is_no_exception_cannot_be_caught(self, errors: Any) -> None:
        with pytest.raises(TypeError, match="errors must be a type of Exception"):
            ops.catch(boom, errors=errors)


def test_an_observable_as_what_follows_is_refused_and_not_awaited() -> None:
    """RxPY's observables can be awaited, for their last item."""
    reactivex = pytest.importorskip("reactivex")
    stream = Stream(Failing(ValueError("x"))) | ops.catch(lambda _: reactivex.of(1, 2))
    with pytest.raises(TypeError, match="from_observable"):
        run(lambda: collect(stream))


def test_a_step_that_fails_at_what_is_put_before_the_first_item() -> None:
    """``start_with`` gives that before anything is read: the stream has failed all the same."""

    def halve(number: int) -> float:
        return 1 / number

    for items in ((0,), (2, 0)):
        before = [halve(number) for number in items if number]
        failing = Stream([3]) | ops.start_with(*items) | ops.map(halve)
        assert list(failing | ops.catch(lambda _: [4.0])) == [*before, 4.0]
        assert list(failing | ops.retry(attempts=2) | ops.catch(lambda _: [4.0])) == [*before, *before, 4.0]
