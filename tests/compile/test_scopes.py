"""Scopes: what a piece reads whenever it gets there, before it can have assigned to it."""

import ast

import pytest

from streamkit._engine.compile.scopes import unset

READ = [
    *("emit(a)", "b = a\na = 1", "a = a + 1", "a += 1", "x[a] = 1", "emit(item)\nemit(a)"),
    *("if a:\n    pass", "for x in a:\n    pass", "if item:\n    a = 1\nelse:\n    a = 2\na, b = b, c"),
    *("emit(a or item)", "emit(1 if a else 2)", "emit(item < a < 1)", "emit(a < 1)", "emit(not (1, [a]))"),
    *("emit(lambda x=a: x)", "emit([x for x in a])", "emit({x for x in a})", "emit({x: x for x in a})"),
    *("emit(sum(x for x in a))", "emit(f(*[1], k=a))", "emit(f'{item:{a}}')"),
]
NOT_READ = [
    *("emit(item)", "a = 1\nemit(a)", "a = b = 1\nemit(a)", "for a in item:\n    emit(a)", "emit((a := 1))"),
    *("if item:\n    emit(a)", "for x in item:\n    emit(a)", "if item:\n    pass\nelse:\n    emit(a)"),
    *("emit(item or a)", "emit(item and 1 and a)", "emit(a if item else a)", "emit(item < 1 < a)"),
    *("emit(lambda: a)", "emit([a for x in item])", "emit({a for x in item})", "emit({x: a for x in item})"),
    *("emit(sum(a for x in item))", "emit([x for x in item for y in a])", "emit([x for x in item if a])"),
    *("if item:\n    a = 1\nemit(a)", "emit((a := 1) + a)", "a, *b = item\na += 1"),
]


@pytest.mark.parametrize(("texts", "read"), [(READ, True), (NOT_READ, False)], ids=["read", "not read"])
def test_what_is_read_in_any_case_before_it_is_assigned_to(texts: list[str], read: bool) -> None:
    for text in texts:
        found = unset(ast.parse(text).body, frozenset({"a", "c"} if "c" in text else {"a"}))
        assert (found is not None) is read, text
        if found is not None:
            assert text.splitlines()[found.lineno - 1][found.col_offset] == found.id in "ac"
