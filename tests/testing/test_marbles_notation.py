"""Lines of marbles: read, drawn under one another, and read again."""

from typing import Any

import pytest
from hypothesis import example, given, strategies as st
from reactivex.observable.marbles import parse

from streamkit.testing.marbles.notation import DEMAND, DROPPED, EXPECTED, SOURCE, Line, Row, frame_of, parsed
from streamkit.testing.marbles.rendering import drawing, line_of

SECOND = 10**9
LETTERS = "abcmsxyz0159é€"


def read(text: str, row: Row = EXPECTED, frame: float = 1.0) -> list[tuple[float, str]]:
    return [(time / SECOND, sign) for time, sign in parsed(text, row, frame=frame_of(frame)).marks]


class TestParsed:
    @pytest.mark.parametrize(
        ("text", "marks"),
        [
            ("", []),
            ("---", []),
            ("--a-b|", [(2, "a"), (4, "b"), (5, "|")]),
            ("ab#", [(0, "a"), (1, "b"), (2, "#")]),
            ("-(ab)c(d|)", [(1, "a"), (1, "b"), (2, "c"), (3, "d"), (3, "|")]),
            ("  - a\t-\n b |", [(1, "a"), (3, "b"), (4, "|")]),
            ("( a b )|", [(0, "a"), (0, "b"), (1, "|")]),
            ("a 5s b 100ms c 2m |", [(0, "a"), (6, "b"), (7.1, "c"), (128.1, "|")]),
            ("1.5s a", [(1.5, "a")]),
            ("- 3s", []),
            ("5sa 5sa", [(0, "5"), (1, "s"), (2, "a"), (3, "5"), (4, "s"), (5, "a")]),
            ("aa", [(0, "a"), (1, "a")]),
        ],
    )
    def test_what_is_read(self, text: str, marks: list[tuple[float, str]]) -> None:
        assert read(text) == marks

    def test_a_demand(self) -> None:
        assert read("^--(^^)-!", DEMAND) == [(0, "^"), (3, "^"), (3, "^"), (5, "!")]

    @pytest.mark.parametrize("frame", [0.1, 0.25, 3.0, 1e-9])
    def test_a_frame_may_be_of_any_length(self, frame: float) -> None:
        assert read("--a- 1s |", frame=frame) == [(2 * frame, "a"), (1 + 4 * frame, "|")]

    @pytest.mark.parametrize(
        ("text", "until", "ended"),
        [("--a-", 4, False), ("--a|", 3, True), ("(a|)", 0, True), ("2s", 2, False), ("", 0, False)],
    )
    def test_when_a_line_is_over(self, text: str, until: int, ended: bool) -> None:
        line = parsed(text)
        assert (line.until, line.ended) == (until * SECOND, ended)

    @given(st.lists(st.sampled_from("-abc"), max_size=12), st.sampled_from(["", "|", "#"]))
    def test_without_groups_it_is_read_as_rx_does(self, signs: list[str], end: str) -> None:
        """RxPY reads neighbours as one item, so ours stand apart."""
        text = "".join(sign if sign == "-" else f"{sign}-" for sign in signs) + end
        kinds = {"C": "|", "E": "#"}
        theirs = [(time, kinds.get(each.kind) or each.value) for time, each in parse(text, timespan=1.0)]
        assert read(text) == theirs


ITEMS = "items, '|' where it ends and '#' where it fails"


class TestMistakes:
    @pytest.mark.parametrize(
        ("row", "text", "says", "place"),
        [
            (SOURCE, "--a|b", "nothing can come after its end", 4),
            (SOURCE, "-#-", "nothing can come after its end", 2),
            (SOURCE, "-| 5s ", "nothing can come after its end", 3),
            (SOURCE, "(a|b)", "nothing can come after its end", 3),
            (DEMAND, "^-!^", "nothing can come after its end", 3),
            (SOURCE, "a(bc", "this group is not closed", 1),
            (SOURCE, "-a)-", "no group is open here", 2),
            (SOURCE, "a()", "a group cannot be empty", 2),
            (SOURCE, "(a(b))", "a group cannot stand in a group", 2),
            (SOURCE, "(a-b)", "a group is one instant: no time passes in it", 2),
            (SOURCE, "(a,b)", "items stand side by side, without commas: (ab)", 2),
            (SOURCE, "a\a", "an item is a character that can be seen, not '\\x07'", 1),
            (SOURCE, "--a^", f"'^' cannot stand here: it has {ITEMS}", 3),
            (EXPECTED, "--a!", f"'!' cannot stand here: it has {ITEMS}", 3),
            (
                DEMAND,
                "^-a",
                "'a' cannot stand here: it has '^' where the consumer asks and '!' where it leaves",
                2,
            ),
            (DROPPED, "-a|", "'|' cannot stand here: it has items only", 2),
            (SOURCE, "a 0.0000000001s", "a time is in whole nanoseconds", 2),
        ],
    )
    def test_a_mistake_is_shown_where_it_stands(self, row: Row, text: str, says: str, place: int) -> None:
        with pytest.raises(ValueError, match="is drawn wrong") as caught:
            parsed(text, row)
        shown = text.replace("\a", "\a")
        assert str(caught.value).split("\n") == [
            f"{row.name} is drawn wrong: {says}",
            f"    {shown}",
            "    " + " " * place + "^",
        ]

    def test_a_line_of_a_picture_is_named(self) -> None:
        with pytest.raises(ValueError, match=r"^a source, 'left', is drawn wrong: this group"):
            parsed("(", SOURCE, name="left")

    def test_no_text(self) -> None:
        wrong: Any = 3
        with pytest.raises(TypeError, match=r"^marbles must be a str such as '--a-b|', not 3$"):
            parsed(wrong)

    @pytest.mark.parametrize(
        ("frame", "error", "says"),
        [
            (0, ValueError, "frame must be a finite number of seconds above 0, not 0"),
            ("1", TypeError, "frame must be a finite number of seconds above 0, not '1'"),
            (1e-12, ValueError, "frame must be at least a nanosecond (1e-9), not 1e-12"),
        ],
    )
    def test_no_frame(self, frame: Any, error: type[Exception], says: str) -> None:
        with pytest.raises(error) as caught:
            frame_of(frame)
        assert str(caught.value) == says


TIMES = st.one_of(
    st.integers(0, 40).map(lambda number: number * SECOND),
    st.integers(0, 4000).map(lambda number: number * SECOND // 20),
    st.integers(0, 10**11),
)


@st.composite
def lines(draw: Any) -> tuple[Row, Line]:
    """A line of any kind, as a run would be recorded."""
    row: Row = draw(st.sampled_from([SOURCE, EXPECTED, DEMAND, DROPPED]))
    signs = st.sampled_from(LETTERS if row.items else "^")
    marks = sorted(draw(st.lists(st.tuples(TIMES, signs), max_size=8)), key=lambda mark: mark[0])
    last = marks[-1][0] if marks else 0
    if row.ends and draw(st.booleans()):
        marks.append((draw(TIMES) + last, draw(st.sampled_from(row.ends))))
    return row, line_of(marks, until=draw(TIMES))


class TestDrawing:
    @given(st.lists(lines(), min_size=1, max_size=4), st.sampled_from([SECOND, SECOND // 10, 3 * SECOND]))
    @example([(SOURCE, line_of([(0, "5"), (SECOND, "s")]))], SECOND)
    @example([(SOURCE, line_of([(0, "1")])), (DROPPED, line_of([(0, "a"), (0, "b"), (SECOND, "m")]))], SECOND)
    def test_what_is_drawn_is_read_again_as_the_same(self, drawn: list[tuple[Row, Line]], frame: int) -> None:
        found = drawing([line for _, line in drawn], frame)
        for (row, line), text in zip(drawn, found.texts, strict=True):
            again = parsed(text, row, frame=found.frame)
            assert again.marks == line.marks
            assert again.ended == line.ended
            # a mark takes a frame, and may so be over later than what was recorded
            assert again.until == line.until or again.until == line.marks[-1][0] + found.frame

    @given(st.lists(lines(), min_size=1, max_size=4))
    def test_one_instant_stands_in_one_column(self, drawn: list[tuple[Row, Line]]) -> None:
        found = drawing([line for _, line in drawn])
        for (_, line), text in zip(drawn, found.texts, strict=True):
            for time, sign in line.marks:
                assert text[found.columns[time]] in f"({sign}"

    @given(lines())
    def test_it_is_short_however_long_it_took(self, drawn: tuple[Row, Line]) -> None:
        (text,) = drawing([drawn[1]]).texts
        assert len(text) < 300

    def test_under_one_another(self) -> None:
        found = drawing(
            [
                parsed("--a-(bcd)-e---|"),
                parsed("--a---b 90s c|"),
                parsed("^---^-^---!", DEMAND),
                parsed("--d", DROPPED),
                parsed("-"),
            ]
        )
        assert [found.seconds(), *found.texts] == [
            "0 2 4     6   10    97",
            "--a-(bcd)-e---|",
            "--a--    -b---- 86s c|",
            "^---^    -^---!",
            "--d",
            "-",
        ]

    def test_a_frame_is_parted_where_something_happens_within_it(self) -> None:
        found = drawing([parsed("ab|", frame=SECOND // 4)])
        assert (found.texts, found.frame) == (("ab|",), SECOND // 4)
        found = drawing([line_of([(0, "a"), (SECOND // 3, "b")])])
        assert found.texts == ("a 333.333332ms b",)
        assert found.frame == 1

    @pytest.mark.parametrize(
        ("time", "text"), [(SECOND, "1s"), (SECOND - 1, "999.999999ms"), (90 * SECOND, "90s")]
    )
    def test_a_long_time_is_written(self, time: int, text: str) -> None:
        assert drawing([line_of([], until=time)], 1).texts == (f" {text}",)

    def test_a_digit_stands_apart_only_where_it_might_be_read_as_a_time(self) -> None:
        assert drawing([parsed("a5")]).texts == ("a5",)
        assert drawing([parsed("-5-m")]).texts == ("-(5)-m",)

    def test_nothing(self) -> None:
        assert drawing([parsed("")]).texts == ("",)
        assert drawing([]).texts == ()
