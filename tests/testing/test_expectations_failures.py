"""expect: what is said where something else happens, or a step is forgotten."""

import inspect
from typing import Any

import pytest

from streamkit import DropOldest, KeepLatest, Stream, ops
from streamkit.testing import Expectation, drawn, expect, run
from tests.testing.test_expectations_steps import Steps, expected

HERE = "tests/testing/test_expectations_failures.py"


def failure(stream: Any, steps: Steps, **options: Any) -> tuple[list[str], AssertionError]:
    """What is said, with the lines in `steps` counted from its first."""
    with pytest.raises(AssertionError) as caught:
        expected(stream, steps, **options)
    first = inspect.getsourcelines(steps)[1]
    words = str(caught.value)
    for number in range(9):
        words = words.replace(f"{HERE}:{first + number}", f"line {number}")
    return words.splitlines(), caught.value


class TestSomethingElse:
    def test_another_item(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await e.next("b", "c")

        said, _ = failure(drawn("-ab-d|"), steps)
        assert said == [
            "next('b', 'c') at line 2: 'c' was expected, and 'd' came at 4 s",
            "  before that:",
            "         1 s  'a' came",
            "         2 s  'b' came",
        ]

    def test_the_end_instead(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")

        said, _ = failure(drawn("-|"), steps)
        assert said == [
            "next('a') at line 1: 'a' was expected, and the end came at 1 s",
            "  nothing came before that",
        ]

    def test_an_error_instead(self) -> None:
        error = OSError("disk full")
        source = drawn("#", values={"#": error})

        async def steps(e: Expectation[Any]) -> None:
            await e.end()

        said, failed = failure(source, steps)
        assert (
            said[0] == "end() at line 1: the end was expected, and the error OSError: disk full came at 0 s"
        )
        assert failed.__cause__ is error

    def test_another_error(self) -> None:
        source = drawn("#", values={"#": OSError("disk full")})

        async def kind(e: Expectation[Any]) -> None:
            await e.error(ValueError)

        async def words(e: Expectation[Any]) -> None:
            await e.error(OSError, match="empty")

        came = "and the error OSError: disk full came at 0 s"
        assert failure(source, kind)[0][0] == f"error(ValueError) at line 1: ValueError was expected, {came}"
        assert failure(source, words)[0][0] == (
            f"error(OSError, match='empty') at line 1: OSError with 'empty' was expected, {came}"
        )

    def test_an_item_instead_of_the_end_or_an_error_or_the_end_instead_of_an_item(self) -> None:
        async def end(e: Expectation[Any]) -> None:
            await e.end()

        async def error(e: Expectation[Any]) -> None:
            await e.error(OSError)

        async def item(e: Expectation[Any]) -> None:
            await e.item()

        assert failure(["x"], end)[0][0] == "end() at line 1: the end was expected, and 'x' came at 0 s"
        assert (
            failure(["x"], error)[0][0]
            == "error(OSError) at line 1: OSError was expected, and 'x' came at 0 s"
        )
        assert failure([], item)[0][0] == "item() at line 1: an item was expected, and the end came at 0 s"

    def test_something_instead_of_nothing(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.nothing(3.0)

        said, _ = failure(drawn("--a"), steps)
        assert said[0] == "nothing(3.0) at line 1: nothing was expected, and 'a' came at 2 s"

    def test_nothing_instead_of_something(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await e.next("b")

        said, _ = failure(drawn("a"), steps)
        assert said[0] == "next('b') at line 2: 'b' was expected, and nothing came within 3600 s"
        assert said[1] == "  waiting:"
        assert "Drawn._played" in said[2]
        assert said[3:] == ["  before that:", "         0 s  'a' came"]
        said, _ = failure(drawn("a"), steps, timeout=2.5)
        assert said[0] == "next('b') at line 2: 'b' was expected, and nothing came within 2.5 s"

    def test_another_drop_or_none(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            await e.dropped("c")

        said, _ = failure(Stream(drawn("abcd|")) | ops.buffer(KeepLatest()), steps)
        assert said == [
            "dropped('c') at line 2: 'c' was expected to be dropped, and 'b' was",
            "  before that:",
            "         0 s  'a' came",
            "         2 s  'b' was dropped (full)",
        ]
        said, _ = failure(Stream(drawn("abcd|")) | ops.buffer(DropOldest(9)), steps)
        assert (
            said[0] == "dropped('c') at line 2: 'c' was expected to be dropped, and nothing was within 3600 s"
        )

    def test_of_many_that_came_before_the_last_are_told(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next(*range(30))
            await e.end()

        said, _ = failure(range(31), steps)
        assert said[1:4] == ["  before that:", "    ... 10 more", "         0 s  10 came"]
        assert said[-1] == "         0 s  29 came"

    def test_a_step_behind_the_end(self) -> None:
        async def ended(e: Expectation[Any]) -> None:
            await e.end()
            await e.next("a")

        async def failed(e: Expectation[Any]) -> None:
            await e.error(Exception)
            await e.nothing(1.0)

        async def left(e: Expectation[Any]) -> None:
            await e.leave()
            await e.leave()

        over = "at line 2: the stream is over: it"
        assert failure(drawn("-|"), ended)[0][0] == f"next('a') {over} ended at 1 s"
        assert failure(drawn("--#"), failed)[0][0] == f"nothing(1.0) {over} failed at 2 s"
        assert failure(drawn("a"), left)[0][0] == f"leave() {over} was left at 0 s"


class TestForgotten:
    def test_a_step_that_is_not_awaited(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")
            e.next("b")  # type: ignore[unused-coroutine]
            await e.end()

        said, _ = failure(drawn("a|"), steps)
        assert said == [
            "next('b') at line 2 was never awaited",
            "  before that:",
            "         0 s  'a' came",
            "         1 s  the end came",
        ]

    def test_a_failure_names_steps_that_were_forgotten(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            e.next("a")  # type: ignore[unused-coroutine]
            await e.next("b")

        said, failed = failure(drawn("ab|"), steps)
        assert said[0] == "next('b') at line 2: 'b' was expected, and 'a' came at 0 s"
        (note,) = failed.__notes__
        assert note.startswith("next('a') at tests/testing/")
        assert note.endswith(" was never awaited")

    def test_a_step_that_is_awaited_twice(self) -> None:
        async def main() -> None:
            async with expect("aa") as e:
                step = e.next("a")
                await step
                with pytest.raises(
                    RuntimeError, match=r"^next\('a'\) at .* was awaited already: make another$"
                ):
                    await step
                await e.leave()

        run(main)

    def test_an_item_that_was_left_unread(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")

        said, _ = failure(drawn("a-b|"), steps)
        assert said == [
            "'b' came at 2 s, and no step asked for it: await e.leave() to leave it",
            "  before that:",
            "         0 s  'a' came",
        ]

    def test_an_end_or_an_error_that_was_left_unread(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")

        asked = "and no step asked for it: await e.leave() to leave it"
        assert failure(drawn("a|"), steps)[0][0] == f"the end came at 1 s, {asked}"
        said, failed = failure(drawn("a#"), steps)
        assert said[0] == f"the error DrawnError came at 1 s, {asked}"
        assert repr(failed.__cause__) == "DrawnError()"

    def test_what_came_at_the_end_of_nothing_and_was_left_unread(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.nothing(2.0)

        assert failure(drawn("--a|"), steps)[0][0].startswith("'a' came at 2 s, and no step asked for it")

    def test_a_stream_that_was_not_left(self) -> None:
        async def steps(e: Expectation[Any]) -> None:
            await e.next("a")

        said, _ = failure(drawn("a"), steps)
        assert said[0] == "the stream did not end, and was not left: await e.leave()"


class TestMistakes:
    def test_arguments(self) -> None:
        async def main() -> None:
            async with expect([]) as e:
                for call, error, says in (
                    (
                        lambda: e.next(),
                        TypeError,
                        "next() must have the items that come next; item() takes any",
                    ),
                    (lambda: e.dropped(), TypeError, "dropped() must have the items that are dropped"),
                    (
                        lambda: e.nothing(0),
                        ValueError,
                        "seconds must be a finite number of seconds above 0, not 0",
                    ),
                    (lambda: e.nothing("1"), TypeError, "seconds must be a finite number of seconds above 0"),  # type: ignore[arg-type]
                    (lambda: e.error(3), TypeError, "kind must be a class of errors, not 3"),  # type: ignore[type-var, arg-type]
                    (lambda: e.error(int), TypeError, "kind must be a class of errors, not <class 'int'>"),  # type: ignore[type-var]
                    (
                        lambda: e.error(OSError, match="("),
                        ValueError,
                        "match must be a regular expression, not '('",
                    ),
                ):
                    with pytest.raises(error) as caught:
                        call()
                    assert str(caught.value).startswith(says)
                await e.end()

        run(main)

    def test_a_stream_that_was_not_opened(self) -> None:
        with pytest.raises(RuntimeError, match=r"^open the stream first: async with expect\(stream\) as e$"):
            expect([]).end()

    def test_arguments_of_expect(self) -> None:
        bad: Any = 3
        with pytest.raises(TypeError, match=r"^stream must be an iterable"):
            expect(bad)
        with pytest.raises(ValueError, match=r"^timeout must be a finite number of seconds above 0, not 0$"):
            expect([], timeout=0)
        with pytest.raises(
            TypeError, match=r"^testing\.expect\(stream, \*, timeout=None, drops=None\) takes no wait$"
        ):
            expect([], wait=1)  # type: ignore[call-arg]
