"""expect: steps that hold, in virtual time and on a real event loop, and what they leave behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import streamkit
from streamkit import DropOldest, KeepLatest, Stream, Suspend, ops
from streamkit.testing import Drawn, Expectation, drawn, expect, run

Steps = Callable[[Expectation[Any]], Awaitable[None]]


def expected(stream: Any, steps: Steps, **options: Any) -> float:
    """Do `steps` in virtual time; return when all was done."""

    async def main() -> float:
        async with expect(stream, **options) as e:
            await steps(e)
        return asyncio.get_running_loop().time()

    return run(main)


class TestSteps:
    def test_next_and_end(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await e.next("b", "c")
            await e.end()

        assert expected(drawn("-a-b-c|"), steps) == 6.0

    def test_an_item_is_returned(self) -> None:
        async def main() -> None:
            async with expect([1, 2]) as e:
                number: int = await e.item()
                assert number == 1
                await e.leave()

        run(main)

    def test_an_error_is_returned(self) -> None:
        error = ValueError("no such file")

        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            assert await e.error(ValueError, match=r"such \w+$") is error

        expected(drawn("a#", values={"#": error}), steps)

    def test_nothing(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.nothing(2.5)
            await e.nothing(2.0)
            await e.next("a")
            await e.end()

        assert expected(drawn("-----a|"), steps) == 6.0

    @pytest.mark.parametrize("seconds", [5.0, 0.1 + 0.2])
    def test_what_comes_at_the_end_of_nothing_is_next(self, seconds: float) -> None:
        async def steps(e: Expectation[Any]) -> None:
            for number in range(3):
                await e.nothing(seconds)
                await e.next(number)
            await e.nothing(seconds)
            await e.leave()

        expected(streamkit.interval(seconds), steps)

    def test_what_comes_there_sooner_by_a_rounding_error_is_next_too(self) -> None:
        async def source() -> AsyncIterator[str]:
            await asyncio.sleep(0.3)
            yield "a"

        async def steps(e: Expectation[Any]) -> None:
            await e.nothing(0.2)
            await e.nothing(0.1)  # until 0.2 + 0.1, which is more than 0.3
            await e.next("a")
            await e.end()

        expected(source, steps)

    def test_nothing_loses_no_item_and_pulls_once(self) -> None:
        source = drawn("---a-b|")

        async def steps(e: Expectation[Any]) -> None:
            await e.nothing(1.0)
            await e.nothing(1.0)
            await e.next("a")
            await asyncio.sleep(9.0)
            await e.next("b")
            await e.end()

        expected(source, steps)
        assert source.demand == "^-----------(^^)"

    def test_between_steps_nothing_is_pulled(self) -> None:
        source = drawn("abc|")

        async def steps(e: Expectation[Any]) -> None:
            await asyncio.sleep(3.0)
            assert source.asked == []
            await e.next("a")
            await asyncio.sleep(3.0)
            assert source.asked == [3.0]
            await e.leave()

        expected(source, steps)
        assert source.left == [6.0]

    def test_drops(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await e.dropped("b")
            assert asyncio.get_running_loop().time() == 2.0
            await e.dropped("c", "d")
            await e.next("e")
            await e.end()

        assert expected(Stream(drawn("abcde|")) | ops.buffer(DropOldest(1)), steps) == 5.0

    def test_drops_that_no_step_asks_for_are_no_failure(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await asyncio.sleep(9.0)
            await e.next("e")
            await e.end()

        expected(Stream(drawn("abcde|")) | ops.buffer(DropOldest(1)), steps)

    def test_what_leaving_drops(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await asyncio.sleep(9.0)
            await e.leave()
            await e.dropped("b")

        expected(Stream(drawn("ab")) | ops.buffer(KeepLatest()), steps)

    def test_leaving_waits_for_the_clean_up(self) -> None:
        source = drawn("ab|", closing=5.0)

        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await e.leave()
            assert source.cleaned == [5.0]

        expected(Stream(source) | ops.buffer(Suspend(3)), steps)

    def test_a_time_out_of_the_stream_is_an_error_of_it(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await e.error(TimeoutError)

        expected(Stream(drawn("a----b|")) | ops.timeout(2.0), steps)

    def test_items_that_cannot_be_compared(self) -> None:
        class Odd:
            def __eq__(self, other: object) -> bool:
                raise ArithmeticError

            __hash__ = None  # type: ignore[assignment]

        odd = Odd()

        async def steps(e: Expectation[Any]) -> None:
            await e.next(odd)
            await e.end()

        expected([odd], steps)

    def test_times_are_those_since_the_stream_was_opened(self) -> None:
        async def main() -> None:
            await asyncio.sleep(1000.0)
            async with expect(drawn("-a")) as e:
                with pytest.raises(AssertionError, match=r"and 'a' came at 1 s\n"):
                    await e.next("b")
                await e.leave()

        run(main)

    def test_on_a_real_event_loop(self) -> None:
        async def main() -> None:
            async with expect(Stream("ab") | ops.buffer(Suspend(1))) as e:
                await e.next("a", "b")
                await e.end()
            async with expect(streamkit.never(), timeout=0.001) as e:
                with pytest.raises(
                    AssertionError, match=r"'a' was expected, and nothing came within 0\.001 s"
                ):
                    await e.next("a")
                await e.nothing(0.001)
                await e.leave()

        asyncio.run(main())


class TestLeftBehind:
    """`run` fails on any task or generator that is left."""

    def failing(self, source: Drawn, steps: Steps, error: type[BaseException]) -> None:
        with pytest.raises(error):
            expected(Stream(source) | ops.buffer(Suspend(2)), steps, timeout=3.0)
        assert len(source.cleaned) == source.runs == 1

    def test_after_a_step_that_failed(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("b")

        self.failing(drawn("-a-"), steps, AssertionError)

    def test_after_a_step_that_waited_too_long(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.end()

        self.failing(drawn("---------"), steps, AssertionError)

    def test_after_what_was_left_unread(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")

        self.failing(drawn("a"), steps, AssertionError)

    def test_after_an_error_of_the_test(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.nothing(0.5)
            raise KeyError

        self.failing(drawn("-a", closing=2.0), steps, KeyError)

    @pytest.mark.parametrize("step", ["next", "nothing", "dropped", "leave", "judge"])
    def test_after_a_step_that_was_cancelled(self, step: str) -> None:
        source = drawn("a", closing=4.0)

        async def test() -> None:
            async with expect(Stream(source) | ops.buffer(Suspend(2))) as e:
                await e.next("a")
                match step:
                    case "next":
                        await e.next("b")
                    case "nothing":
                        await e.nothing(9.0)
                    case "dropped":
                        await e.dropped("b")
                    case "leave":
                        await e.leave()
                    case _:
                        pass  # what is left is looked for when the block ends

        async def main() -> None:
            task = asyncio.create_task(test())
            await asyncio.sleep(2.0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert source.cleaned != []

        run(main)

    def test_an_error_of_the_clean_up_is_raised(self) -> None:
        async def dirty() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                raise OSError("unclean")

        async def steps(e: Expectation[Any]) -> None:
            await e.next(1)
            await e.leave()

        with pytest.raises(OSError, match="unclean"):
            expected(Stream(dirty), steps)

    def test_an_error_of_the_clean_up_goes_with_the_failure(self) -> None:
        async def dirty() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                raise OSError("unclean")

        async def steps(e: Expectation[Any]) -> None:
            await e.next(2)

        with pytest.raises(AssertionError) as caught:
            expected(Stream(dirty), steps)
        assert [str(error) for error in streamkit.attached(caught.value)] == ["unclean"]
