"""Lasting: steps that hand out something of an earlier item are found, however they keep it."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import pytest

from streamkit._engine.compile.lasting import lasts
from streamkit._engine.compile.passing import passing, stores


def kept(setup: str, each: str) -> bool:
    begin, turn = ast.parse(setup).body, ast.parse(each).body
    pieces: Any = SimpleNamespace(
        setup=begin,
        each=turn,
        finish=[],
        failed=[],
        assigned=stores([*begin, *turn]),
        passing=passing(begin, turn, [], None),
    )
    return lasts(pieces)


@pytest.mark.parametrize(
    ("setup", "each"),
    [
        ("held = []\nsame = held", "same.append(item)\nemit(held[-2])"),
        ("held = []", "same = held\nsame.append(item)\nemit(held[-2])"),
        ("held = {}", "part = held['a']\npart.append(item)\nemit(held['a'][0])"),
        ("held = {}", "part = held.setdefault('a', [])\npart.append(item)\nemit(held['a'][0])"),
        ("held = {}", "part = held['a']\nsame = part\nsame[0] = item\nemit(held['a'][0])"),
        ("a = []\nb = (a, 1)", "b[0].append(item)\nemit(a[-2])"),
        ("a = []\nb = [a]", "for each in b:\n    each.append(item)\nemit(a[-2])"),
        ("held = []\nlast = lambda: held[-2]", "held.append(item)\nemit(last())"),
        ("held = []\nof = held.__getitem__", "held.append(item)\nemit(of(-2))"),
    ],
)
def test_what_is_kept_by_another_name_is_found(setup: str, each: str) -> None:
    assert kept(setup, each)


@pytest.mark.parametrize(
    ("setup", "each"),
    [
        ("before = now()", "after = now()\ntime = after - before\nbefore = after\nemit(Of(item, time))"),
        ("held = set()", "key = of(item)\nif key not in held:\n    held.add(key)\n    emit(item)"),
    ],
)
def test_what_only_decides_about_later_items_is_not_kept(setup: str, each: str) -> None:
    assert not kept(setup, each)
