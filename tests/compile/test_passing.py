"""Passing names: variables of a step that hold something for one turn of the loop, and those that stay."""

import ast

import pytest

from streamkit._engine.compile.passing import lazy, loads, passing, stores


def found(each: str, setup: str = "", finish: str = "", result: str = "") -> set[str]:
    blocks = [ast.parse(text).body for text in (setup, each, finish)]
    return {*passing(*blocks, ast.parse(result, mode="eval").body if result else None)}


@pytest.mark.parametrize(
    ("each", "names"),
    [
        ("a = item\nemit(a)", {"a"}),
        ("a = item\nb = a\nemit((a, b))", {"a", "b"}),
        ("(a, b), c = item, 1\nemit(a)", {"a", "b", "c"}),
        ("emit(a)\na = item", set()),  # it is read at the next turn
        ("a = a or item", set()),
        ("a[0] = a = item", set()),
        ("a += item", set()),
        ("emit((a := item))\nemit(a)", set()),  # no statement that only assigns
        ("for a in item:\n    emit(a)", {"a"}),
        ("for a in a:\n    emit(a)", set()),
        ("for a in item:\n    b = a\n    emit(b)", {"a"}),
        ("for a in item:\n    emit(a)\nemit(a)", set()),  # of an empty item, the last turn's
        ("if item:\n    a = item\n    emit(a)", {"a"}),
        ("if item:\n    a = item\nelse:\n    a = 1\n    emit(a)", {"a"}),
        ("if item:\n    emit(a)\nelse:\n    a = item", set()),
        ("if item:\n    a = item\nelse:\n    emit(a)", set()),
        ("if item:\n    a = item\nelse:\n    b = 1\n    emit(b)", {"a", "b"}),
        ("if a:\n    a = item", set()),
        ("if item:\n    a = item\nemit(a)", set()),
        ("a = item\nemit(lambda: a)", set()),  # it may run later
        ("a = item\nemit(b for b in a)", set()),
    ],
)
def test_what_a_turn_assigns_to_before_it_reads_it_passes(each: str, names: set[str]) -> None:
    assert found(each) == names


@pytest.mark.parametrize(
    "others",
    [
        {"setup": "a = 0"},
        {"finish": "emit(a)"},
        {"result": "a"},
        {"finish": "emit(a)", "result": "b"},
        {"setup": "a = 0", "result": "1"},
    ],
    ids=str,
)
def test_what_another_piece_sets_or_reads_stays(others: dict[str, str]) -> None:
    assert "a" not in found("a = item\nc = a", **others)
    assert "c" in found("a = item\nc = a", **others)


def test_names_of_a_piece() -> None:
    block = ast.parse("a, b[c] = d\nemit(lambda: e, (f for g in h))").body
    assert loads(block) == {"b", "c", "d", "emit", "e", "f", "h"}
    assert stores(block) == {"a", "g"}
    assert lazy(block) == {"e", "f", "h"}
    assert loads([]) == stores([]) == lazy([]) == set()
