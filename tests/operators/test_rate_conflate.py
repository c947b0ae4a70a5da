"""conflate, extrapolate."""

import asyncio
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest

from streamkit import Conflate, KeepLatest, Stream, Suspend, ops
from streamkit.testing import run
from tests.marbles import ERROR, drawn, noted
from tests.operators.pacing import MANY, NO_TIE, consumed, stopped


class TestConflate:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--1-2-3---------4--|")) | ops.map(int) | ops.conflate(int.__add__)
        assert noted(stream, 8.0, 6.0) == [(2.0, 1), (10.0, 5), (16.0, 4), (19.0, "|")]

    def test_is_buffer_of_conflate(self) -> None:
        assert repr(ops.conflate(max)) == repr(ops.buffer(Conflate(max)))

    def test_a_consumer_that_keeps_up_gets_every_item(self) -> None:
        stream = Stream(drawn("-1-2-3|")) | ops.conflate(str.__add__)
        assert noted(stream) == [(1.0, "1"), (3.0, "2"), (5.0, "3"), (6.0, "|")]

    def test_an_error_of_the_source_comes_after_what_is_folded(self) -> None:
        stream = Stream(drawn("-abcX")) | ops.conflate(str.__add__)
        assert noted(stream, 9.0) == [(1.0, "a"), (10.0, "bc"), (10.0, ERROR)]

    def test_an_error_of_the_function_comes_after_what_waits_and_is_named(self) -> None:
        error = ValueError("fold")

        def fold(waiting: str, item: str) -> str:
            if item == "d":
                raise error
            return waiting + item

        got, stats, _ = consumed(Stream(drawn("-abcde|")) | ops.conflate(fold), lambda _: 9.0)
        assert got == ["a", "bc"]
        assert error.__notes__[0].startswith("in buffer(Conflate(fold)) at ")
        assert "test_rate_conflate.py:" in error.__notes__[0]
        assert (stats.offered, stats.delivered, stats.folded, stats.refused) == (4, 2, 1, 1)

    def test_stop_iteration_in_the_function_ends_no_stream(self) -> None:
        def fold(waiting: str, item: str) -> str:
            raise StopIteration

        time, error = noted(Stream(drawn("-abc|")) | ops.conflate(fold), 9.0)[-1]
        assert time == 10.0
        assert isinstance(error, RuntimeError)
        assert isinstance(error.__cause__, StopIteration)

    def test_what_waits_at_an_early_end_is_counted(self) -> None:
        stats = stopped(Stream(drawn("-abcd-")) | ops.conflate(str.__add__), 9.0)
        assert (stats.offered, stats.delivered, stats.folded, stats.dropped) == (4, 1, 2, 1)

    def test_bad_arguments(self) -> None:
        async def later(waiting: int, item: int) -> int:
            return item

        with pytest.raises(TypeError, match="function must be a callable, not 5"):
            ops.conflate(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="function must be a plain function, not the coroutine function"):
            ops.conflate(later)  # type: ignore[arg-type]


def endless(item: Any) -> Iterator[Any]:
    return repeat(item, MANY)


def twice(item: Any) -> list[Any]:
    return [item, item]


class TestExtrapolate:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--1-----------5-----|")) | ops.extrapolate(twice)
        assert noted(stream, *repeat(2.0, 6)) == [
            *((2.0, "1"), (4.0, "1"), (6.0, "1")),
            *((14.0, "5"), (16.0, "5"), (18.0, "5"), (20.0, "|")),
        ]

    def test_before_the_first_item_there_is_nothing(self) -> None:
        assert noted(Stream(drawn("---|")) | ops.extrapolate(endless)) == [(3.0, "|")]

    def test_an_endless_one_fills_every_ask_until_the_next_item(self) -> None:
        stream = Stream(drawn("-a--b--|")) | ops.extrapolate(endless)
        seen = noted(stream, *repeat(1 - NO_TIE, 9))
        assert "".join(item for _, item in seen) == "aaaabbb|"
        assert next(time for time, item in seen if item == "b") < 4.0 + 1.0
        assert seen[-1][0] < 7.0 + 1.0

    def test_a_consumer_that_never_waits_starves_nobody(self) -> None:
        seen = noted(Stream(drawn("-a-----b|")) | ops.extrapolate(endless) | ops.take(500))
        assert {time for time, _ in seen} == {1.0}
        ready = [item for _, item in noted(Stream(range(3)) | ops.extrapolate(endless))]
        assert list(dict.fromkeys(ready)) == [0, 1, 2, "|"]

    def test_an_item_that_is_there_comes_before_what_was_made_of_the_last(self) -> None:
        stream = Stream(drawn("-ab------|")) | ops.extrapolate(lambda item: [item.upper()])
        assert noted(stream, 5.0) == [(1.0, "a"), (6.0, "b"), (6.0, "B"), (9.0, "|")]

    def test_one_item_is_read_ahead(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(MANY)) | ops.tap(pulled.append) | ops.extrapolate(lambda _: ())
            async with stream.open() as items:
                await anext(items)
                await asyncio.sleep(5.0)
                assert pulled == [0, 1]

        run(main)

    def test_a_buffer_before_it_becomes_its_own(self) -> None:
        stream = Stream(drawn("-abcd----|")) | ops.buffer(KeepLatest()) | ops.extrapolate(lambda _: ())
        assert noted(stream, 5.0) == [(1.0, "a"), (6.0, "d"), (9.0, "|")]

    def test_an_awaitable_is_awaited(self) -> None:
        async def later(item: str) -> list[str]:
            await asyncio.sleep(1.0)
            return [item.upper()]

        stream = Stream(drawn("-a---b---|")) | ops.extrapolate(later)
        assert noted(stream) == [(1.0, "a"), (2.0, "A"), (5.0, "b"), (6.0, "B"), (9.0, "|")]

    def test_an_error_of_the_source_comes_after_what_is_held_and_ends_what_was_made(self) -> None:
        stream = Stream(drawn("-ab-X")) | ops.extrapolate(endless)
        assert noted(stream, *repeat(2.0, 9)) == [(1.0, "a"), (3.0, "b"), (5.0, ERROR)]
        buffered = Stream(drawn("-abX")) | ops.buffer(Suspend(4)) | ops.extrapolate(endless)
        assert noted(buffered, 6.0) == [(1.0, "a"), (7.0, "b"), (7.0, ERROR)]

    def test_an_error_of_the_function_is_named(self) -> None:
        error = ValueError("function")

        def fail(item: str) -> list[str]:
            raise error

        cleaned: list[float] = []
        assert noted(Stream(drawn("-a-b|", cleaned)) | ops.extrapolate(fail)) == [(1.0, "a"), (1.0, error)]
        assert error.__notes__[0].startswith("in extrapolate(fail) at ")
        assert cleaned == [1.0]

    def test_an_error_of_what_the_function_made_is_named(self) -> None:
        error = ValueError("iterator")

        def fail(item: str) -> Iterator[str]:
            yield item
            raise error

        assert noted(Stream(drawn("-a-----|")) | ops.extrapolate(fail)) == [
            *((1.0, "a"), (1.0, "a")),
            (1.0, error),
        ]
        assert error.__notes__[0].startswith("in extrapolate(fail) at ")

    @pytest.mark.parametrize("made", [5, None])
    def test_what_cannot_be_iterated_is_named(self, made: Any) -> None:
        time, error = noted(Stream(drawn("-a-|")) | ops.extrapolate(lambda _: made))[-1]
        assert time == 1.0
        assert isinstance(error, TypeError)
        assert error.__notes__[0].startswith("in extrapolate(<lambda>) at ")

    def test_stop_async_iteration_of_what_the_function_made_ends_no_stream(self) -> None:
        stopping = StopAsyncIteration()

        def fail(item: str) -> Iterator[str]:
            raise stopping
            yield item

        error = noted(Stream(drawn("-a-|")) | ops.extrapolate(fail))[-1][1]
        assert isinstance(error, RuntimeError)
        assert error.__cause__ is stopping

    def test_generators_are_closed_when_the_next_item_comes_and_at_an_early_end(self) -> None:
        events: list[str] = []

        def more(item: str) -> Iterator[str]:
            try:
                yield from endless(item)
            finally:
                events.append(f"closed {item}")

        async def main() -> None:
            stream = Stream(drawn("-a-b-")) | ops.extrapolate(more)
            async with stream.open() as items:
                for wait in (1.0, 1.5, 1.0):
                    events.append(await anext(items))
                    await asyncio.sleep(wait)
                events.append(await anext(items))
            events.append("left")

        run(main)
        assert events == ["a", "a", "closed a", "b", "b", "closed b", "left"]

    def test_an_error_of_the_clean_up_of_what_the_function_made_is_named(self) -> None:
        error = ValueError("clean-up")

        def more(item: str) -> Iterator[str]:
            try:
                yield from endless(item)
            finally:
                raise error

        stream = Stream(drawn("-a---b|")) | ops.extrapolate(more)
        assert noted(stream, *repeat(1.5, 9))[-1] == (5.5, error)
        assert error.__notes__[0].startswith("in extrapolate(more) at ")

    def test_what_is_held_at_an_early_end_is_counted(self) -> None:
        stats = stopped(Stream(drawn("-abcd-")) | ops.extrapolate(endless), 9.0)
        assert (stats.offered, stats.delivered, stats.dropped) == (2, 1, 1)

    def test_bad_argument(self) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not None"):
            ops.extrapolate(None)  # type: ignore[call-overload]
