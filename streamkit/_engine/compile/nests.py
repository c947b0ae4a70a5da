"""Nests: how a step goes through the streams that its callback makes, inside of the loop.

Such a stream is read in the task of the loop, as one would write it by hand: a list by ``for``, an async
generator by ``async for``, so what follows the step stands in the loop twice. Of an ``async def`` with a
``yield`` in it, only the second can come. All else is made one of them first, by ``segment.opened``.

What is read is in ``nested``, by the index of the step, until it has ended: the loop may be left before. What
an item costs is counted in ``tests/compile/test_opcodes_nests.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from streamkit._engine.compile.key import Mode
from streamkit._engine.compile.layout import Layout
from streamkit._engine.compile.lines import Line, Lines, Site
from streamkit._engine.compile.names import Names

__all__ = ["INSIDE", "Nests"]

INSIDE: Final = re.compile(r"item_(\d+)_")
"""The variable of the items of a stream that a step goes through."""


class Splices(Protocol):
    """What nests need of the `Splicer`."""

    layout: Layout
    lines: Lines
    names: Names
    last: str
    rests: list[Line]

    def block(self, block: list[ast.stmt], index: int, site: Site) -> None: ...
    def parts(
        self, source: str, index: int, depth: int, unsized: str = ""
    ) -> AbstractContextManager[str]: ...
    def rest(self, depth: int) -> None: ...


class Nests:
    """Writes what becomes of an item at the steps that go through streams."""

    def __init__(self, splicer: Splices) -> None:
        self._splicer = splicer
        self._layout = splicer.layout
        self._lines = splicer.lines
        self._names = splicer.names

    def each(self, index: int, site: Site) -> None:
        """Make a stream of the item that has come to the step at `index`, and go through it."""
        declaration = self._layout.steps[index].declaration
        function = self._names.name(declaration.nests, index)
        # no name of a piece ends like these: those end in the index of their step
        stream, kind = f"stream_{index}_", f"kind_{index}_"
        assert site.item is not None
        self._names.awaits = True
        self._names.passes(stream)
        self._add(site.depth, f"{stream} = {function}({site.item})", index)
        site = site.at(tail=False)
        if self._names.mode(index, declaration.nests) is Mode.STREAMS:
            self._asynchronous(stream, index, site)
            return
        # what most are is asked first: to look into a set takes several times as long
        others = f"{kind} is not AsyncGenerator and {kind} not in LISTS"
        self._add(site.depth, f"if ({kind} := type({stream})) is not list and {others}:")
        opened = self._names.settle.format(value=f"segment.opened({index}, {stream})")
        self._add(site.depth + 1, f"{stream}, {kind} = {opened}", index)
        self._add(site.depth, f"if {kind} is AsyncGenerator:")
        self._asynchronous(stream, index, site.at(depth=site.depth + 1))
        self._add(site.depth, "else:")
        self._synchronous(stream, f"{kind} is object", index, site.at(depth=site.depth + 1))

    def _add(self, depth: int, text: str, index: int | None = None) -> None:
        self._lines.add(depth, text, index)

    def _synchronous(self, stream: str, unsized: str, index: int, site: Site) -> None:
        """Go through what never waits. An iterator that must be closed does so at its end (`Nesting`)."""
        depth, item = site.depth, f"item_{index}_"
        self._names.passes(item)
        with (
            self._splicer.parts(stream, index, depth, unsized) as part,
            self._lines.loop(depth + 1, f"for {item} in {part}:", index),
        ):
            self._inner(item, index, site.at(depth=depth + 2, ends_turn=True, rests=False))

    def _asynchronous(self, stream: str, index: int, site: Site) -> None:
        """Go through what may wait: count down to the next look at the clock, as the loop around it does.

        What a cancel scope inside the stream has made of a cancellation (`Pace.rescue`) is read before the
        rest of it. ``nested`` is told of the end: nothing that has ended is closed.
        """
        depth, item = site.depth, f"item_{index}_"
        rescued = "pace.rescue" in self._splicer.last or self._goes_through(index)
        if site.free:  # nothing keeps it while its stream is waited for
            self._add(depth, f"{site.item} = None")
        self._add(depth, f"nested[{index}] = {stream}")
        with self._lines.loop(depth, f"while {stream} is not None:"):
            with (
                self._lines.loop(depth + 1, f"async for {item} in {stream}:", index),
                self._resting(item),
            ):
                self._add(depth + 2, "if not left:")
                self._add(depth + 3, "if pace.due() and await pace.breathe():")
                self._add(depth + 4, f"{stream} = pace.resumed({item}, nested[{index}])")
                self._add(depth + 4, "break")
                self._add(depth + 3, "left = min(pace.size, SMALL)")
                self._add(depth + 2, "left -= 1")
                self._inner(item, index, site.at(depth=depth + 2, ends_turn=not rescued, rests=not rescued))
                self._splicer.rest(depth + 2)
                if rescued:
                    self._add(depth + 2, "if pace.handed:")
                    self._add(depth + 3, f"{stream} = Resumed(pace.handed, nested[{index}])")
                    self._add(depth + 3, "break")
            self._add(depth + 1, "else:")
            self._add(depth + 2, f"{stream} = None")
        self._add(depth, f"del nested[{index}]")

    def _inner(self, item: str, index: int, site: Site) -> None:
        """What happens with one item of the stream."""
        site = site.at(item=item, spent=True)
        with self._lines.body(site.depth):
            self._splicer.block(self._layout.parsed[index].each, index, site)

    def _goes_through(self, index: int) -> bool:
        """Whether a step behind that at `index` goes through something, and lets others run in between."""
        return any(
            self._layout.steps[after].declaration.nests or self._layout.parsed[after].loops
            for after in range(index + 1, len(self._layout.steps))
        )

    @contextmanager
    def _resting(self, item: str) -> Generator[None, None, None]:
        """Let the loop that is written in the block let go of what it holds for one turn, before the next."""
        splicer, names = self._splicer, self._names
        (rests, splicer.rests), (outer, names.passing) = (splicer.rests, []), (names.passing, [item])
        yield
        for line in splicer.rests:
            line.text = f"{' = '.join(names.passing)} = None"
        inner, splicer.rests, names.passing = names.passing, rests, outer
        names.passes(*inner)
