"""Drawn sources: what they give, and what they record."""

import asyncio
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.testing import DeadlockError, Drawn, DrawnError, drawn, run
from tests.marbles import Noted, note, noted


def consumed(source: Drawn, count: int) -> list[Any]:
    async def main() -> list[Any]:
        return await (Stream(source) | ops.take(count) | ops.to_list())

    return run(main)


class TestItems:
    def test_each_comes_at_its_time(self) -> None:
        assert noted(Stream(drawn("--a-(bc)-|"))) == [(2.0, "a"), (4.0, "b"), (4.0, "c"), (6.0, "|")]

    def test_a_frame_may_be_of_any_length(self) -> None:
        assert noted(Stream(drawn("-a 1s |", frame=0.25))) == [(0.25, "a"), (1.5, "|")]

    def test_values(self) -> None:
        source = drawn("ab#", values={"a": None, "#": ValueError("x")})
        seen = noted(Stream(source))
        assert seen[:2] == [(0.0, None), (1.0, "b")]
        assert repr(seen[2]) == "(2.0, ValueError('x'))"

    def test_an_error_of_its_own_or_of_a_class(self) -> None:
        for values, kind in (({}, DrawnError), ({"#": KeyError}, KeyError)):
            source = drawn("#", values=values)
            first, second = [noted(Stream(source))[-1][1] for _ in range(2)]
            assert type(first) is kind
            assert first is second

    def test_items_that_are_due_already_come_at_once(self) -> None:
        assert noted(Stream(drawn("abc|")), 5.0) == [(0.0, "a"), (5.0, "b"), (5.0, "c"), (5.0, "|")]

    def test_each_run_begins_anew_when_it_is_first_asked(self) -> None:
        source = drawn("-a|")

        async def main() -> list[Noted]:
            first = await note(Stream(source))
            await asyncio.sleep(3.0)
            return [first, await note(Stream(source))]

        assert run(main) == [[(1.0, "a"), (2.0, "|")], [(6.0, "a"), (7.0, "|")]]
        assert source.runs == 2

    def test_without_an_end_it_never_ends(self) -> None:
        with pytest.raises(DeadlockError):
            noted(Stream(drawn("a-")))


class TestRecords:
    def test_when_it_was_asked_and_when_it_was_clean(self) -> None:
        source = drawn("-a-b|", closing=2.0)
        noted(Stream(source), 4.0)
        assert (source.asked, source.left, source.cancelled, source.cleaned) == (
            [0.0, 5.0, 5.0],
            [],
            [],
            [7.0],
        )
        assert source.demand == "^----(^^)"

    def test_when_it_was_closed(self) -> None:
        source = drawn("-abc|")
        assert consumed(source, 2) == ["a", "b"]
        assert (source.left, source.cancelled, source.cleaned) == ([2.0], [], [2.0])
        assert source.demand == "^^!"

    def test_when_it_was_cancelled(self) -> None:
        source = drawn("-a")

        async def main() -> None:
            async with asyncio.timeout(5.0):
                await (Stream(source) | ops.drain())

        with pytest.raises(TimeoutError):
            run(main)
        assert (source.left, source.cancelled, source.cleaned) == ([5.0], [5.0], [5.0])
        assert source.demand == "^^---!"

    def test_cancelled_in_its_clean_up_it_was_cancelled_when_it_was_asked_only(self) -> None:
        source = drawn("-abc|", closing=3.0)
        assert consumed(source, 1) == ["a"]
        assert (source.left, source.cancelled, source.cleaned) == ([1.0], [], [4.0])

    def test_all_runs_together(self) -> None:
        source = drawn("-ab|")

        async def main() -> None:
            for _ in range(2):
                await (Stream(source) | ops.first())

        run(main)
        assert (source.runs, source.asked, source.left) == (2, [0.0, 1.0], [1.0, 2.0])
        assert source.demand == "^(!^)!"

    def test_one_that_was_never_run(self) -> None:
        source = drawn("a|")
        assert (source.runs, source.demand, repr(source)) == (0, "", "drawn('a|')")


class TestMistakes:
    @pytest.mark.parametrize(
        ("make", "error", "says"),
        [
            (
                lambda: drawn("a||"),
                ValueError,
                "a source is drawn wrong: nothing can come after its end\n    a||",
            ),
            (lambda: drawn("^a"), ValueError, "a source is drawn wrong: '^' cannot stand here"),
            (
                lambda: drawn("a", frame=0),
                ValueError,
                "frame must be a finite number of seconds above 0, not 0",
            ),
            (
                lambda: drawn("a", closing=-1),
                ValueError,
                "closing must be a finite number of seconds of at least 0",
            ),
            (lambda: drawn("a", values=["a"]), TypeError, "values must be a mapping, such as a dict"),  # type: ignore[arg-type]
            (
                lambda: drawn("a", values={"ab": 1}),
                ValueError,
                "values must have one character for each item, and '#', not 'ab'",
            ),
            (
                lambda: drawn("a", values={"|": 1}),
                ValueError,
                "values must have one character for each item, and '#', not '|'",
            ),
            (
                lambda: drawn("#", values={"#": "boom"}),
                TypeError,
                "values['#'] must be an error, or a class of errors, not 'boom'",
            ),
            (
                lambda: drawn(),
                TypeError,
                "testing.drawn(marbles, *, values=None, frame=1.0, closing=0.0) needs marbles",
            ),
        ],
    )
    def test_arguments(self, make: Any, error: type[Exception], says: str) -> None:
        with pytest.raises(error) as caught:
            make()
        assert str(caught.value).startswith(says)
