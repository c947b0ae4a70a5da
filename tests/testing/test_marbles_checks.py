"""check_marbles and draw_marbles: what they accept, how they ask and leave, and what they leave behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import DropOldest, KeepLatest, Stream, Suspend, attached, ops
from streamkit.testing import check_marbles, draw_marbles, drawn, run


def check(stream: Any, picture: str, **options: Any) -> None:
    run(lambda: check_marbles(stream, picture, **options))


class TestPictures:
    def test_one_line_is_what_is_expected(self) -> None:
        check(Stream(drawn("--a-b|")), "--a-b|")
        check(drawn("--a-b#"), "expected --a-b#")
        check("ab", "(ab|)")
        check([], "|")

    def test_an_operator_and_its_source(self) -> None:
        check(
            ops.delay(5.0),
            """
            items     --a-b---c-|
            expected  -------a-b---c-|
            """,
        )

    def test_a_function_of_several_sources(self) -> None:
        check(
            lambda letters, numbers: letters | ops.merge(numbers),
            """
            numbers:  -1---2|
            letters:  --a-b---|
            expected  -1a-b2--|
            """,
        )

    def test_sources_of_inner_streams_begin_when_they_are_asked(self) -> None:
        check(
            lambda items, x, y: items | ops.flat_map({"a": x, "b": y}.__getitem__, concurrency=2),
            """
            items     -a--b---|
            x         1-2|
            y         -3|
            expected  -1-2-3--|
            """,
        )

    def test_values_and_frames(self) -> None:
        check(
            ops.batch_within(2, seconds=0.25),
            """
            items     ab-c---|
            expected  -x---y-|
            """,
            values={"x": ["a", "b"], "y": ["c"]},
            frame=0.125,
        )

    def test_an_error_that_is_equal_or_of_the_class(self) -> None:
        for values in ({"#": ValueError("x")}, {"#": ValueError}, {"#": Exception}):
            check(Stream(drawn("-#", values={"#": ValueError("x")})), "-#", values=values)
        check(Stream(drawn("a#")), "a#")

    def test_two_characters_may_stand_for_one_item(self) -> None:
        check([1, 1, 1], "(xyx|)", values={"x": 1, "y": 1})

    def test_long_times(self) -> None:
        check(Stream(drawn("a 90s b 2m |")), "a--- 87s b 120s |")

    def test_items_are_compared_as_they_are(self) -> None:
        class Odd:
            def __eq__(self, other: object) -> bool:
                raise ArithmeticError

            __hash__ = None  # type: ignore[assignment]

        odd = Odd()
        check([odd], "(x|)", values={"x": odd})
        with pytest.raises(AssertionError, match="came"):
            check([Odd()], "(x|)", values={"x": odd})


class TestDemand:
    def test_the_latest_is_kept_while_the_consumer_is_busy(self) -> None:
        check(
            ops.buffer(DropOldest(1)),
            """
            items     abc----|
            demand    ^--^--^
            expected  a--c---|
            dropped   --b
            """,
        )

    def test_a_source_is_asked_only_as_far_as_the_buffer_reaches(self) -> None:
        check(
            ops.buffer(Suspend(1)),
            """
            items        abcd|
            demand       ^   ---^---^
            expected     a   ---b---(cd|)
            items.asked  (^^)---^---(^^)
            """,
        )

    def test_before_the_first_mark_nothing_is_asked(self) -> None:
        check(
            ops.map(str.upper),
            """
            items        a-b|
            demand       ---^
            items.asked  ---(^^)-^
            expected     ---A   -B|
            """,
            values={"A": "A"},
        )

    def test_behind_the_line_it_asks_at_once(self) -> None:
        check(ops.skip(0), "items ab-cd|\ndemand ---^\nexpected ---ab-cd|")

    def test_a_consumer_that_asks_while_it_waits_asks_when_that_has_come(self) -> None:
        check(ops.skip(0), "items ----abc|\ndemand ^^-----^\nexpected ----ab-(c|)\nitems.asked ^---^--(^^)")

    def test_it_leaves_while_it_waits(self) -> None:
        check(
            ops.skip(0),
            """
            items        -a---b-|
            demand       ^-^!
            items.asked  ^-^!
            expected     -a-
            """,
        )

    def test_it_leaves_while_it_is_busy(self) -> None:
        check(ops.skip(0), "items ab|\ndemand ^----!\nitems.asked ^----!\nexpected a----")

    def test_it_leaves_before_all_is_over_that_is_drawn(self) -> None:
        check(ops.skip(0), "items ab-------|\ndemand ^-!\nitems.asked ^-!\nexpected a-------")
        assert run(draw_marbles(drawn("ab--c"), demand="^^^-!")) == "ab"

    def test_it_leaves_with_the_item_that_it_has_asked_for(self) -> None:
        check(ops.skip(0), "items -ab|\ndemand (^!)\nitems.asked ^!\nexpected -a")
        check(ops.skip(0), "items a----b|\ndemand ^-(^!)\nitems.asked ^-^--!\nexpected a----b")

    def test_it_leaves_behind_a_line_that_nothing_ends(self) -> None:
        source = drawn("-a-b-c")
        check(Stream(source), "-a-b-")
        assert source.left == [5.0]

    def test_what_comes_behind_the_line_before_the_demand_leaves_is_seen(self) -> None:
        check(ops.skip(0), "items a--b|\ndemand ^----!\nexpected a")
        with pytest.raises(AssertionError, match=r"^at 3 s 'b' came, and nothing more is drawn\n"):
            check(ops.skip(0), "items a--b|\ndemand ^^---!\nexpected a")

    def test_it_leaves_a_stream_that_goes_on_where_an_end_is_drawn(self) -> None:
        source = drawn("a-b")
        with pytest.raises(AssertionError, match=r"^the end is drawn at 3 s, and nothing more came\n"):
            check(Stream(source), "a-b|")
        assert source.left == [13.0]

    def test_it_leaves_a_stream_that_has_no_end_at_one_instant(self) -> None:
        with pytest.raises(AssertionError, match=r"^at 0 s 1 came, and the end is drawn"):
            check(streamkit.repeat(1), "(aa|)", values={"a": 1})

    def test_what_is_dropped_as_it_leaves(self) -> None:
        check(
            ops.buffer(KeepLatest()),
            """
            items     ab-cd---
            demand    ^-----!
            expected  a-----
            dropped   ---bc-d
            """,
        )


def test_a_check_may_begin_at_any_time() -> None:
    async def main() -> None:
        for pause in (0.1 + 0.2, 12345.6789, 1e6):
            await asyncio.sleep(pause)
            picture = "items --a-b|\ndemand ^----^\nexpected --a--(b|)\nitems.asked ^----(^^)"
            await check_marbles(ops.skip(0), picture, frame=0.1)

    run(main)


class TestLeftBehind:
    """`run` fails on any task or generator that is left."""

    def test_a_consumer_that_leaves_waits_for_the_clean_up(self) -> None:
        source = drawn("-a-b", closing=5.0)

        async def main() -> float:
            await check_marbles(Stream(source), "-a-b-")
            return asyncio.get_running_loop().time()

        assert run(main) == 10.0

    def test_nothing_is_left_when_the_check_is_cancelled(self) -> None:
        source = drawn("-a----b|", closing=1.0)

        async def main() -> None:
            work = asyncio.create_task(check_marbles(Stream(source) | ops.buffer(Suspend(2)), "-a----b|"))
            await asyncio.sleep(3.0)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert source.cleaned == [4.0]

        run(main)

    @pytest.mark.parametrize("demand", ["", "^----!"])
    @pytest.mark.parametrize("behind", [ops.skip(0), ops.buffer(Suspend(1))], ids=repr)
    def test_an_error_of_the_clean_up_is_told(self, behind: Any, demand: str) -> None:
        async def dirty() -> AsyncIterator[str]:
            try:
                yield "a"
                await asyncio.sleep(9.0)
            finally:
                raise OSError("unclean")

        picture = f"other |\nexpected a----\ndemand {demand}"
        words = r"^at 5 s the error OSError: unclean came, and nothing more is drawn\n"
        with pytest.raises(AssertionError, match=words) as caught:
            check(lambda other: Stream(dirty) | behind, picture)
        assert isinstance(caught.value.__cause__, OSError)
        assert attached(caught.value.__cause__) == ()


class TestMistakes:
    @pytest.mark.parametrize(
        ("stream", "picture", "error", "says"),
        [
            ([], "a||", ValueError, "what is expected is drawn wrong: nothing can come after its end"),
            ([], 3, TypeError, "picture must be a str such as '--a-b|', not 3"),
            (3, "a|", TypeError, "stream must be an iterable"),
            (ops.take(1), "a|", ValueError, "an operator is checked with a source: draw one, for take(1)"),
            (
                ops.take(1),
                "a -|\nb -|\nexpected |",
                ValueError,
                "an operator gets one source, and there are a, b: use a function of them",
            ),
            (
                Stream([]),
                "a -|\nexpected |",
                TypeError,
                "where sources are drawn (a), stream must be an operator or a function of them, not",
            ),
            (
                [1],
                "a -|\nexpected |",
                TypeError,
                "where sources are drawn (a), stream must be an operator or a function of them, not [1]",
            ),
            (
                lambda a, c: a,
                "a -|\nb -|\nexpected |",
                ValueError,
                "a function gets the sources by their names: it takes a, c, and the picture has a, b",
            ),
            (
                lambda a: [1],
                "a -|\nexpected |",
                TypeError,
                "<lambda> must make a stream of the sources, not [1]",
            ),
            (
                ops.to_list(),
                "a -|\nexpected |",
                TypeError,
                "to_list() must make a stream of the sources, not Job(",
            ),
            (
                [],
                "a -|\nb -|",
                ValueError,
                "the picture has no line with the name 'expected'; there are a, b",
            ),
            (
                [],
                "a -|\na -|\nexpected |",
                ValueError,
                "the picture has two lines with the name 'a':\n    -|",
            ),
            (
                [],
                "--a\n--b",
                ValueError,
                "a line of a picture begins with its name, as in 'items  --a-b|':\n    --a",
            ),
            (
                lambda a: a,
                "a |\nb.asked ^\nexpected |",
                ValueError,
                "the picture says when 'b' is asked, and has no source of that name",
            ),
        ],
    )
    def test_arguments(self, stream: Any, picture: Any, error: type[Exception], says: str) -> None:
        with pytest.raises(error) as caught:
            check(stream, picture)
        assert str(caught.value).startswith(says)

    def test_real_time(self) -> None:
        for coroutine in (check_marbles([], "|"), draw_marbles([])):
            with pytest.raises(
                RuntimeError, match=r"needs virtual time: call it as streamkit\.testing\.run\("
            ):
                asyncio.run(coroutine)


class TestDrawMarbles:
    def test_what_came(self) -> None:
        assert run(draw_marbles(Stream(drawn("--a-(bc)-|")))) == "--a-(bc)-|"
        assert run(draw_marbles(Stream(drawn("--a#")))) == "--a#"
        assert run(draw_marbles([])) == "|"

    def test_what_a_busy_consumer_sees(self) -> None:
        assert run(draw_marbles(drawn("abc----|"), demand="^--^")) == "a--(bc)---|"

    def test_items_get_letters(self) -> None:
        assert run(draw_marbles([[1], "b", [1], None, 7, 0, 10])) == "(ZbZY70X|)"
        assert run(draw_marbles([[1], "b"], values={"x": [1]})) == "(xb|)"
        line = run(draw_marbles([[number] for number in range(300)]))
        assert len({*line} - {*"(|)"}) == 300
        assert len(drawn(line)._line.marks) == 301

    def test_it_leaves_in_time_or_after_many(self) -> None:
        assert run(draw_marbles(drawn("-a-b-c"), seconds=4.0)) == "-a-b"
        assert run(draw_marbles(streamkit.repeat("a"))) == f"({'a' * 1000})"

    @given(
        st.lists(st.sampled_from(["-", "a", "B", "7", "(xy)", " 20s "]), max_size=10),
        st.sampled_from(["|", "#"]),
    )
    def test_it_draws_what_it_reads(self, parts: list[str], end: str) -> None:
        line = "".join(parts) + end
        again = run(draw_marbles(drawn(line)))
        check(drawn(line), again)
        check(drawn(again), line)
