"""Weaving: the pieces of neighbouring steps become the lines of one loop body.

Each step's ``emit(x)`` is replaced by the body of the step after it, with names renamed apart: the
parameter ``count`` of the step at place 2 is ``count_2``. A filter in tail position becomes a
``continue`` guard, so that nesting stays flat. Every line remembers which step it came from.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from streamkit._engine.compile.key import Mode, StepKey
from streamkit._engine.compile.lines import Group, Line, Site
from streamkit._engine.compile.pieces import Parsed, absence, assigned, parsed, signalled

__all__ = ["LINES", "OUT", "TooLargeError", "Weaver"]

LINES, LOOPS, DEPTH = 1200, 12, 60
"""Where a segment is cut: CPython allows 20 nested blocks and 100 levels of indentation per function."""

OUT = -1
"""In place of the place of a step: where that goes which the last one emits."""


class TooLargeError(Exception):
    """The body outgrew what one function may hold; the segment must be cut."""


_WORDS = ("enter", "resume", "run", "close")
"""What a step that groups says, each a statement of its own."""


def _gate(place: int) -> int:
    """In place of the place of a step: out of the group of the step at `place`; and back from that."""
    return OUT - 1 - place


class Weaver:
    """Places the pieces of `steps` into `lines`; `last` is where items go that come out."""

    def __init__(self, steps: tuple[StepKey, ...], last: str, *, settle: str) -> None:
        self.steps: list[StepKey] = []
        self.last = last
        self.settle = settle
        """How an awaitable is awaited: ``await`` in a coroutine, a call in a plain generator."""
        self.lines: list[Line] = []
        self.constants: dict[str, Any] = {}
        self.wanted: dict[str, tuple[int, str]] = {}
        """Parameters of the loop: their name there, and the step and argument they come from."""
        self.probing = False
        """Whether results of callbacks are being looked at, to see if they must be awaited."""
        self.waits = False
        """Whether something was awaited."""
        self.whole = False
        """Whether a turn of the loop must be gone through to its end, without ``continue``."""
        self._after: list[int] = []
        """For each place, the one that what it emits goes to; `OUT` behind the last."""
        self._forks: dict[int, list[range]] = {}
        """For the place of a fork, the places of each of its branches."""
        self._groups: dict[int, Group] = {}
        """For the place of a step that groups, what is known of the steps of each group."""
        self._inside: dict[int, int] = {}
        """For the place of a step of a group, the place of the step that groups."""
        self._top = self._placed(steps, OUT)
        self._first = self._top[0] if self._top else OUT
        self._parsed: list[Parsed] = [parsed(key.declaration) for key in self.steps]
        self._loops = 0

    def _placed(self, steps: tuple[StepKey, ...], out: int) -> range:
        """Give each step a place, and those of its branches places behind all of these."""
        places = range(len(self.steps), len(self.steps) + len(steps))
        self.steps += steps
        self._after += [*places[1:], out] if steps else []
        for place, key in zip(places, steps, strict=True):
            if key.declaration.groups:
                inner = self._placed(key.branches[0], _gate(place))
                self._inside.update(dict.fromkeys(range(inner[0], len(self.steps)), place) | self._inside)
                self._groups[place] = Group(inner)
            elif key.branches:
                self._forks[place] = [self._placed(branch, self._after[place]) for branch in key.branches]
        return places

    # what the frame calls ------------------------------------------------------------------

    def add(self, depth: int, text: str, owner: int | None = None) -> None:
        if len(self.lines) >= LINES or depth > DEPTH:
            raise TooLargeError
        self.lines.append(Line(depth, text, owner))

    def unknown(self) -> list[str]:
        """The flags of the callbacks whose first result decides whether they are awaited."""
        return [
            self._flag(place, name)
            for place, key in enumerate(self.steps)
            for name, mode in key.modes
            if mode is Mode.UNKNOWN
        ]

    def setups(self, depth: int) -> None:
        """The setups, the last step's first: a ``stop()`` in one runs the finish of those after it."""
        self._setups(depth, None)

    def _setups(self, depth: int, group: int | None) -> None:
        for place in reversed(range(len(self.steps))):
            if self._inside.get(place) == group:
                self._block(self._parsed[place].setup, place, Site(None, depth, tail=False, loop=False))

    def body(self, depth: int) -> None:
        """What happens with one item of the source, which stands in the variable ``item``."""
        before = len(self.lines)
        site = Site(ast.Name("item", ast.Load()), depth, tail=not self.whole, loop=True)
        self._each(self._first, site)
        if len(self.lines) == before:
            self.add(depth, "pass")

    def ending(self, depth: int, *, after: int | None = None) -> None:
        """The finish of every step behind place `after`, or of all, and the return."""
        self._finish(depth, self._first if after is None else self._after[after], OUT)
        result = self._result(self._top[-1]) if self._top else None
        if result is not None:
            self.add(depth, f"return {result}", self._top[-1])
        else:
            self.add(depth, "return")

    def _finish(self, depth: int, place: int, until: int) -> None:
        while place != until:
            after = self._after[place]
            for branch in self._forks.get(place, ()):
                self._finish(depth, branch[0], after)
            self._block(self._parsed[place].finish, place, Site(None, depth, tail=False, loop=False))
            place = after

    def _result(self, place: int) -> str | None:
        if place in self._forks:
            results = [self._result(branch[-1]) for branch in self._forks[place]]
            return f"({', '.join(map(str, results))},)" if self.steps[place].declaration.sink else None
        result = self._parsed[place].result
        return None if result is None else ast.unparse(self._renamed(result, place, None))

    # splicing ------------------------------------------------------------------------------

    def _each(self, place: int, site: Site) -> None:
        if place == OUT:
            assert site.item is not None
            for text in self.last.format(item=ast.unparse(site.item)).splitlines():
                line = text.lstrip()
                self.add(site.depth + (len(text) - len(line)) // 4, line, OUT)
        elif place < OUT:
            assert site.item is not None
            self._named(_gate(place), ast.unparse(site.item), site)
        elif place in self._forks:
            *others, last = self._forks[place]
            for branch in others:
                self._each(branch[0], Site(site.item, site.depth, tail=False, loop=site.loop))
            self._each(last[0], site)
        else:
            self._block(self._parsed[place].each, place, site)

    def _block(self, block: list[ast.stmt], place: int, site: Site) -> None:
        for number, statement in enumerate(block):
            last = number == len(block) - 1
            inner = Site(site.item, site.depth, tail=site.tail and last, loop=site.loop)
            if signalled(statement, "stop"):
                self._stop(site.depth, place)
                return
            self._statement(statement, place, inner)

    def _statement(self, statement: ast.stmt, place: int, site: Site) -> None:
        emitted = signalled(statement, "emit")
        if emitted is not None:
            self._emit(emitted.args[0], place, site)
        elif place in self._groups and (said := next((w for w in _WORDS if signalled(statement, w)), "")):
            getattr(self, f"_{said}")(place, site)
        elif isinstance(statement, ast.If):
            self._if(statement, place, site)
        elif isinstance(statement, ast.For):
            source = self._ready(statement.iter, place, site)
            target = self._renamed(statement.target, place, site.item)
            with self._nested_loop():
                self.add(site.depth, f"for {ast.unparse(target)} in {ast.unparse(source)}:", place)
                self._indented(statement.body, place, Site(site.item, site.depth, tail=True, loop=True))
        elif not isinstance(statement, ast.Pass):
            ready = self._ready(statement, place, site)
            self.add(site.depth, ast.unparse(ready), place)

    # groups --------------------------------------------------------------------------------

    def _enter(self, place: int, site: Site) -> None:
        """Begin a group: the setups of its steps, and what they set as its state."""
        self._groups[place].loops = self._loops
        self._setups(site.depth, place)
        names = ", ".join(self._state(place, rebound=False))
        self.add(site.depth, f"state_{place} = groups_{place}[name_{place}] = [{names}]", place)

    def _resume(self, place: int, site: Site) -> None:
        """Take up the state of a group; if it has ended, there is none."""
        if self._stops(place):
            self.add(site.depth, f"if state_{place} is EMPTY:", place)
            self.add(site.depth + 1, "break", place)
        if state := self._state(place, rebound=False):
            self.add(site.depth, f"[{', '.join(state)}] = state_{place}", place)

    def _run(self, place: int, site: Site) -> None:
        """Give the item to the steps of the group, and put away what they have set anew."""
        self._groups[place].loops = self._loops
        self._each(self._groups[place].steps[0], Site(site.item, site.depth, tail=False, loop=site.loop))
        for number, name in enumerate(self._state(place, rebound=False)):
            if name in self._state(place, rebound=True):
                self.add(site.depth, f"state_{place}[{number}] = {name}", place)

    def _close(self, place: int, site: Site) -> None:
        """End the group: the finish of its steps, and the result of its sink."""
        self._groups[place].loops = self._loops
        self._closed(place, self._groups[place].steps[0], site.depth)

    def _closed(self, place: int, first: int, depth: int) -> None:
        self._finish(depth, first, _gate(place))
        result = self._result(self._groups[place].steps[-1])
        if result is not None:
            self._named(place, result, Site(None, depth, tail=False, loop=False))

    def _stop(self, depth: int, place: int) -> None:
        """End the stream after the step at `place`, or the group that it is a step of."""
        group = self._inside.get(place)
        if group is None:
            self.ending(depth, after=place)
            return
        if self._loops != self._groups[group].loops:
            raise TooLargeError  # there is no way to break out of two loops
        self._closed(group, self._after[place], depth)
        self.add(depth, f"groups_{group}[name_{group}] = EMPTY", group)
        self.add(depth, "break", group)

    def _named(self, place: int, value: str, site: Site) -> None:
        """Emit `value`, which comes out of a group, with the name of the group."""
        self.add(site.depth, f"pair_{place} = (name_{place}, {value})", place)
        item = ast.Name(f"pair_{place}", ast.Load())
        self._each(self._after[place], Site(item, site.depth, tail=site.tail, loop=site.loop))

    def _stops(self, group: int) -> bool:
        return any(inside == group and self._parsed[place].stops for place, inside in self._inside.items())

    def _state(self, group: int, *, rebound: bool) -> list[str]:
        """What the steps of a group keep from one item to the next; or what `each` may set anew of it."""
        found: list[str] = []
        for place, inside in sorted(self._inside.items()):
            if inside == group:
                kept = assigned(self._parsed[place].setup)
                if rebound:
                    kept &= assigned(self._parsed[place].each)
                found += [f"{name}_{place}" for name in sorted(kept)]
        return found

    def _emit(self, value: ast.expr, place: int, site: Site) -> None:
        ready, after = self._ready(value, place, site), self._after[place]
        if after >= 0 and self._parsed[after].collects:  # the item needs no name
            (statement,) = self._parsed[after].each
            self.add(site.depth, ast.unparse(self._renamed(statement, after, ready)), place)
            return
        if not isinstance(ready, ast.Name):
            name = f"item_{place + 1}"
            self.add(site.depth, f"{name} = {ast.unparse(ready)}", place)
            ready = ast.Name(name, ast.Load())
        self._each(after, Site(ready, site.depth, tail=site.tail, loop=site.loop))

    def _if(self, statement: ast.If, place: int, site: Site) -> None:
        folded = self._folded(statement.test, place)
        if folded is not None:
            self._block(statement.body if folded else statement.orelse, place, site)
            return
        test = self._ready(statement.test, place, site)
        if site.tail and site.loop and not statement.orelse:
            negated = test.operand if isinstance(test, ast.UnaryOp) else ast.UnaryOp(ast.Not(), test)
            self.add(site.depth, f"if {ast.unparse(negated)}:", place)
            self.add(site.depth + 1, "continue", place)
            self._block(statement.body, place, site)
            return
        self.add(site.depth, f"if {ast.unparse(test)}:", place)
        self._indented(statement.body, place, site)
        if statement.orelse:
            self.add(site.depth, "else:", place)
            self._indented(statement.orelse, place, site)

    def _indented(self, block: list[ast.stmt], place: int, site: Site) -> None:
        before = len(self.lines)
        self._block(block, place, Site(site.item, site.depth + 1, tail=site.tail, loop=site.loop))
        if len(self.lines) == before:
            self.add(site.depth + 1, "pass", place)

    @contextmanager
    def _nested_loop(self) -> Generator[None, None, None]:
        self._loops += 1
        if self._loops > LOOPS:
            raise TooLargeError
        yield
        self._loops -= 1

    # names ---------------------------------------------------------------------------------

    def _mode(self, place: int, name: str) -> Mode | None:
        return dict(self.steps[place].modes).get(name)

    def _flag(self, place: int, name: str) -> str:
        return f"awaits_{name}_{place}"

    def _folded(self, test: ast.expr, place: int) -> bool | None:
        """The truth of a test that is known before the run: ``name is ABSENT``."""
        name = absence(test)
        if name is None or name not in self.steps[place].declaration.parameters:
            return None
        return self._mode(place, name) is Mode.ABSENT

    def _ready(self, node: Any, place: int, site: Site) -> Any:
        """`node` with its names renamed and its callbacks awaited; lines that must come first are added."""
        renamed = self._renamed(node, place, site.item)
        return _Calls(self, place, site.depth).visit(renamed)

    def _renamed(self, node: Any, place: int, item: ast.expr | None) -> Any:
        return _Names(self, place, item).visit(node)

    def name(self, name: str, place: int) -> str:
        """What `name`, in a piece of the step at `place`, is called in the loop."""
        declaration, pieces = self.steps[place].declaration, self._parsed[place]
        if name in pieces.assigned:
            return f"{name}_{place}"
        if name in declaration.parameters:
            self.wanted[f"{name}_{place}"] = (place, name)
            return f"{name}_{place}"
        scope = declaration.function.__globals__
        if name in scope:
            self.constants[f"{name}_{place}"] = scope[name]
            return f"{name}_{place}"
        if not hasattr(builtins, name):
            raise NameError(
                f"step {declaration.name}: {name!r} is neither a parameter nor a name of its module"
            )
        return name

    def awaited(self, call: ast.Call, place: int, name: str, depth: int) -> ast.expr:
        """`call` of a callback, awaited as far as it must be."""
        mode = self._mode(place, name)
        if mode is Mode.ASYNC:
            return self.settled(call)
        if mode is not Mode.UNKNOWN or not self.probing:
            return call
        value, flag = f"got_{name}_{place}", self._flag(place, name)
        self.add(depth, f"{value} = {ast.unparse(call)}", place)
        self.add(depth, f"if {flag} is None:", place)
        self.add(depth + 1, f"{flag} = isawaitable({value})", place)
        self.add(depth + 1, f"probing -= not {flag}", place)
        self.add(depth, f"if {flag}:", place)
        self.add(depth + 1, f"{value} = {self.settle.format(value=value)}", place)
        return ast.Name(value, ast.Load())

    def settled(self, value: ast.expr) -> ast.expr:
        """`value` awaited, in the way of the function that it becomes part of."""
        self.waits = True
        return ast.parse(self.settle.format(value=ast.unparse(value)), mode="eval").body


class _Names(ast.NodeVisitor):
    """Makes a copy, in which names are replaced: the pieces are woven again."""

    def __init__(self, weaver: Weaver, place: int, item: ast.expr | None) -> None:
        self.weaver, self.place, self.item = weaver, place, item

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "item" and self.item is not None:
            return self.item
        return ast.Name(self.weaver.name(node.id, self.place), node.ctx)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return type(node)(**{name: self._copied(value) for name, value in vars(node).items()})

    def _copied(self, value: Any) -> Any:
        if type(value) is list:
            return [self._copied(each) for each in value]  # pyright: ignore[reportUnknownVariableType] - of ast
        return self.visit(value) if isinstance(value, ast.AST) else value


class _Calls(ast.NodeTransformer):
    def __init__(self, weaver: Weaver, place: int, depth: int) -> None:
        self.weaver, self.place, self.depth = weaver, place, depth
        callbacks = weaver.steps[place].declaration.callbacks
        self.names = {f"{name}_{place}": name for name in callbacks}

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in self.names:
            return self.weaver.awaited(node, self.place, self.names[node.func.id], self.depth)
        return node

    def visit_Await(self, node: ast.Await) -> ast.expr:
        self.generic_visit(node)
        return self.weaver.settled(node.value)
