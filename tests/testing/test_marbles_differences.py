"""What check_marbles says where something else came, line under line."""

from typing import Any

import pytest

from streamkit import BufferOverflowError, DropOldest, Fail, ops
from streamkit.testing import DrawnError, check_marbles, drawn, run

CASES: list[tuple[Any, str, dict[str, Any], str]] = [
    (
        drawn("--a-b|"),
        "--a--b|",
        {},
        """
        'b' is drawn at 5 s, and came at 4 s
          seconds     2 4 6
          expected  --a--b|
          actual    --a-b|
                        ^
        """,
    ),
    (
        drawn("--a-b|"),
        "--a-c|",
        {},
        """
        at 4 s 'b' came, and 'c' is drawn
          seconds     2 4
          expected  --a-c|
          actual    --a-b|
                        ^
        """,
    ),
    (
        drawn("--ab|"),
        "--a-c|",
        {},
        """
        at 3 s 'b' came, and 'c' is drawn at 4 s
          seconds     2 4
          expected  --a-c|
          actual    --ab|
                       ^
        """,
    ),
    (
        drawn("--a-b|"),
        "--a-|",
        {},
        """
        at 4 s 'b' came, and the end is drawn
          seconds     2 4
          expected  --a-|
          actual    --a-b|
                        ^
        """,
    ),
    (
        drawn("--a-b"),
        "--a-b|",
        {},
        """
        the end is drawn at 5 s, and nothing more came
          seconds     2 4
          expected  --a-b|
          actual    --a-b----------
                         ^
        """,
    ),
    (
        drawn("--a"),
        "---",
        {},
        """
        at 2 s 'a' came, and nothing more is drawn
          seconds     2
          expected  ---
          actual    --a
                      ^
        """,
    ),
    (
        drawn("a#"),
        "ab|",
        {},
        """
        at 1 s the error DrawnError came, and 'b' is drawn
          seconds   0 2
          expected  ab|
          actual    a#
                     ^
        """,
    ),
    (
        drawn("#", values={"#": OSError("disk full")}),
        "#",
        {"values": {"#": OSError("other")}},
        """
        at 0 s the error OSError: disk full came, and the error OSError: other is drawn
          seconds   0
          expected  #
          actual    #
                    ^
        """,
    ),
    (
        [1, "b", [3, 4]],
        "(1bc|)",
        {},
        """
        at 0 s 1 came, and '1' is drawn: a character stands for itself, unless you say values={'1': 1}
          seconds   0
          expected  (1bc|)
          actual    (ZbY|)
                    ^
          Z = 1
          Y = [3, 4]
        """,
    ),
    (
        [1, "b", [3, 4]],
        "(1bc|)",
        {"values": {"1": 1, "c": [3, 5]}},
        """
        at 0 s [3, 4] came, and [3, 5] is drawn
          seconds   0
          expected  (1bc|)
          actual    (1bZ|)
                    ^
          1 = 1
          c = [3, 5]
          Z = [3, 4]
        """,
    ),
    (
        ops.delay(0.5),
        "items a-b 90s c|\nexpected a-b 90s c|",
        {},
        """
        'a' is drawn at 0 s, and came at 0.5 s
          seconds   0   2      93 94.5
          items     a---b- 90s c-|
          expected  a---b- 90s c-|
          actual    -a---b 90s -c-|
                    ^
          one frame is 0.5 s
        """,
    ),
    (
        ops.buffer(DropOldest(1)),
        "items abcd-|\ndemand ^---^\nexpected a---d|\ndropped --b-d",
        {},
        """
        at 3 s 'c' was dropped, and 'd' is drawn at 4 s
          seconds   0 2 4
          items     abcd-|
          demand    ^---^
          expected  a---d|
          dropped   --b-d
          actual    --bc
                       ^
        """,
    ),
    (
        ops.buffer(DropOldest(1)),
        "items abcd-|\ndemand ^---^\nexpected a---d|\ndropped --bcd",
        {},
        """
        'd' is drawn at 4 s, and nothing more was dropped
          seconds   0 2 4
          items     abcd-|
          demand    ^---^
          expected  a---d|
          dropped   --bcd
          actual    --bc
                        ^
        """,
    ),
    (
        ops.take(1),
        "items abcd-|\nitems.asked ^^\nexpected (a|)",
        {},
        """
        at 0 s the close came, and a pull is drawn at 1 s
          seconds      0   1 3 5
          items        a   bcd-|
          items.asked  ^   ^
          actual       (^!)
                       ^
          expected     (a|)
        """,
    ),
    (
        ops.buffer(Fail(1)),
        "items abcd-|\ndemand ^---^\nexpected a---d|",
        {},
        """
        at 4 s 'b' came, and 'd' is drawn
          seconds   0 2 4   5
          items     abcd-   |
          demand    ^---^
          expected  a---d   |
          actual    a---(b#)
                        ^
        """,
    ),
]


@pytest.mark.parametrize(("stream", "picture", "options", "says"), CASES)
def test_what_is_said(stream: Any, picture: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(AssertionError) as caught:
        run(lambda: check_marbles(stream, picture, **options))
    wanted = [line.removeprefix(" " * 8) for line in says.strip("\n").splitlines()[:-1]]
    assert str(caught.value).splitlines() == wanted


def test_the_error_that_came_is_the_cause() -> None:
    for subject, picture, kind in (
        (drawn("a#"), "a|", DrawnError),
        (ops.buffer(Fail(1)), "items abcd|\ndemand ^---^\nexpected a---|", BufferOverflowError),
    ):
        with pytest.raises(AssertionError) as caught:
            run(lambda subject=subject, picture=picture: check_marbles(subject, picture))
        assert type(caught.value.__cause__) is kind


def test_the_line_that_differs_first_in_the_picture_of_results_is_told() -> None:
    """What is expected before what is dropped before when a source is asked."""
    picture = "items abc|\nitems.asked -\ndropped a\nexpected -"
    with pytest.raises(AssertionError, match=r"^at 0 s 'a' came, and nothing more is drawn\n"):
        run(lambda: check_marbles(ops.buffer(DropOldest(1)), picture))
