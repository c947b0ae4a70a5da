"""Splicing: the pieces of steps become the lines of one loop.

Where a step says ``emit(x)``, the ``each`` of the next step is written, with ``x`` for its ``item``; what
the last step emits is written as the line that hands it over to what reads the loop.
"""

from __future__ import annotations

import ast

from streamkit._engine.compile.checks import signalled
from streamkit._engine.compile.groups import Groups
from streamkit._engine.compile.layout import Exit, Layout
from streamkit._engine.compile.lines import OUT, Lines, Site
from streamkit._engine.compile.names import Names

__all__ = ["Splicer"]


class Splicer:
    """Writes the pieces of the steps of `layout`; `last` is the text that hands ``{item}`` over, if any."""

    def __init__(self, layout: Layout, lines: Lines, names: Names, last: str) -> None:
        self.layout = layout
        self.lines = lines
        self.names = names
        self.last = last
        self.groups = Groups(self)

    # whole pieces --------------------------------------------------------------------------

    def setups(self, depth: int, group: int | None = None) -> None:
        """The setups of the steps of a group, or (None) of those in none.

        The last step's comes first: a ``stop()`` in one runs the finish of the steps after it, which needs
        their variables.
        """
        for index in reversed(self.layout.members(group)):
            self._block(self.layout.parsed[index].setup, index, Site(None, depth))

    def each(self, index: int | Exit, site: Site) -> None:
        """What becomes of an item that has come to the step at `index`, or to an exit."""
        if isinstance(index, Exit):
            self._leave(index, site)
        elif index in self.layout.forks:
            *others, last = self.layout.forks[index]
            for branch in others:
                self.each(branch[0], Site(site.item, site.depth))
            self.each(last[0], site)
        elif index in self.layout.groups:
            with self.groups.once(index, site.depth) as depth:
                ends_turn = site.ends_turn or depth != site.depth
                inner = Site(site.item, depth, ends_turn=ends_turn)
                self._block(self.layout.parsed[index].each, index, inner)
        else:
            self._block(self.layout.parsed[index].each, index, site)

    def finish(self, depth: int, index: int | Exit, until: int | Exit) -> None:
        """The finish of the step at `index`, and of each step after it, as far as `until`."""
        while index != until:
            assert not isinstance(index, Exit)
            after = self.layout.after[index]
            for branch in self.layout.forks.get(index, ()):
                self.finish(depth, branch[0], after)
            self._block(self.layout.parsed[index].finish, index, Site(None, depth))
            index = after

    def result(self, index: int, depth: int) -> str | None:
        """The result of the step at `index`, or those of its branches; None if it is no sink."""
        if index in self.layout.forks:
            results = [self.result(branch[-1], depth) for branch in self.layout.forks[index]]
            return f"({', '.join(map(str, results))},)" if self.layout.steps[index].declaration.sink else None
        result = self.layout.parsed[index].result
        return None if result is None else ast.unparse(self.names.ready(result, index, None, depth))

    def ending(self, depth: int, first: int | Exit) -> None:
        """The end of the stream: the finish of the step at `first` and of those after it, and the return."""
        self.finish(depth, first, Exit(group=None))
        last = self.layout.last
        result = None if last is None else self.result(last, depth)
        if result is not None:
            self.lines.add(depth, f"return {result}", last)
        else:
            self.lines.add(depth, "return")

    # statements ----------------------------------------------------------------------------

    def _block(self, block: list[ast.stmt], index: int, site: Site) -> None:
        for number, statement in enumerate(block):
            if signalled(statement, "stop"):
                self._stop(index, site.depth)
                return  # nothing after it is reached
            ends_turn = site.ends_turn and number == len(block) - 1
            self._statement(statement, index, Site(site.item, site.depth, ends_turn=ends_turn))

    def _statement(self, statement: ast.stmt, index: int, site: Site) -> None:
        emitted = signalled(statement, "emit")
        if emitted is not None:
            self._emit(emitted.args[0], index, site)
        elif index in self.layout.groups and self.groups.signal(statement, index, site):
            pass
        elif isinstance(statement, ast.If):
            self._if(statement, index, site)
        elif isinstance(statement, ast.For):
            self._for(statement, index, site)
        elif not isinstance(statement, ast.Pass):
            ready = self.names.ready(statement, index, site.item, site.depth)
            self.lines.add(site.depth, ast.unparse(ready), index)

    def _stop(self, index: int, depth: int) -> None:
        """End the stream after the step at `index`, or the group that it is a step of."""
        group = self.layout.inside.get(index)
        if group is None:
            self.ending(depth, self.layout.after[index])
        else:
            self.groups.stop(group, index, depth)

    def _emit(self, value: ast.expr, index: int, site: Site) -> None:
        ready = self.names.ready(value, index, site.item, site.depth)
        after = self.layout.after[index]
        if not isinstance(after, Exit) and self.layout.parsed[after].collects:
            # `items.append(function(item))`: without a name for the item, a store and a load are saved. The
            # append cannot fail: an error in this line is the emitting step's. Guarded by test_opcodes.py
            (statement,) = self.layout.parsed[after].each
            self.lines.add(site.depth, ast.unparse(self.names.renamed(statement, after, ready)), index)
            return
        if not isinstance(ready, ast.Name) or ready.id in self.names.globals:
            name = f"item_{index + 1}"
            self.lines.add(site.depth, f"{name} = {ast.unparse(ready)}", index)
            ready = ast.Name(name, ast.Load())
        self.each(after, Site(ready, site.depth, ends_turn=site.ends_turn))

    def _leave(self, through: Exit, site: Site) -> None:
        """What becomes of an item that comes out of a group, or out of the loop."""
        assert site.item is not None
        item = ast.unparse(site.item)
        if through.group is not None:
            self.groups.emit(through.group, item, site)
            return
        for text in self.last.format(item=item).splitlines():
            line = text.lstrip()
            self.lines.add(site.depth + (len(text) - len(line)) // 4, line, OUT)

    def _if(self, statement: ast.If, index: int, site: Site) -> None:
        known = self.names.known(statement.test, index)
        if known is not None:
            self._block(statement.body if known else statement.orelse, index, site)
            return
        test = self.names.ready(statement.test, index, site.item, site.depth)
        if site.ends_turn and not statement.orelse:
            double = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
            negated = test.operand if double else ast.UnaryOp(ast.Not(), test)
            self.lines.add(site.depth, f"if {ast.unparse(negated)}:", index)
            self.lines.add(site.depth + 1, "continue", index)
            self._block(statement.body, index, site)
            return
        self.lines.add(site.depth, f"if {ast.unparse(test)}:", index)
        self._body(statement.body, index, site)
        if statement.orelse:
            self.lines.add(site.depth, "else:", index)
            self._body(statement.orelse, index, site)

    def _for(self, statement: ast.For, index: int, site: Site) -> None:
        source = self.names.ready(statement.iter, index, site.item, site.depth)
        target = self.names.renamed(statement.target, index, site.item)
        with self.lines.loop(site.depth, f"for {ast.unparse(target)} in {ast.unparse(source)}:", index):
            self._body(statement.body, index, Site(site.item, site.depth, ends_turn=True))
        self._block(statement.orelse, index, site)  # no step says `break`

    def _body(self, block: list[ast.stmt], index: int, site: Site) -> None:
        """`block`, one deeper than `site`."""
        with self.lines.body(site.depth + 1, index):
            self._block(block, index, Site(site.item, site.depth + 1, ends_turn=site.ends_turn))
