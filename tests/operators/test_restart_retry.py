"""retry."""

import asyncio
import gc
import math
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import concat as rx_concat, defer, from_iterable, operators, throw as rx_throw

from streamkit import Backoff, SourceConsumedError, Stream, Suspend, ops, push
from streamkit.testing import run
from tests.operators.restarting import Flaky, collect, collected, lost
from tests.tiers import stride

ATTEMPTS = 100_000 // stride(20)


class TestAttempts:
    def test_the_source_runs_anew_after_each_error(self) -> None:
        source = Flaky(lost(1, 2), lost(1), [1, 2, 3])
        assert collected(source, ops.retry(3)) == [1, 2, 1, 1, 2, 3]
        assert source.log == ["closed"] * 3

    @pytest.mark.parametrize("attempts", [1, 2, 5])
    def test_are_the_runs_in_all_and_the_last_error_comes_as_itself(self, attempts: int) -> None:
        errors = [ConnectionError(str(number)) for number in range(9)]
        source = Flaky(*[[error] for error in errors])
        with pytest.raises(ConnectionError) as caught:
            collected(source, ops.retry(attempts))
        assert caught.value is errors[attempts - 1]
        assert len(source.begun) == attempts

    def test_are_three_by_default_and_none_is_for_ever(self) -> None:
        source = Flaky(lost())
        with pytest.raises(ConnectionError):
            collected(source, ops.retry())
        assert len(source.begun) == 3
        source = Flaky(*[lost(1)] * 50, [2])
        assert collected(source, ops.retry(None)) == [1] * 50 + [2]

    def test_of_which_the_last_error_tells(self) -> None:
        with pytest.raises(ConnectionError) as caught:
            collected(Flaky(*[lost(*range(number)) for number in range(6)]), ops.retry(6))
        assert caught.value.__notes__ == [
            "this was attempt 6 of 6, after 2 others, ConnectionError: lost after 2, "
            "ConnectionError: lost after 3, ConnectionError: lost after 4"
        ]
        with pytest.raises(ConnectionError) as caught:
            collected(Flaky(lost()), ops.retry(1))
        assert not hasattr(caught.value, "__notes__")

    def test_each_run_of_the_stream_begins_anew(self) -> None:
        source = Flaky(lost(), [1], lost(), [2])
        stream = Stream(source) | ops.retry(2)
        assert run(lambda: collect(stream)) == [1]
        assert run(lambda: collect(stream)) == [2]

    def test_all_that_stands_before_it_is_run_again_with_a_fresh_state(self) -> None:
        source = Flaky(lost(1, 2, 3), [4, 5])
        assert collected(source, ops.enumerate(), ops.retry(2)) == [(0, 1), (1, 2), (2, 3), (0, 4), (1, 5)]
        source = Flaky(lost(1, 2, 3), [4, 5])
        assert collected(source, ops.retry(2), ops.enumerate()) == [*enumerate([1, 2, 3, 4, 5])]

    def test_an_error_of_a_callback_before_it_counts_and_one_behind_it_does_not(self) -> None:
        numbers = iter([0, 5, 0])
        assert list(Stream([1]) | ops.map(lambda _: 10 // next(numbers)) | ops.retry(2)) == [2]
        source = Flaky([1])
        with pytest.raises(ZeroDivisionError):
            collected(source, ops.retry(3), ops.map(lambda _: 1 // 0))
        assert len(source.begun) == 1

    def test_a_stage_before_it_is_run_again(self) -> None:
        source = Flaky(lost(1, 2), [3])
        assert collected(source, ops.buffer(Suspend(4)), ops.retry(2)) == [1, 2, 3]
        source = Flaky(lost(1, 2), [3])
        assert collected(source, ops.map(abs, concurrency=3), ops.retry(2), ops.buffer(Suspend(4)))[-1] == 3

    def test_inside_of_another(self) -> None:
        source = Flaky(*[lost()] * 9)
        with pytest.raises(ConnectionError):
            collected(source, ops.retry(2), ops.retry(3))
        assert len(source.begun) == 6

    def test_composes_with_what_ends_early_and_goes_on(self) -> None:
        assert collected(Flaky(lost(1, 2)), ops.retry(None), ops.take(5)) == [1, 2, 1, 2, 1]
        assert collected(Flaky(lost(1)), ops.retry(2), ops.catch(lambda _: [9])) == [1, 1, 9]
        assert collected(Flaky(lost(1), [2]), ops.concat([3]), ops.retry(2), ops.concat([4])) == [1, 2, 3, 4]
        inner = Flaky(lost(1), [2])
        assert list(Stream([0]) | ops.flat_map(lambda _: Stream(inner) | ops.retry(2), concurrency=2)) == [
            1,
            2,
        ]


class TestSources:
    def test_that_can_be_run_once_fail_clearly(self) -> None:
        def numbers() -> Iterator[int]:
            yield 1
            raise ConnectionError("lost")

        with pytest.raises(SourceConsumedError, match="can be run only once") as caught:
            list(Stream(numbers()) | ops.retry(3))
        assert isinstance(caught.value.__cause__, ConnectionError)
        assert caught.value.__notes__[0].startswith("in retry() at ")

    @pytest.mark.parametrize("behind", [[], [ops.buffer(Suspend(2))], [ops.merge([])]], ids=repr)
    def test_a_push_stream_can_be_run_once(self, behind: list[Any]) -> None:
        async def main() -> None:
            stream, emitter = push(Suspend(4), of=int)
            emitter.offer(1)
            emitter.fail(ConnectionError("lost"))
            with pytest.raises(SourceConsumedError, match="push") as caught:
                await collect(stream.pipe(ops.retry(None), *behind))
            assert isinstance(caught.value.__cause__, ConnectionError)

        run(main)

    def test_that_fail_when_they_are_opened_are_tried_again(self) -> None:
        attempts: list[int] = []

        def connect() -> list[int]:
            attempts.append(1)
            if len(attempts) < 3:
                raise ConnectionError("refused")
            return [1, 2]

        assert list(Stream(connect) | ops.retry(3)) == [1, 2]
        with pytest.raises(ConnectionError) as caught:
            list(Stream(lambda: [*map(connect_error, "ab")]) | ops.retry(2))
        assert caught.value.__cause__ is None


def connect_error(text: str) -> None:
    raise ConnectionError(text)


class TestDepth:
    @pytest.mark.parametrize(
        "same",
        [pytest.param(False, id="new errors"), pytest.param(True, id="one error", marks=pytest.mark.full)],
    )
    def test_many_attempts_take_no_more_memory_than_few(self, same: bool) -> None:
        error = ConnectionError("refused")

        def attempts(number: int) -> int:
            left = [number]

            def source() -> Iterator[int]:
                left[0] -= 1
                if left[0]:
                    raise error if same else ConnectionError("refused")
                yield 1

            gc.collect()
            tracemalloc.start()
            try:
                assert (Stream(source) | ops.retry(None) | ops.to_list()).run() == [1]
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        attempts(100)
        assert attempts(ATTEMPTS) < attempts(200) + 10 * ATTEMPTS

    def test_others_run_while_a_source_fails_again_and_again(self) -> None:
        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await collect(Stream(lambda: connect_error("refused") or []) | ops.retry(None))

        asyncio.run(main())


RUNS = st.lists(st.tuples(st.lists(st.integers(0, 9), max_size=3), st.booleans()), min_size=1, max_size=5)


@given(RUNS, st.integers(1, 5))
def test_as_rxpy_does(runs: list[tuple[list[int], bool]], attempts: int) -> None:
    def theirs() -> tuple[list[int], str | None]:
        begun = [0]

        def source(_: Any) -> Any:
            numbers, fails = runs[min(begun[0], len(runs) - 1)]
            begun[0] += 1
            items: Any = from_iterable(numbers)
            return rx_concat(items, rx_throw(ConnectionError(str(begun[0])))) if fails else items

        out: list[int] = []
        ends: list[str | None] = []
        defer(source).pipe(operators.retry(attempts)).subscribe(
            out.append, lambda error: ends.append(str(error)), lambda: ends.append(None)
        )
        return out, ends[0]

    def ours() -> tuple[list[int], str | None]:
        begun = [0]

        def source() -> Iterator[int]:
            numbers, fails = runs[min(begun[0], len(runs) - 1)]
            begun[0] += 1
            number = begun[0]
            yield from numbers
            if fails:
                raise ConnectionError(str(number))

        out: list[int] = []
        try:
            (Stream(source) | ops.retry(attempts) | ops.for_each(out.append)).run()
        except ConnectionError as error:
            return out, str(error)
        return out, None

    assert ours() == theirs()


class TestArguments:
    @pytest.mark.parametrize("attempts", [0, -1, -(10**30)])
    def test_too_few_attempts(self, attempts: int) -> None:
        with pytest.raises(ValueError, match=r"^attempts must be a whole number of at least 1, not"):
            ops.retry(attempts)

    @pytest.mark.parametrize("attempts", ["3", 1.5, math.nan, True, [3], abs])
    def test_no_attempts(self, attempts: Any) -> None:
        with pytest.raises(TypeError, match=r"^attempts must be a whole number of at least 1, not"):
            ops.retry(attempts)

    @pytest.mark.parametrize("backoff", [None, "1", [1.0], True, abs])
    def test_no_backoff(self, backoff: Any) -> None:
        with pytest.raises(TypeError, match=r"^backoff must be a Backoff, or a finite number of seconds"):
            ops.retry(backoff=backoff)

    @pytest.mark.parametrize("backoff", [-1.0, math.nan, math.inf, 10**400])
    def test_no_time_to_wait(self, backoff: Any) -> None:
        with pytest.raises(ValueError, match=r"^backoff must be a Backoff, or a finite number of seconds"):
            ops.retry(backoff=backoff)

    @pytest.mark.parametrize("seconds", ["1", [1.0], True, abs])
    def test_no_seconds(self, seconds: Any) -> None:
        with pytest.raises(TypeError, match=r"^reset_after must be a finite number of seconds above 0"):
            ops.retry(reset_after=seconds)

    @pytest.mark.parametrize("seconds", [0, -1.0, math.nan, math.inf])
    def test_no_time(self, seconds: float) -> None:
        with pytest.raises(ValueError, match=r"^reset_after must be a finite number of seconds above 0"):
            ops.retry(reset_after=seconds)

    @pytest.mark.parametrize(
        "when", [5, None, "ValueError", int, (ValueError, 5), ValueError(), BaseException]
    )
    def test_no_errors(self, when: Any) -> None:
        with pytest.raises(
            TypeError, match=r"^when must be a type of Exception, a tuple of them, or a callable"
        ):
            ops.retry(when=when)

    @pytest.mark.parametrize("when", [RecursionError, (ValueError, SourceConsumedError)])
    def test_errors_that_nothing_takes(self, when: Any) -> None:
        with pytest.raises(ValueError, match=r"^when must not have"):
            ops.retry(when=when)

    @pytest.mark.parametrize("function", [5, "f", [abs]])
    def test_no_function(self, function: Any) -> None:
        with pytest.raises(TypeError, match=r"^on_retry must be a callable"):
            ops.retry(on_retry=function)

    def test_an_operator_in_place_of_a_callable(self) -> None:
        with pytest.raises(TypeError, match=r"^when must be a callable, not the operator"):
            ops.retry(when=ops.take(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_it_is_printed_as_it_was_written(self) -> None:
        assert repr(ops.retry(None, backoff=2.0, when=OSError)) == "retry(None, backoff=2.0, when=OSError)"
        assert ops.retry(3, backoff=Backoff(1.0)) == ops.retry(backoff=Backoff(1.0))
