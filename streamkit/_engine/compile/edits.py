"""Edits: loops some of whose steps may be replaced while they run, and how such a loop is left for the next.

A *span* is a part of the steps that may be replaced. Whoever wants that puts something into the cell
``edits``, a variable of the loop that can be reached from outside: to see whether that is None takes half of
the time that a look at a list does. With the next item in its hand, the loop runs the ``finish`` of each span
that is to go, tells `slots` the state of all other steps, and returns. The next loop takes up that state,
instead of running the setups of those steps, and begins with that item. A loop is entered and left between
two items of its source: there is nothing but variables then.

What a loop asks of `slots`:

=======================  ========================================================================
``edits``                the cell that each loop is made with (`entered_by`); None in it, if nothing changes
``begin()``              told once, when the first loop begins; whether that is outdated already
``entered()``            by the index of a step, its state: None, if it is to begin by its setup
``given()``              the item that the last loop had in its hand, as something to iterate over
``turning(span)``        whether the steps of this span are to go
``turned(span)``         told that they are gone
``leave(states, item)``  told last; of a channel, also what the loop was taking items of
``reads(channel)``       what is awaited before it reads that: whether there is something to do
``next()``               the loop that goes on, where this one hosts it; None at the end
=======================  ========================================================================
"""

from __future__ import annotations

import ast
from types import CellType, FunctionType
from typing import Any, Final, Protocol, TypeAlias

from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.layout import Exit, Layout
from streamkit._engine.compile.lines import Lines, Site
from streamkit._engine.compile.scopes import assigned

__all__ = ["EDITS", "Edited", "Edits", "entered_by"]

EDITS: Final = {"edits": object()}
"""The variable that tells a loop that it is to be left; and what is in it where that has no cell yet."""

Edited: TypeAlias = tuple[tuple[tuple[int, int], ...], bool]
"""The spans, each by its first index and the one behind its last; and whether the loop hosts those after it:
a generator that others read already cannot return."""


class Splices(Protocol):
    """What edits need of the `Splicer`."""

    def block(self, block: list[ast.stmt], index: int, site: Site) -> None: ...
    def finish(self, depth: int, index: int | Exit, until: int | Exit) -> None: ...


class Edits:
    """Writes how a loop is entered, and left."""

    def __init__(
        self, edited: Edited, splicer: Splices, layout: Layout, lines: Lines, kind: Kind, end: End
    ) -> None:
        self._spans, self._hosts = edited
        self._splicer = splicer
        self._layout = layout
        self._add = lines.add
        self._lines = lines
        self._kind, self._end = kind, end

    def setups(self, depth: int) -> None:
        """What happens before the first item is asked for: each step begins, or takes up its state."""
        add = self._add
        if self._hosts:
            add(depth, "if slots.begin():")
            self._host(depth + 1)
        add(depth, "states, hand = slots.entered(), slots.given()")
        for step in self._layout.top:
            if kept := self._kept(step):
                add(depth, f"if states[{step}] is not None:")
                add(depth + 1, f"[{', '.join(kept)}] = states[{step}]")
        for index in self._layout.backwards(None):
            before = len(self._lines.all)
            self._splicer.block(self._layout.parsed[index].setup, index, Site(None, depth + 1))
            if len(self._lines.all) > before:
                self._lines.insert(before, depth, f"if states[{self._step(index)}] is None:")
        add(depth, "states = None")

    def leave(self, depth: int, unless: str) -> None:
        """At the beginning of a turn: if steps are to be replaced, they end, and so does the loop."""
        if not self._spans:
            return
        add = self._add
        add(depth, "if edits is not None" + (f" and not {unless}:" if unless else ":"))
        for number, (begin, end) in enumerate(self._spans):
            add(depth + 1, f"if slots.turning({number}):")
            if begin < end:
                self._splicer.finish(depth + 2, begin, self._layout.after[end - 1])
            add(depth + 2, f"slots.turned({number})")
        states = "".join([f"[{', '.join(self._kept(step))}], " for step in self._layout.top])
        rest = ", rest" if self._kind is Kind.CHANNEL and not unless else ""
        add(depth + 1, f"slots.leave([{states}], item{rest})")
        add(depth + 1, "del item")
        if self._hosts:
            self._host(depth + 1)
        else:
            add(depth + 1, "return" if self._end is End.STAGE else "return slots")

    def _host(self, depth: int) -> None:
        """Pass on what comes out of the loops that follow."""
        self._add(depth, "while (items := slots.next()) is not None:")
        self._add(depth + 1, "async for item in items:")
        self._add(depth + 2, "yield item")
        self._add(depth + 2, "del item")
        self._add(depth, "return")

    def _kept(self, step: int) -> list[str]:
        """The variables that a step, and those in its branches, keep from one item to the next."""
        return [
            f"{name}_{index}"
            for index in sorted(self._layout.with_branches(step))
            for name in sorted(assigned(self._layout.parsed[index].setup))
        ]

    def _step(self, index: int) -> int:
        return next(step for step in self._layout.top if index in self._layout.with_branches(step))


def entered_by(function: Any, edits: CellType) -> Any:
    """The function of a loop, with a cell of its own where it looks at one."""
    code, [own] = function.__code__, EDITS.values()
    cells = [edits if each.cell_contents is own else each for each in function.__closure__ or ()]
    return FunctionType(code, function.__globals__, function.__name__, None, tuple(cells))
