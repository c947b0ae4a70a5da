"""Splicing: the pieces of steps become the lines of one loop.

Where a step says ``emit(x)``, the ``each`` of the next step is written, with ``x`` for its ``item``; what
the last step emits is written as the line that hands it over to what reads the loop.
"""

from __future__ import annotations

import ast
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from streamkit._engine.compile.checks import signalled
from streamkit._engine.compile.follow import Follower
from streamkit._engine.compile.forks import Forks
from streamkit._engine.compile.groups import Groups
from streamkit._engine.compile.layout import Exit, Layout
from streamkit._engine.compile.lines import OUT, Line, Lines, Site
from streamkit._engine.compile.names import Names
from streamkit._engine.compile.nests import Nests
from streamkit._engine.compile.passing import loads, stores
from streamkit._engine.compile.pieces import ERROR
from streamkit._engine.compile.ready import Ready

__all__ = ["Splicer"]

FAILED = "failed = segment.failed(error)"
"""What a loop does with an error, where steps pass on what they hold first."""


class Splicer:
    """Writes the pieces of the steps of `layout`; `last` is the text that hands ``{item}`` over, if any."""

    def __init__(self, layout: Layout, lines: Lines, names: Names, last: str, follow: Follower) -> None:
        self.layout = layout
        self.lines = lines
        self.names = names
        self.last = last
        self.follow = follow
        self.forks = Forks(self)
        self.groups = Groups(self)
        self.nests = Nests(self)
        self.rests: list[Line] = []
        """Lines that are to let go of the passing names, before a ``continue``."""
        self.breathes = True
        """Whether the loop can let others run, in the loops of its steps."""

    # whole pieces --------------------------------------------------------------------------

    def setups(self, depth: int, group: int | None = None) -> None:
        """The setups of the steps of a group, or (None) of those in none.

        The last step's comes first: what one emits goes through the steps after it, and a ``stop()`` in one
        runs their finish. Both need their variables.
        """
        for index in self.layout.backwards(group):
            self.follow.begin(index, depth)
            self.block(self.layout.parsed[index].setup, index, self.follow.made(depth))

    def each(self, index: int | Exit, site: Site) -> None:
        """What becomes of an item that has come to the step at `index`, or to an exit."""
        if isinstance(index, Exit):
            self._leave(index, site)
        elif index in self.layout.forks and not self.layout.picks(index):
            self.forks.each(index, site)
        elif index in self.layout.groups:
            with self.groups.once(index, site.depth) as depth:
                once = depth != site.depth
                inner = site.at(depth=depth, ends_turn=site.ends_turn or once, rests=site.rests and not once)
                self._each(index, inner)
        else:
            self._each(index, site)

    def _each(self, index: int, site: Site) -> None:
        pieces = self.layout.parsed[index]
        self.names.passes(*(f"{name}_{index}" for name in sorted(pieces.passing)))
        site = self.follow.enter(index, site.at(later=pieces.lazy))
        if self.layout.steps[index].declaration.nests:
            self.nests.each(index, site)
            return
        if site.ends_turn or not self.layout.steps[index].drops:
            self.block(pieces.each, index, site)
        else:
            with self.lines.loop(site.depth, "for _ in ONCE:"):  # what drops the item leaves this turn only
                self.block(pieces.each, index, site.at(depth=site.depth + 1, ends_turn=True, rests=False))
        self.follow.left(index, site)

    def finish(self, depth: int, index: int | Exit, until: int | Exit) -> None:
        """The finish of the step at `index`, and of each step after it, as far as `until`."""
        while index != until:
            assert not isinstance(index, Exit)
            after = self.layout.after[index]
            for branch in self.layout.forks.get(index, ()):
                self.finish(depth, branch[0], after)
            self._finish(index, depth)
            index = after

    def _finish(self, index: int, depth: int, *, stopped: bool = False) -> None:
        """The finish of the step at `index`, unless it has `stopped`; what comes of a sink there goes on."""
        if not stopped:
            self.block(self.layout.parsed[index].finish, index, self.follow.made(depth, last=True))
            self.follow.finished(index, depth)
        if index in self.layout.emitting:
            name = f"result_{index}_out"
            self.names.passes(name)
            self.lines.add(depth, f"{name} = {self.result(index, depth)}", index)
            site = self.follow.result(index, self.follow.made(depth).at(item=name, spent=True))
            self.each(self.layout.after[index], site)
            self.follow.done(index, site)

    def guarded_ending(self, depth: int, loop: int) -> None:
        """The end of the stream, or of what an error left of it, where steps regroup.

        ``failed`` is None, or says whose the error was: the step of this index, or SOURCE, or OUT. A step
        that regroups passes on what it holds, if the error came from before it; no other does anything then.
        """
        self.lines.all.insert(loop, Line(depth, "failed = None", None))
        self._guarded(depth, self.layout.first, Exit(group=None), loop + 1)
        self.lines.add(depth, "if failed is not None:")
        self.lines.add(depth + 1, "raise segment.first")
        self.ending(depth, Exit(group=None))

    def _guarded(self, depth: int, index: int | Exit, until: int | Exit, begin: int) -> int:
        """Each ``finish`` from that at `index` on, if it is to run. What follows `begin` may fail still."""
        lines = self.lines
        while index != until:
            assert not isinstance(index, Exit)
            after = self.layout.after[index]
            for number, branch in enumerate(self.layout.forks.get(index, ())):
                lines.attempt(begin, depth, FAILED)
                _came(lines, depth, index, first=not number)
                begin = self._guarded(depth, branch[0], after, len(lines.all))
            regroups = self.layout.steps[index].declaration.contract.regroups
            inner = self.layout.regrouping(index) if index in self.layout.groups else []
            if regroups or inner:
                begin = lines.attempt(begin, depth, FAILED)
            ends = self.layout.parsed[index].finish or index in self.layout.emitting
            if ends or self.follow.lets_go(index):
                lines.add(depth, _unless_after(self.layout, index) if regroups else "if failed is None:")
                with lines.body(depth + 1):
                    self._finish(index, depth + 1)
            if self.layout.parsed[index].failed:
                begin = lines.attempt(begin, depth, FAILED)
                self._failed(index, depth)
            if inner:
                lines.add(depth, "else:")
                self.groups.deliver(index, depth + 1)
            index = after
        return begin

    def _failed(self, index: int, depth: int) -> None:
        """What the step at `index` makes of an error from before it; then the stream goes on to its end."""
        error = self.names.name(ERROR, index)
        before = ", ".join(["SOURCE", *map(str, sorted(self.layout.before([index])))])
        self.lines.add(depth, f"if failed in ({before},) and ({error} := segment.caught()) is not None:")
        self.lines.add(depth + 1, "failed = None")
        self.block(self.layout.parsed[index].failed, index, self.follow.made(depth + 1))
        self.lines.add(depth + 1, f"{error} = None")

    def held(self, depth: int, index: int | Exit, until: int | Exit) -> None:
        """After an error, what the steps of a group that regroup pass on, from that at `index` on."""
        while index != until:
            assert not isinstance(index, Exit)
            after = self.layout.after[index]
            for branch in self.layout.forks.get(index, ()):
                self.held(depth, branch[0], after)
            if self.layout.steps[index].declaration.contract.regroups:
                self.lines.add(depth, _unless_after(self.layout, index))
                with self.lines.body(depth + 1):
                    site = self.follow.made(depth + 1, last=True)
                    self.block(self.layout.parsed[index].finish, index, site)
                    self.follow.finished(index, depth + 1)
            elif index in self.layout.groups and self.layout.regrouping(index):
                self.groups.deliver(index, depth)
            index = after

    def result(self, index: int, depth: int) -> str | None:
        """The result of the step at `index`, or those of its branches; None if it is no sink."""
        result = self.layout.parsed[index].result
        if index in self.layout.forks:
            if not self.layout.steps[index].declaration.sink:
                return None
            results = [self.result(branch[-1], depth) for branch in self.layout.forks[index]]
            text = f"({', '.join(map(str, results))},)"
            if result is None or not loads([result]):
                return text
            self.lines.add(depth, f"{self.names.name('results', index)} = {text}", index)
        return None if result is None else self.names.ready(result, index, None, depth).text

    def ending(self, depth: int, first: int | Exit) -> None:
        """The end of the stream: the finish of the step at `first` and of those after it, and the return."""
        self.finish(depth, first, Exit(group=None))
        last = self.layout.last
        result = None if last is None else self.result(last, depth)
        if result is not None:
            self.lines.add(depth, f"return {self.follow.returned(result, depth)}", last)
        else:
            self.lines.add(depth, "return")

    # statements ----------------------------------------------------------------------------

    def block(self, block: list[ast.stmt], index: int, site: Site) -> None:
        """The statements of a piece of the step at `index`, or of a part of one."""
        for number, statement in enumerate(block):
            if signalled(statement, "stop"):
                self._stop(index, site)
                return  # nothing after it is reached
            rest = block[number + 1 :]
            here = site
            if rest:
                tail = self.follow.ends(site, statement, rest)
                here = site.at(ends_turn=False, later=site.later | loads(rest), tail=tail)
            self._statement(statement, index, here)

    def _statement(self, statement: ast.stmt, index: int, site: Site) -> None:
        emitted = signalled(statement, "emit")
        if emitted is not None:
            self._emit(emitted.args[0], index, site)
        elif index in self.layout.groups and self.groups.signal(statement, index, site):
            pass
        elif index in self.layout.forks and (picked := signalled(statement, "pick")):
            self.forks.pick(picked.args[0], index, site)
        elif isinstance(statement, ast.If):
            self._if(statement, index, site)
        elif isinstance(statement, ast.For):
            self._for(statement, index, site)
        elif not isinstance(statement, ast.Pass):
            ready = self.ready(statement, index, site)
            self.lines.add(site.depth, ready.text, index)

    def ready(self, node: Any, index: int, site: Site) -> Ready:
        """`node`, a part of a piece, as it stands in the loop; what must come before it is written."""
        skip = None if site.item is None else partial(_skip, self, site)
        return self.names.ready(node, index, site.item, site.depth, skip)

    def _stop(self, index: int, site: Site) -> None:
        """End the stream after the step at `index`, or the group that it is a step of."""
        self.follow.stopped(site)
        depth = site.depth
        self._finish(index, depth, stopped=True)
        group = self.layout.inside.get(index)
        if group is None:
            self.ending(depth, self.layout.after[index])
        else:
            self.groups.stop(group, index, depth)

    def _emit(self, value: ast.expr, index: int, site: Site) -> None:
        ready = self.ready(value, index, site)
        after = self.layout.after[index]
        if not isinstance(after, Exit) and self.layout.parsed[after].collects and not self.follow.on:
            # `items.append(function(item))`: without a name for the item, a store and a load are saved. The
            # append cannot fail: an error in this line is the emitting step's. Guarded by test_opcodes.py
            (statement,) = self.layout.parsed[after].each
            appended = self.names.ready(statement, after, ready.text, site.depth)
            self.lines.add(site.depth, appended.text, index)
            return
        item = ready.name
        if item is None or item in self.names.globals:
            # over the item, if that is not read again: else each step would hold one
            item = site.item if site.free and site.item is not None else f"item_{index + 1}"
            self.names.passes(item)
            self.names.store(ready, item, index, site.depth)
        spent = not isinstance(value, ast.Name) or (
            site.free if value.id == "item" else value.id in self.layout.parsed[index].passing - site.later
        )
        made = site.item is None
        site = self.follow.emitted(index, site.at(item=item, spent=spent, later=frozenset()), made=made)
        self.each(after, site)
        self.follow.done(index, site)

    def _leave(self, through: Exit, site: Site) -> None:
        """What becomes of an item that comes out of a group, or out of the loop."""
        assert site.item is not None
        if through.group is not None:
            self.groups.emit(through.group, site.item, site)
            return
        item, last = self.follow.handed(site, self.last)
        for text in last.format(item=item).splitlines():
            line = text.lstrip()
            if line.startswith(f"{item} = ") and item == site.item and not site.free:
                continue
            self.lines.add(site.depth + (len(text) - len(line)) // 4, line, OUT)

    def _if(self, statement: ast.If, index: int, site: Site) -> None:
        known = self.names.known(statement.test, index)
        if known is not None:
            self.block(statement.body if known else statement.orelse, index, site)
            return
        test = self.ready(statement.test, index, site)
        if site.ends_turn and not statement.orelse:
            self.lines.add(site.depth, f"if {test.negated}:", index)
            _skip(self, site, site.depth + 1)
            self.block(statement.body, index, site)
            return
        self.lines.add(site.depth, f"if {test.text}:", index)
        self._body(statement.body, index, site)
        if statement.orelse:
            self.lines.add(site.depth, "else:")
            self._body(statement.orelse, index, site)

    def _for(self, statement: ast.For, index: int, site: Site) -> None:
        source = self.ready(statement.iter, index, site).text
        target = self.ready(statement.target, index, site).text
        # the next turn reads again what it does not begin with
        later = site.later | (loads(statement.body) - stores([statement.target])) | loads(statement.orelse)
        inner = site.at(ends_turn=True, rests=False, later=later, tail=False)
        if not self.breathes:
            with self.lines.loop(site.depth, f"for {target} in {source}:", index):
                self._body(statement.body, index, inner)
            self.block(statement.orelse, index, site)  # no step says `break`
            return
        with (
            self.parts(source, index, site.depth) as part,
            self.lines.loop(site.depth + 1, f"for {target} in {part}:", index),
        ):
            self._body(statement.body, index, inner.at(depth=site.depth + 1))
        self.block(statement.orelse, index, site)

    @contextmanager
    def parts(self, source: str, index: int, depth: int, unsized: str = "") -> Generator[str, None, None]:
        """Go through `source` in parts: what is in the block goes through one. Let others run between.

        What is short is one part: its length is looked at, which costs a call, and nothing per element. What
        does not know its length is sliced, and the clock is looked at if there is a second slice. Where it is
        known which, `unsized` is a test for that, and `source` a variable, which has the parts then.
        """
        # no name of a piece ends like these: those end in the index of their step
        part, rest = (f"{name}_{index}_{self.lines.loops}_" for name in ("part", "rest"))
        part = source if unsized else part
        self.names.passes(part, rest)
        self.names.awaits = True
        add = self.lines.add
        add(depth, f"{rest} = None")
        if unsized:
            add(depth, f"if {unsized} or len({part}) > SMALL:")
        else:
            add(depth, f"if length_hint({part} := {source}, LARGEST) > SMALL:", index)
        add(depth + 1, f"{rest} = steady(iter({part}))", index)
        add(depth + 1, f"{part} = islice({rest}, pace.size)")
        with self.lines.loop(depth, "while True:"):
            yield part
            add(depth + 1, f"if {rest} is None:")
            add(depth + 2, "break")
            add(depth + 1, f"{part} = EMPTY")
            add(depth + 1, f"for {part} in {rest}:", index)
            add(depth + 2, "break")
            add(depth + 1, f"if {part} is EMPTY:")
            add(depth + 2, "break")
            add(depth + 1, "if pace.due():")
            add(depth + 2, self.names.settle.format(value="pace.breathe()"))
            add(depth + 1, f"{part} = chain(({part},), islice({rest}, pace.size))")

    def rest(self, depth: int) -> None:
        """A line that lets go of the passing names; `let_go` says of which."""
        self.lines.add(depth, "pass")
        self.rests.append(self.lines.all[-1])

    def let_go(self) -> None:
        """Write the lines of `rest` since the last call: the loop has the item, and may have the others."""
        others = [name for name in self.names.passing if name != "item"]
        text = "; ".join(["del item", *([f"{' = '.join(others)} = None"] if others else [])])
        for line in self.rests:
            line.text = text
        self.rests.clear()

    def _body(self, block: list[ast.stmt], index: int, site: Site) -> None:
        """`block`, one deeper than `site`."""
        with self.lines.body(site.depth + 1):
            self.block(block, index, site.at(depth=site.depth + 1))


def _came(lines: Lines, depth: int, index: int, *, first: bool) -> None:
    """Each branch of the step at `index` hears of the error that came there, and of none in another."""
    came = f"came_{index}_"
    if first:
        lines.add(depth, f"{came} = failed")
    else:
        lines.add(depth, f"if {came} is not None:")
        lines.add(depth + 1, f"failed = {came}")


def _unless_after(layout: Layout, index: int) -> str:
    """The header of what the step at `index` does, unless the error came from it or from behind it."""
    before = ", ".join(["None", "SOURCE", *map(str, sorted(layout.before([index])))])
    return f"if failed in ({before}):"


def _skip(splicer: Splicer, site: Site, depth: int) -> None:
    """Leave out, at `depth`, the rest of this turn."""
    if site.rests:
        splicer.rest(depth)
    splicer.lines.add(depth, "continue")
