"""Pieces: names that clash are told, all of them; and a step that only collects its items is known."""

from typing import Any

import pytest

from streamkit import Keep, Sink, Stream, ops, step
from streamkit._engine.compile.pieces import parsed
from streamkit.testing import run


def own(parameters: str = "", **pieces: Any) -> Any:
    """A step with these parameters and pieces."""
    kind = Sink if "result" in pieces else Keep
    space: dict[str, Any] = {"step": step, "kind": kind, "PIECES": pieces}
    given = ", ".join(f"{name}={name}" for name in parameters.split(", ") if name)
    exec(f"@step(**PIECES)\ndef own({parameters}):\n    return kind(own, {given})\n", space)
    return space["own"]


def test_all_names_that_clash_are_told() -> None:
    cases: list[tuple[type[Exception], str, str, dict[str, Any]]] = [
        (
            *(ValueError, "uses= must not have names that the step has already: b, emit, item", "a, b"),
            {"each": "emit(item)", "uses": {"item": 1, "b": 2, "emit": 3, "c": 4}},
        ),
        (
            *(ValueError, "uses= must not have names that a piece assigns to: b, c", "a"),
            {"setup": "b = 1", "each": "c = b\nemit(c)", "uses": {"c": 1, "b": 2, "d": 3}},
        ),
        (
            *(SyntaxError, "a parameter must not have a name that pieces use: emit, item", "item, a, emit"),
            {"each": "emit(item)"},
        ),
        (
            *(SyntaxError, "a parameter that is called cannot be assigned to (f, g): use another name"),
            *("f, g, h", {"setup": "g = f(1)", "each": "f = g(h(item))\nemit(f)"}),
        ),
    ]
    for kind, words, parameters, pieces in cases:
        with pytest.raises(kind) as caught:
            own(parameters, **pieces)
        assert str(caught.value).partition(": ")[::2] == ("step own", words)


@pytest.mark.parametrize(
    ("setup", "each", "collects", "expected"),
    [
        ("found = []", "found.append(item)", True, [1, 2, 3]),
        ("found = [0]", "found.append(item)", False, [0, 1, 2, 3]),
        ("found = set()", "found.add(item)", False, {1, 2, 3}),
        ("found = []\nother = []", "other.append(item)", False, []),
        ("found = []\nother = []", "found.append(item)", False, [1, 2, 3]),
        ("found = other = []", "found.append(item)", False, [1, 2, 3]),
        ("found = []", "found.append(-item)", False, [-1, -2, -3]),
        ("found = []", "found.extend([item])", False, [1, 2, 3]),
        ("found = []", "found.append(item)\nfound.append(0)", False, [1, 0, 2, 0, 3, 0]),
        ("found = []", "found.insert(0, item)", False, [3, 2, 1]),
    ],
)
def test_a_step_that_puts_each_item_into_a_list_and_does_no_more_collects(
    setup: str, each: str, collects: bool, expected: Any
) -> None:
    made = own(setup=setup, each=each, result="found")
    assert parsed(made().links[0].declaration).collects is collects
    for source in ([[1, 2], [], [3]], [(1, 2), iter([3])]):
        assert run(Stream(source) | ops.flatten() | made()) == expected
