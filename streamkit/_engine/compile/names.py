"""Names: what the names in a step's pieces become in the loop, and how what its callbacks return is awaited.

In the loop, a name of the step at index 2 ends in ``_2``: two steps of one kind do not meet. The compiler's
own names never end in an underscore and digits: no step meets them either. A parameter of the step becomes a
parameter of the loop; a name from ``uses=`` a constant; a name of the step's module is looked up each time it
is said, as a function of that module would (`bind`).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from typing import Any

from streamkit._engine.compile.bind import Global
from streamkit._engine.compile.key import Mode
from streamkit._engine.compile.layout import Layout
from streamkit._engine.compile.lines import Lines
from streamkit._engine.compile.pieces import GIVEN, StepDeclaration, absence
from streamkit._engine.compile.ready import GOT, ITEM, SKIP, Marked, Ready, Template, looked
from streamkit._engine.compile.scopes import Comprehension, arguments_of, owned, scoped
from streamkit._engine.compile.settle import Settling, Skip
from streamkit._engine.compile.syntax import parse

__all__ = ["SETTLE", "Names"]

SETTLE = "settle"
"""What awaits in a plain ``for``."""


class Names:
    """Renames the names in pieces, and notes what the loop must be given for them."""

    def __init__(self, layout: Layout, lines: Lines, settle: str) -> None:
        self.layout = layout
        self.lines = lines
        self.settle = settle
        """The text that awaits ``{value}``: ``await`` in a coroutine, a call or a ``yield`` elsewhere."""
        self.pends = "pending({value})"
        """What is done with a ``{value}`` that a callback has returned, before it is awaited."""
        self.passing: list[str] = []
        """The variables that hold something only for a turn of the loop, since this was made empty."""
        self.constants: dict[str, Any] = {}
        """Values that never change, by their names in the loop."""
        self.globals: dict[str, Global] = {}
        """Names of the modules of users, by what they are called in the loop."""
        self.wanted: dict[str, tuple[int, str]] = {}
        """The loop's parameters: by name, the index of the step, and which of its arguments it is."""
        self.probing = False
        """Whether what is being written asks of callbacks' results whether they must be awaited.

        It is only asked of a callback's first result; a loop has a form of its own for what comes after that,
        which pays nothing for it.
        """
        self._new_got: bool | None = None
        """Whether the last call that is looked at is the first since then whose result is stored as `GOT`."""
        self.awaits = False
        """Whether anything is awaited in what was written since this was set to False."""
        self.inner = 0
        """How many variables of comprehensions have been renamed."""

    def unknown(self) -> list[str]:
        """The flags of the callbacks whose first result decides whether they are awaited."""
        return [
            _flag(index, name)
            for index, key in enumerate(self.layout.steps)
            for name, mode in key.modes.items()
            if mode is Mode.UNKNOWN
        ]

    def kinds(self) -> list[str]:
        """The variables for the type of the last result of the callbacks that are looked at each time."""
        return [
            _kind(index, name)
            for index, key in enumerate(self.layout.steps)
            for name, mode in key.modes.items()
            if mode is Mode.MIXED
        ]

    def passes(self, *names: str) -> None:
        """Note variables that hold something only for a turn of the loop."""
        self.passing += [name for name in names if name not in self.passing]

    def known(self, test: ast.expr, index: int) -> bool | None:
        """The truth of a test that is known before the run, ``parameter is ABSENT``; None for any other."""
        name = absence(test)
        if name is None or name not in self.layout.steps[index].declaration.parameters:
            return None
        if name in self.layout.parsed[index].assigned:
            return None
        return self.mode(index, name) is Mode.ABSENT

    def ready(self, node: Any, index: int, item: str | None, depth: int, skip: Skip | None = None) -> Ready:
        """`node` as it stands in the loop: renamed, and with what callbacks return awaited.

        Lines that must come before it are written, at `depth`; `skip` writes what leaves out the rest.
        """
        if self.layout.parsed[index].marked:
            known = self.layout.steps[index].templates
            form = (id(node), self.probing, self.settle, self.pends, item is None, skip is None)
            template: Template | None = known.get(form)
            if template is None or template.origin is not node:
                template = known[form] = self._template(node, Marked(index), item and ITEM, skip)
            found = Ready(template, str(index), item)
        else:
            template = self._template(node, index, item, skip)
            found = Ready(template, None, None)
        put = found.put
        if template.loops:
            self.lines.within(template.loops)
        for more, text in template.lines:
            if text is SKIP:
                assert skip is not None
                skip(depth + more)
            else:
                self.lines.add(depth + more, put(text), index)
        if template.new_got is not None:
            self._new_got = template.new_got and GOT not in self.passing
        if template.passing:
            self.passes(*map(put, template.passing))
        self.awaits = self.awaits or template.awaits
        for name, parameter in template.wanted:
            self.wanted[put(name)] = (index, parameter)
        for name, value in template.constants:
            self.constants[put(name)] = value
        for name, scope in template.globals:
            self.globals[put(name)] = scope
        return found

    def _template(self, node: Any, index: int, item: str | None, skip: Skip | None) -> Template:
        """What `node` becomes, and all that this has to do with the loop, in a loop of nothing else.

        Its lines have no owner there: where they are written, all are the step's.
        """
        alone = Names(self.layout, Lines(), self.settle)
        alone.pends, alone.probing = self.pends, self.probing
        shown = None if item is None else ast.Name(item, ast.Load())

        def mark(depth: int) -> None:
            alone.lines.add(depth, SKIP)

        skips = None if skip is None else mark
        made = Settling(alone, index, 0, skips).ready(alone.renamed(node, index, shown))
        return Template(
            origin=node,
            node=made,
            lines=tuple([(line.depth, line.text) for line in alone.lines.all]),
            loops=alone.lines.deepest,
            passing=tuple(alone.passing),
            new_got=alone._new_got,
            awaits=alone.awaits,
            wanted=tuple([(name, parameter) for name, (_, parameter) in alone.wanted.items()]),
            constants=tuple(alone.constants.items()),
            globals=tuple(alone.globals.items()),
            texts={},
        )

    def renamed(self, node: Any, index: int, item: ast.expr | None) -> Any:
        """A copy of `node`, a part of the step at `index`, with its names as they are in the loop."""
        return _Renaming(self, index, item).visit(node)

    def name(self, name: str, index: int) -> str:
        """What `name`, in a piece of the step at `index`, is called in the loop."""
        declaration, pieces = self.layout.steps[index].declaration, self.layout.parsed[index]
        assert isinstance(declaration, StepDeclaration)
        if name.endswith(GIVEN):
            parameter = name.removesuffix(GIVEN)
            self.wanted[f"{parameter}_{index}_given"] = (index, parameter)
            return f"{parameter}_{index}_given"
        own = f"{name}_{index}"
        if name in pieces.assigned:
            return own
        if name in declaration.parameters:
            self.wanted[own] = (index, name)
        elif name in declaration.uses:
            self.constants[own] = declaration.uses[name]
        elif not declaration.own:
            self.globals[own] = Global(
                scope=declaration.function.__globals__, name=name, step=declaration.name
            )
        elif name in declaration.function.__globals__:
            self.constants[own] = declaration.function.__globals__[name]
        else:
            assert hasattr(builtins, name), f"step {declaration.name}: {name!r} is nowhere"
            return name
        return own

    def lasting(self, name: str, index: int) -> bool:
        """Whether `name`, in the loop, is a variable that no expression changes, and that is always there."""
        if name in self.globals or name in self.constants:
            return False
        pieces = self.layout.parsed[index]
        local = name.removesuffix(f"_{index}")
        return local not in pieces.assigned or local in pieces.settled

    def mode(self, index: int, name: str) -> Mode | None:
        """What is known of the argument `name` of the step at `index`."""
        return self.layout.steps[index].modes.get(name)

    def called(self, call: ast.Call, index: int, name: str, depth: int, number: int) -> ast.expr:
        """`call` of the callback `name`, awaited if it must be; the `number`-th that its statement probes."""
        mode = self.mode(index, name)
        if mode is Mode.ASYNC or mode is Mode.MIXED:
            return self.awaited(call) if mode is Mode.ASYNC else self._looked_at(call, _kind(index, name))
        if mode is not Mode.UNKNOWN or not self.probing:
            return call
        # no name of a piece ends like this: those end in the index of their step
        value, flag = _got(index, name, number), _flag(index, name)
        self.passes(value)
        self.lines.add(depth, f"{value} = {ast.unparse(call)}")
        self.lines.add(depth, f"if {flag} is None:")
        self.lines.add(depth + 1, f"{flag} = is_awaitable({value})")
        self.lines.add(depth + 1, f"probing -= not {flag}")
        self.lines.add(depth, f"if {flag}:")
        self.lines.add(depth + 1, f"{value} = {self._settled(value)}")
        return ast.Name(value, ast.Load())

    def unless_dropped(self, call: ast.expr, index: int, name: str, depth: int, number: int) -> ast.expr:
        """What a callback has returned. The line that is written last asks whether that is DROPPED."""
        value = _got(index, name, number)
        self.passes(value)
        self.store(call, value, index, depth)
        self.lines.add(depth, f"if {value} is DROPPED:")
        return ast.Name(value, ast.Load())

    def awaited(self, value: ast.expr) -> ast.expr:
        """`value` awaited, in the way of the function that it becomes part of."""
        self.awaits = True
        found: ast.expr = parse(self.settle.format(value=f"({ast.unparse(value)})"), mode="eval").body
        return found

    def _looked_at(self, call: ast.Call, kind: str) -> ast.expr:
        """`call`, awaited if what it returns is awaitable: one test, if it is of the same `kind` as before.

        Nothing is written before it, and the name of the result, which is used at once, serves all calls.
        """
        self._new_got = GOT not in self.passing
        self.passes(GOT)
        self.awaits = True
        test = f"type({GOT} := {self._first(call, kind)}) is {kind} or ({kind} := kind_of({GOT}, plain))"
        text = f"({GOT} if {test} else {self._settled(GOT)})"
        found: ast.expr = parse(text, mode="eval").body
        return found

    def _first(self, call: ast.Call, kind: str) -> str:
        """`call`; in a plain ``for``, where no event loop runs, the first call has one all the same.

        What a callback returns may need one to be made, as ``asyncio.gather(...)`` does.
        """
        text = ast.unparse(call)
        if not self.settle.startswith(f"{SETTLE}("):
            return text
        first = ast.Call(ast.Name(f"{SETTLE}.here"), [call.func, *call.args], call.keywords)
        return f"({text} if {kind} else {ast.unparse(first)})"

    def store(self, ready: Ready | ast.expr, name: str, index: int, depth: int) -> None:
        """Write that `ready` is stored as `name`; what a callback has returned, and is looked at, at once.

        Else the loop would hold it twice, and go on doing so when a later step has made something of it.
        """
        found = ready.stored(name) if isinstance(ready, Ready) else looked(ready, name)
        if found is None:
            text = ready.text if isinstance(ready, Ready) else ast.unparse(ready)
            self.lines.add(depth, f"{name} = {text}", index)
            return
        test, value = found
        self.lines.add(depth, f"if not ({test}):", index)
        self.lines.add(depth + 1, f"{name} = {value}", index)
        if self._new_got:
            self.passing.remove(GOT)

    def _settled(self, value: str) -> str:
        return self.settle.format(value=self.pends.format(value=value))


def _got(index: int, name: str, number: int) -> str:
    return f"{name}_{index}_got{number or ''}"


def _flag(index: int, name: str) -> str:
    return f"{name}_{index}_awaits"


def _kind(index: int, name: str) -> str:
    return f"{name}_{index}_kind"


_MARK = "lambda "
"""How a name begins that is a lambda's, while it is not known whether it can be the same in the loop."""


class _Renaming(ast.NodeVisitor):
    """Copies what it renames: the pieces themselves are needed again, for other loops."""

    def __init__(self, names: Names, index: int, item: ast.expr | None) -> None:
        self.names, self.index, self.item = names, index, item
        self.inner: Mapping[str, str] = {}
        """What the variables of the lambdas and comprehensions around this spot are called in the loop."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.inner:
            return ast.Name(self.inner[node.id], node.ctx)
        if node.id == "item" and self.item is not None:
            return self.item
        return ast.Name(self.names.name(node.id, self.index), node.ctx)

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        """Its parameters keep their names, by which it may be called, unless the body has such a name."""
        arguments: ast.arguments = self._copied(node.args)
        marked = {name: _MARK + name for name in owned(node)}
        outer, self.inner = self.inner, {**self.inner, **marked}
        body = self.visit(node.body)
        self.inner = outer
        names = [each for each in ast.walk(body) if isinstance(each, ast.Name)]
        taken = {n.id for n, hidden, _ in scoped(body) if isinstance(n, ast.Name) and n.id not in hidden}
        for name, mark in marked.items():
            free = name
            while free in taken or (free != name and free in marked):
                free += "_"
            taken.add(free)
            for each in names:
                if each.id == mark:
                    each.id = free
            for argument in arguments_of(arguments):
                if argument.arg == name:
                    argument.arg = free
        return ast.Lambda(arguments, body)

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehension(node)

    def _comprehension(self, node: Comprehension) -> ast.AST:
        """Its variables get names of their own: where it is written out as a ``for``, they are the loop's."""
        first = self.visit(node.generators[0].iter)
        outer, inner = self.inner, dict(self.inner)
        for name in sorted(owned(node)):
            self.names.inner += 1
            inner[name] = f"{name}_{self.index}_in{self.names.inner}"
        self.inner = inner
        made = self.generic_visit(node)
        self.inner = outer
        assert isinstance(made, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))
        made.generators[0].iter = first
        return made

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return type(node)(**{name: self._copied(value) for name, value in vars(node).items()})

    def _copied(self, value: Any) -> Any:
        if type(value) is list:
            return [self._copied(each) for each in value]  # pyright: ignore[reportUnknownVariableType] - of ast
        return self.visit(value) if isinstance(value, ast.AST) else value
