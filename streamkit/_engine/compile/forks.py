"""Forks: where the item goes that has come to a step with branches, into all of them or into one.

Each branch stands in the loop once. An item that goes to all of them goes through one after the other. Where
the step picks one, by its number, the branches stand in the arms of an ``if``; of many, in a tree of them, so
that few numbers are compared for an item (`tests/compile/test_forks.py`).
"""

from __future__ import annotations

import ast
from typing import Any, Protocol

from streamkit._engine.compile.layout import Exit, Layout
from streamkit._engine.compile.lines import Lines, Site
from streamkit._engine.compile.ready import Ready

__all__ = ["Forks"]


class Splices(Protocol):
    """What forks need of the `Splicer`."""

    layout: Layout
    lines: Lines

    def ready(self, node: Any, index: int, site: Site) -> Ready: ...
    def each(self, index: int | Exit, site: Site) -> None: ...


class Forks:
    """Writes what becomes of an item at the steps that fork."""

    def __init__(self, splicer: Splices) -> None:
        self._splicer = splicer
        self._layout = splicer.layout
        self._lines = splicer.lines

    def each(self, index: int, site: Site) -> None:
        """Give the item to every branch of the step at `index`, in their order."""
        *others, last = self._layout.forks[index]
        for branch in others:
            self._splicer.each(branch[0], Site(site.item, site.depth, token=site.token))
        self._splicer.each(last[0], site.at(spent=site.free))

    def pick(self, value: ast.expr, index: int, site: Site) -> None:
        """Give the item to the branch whose number is `value`; of two, that is a truth value."""
        number = self._splicer.ready(value, index, site).text
        many = len(self._layout.forks[index])
        if many != 2:  # of two, `if` tests the value itself, as it would by hand
            self._lines.add(site.depth, f"picked_{index} = {number}", index)
            number = f"picked_{index}"
        self._choose(number, index, range(many), site)

    def _choose(self, number: str, index: int, among: range, site: Site) -> None:
        """Give the item to the branch of this `number`, which is one of those `among` which it is."""
        branches = self._layout.forks[index]
        if len(among) == 1:
            self._splicer.each(branches[among[0]][0], site)
            return
        first, second = among[: len(among) // 2], among[len(among) // 2 :]
        test = number if len(branches) == len(among) == 2 else f"{number} >= {second[0]}"
        for header, half in ((f"if {test}:", second), ("else:", first)):
            self._lines.add(site.depth, header, index)
            with self._lines.body(site.depth + 1):
                self._choose(number, index, half, site.at(depth=site.depth + 1))
