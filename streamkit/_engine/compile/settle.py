"""Settling: what callbacks return is awaited inside of expressions, in the order that Python evaluates them.

Where it is known what a callback returns, its call stands where the step has it, awaited if it must be.
Where that is not known yet, the call is a statement before the line, which looks at the result. What Python
would evaluate before the call is then written before it too. And where Python might not evaluate the call at
all (``and``, ``or``, ``x if y else z``, ``a < b < c``), the statement is put behind an ``if``.
A comprehension that awaits is written out as a ``for`` in any case: in a plain generator, it could not.
What a generator expression goes through is got before the line, if it awaits.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from streamkit._engine.compile.key import Mode
from streamkit._engine.compile.layout import Layout
from streamkit._engine.compile.lines import Lines
from streamkit._engine.compile.scopes import COMPREHENSIONS
from streamkit._engine.compile.syntax import parse

__all__ = ["Settles", "Settling", "Skip"]

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp
"""Those that are evaluated where they stand."""


Skip: TypeAlias = Callable[[int], None]
"""Writes, at a depth, what leaves out the rest of what a step does with an item."""


class Settles(Protocol):
    """What `Settling` needs of the names of a loop."""

    layout: Layout
    lines: Lines
    probing: bool

    def unless_dropped(self, call: ast.expr, index: int, name: str, depth: int, number: int) -> ast.expr: ...
    def called(self, call: ast.Call, index: int, name: str, depth: int, number: int) -> ast.expr: ...
    def awaited(self, value: ast.expr) -> ast.expr: ...
    def lasting(self, name: str, index: int) -> bool: ...
    def mode(self, index: int, name: str) -> Mode | None: ...
    def passes(self, *names: str) -> None: ...


class Settling:
    """Settles one statement or expression of the step at `index`, which is renamed already.

    Lines that must come before it are written at `depth`.
    """

    def __init__(self, names: Settles, index: int, depth: int, skip: Skip | None) -> None:
        self.names, self.index, self.depth, self.skip = names, index, depth, skip
        callbacks = names.layout.steps[index].declaration.callbacks
        self.callbacks = {f"{name}_{index}": name for name in callbacks}
        self.calls = 0
        """How many calls have been probed."""
        self.parts = 0
        """How many parts have been given variables."""
        self.hoisted: dict[int, ast.AST] = {}
        """The parts, by `id`, in which something must be written before the line."""
        self.awaiting: dict[int, ast.AST] = {}
        """The parts in which something is awaited."""

    def ready(self, node: Any) -> Any:
        """`node` as it stands in the loop."""
        self._look(node)
        if id(node) not in self.hoisted:
            return self._in_place(node)
        match node:
            case ast.Assign():
                node.value = self.value(node.value)
                return node
            case ast.AugAssign(target=ast.Attribute() | ast.Subscript()):
                return self._augmented(node)
            case ast.AugAssign(target=ast.Name(id=name)):
                if not self.names.lasting(name, self.index):
                    before = self._kept(ast.Name(name, ast.Load()))
                    return self._changed(node, before, node.target)
                node.value = self.value(node.value)
                return node
            case ast.stmt():
                return self._in_order(node)
            case _:
                return self.value(node)

    def value(self, node: ast.expr) -> ast.expr:
        """An expression for the value of `node`; what must come before it is written."""
        if id(node) not in self.hoisted:
            found: ast.expr = self._in_place(node)
            return found
        match node:
            case ast.BoolOp():
                return self._short(node)
            case ast.IfExp():
                return self._choice(node)
            case ast.Compare(ops=[_, _, *_]):
                return self._chain(node)
            case ast.NamedExpr():
                self._add(f"{node.target.id} = {ast.unparse(self.value(node.value))}")
                return ast.Name(node.target.id, ast.Load())
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                return self._written_out(node)
            case ast.GeneratorExp():  # its first iterable, which cannot have a `:=` in it
                node.generators[0].iter = self._kept(node.generators[0].iter)
                return node
            case ast.Call(func=ast.Name(id=name)) if name in self.callbacks:
                self._in_order(node)
                return self._called(node, name)
            case ast.Await():
                return self.names.awaited(self.value(node.value))
            case _:
                self._in_order(node)
                return node

    # what must be hoisted ------------------------------------------------------------------

    def _look(self, node: ast.AST) -> None:
        """Note, of `node` and all parts of it, whether it is hoisted and whether it awaits."""
        hoisted, awaits = False, isinstance(node, ast.Await)
        for child in ast.iter_child_nodes(node):
            self._look(child)
            hoisted = hoisted or id(child) in self.hoisted
            awaits = awaits or id(child) in self.awaiting
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.callbacks:
            mode = self.names.mode(self.index, self.callbacks[node.func.id])
            awaits = awaits or mode is Mode.ASYNC or mode is Mode.MIXED
            hoisted = hoisted or (mode is Mode.UNKNOWN and self.names.probing)
            hoisted = hoisted or self._drops(self.callbacks[node.func.id])
        if awaits and isinstance(node, COMPREHENSIONS):
            hoisted = True
        if hoisted:
            self.hoisted[id(node)] = node
        if awaits:
            self.awaiting[id(node)] = node

    def _in_place(self, node: Any) -> Any:
        """`node`, in which nothing is hoisted, with what is awaited in it."""
        if id(node) not in self.awaiting:
            return node
        for slot in _slots(node):
            slot.put(self._in_place(slot.get()))
        if isinstance(node, ast.Await):
            return self.names.awaited(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.callbacks:
            return self._called(node, node.func.id)
        return node

    def _called(self, call: ast.Call, name: str) -> ast.expr:
        number, self.calls, name = self.calls, self.calls + 1, self.callbacks[name]
        ready = self.names.called(call, self.index, name, self.depth, number)
        if self.skip is None or not self._drops(name):
            return ready
        ready = self.names.unless_dropped(ready, self.index, name, self.depth, number)
        self.skip(self.depth + 1)
        return ready

    def _drops(self, name: str) -> bool:
        """Whether the callback `name` may drop the item, so that the rest is left out."""
        return self.skip is not None and name in self.names.layout.steps[self.index].drops

    # in order ------------------------------------------------------------------------------

    def _in_order(self, node: Any) -> Any:
        """`node`, whose parts are evaluated one after the other: those before the last hoisted are kept."""
        slots = list(_slots(node))
        hoisted = [number for number, slot in enumerate(slots) if id(slot.get()) in self.hoisted]
        last = hoisted[-1] if hoisted else -1
        for number, slot in enumerate(slots):
            part = slot.get()
            slot.put(self._kept(part) if number < last else self._part(part))
        return node

    def _part(self, part: Any) -> Any:
        if id(part) in self.hoisted and isinstance(part, (ast.keyword, ast.arguments, ast.comprehension)):
            return self._in_order(part)
        return self.value(part)

    def _kept(self, part: Any) -> Any:
        """A `part` that is evaluated now, and used later."""
        match part:
            case ast.keyword(arg=None):
                part.value = self._kept_as(ast.Dict([None], [self.value(part.value)]))
                return part
            case ast.keyword():
                part.value = self._kept(part.value)
                return part
            case ast.Starred():
                part.value = self._kept_as(ast.Tuple([ast.Starred(self.value(part.value))], ast.Load()))
                return part
            case ast.FormattedValue():
                made = ast.JoinedStr([self._part(part)])
                return ast.FormattedValue(self._kept_as(made), -1, None)
            case ast.Slice() | ast.Constant():
                for slot in _slots(part):
                    slot.put(self._kept(slot.get()))
                return part
            case _:
                pass
        value = self.value(part)
        if isinstance(value, ast.Name) and self.names.lasting(value.id, self.index):
            return value
        return self._kept_as(value)

    def _kept_as(self, value: ast.expr) -> ast.Name:
        name = self._new()
        self._add(f"{name} = {ast.unparse(value)}")
        return ast.Name(name, ast.Load())

    def _new(self) -> str:
        self.parts += 1
        name = f"_{self.index}_part{self.parts}"  # no name of a step ends like this
        self.names.passes(name)
        return name

    def _add(self, text: str) -> None:
        self.names.lines.add(self.depth, text)

    # perhaps not at all --------------------------------------------------------------------

    def _short(self, node: ast.BoolOp) -> ast.expr:
        name, depth = self._new(), self.depth
        negated = "not " if isinstance(node.op, ast.Or) else ""
        for number, value in enumerate(node.values):
            if number:
                self._add(f"if {negated}{name}:")
                self.depth += 1
            self._add(f"{name} = {ast.unparse(self.value(value))}")
        self.depth = depth
        return ast.Name(name, ast.Load())

    def _choice(self, node: ast.IfExp) -> ast.expr:
        name = self._new()
        self._add(f"if {ast.unparse(self.value(node.test))}:")
        for choice in (node.body, node.orelse):
            self.depth += 1
            self._add(f"{name} = {ast.unparse(self.value(choice))}")
            self.depth -= 1
            if choice is node.body:
                self._add("else:")
        return ast.Name(name, ast.Load())

    def _chain(self, node: ast.Compare) -> ast.expr:
        name, depth = self._new(), self.depth
        left = self._kept(node.left)
        for number, (operator, part) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if number:
                self._add(f"if {name}:")
                self.depth += 1
            right = self._kept(part)
            self._add(f"{name} = {ast.unparse(ast.Compare(left, [operator], [right]))}")
            left = right
        self.depth = depth
        return ast.Name(name, ast.Load())

    def _written_out(self, node: _Comprehension) -> ast.expr:
        first = self.value(node.generators[0].iter)
        made = self._kept_as(_EMPTY[type(node)])
        depth = self.depth
        self._rounds(node, made.id, node.generators, first)
        self.depth = depth
        return made

    def _rounds(
        self,
        node: _Comprehension,
        made: str,
        generators: Sequence[ast.comprehension],
        source: ast.expr,
    ) -> None:
        """The ``for`` of the first of `generators`, over `source`; those of the others are inside."""
        first, *others = generators
        header = f"for {ast.unparse(first.target)} in {ast.unparse(source)}:"
        with self.names.lines.loop(self.depth, header):
            self.depth += 1
            for test in first.ifs:
                self._add(f"if {ast.unparse(self.value(test))}:")
                self.depth += 1
            if others:
                self._rounds(node, made, others, self.value(others[0].iter))
            elif isinstance(node, ast.DictComp):
                key = self._kept(node.key)
                self._add(f"{made}[{ast.unparse(key)}] = {ast.unparse(self.value(node.value))}")
            else:
                add = "append" if isinstance(node, ast.ListComp) else "add"
                self._add(f"{made}.{add}({ast.unparse(self.value(node.elt))})")

    # in place ------------------------------------------------------------------------------

    def _augmented(self, node: ast.AugAssign) -> ast.Assign:
        """``a[b] += c``: Python gets ``a[b]`` before it evaluates ``c``."""
        target = node.target
        assert isinstance(target, (ast.Attribute, ast.Subscript))
        target.value = self._kept(target.value)
        if isinstance(target, ast.Subscript):
            target.slice = self._kept(target.slice)
        before = self._kept_as(parse(ast.unparse(target), mode="eval").body)
        return self._changed(node, before, target)

    def _changed(self, node: ast.AugAssign, before: ast.expr, target: ast.expr) -> ast.Assign:
        value = ast.unparse(self.value(node.value))
        assert isinstance(before, ast.Name)
        self._add(ast.unparse(ast.AugAssign(ast.Name(before.id, ast.Store()), node.op, ast.Name(value))))
        return ast.Assign([target], before, lineno=0)


_EMPTY: dict[type[ast.expr], ast.expr] = {
    ast.ListComp: ast.List([], ast.Load()),
    ast.SetComp: ast.Set([]),  # written as {*()}
    ast.DictComp: ast.Dict([], []),
}


_EVALUATED = (ast.expr, ast.keyword, ast.arguments, ast.comprehension)
"""Parts that are evaluated, or have parts that are: no operators, for example."""


class _Slot:
    """A place for a part of a node: it is in a field, or in a list that is one."""

    def __init__(self, node: ast.AST, field: str, number: int | None = None) -> None:
        self.node, self.field, self.number = node, field, number

    def get(self) -> Any:
        part = getattr(self.node, self.field)
        return part if self.number is None else part[self.number]

    def put(self, part: Any) -> None:
        if self.number is None:
            setattr(self.node, self.field, part)
        else:
            getattr(self.node, self.field)[self.number] = part


def _slots(node: ast.AST) -> Iterator[_Slot]:
    """The parts of `node`, in the order in which Python evaluates them where it stands."""
    if isinstance(node, ast.Dict):
        for number, key in enumerate(node.keys):
            if key is not None:
                yield _Slot(node, "keys", number)
            yield _Slot(node, "values", number)
        return
    inner = {"body"} if isinstance(node, ast.Lambda) else set[str]()
    for field, value in ast.iter_fields(node):
        if field not in inner and isinstance(value, _EVALUATED):
            yield _Slot(node, field)
        elif isinstance(value, list):
            parts: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - of ast
            for number, part in enumerate(parts):
                if isinstance(part, _EVALUATED):
                    yield _Slot(node, field, number)
