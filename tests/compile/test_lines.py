"""Lines: how large a loop may become, what stands around a line, and which spot it is for."""

from typing import Any

import pytest

from streamkit._engine.compile.lines import DEPTH, LINES, LOOPS, OUT, Lines, Site, TooLargeError


def written(lines: Lines) -> list[str]:
    return ["    " * line.depth + line.text for line in lines.all]


def test_a_loop_may_have_so_many_lines_and_no_more() -> None:
    lines = Lines()
    for _ in range(LINES):
        lines.add(0, "pass")
    with pytest.raises(TooLargeError):
        lines.add(0, "pass")
    assert len(lines.all) == LINES


def test_they_may_be_so_deep_and_no_deeper() -> None:
    lines = Lines()
    lines.add(DEPTH, "pass", OUT)
    with pytest.raises(TooLargeError):
        lines.add(DEPTH + 1, "pass")
    assert [(line.depth, line.text, line.owner) for line in lines.all] == [(DEPTH, "pass", OUT)]


@pytest.mark.parametrize("around", [0, 2])
def test_so_many_loops_may_be_around_one(around: int) -> None:
    lines = Lines()
    lines.around += around
    most = LOOPS - around

    def nested(loops: int) -> None:
        with lines.loop(0, f"for {loops}:", loops):
            assert lines.loops == most - loops + 1
            if loops > 1:
                nested(loops - 1)
            else:
                lines.within(0)
                with pytest.raises(TooLargeError):
                    lines.within(1)

    nested(most)
    assert (lines.loops, lines.deepest) == (0, most)
    with lines.loop(0, "for one:"):
        pass
    assert lines.deepest == most
    lines.within(most)
    assert [line.owner for line in lines.all] == [*range(most, 0, -1), None]


def test_what_may_fail_is_tried_if_there_is_anything() -> None:
    lines = Lines()
    lines.add(1, "before")
    assert lines.attempt(1, 1, "never()") == 1
    with lines.body(1):
        pass
    with lines.body(1):
        lines.add(1, "work()", 7)
    assert [line.owner for line in lines.all] == [None, None, 7]
    assert lines.attempt(1, 1, "failed()", "KeyError") == 6
    assert lines.attempt(0, 1, "raise") == 9
    assert written(lines) == [
        "    try:",
        "        before",
        "        try:",
        "            pass",
        "            work()",
        "        except KeyError as error:",
        "            failed()",
        "    except Exception as error:",
        "        raise",
    ]


def test_a_spot_is_another_but_for_what_is_said() -> None:
    given: dict[str, Any] = {"item": "a", "depth": 3, "ends_turn": True, "spent": True}
    given |= {"later": frozenset({"b"}), "rests": True}
    others: dict[str, Any] = {"item": None, "depth": 4, "ends_turn": False, "spent": False}
    others |= {"later": frozenset(), "rests": False}
    site = Site(**given)
    for name, other in others.items():
        made = site.at(**{name: other})
        assert {each: getattr(made, each) for each in given} == {**given, name: other}
    plain = Site("a", 3)
    assert {name: getattr(plain, name) for name in given} == {**others, "item": "a", "depth": 3}
    assert site.free
    assert not site.at(later=frozenset({"item"})).free
    assert not plain.free
