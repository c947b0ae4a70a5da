"""Lasting: steps that hand out something of an earlier item are found, however they keep it."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import pytest

from streamkit._engine.compile.lasting import emits, lasts, returns
from streamkit._engine.compile.passing import passing, stores


def pieces(setup: str, each: str, *, finish: str = "", failed: str = "", result: str = "") -> Any:
    begin, turn, end, failing = (ast.parse(text).body for text in (setup, each, finish, failed))
    told = ast.parse(result, mode="eval").body if result else None
    return SimpleNamespace(
        setup=begin,
        each=turn,
        finish=end,
        failed=failing,
        result=told,
        assigned=stores([*begin, *turn, *end, *failing]),
        passing=passing(begin, turn, [*end, *failing], told),
    )


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
        ("a = []\nb = a\nc = b\nd = c", "d.append(item)\nemit(a[-2])"),
        ("a = []\nb = c = a", "c.append(item)\nemit(a[-2])"),
        ("last = None", "emit(last)\nlast = item"),
        ("last = None", "emit(last)\nwrapped = [item]\nagain = wrapped\nlast = again"),
        ("total = 0", "emit(total)\ntotal += item"),
        ("last = None", "emit(last)\nok = (last := item)"),
        ("a = b = None", "emit(b)\na, b = item"),
        ("a = b = None", "emit(a)\n[a, b] = item"),
        ("held = {}", "emit(held)\nheld[item] = 1"),
        ("held = {}", "emit(held)\nheld['a']['b'] = item"),
        ("held = Held()", "emit(held)\nheld.last = item"),
        ("held = Held()", "emit(held)\nheld.all.append(item)"),
        ("held = Held()", "emit(held)\nheld.put(1, key=item)"),
        ("held = []", "emit(held)\npush(held, item)"),
        ("held = []", "emit(held)\npush(item, held)"),
        ("held = []", "emit(held)\npush(held, key=item)"),
        ("held = []", "same = held\nemit(held)\npush(same, item)"),
        ("put = putter()", "put(item)\nemit(put)"),
        ("held = []", "run(held)\nheld.append(item)"),
        ("held = []", "end(held)\nheld.append(item)"),
        ("held = []", "enter(1, held)\nheld.append(item)"),
        ("held = []", "pick(held)\nheld.append(item)"),
        ("held = []", "held += [each for each in item]\nemit(held[0])"),
        ("held = []", "for part in item:\n    emit(held[0])\n    held.append(part)"),
        ("held = []", "emit(sum(of for of in held))\nheld.append(item)"),
        ("held = []", "if item:\n    emit(held)\nheld.append(item)"),
        ("held = []\nsame = held", "emit(held)\nsame[0] = f(item)"),
        ("a = []\nb = -c\nd = [a]", "d.append(item)\nemit(a)"),
        ("a = []\nb = []\nc = [a, b]", "c[0].append(item)\nemit(a[-2])"),
        ("a = []\nb = []\nc = [a, b]", "c[1].append(item)\nemit(b[-2])"),
    ],
)
def test_what_is_kept_by_whatever_name_is_found(setup: str, each: str) -> None:
    assert lasts(pieces(setup, each))


@pytest.mark.parametrize(
    ("setup", "each"),
    [
        ("before = now()", "after = now()\ntime = after - before\nbefore = after\nemit(Of(item, time))"),
        ("held = set()", "key = of(item)\nif key not in held:\n    held.add(key)\n    emit(item)"),
        ("", "made = of(item)\nemit(made)"),
        ("", "emit(item)"),
        ("count = 0", "emit((count, item))\ncount += 1"),
        ("held = []", "held.append(1)\nother(item)\nemit(held)"),
        ("held = []", "held.append(item)\nmade = f(1)\nemit(made)"),
        ("a = []\nb = -a[0]", "a.append(item)\nemit(b)"),
        ("a = []\nb = a[0] < 1", "a.append(item)\nemit(b)"),
        ("a = []\nb = f'{a}'", "a.append(item)\nemit(b)"),
        ("a = []\nb = a[0] + 1", "a.append(item)\nemit(b)"),
        ("a = []\nb = []", "a.append(item)\nemit(b)"),
        ("a = []\nb = -c\nd = [a]", "d.append(item)\nemit(b)"),
        ("held = []", "emit(item, held)"),
        ("held = {}", "held['a'] = 1\nother(item)\nemit(held)"),
        ("held = []", "if all(item for item in held): emit(item)\nheld.append(item)"),
        ("", "f(item).x = item\nemit(1)"),
        ("held = []", "emit(item)\nf(held)\nheld.append(item)"),
    ],
)
def test_what_only_decides_about_later_items_is_not_kept(setup: str, each: str) -> None:
    assert not lasts(pieces(setup, each))


def test_what_is_kept_may_come_out_at_the_end() -> None:
    for end in ({"finish": "emit(last)"}, {"failed": "run(last)"}, {"finish": "out = last\nemit(out)"}):
        assert lasts(pieces("last = None", "last = item", **end)), end
        assert not lasts(pieces("last = None", "last = 1", **end)), end
        assert not lasts(pieces("last = None", "seen = item", **end)), end
    assert not lasts(pieces("last = None", "last = item", finish="out = 1\nemit(out)"))
    assert lasts(pieces("last = None", "last = item", failed="out = last\nemit(out)"))


@pytest.mark.parametrize(
    ("each", "finish", "result", "of_items", "of_their_number"),
    [
        ("last = item", "", "", False, False),
        ("last = item", "", "last", True, True),
        ("last = item", "", "1 + last[0]", True, True),
        ("last = 1", "", "last", False, True),
        ("last = item", "", "other", False, False),
        ("last = item", "out = last", "out", True, True),
        ("last = 1", "out = last", "out", False, True),
        ("last = item", "out = 1", "out", False, False),
        ("last = item\nmade = last", "", "made", True, True),
        ("use(item)", "", "last", False, False),
    ],
)
def test_what_a_result_has_of_the_items(
    each: str, finish: str, result: str, of_items: bool, of_their_number: bool
) -> None:
    sink = pieces("last = other = made = None", each, finish=finish, result=result)
    assert returns(sink, counts=False) is of_items
    assert returns(sink, counts=True) is of_their_number


def test_which_blocks_pass_something_on() -> None:
    for word in ("emit", "run", "end", "enter", "pick"):
        assert emits(ast.parse(f"a = 1\nif a:\n    {word}(1)").body)
    for text in ("", "emit", "a.emit(1)", "stop()", "emitted(1)", "f(1)"):
        assert not emits(ast.parse(text).body), text
