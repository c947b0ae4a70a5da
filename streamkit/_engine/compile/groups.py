"""Groups: what the signals of a step that groups become, with the state of each group put away and taken up.

The pipe of the groups stands in the loop once. Its variables are variables of the loop, as those of all other
steps are; between two items of a group, their values are in a list of that group's. The step at index 2, if
it groups, keeps these lists in its variable ``groups``, which is ``groups_2`` in the loop; ``name_2`` and
``state_2`` are the name and the list of the group that the loop is working on.

Where it is one variable, its value needs no list (`Layout.bare`): with a hundred thousand keys, the lists
would cost more than all else. A step that looks its groups up with UNSEEN says that any value may stand
there.

A step that has one group at a time (`Layout.single`) keeps no dict: its ``state`` is that of the group, as
long as there is one, and EMPTY otherwise.

A group can end early, by a ``stop()`` in its pipe, while the loop goes on with the next item: that must leave
the code of this group, and nothing else. So that code is the body of a ``for`` loop of one turn, which a
``continue`` leaves (see `once`); and EMPTY stands for the state of a group that has ended. In a ``for`` of
the step itself, over several groups, the ``continue`` goes on with the next of them.
"""

from __future__ import annotations

import ast
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from streamkit._engine.compile.checks import signalled, statement_name
from streamkit._engine.compile.follow import Follower
from streamkit._engine.compile.layout import Exit, Layout
from streamkit._engine.compile.lines import Lines, Site, TooLargeError
from streamkit._engine.compile.names import Names

__all__ = ["LABEL", "Groups", "Splices"]

LABEL = "_label"
"""The parameter of a step that groups which makes of a group's name what stands beside its items."""


class Splices(Protocol):
    """What groups need of the `Splicer`."""

    layout: Layout
    lines: Lines
    names: Names
    follow: Follower

    def each(self, index: int | Exit, site: Site) -> None: ...
    def setups(self, depth: int, group: int | None = None) -> None: ...
    def finish(self, depth: int, index: int | Exit, until: int | Exit) -> None: ...
    def result(self, index: int, depth: int) -> str | None: ...
    def held(self, depth: int, index: int | Exit, until: int | Exit) -> None: ...


class Groups:
    """Writes what concerns the groups of steps that group."""

    def __init__(self, splicer: Splices) -> None:
        self._splicer = splicer
        self._layout = splicer.layout
        self._lines = splicer.lines
        self._loops: dict[int, int] = {}
        """By the index of the step that groups: how many loops are around the code of a group just now."""

    def signal(self, statement: ast.stmt, group: int, site: Site) -> bool:
        """Write what `statement` stands for, if it is a signal of the step that groups at index `group`."""
        if (run := signalled(statement, "run")) is not None:
            self._run(group, run.args, site)
            return True
        match statement_name(statement):
            case "enter":
                self._enter(group, site.depth)
            case "resume":
                self._resume(group, site.depth)
            case "end":
                self._end(group, site.depth)
            case _:
                return False
        return True

    @contextmanager
    def once(self, group: int, depth: int) -> Generator[int, None, None]:
        """Let a group end early in what is written in the block; at which depth that must be."""
        if self._layout.ends_early(group):
            with self._lines.loop(depth, "for _ in ONCE:"):
                yield depth + 1
        else:
            yield depth

    def stop(self, group: int, index: int, depth: int) -> None:
        """What ``stop()`` is in the step at `index`, which is in a group: that ends, and is left."""
        if self._lines.loops != self._loops[group]:
            raise TooLargeError  # a step's own loop is around it, and a break cannot leave two
        self._close(group, self._layout.after[index], depth)
        self._lines.add(depth, f"{self._place(group)} = EMPTY")
        if kept := self._layout.kept(group):  # what the group has held goes with it
            self._lines.add(depth, f"{' = '.join(kept)} = None")
        self._lines.add(depth, "continue")

    def emit(self, group: int, value: str, site: Site) -> None:
        """Pass on `value`, which comes out of a group, with the name of the group, or the label for it."""
        name = f"name_{group}"
        if LABEL in self._layout.steps[group].declaration.parameters:
            name = f"{self._splicer.names.name(LABEL, group)}({name})"
        self._lines.add(site.depth, f"pair_{group}_out = ({name}, {value})", group)
        item = f"pair_{group}_out"
        self._splicer.names.passes(item)
        self._splicer.each(self._layout.after[group], site.at(item=item, spent=True, later=frozenset()))

    def _enter(self, group: int, depth: int) -> None:
        """Begin a group: the setups of its steps, and a list of what they have set."""
        self._loops[group] = self._lines.loops
        self._splicer.setups(depth, group)
        kept = ", ".join(self._layout.kept(group))
        state = kept if self._layout.bare(group) else f"[{kept}]"
        places = dict.fromkeys((f"state_{group}", self._place(group)))
        self._lines.add(depth, f"{' = '.join(places)} = {state}", group)

    def _place(self, group: int) -> str:
        """Where the state of a group is put away."""
        return f"state_{group}" if self._layout.single(group) else f"groups_{group}[name_{group}]"

    def _resume(self, group: int, depth: int) -> None:
        """Take up the state of a group; one that has ended has none, and is left."""
        if self._layout.ends_early(group):
            self._lines.add(depth, f"if state_{group} is EMPTY:")
            self._lines.add(depth + 1, "continue")
        if kept := ", ".join(self._layout.kept(group)):
            taken = kept if self._layout.bare(group) else f"[{kept}]"
            self._lines.add(depth, f"{taken} = state_{group}")

    def _run(self, group: int, given: list[ast.expr], site: Site) -> None:
        """Give the item, or what is `given`, to the group's steps; put away what they have assigned to."""
        self._loops[group] = self._lines.loops
        inner = Site(site.item, site.depth, spent=site.free, token=site.token, tail=site.tail)
        if given:
            names = self._splicer.names
            ready = names.ready(given[0], group, site.item, site.depth)
            item = ready.name
            if item is None:
                # else the loop would hold two things of one item
                item = site.item if site.free and site.item is not None else f"item_{group}_in"
                names.passes(item)
                names.store(ready, item, group, site.depth)
            inner = inner.at(item=item, spent=not isinstance(given[0], ast.Name))
        self._splicer.each(self._layout.groups[group][0], inner)
        rebound, bare = self._layout.rebound(group), self._layout.bare(group)
        for number, name in enumerate(self._layout.kept(group)):
            if name in rebound:
                place = self._place(group) if bare else f"state_{group}[{number}]"
                self._lines.add(site.depth, f"{place} = {name}")

    def deliver(self, group: int, depth: int) -> None:
        """Have the steps of each group that regroup pass on what they hold, after an error."""
        state = f"state_{group}"
        header = f"for name_{group}, {state} in [*groups_{group}.items()]:"
        if self._layout.single(group):
            header = f"for {state} in () if {state} is EMPTY else ({state},):"
        with self._lines.loop(depth, header):  # one that ends early leaves its turn of this
            self._resume(group, depth + 1)
            self._loops[group] = self._lines.loops
            self._splicer.held(depth + 1, self._layout.groups[group][0], Exit(group=group))

    def _end(self, group: int, depth: int) -> None:
        """End a group that has not ended by itself, as if the source had."""
        with self.once(group, depth) as inner:
            self._resume(group, inner)
            self._loops[group] = self._lines.loops
            self._close(group, self._layout.groups[group][0], inner)
        spent = [*self._layout.kept(group)]  # nothing of it is held until the next item
        if self._layout.single(group):
            self._lines.add(depth, f"state_{group} = EMPTY")
        else:
            spent.append(f"state_{group}")
        if spent:
            self._lines.add(depth, f"{' = '.join(spent)} = None")

    def _close(self, group: int, first: int | Exit, depth: int) -> None:
        """The finish of the steps of a group, from that at `first` on, and the result of its sink."""
        self._splicer.finish(depth, first, Exit(group=group))
        last = self._layout.groups[group][-1]
        result = self._splicer.result(last, depth)
        if result is not None:
            site = self._splicer.follow.result(last, self._splicer.follow.made(depth))
            self.emit(group, result, site)
            self._splicer.follow.done(last, site)
