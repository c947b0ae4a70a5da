"""Binding: the text of a loop becomes a function, whose globals are those of a user's module.

What a step of a user's says by a name of its module is looked up when it is said, as in a function of that
module: it may be bound later, or again. So the loop is made as a function of that module, and what the loop
has itself, under other names, comes in a closure around it. Where steps of several modules are in one loop,
the names of the first module are the loop's globals, and each of another is read by a call.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, MappingProxyType
from typing import Any

from streamkit._core.value import Record
from streamkit._engine.compile.syntax import parse

__all__ = ["Global", "bound"]


_LOOP = "loop"
"""The name of the function in the text."""


class Global(Record):
    """A name of a user's module, or the builtin that it is where the module has none."""

    scope: dict[str, Any]
    name: str
    step: str
    """The name of the step that says it."""

    @property
    def exists(self) -> bool:
        """Whether it has a value just now."""
        return self.name in self.scope or hasattr(builtins, self.name)

    def read(self) -> Any:
        """Its value, as a function of that module would find it."""
        if self.name in self.scope:
            return self.scope[self.name]
        try:
            return getattr(builtins, self.name)
        except AttributeError:
            raise NameError(
                f"step {self.step}: {self.name!r} is neither a parameter nor a name of its module; "
                "give it what else it needs by uses="
            ) from None


def bound(
    text: str,
    filename: str,
    constants: Mapping[str, Any],
    names: Mapping[str, Global],
    cells: Mapping[str, Any] = MappingProxyType({}),
) -> Callable[..., Any]:
    """The function in `text`, with these `constants`; `names`, as they are in the text, are looked up.

    In each case, `cells` are in a closure around it.
    """
    if not names and cells:
        return _closed(parse(text), filename, dict(cells), dict(constants))
    if not names:
        namespace = dict(constants)
        exec(compile(text, filename, "exec"), namespace)
        function: Callable[..., Any] = namespace[_LOOP]
        return function
    scope = next(iter(names.values())).scope
    # one that does not exist yet is read by a call, which can say what is missing
    native = {said: each.name for said, each in names.items() if each.scope is scope and each.exists}
    readers = {said: each.read for said, each in names.items() if said not in native}
    tree = parse(text)
    said = {name for each in ast.walk(tree) if (name := _said(each))}
    # what the loop has itself, by a name that the module has too, gets another
    renamed = {name: _other(name, said) for name in {*native.values()} & said - native.keys()}
    _Binding({**native, **renamed}, readers).visit(tree)
    values = {name: getattr(builtins, name) for name in said if hasattr(builtins, name)}
    own = {**constants, **readers, **cells}
    values |= {name: value for name, value in own.items() if name in said}
    values = {renamed.get(name, name): value for name, value in values.items()}
    return _closed(tree, filename, values, scope)


def _said(node: ast.AST) -> str | None:
    """The name that `node` is for, in the scope of names."""
    match node:
        case ast.Name(id=name) | ast.arg(arg=name):
            return name
        case ast.ExceptHandler(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case _:
            return None


def _other(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


class _Binding(ast.NodeTransformer):
    """Gives names that are `named` others, and has those that `readers` stand for read."""

    def __init__(self, named: Mapping[str, str], readers: Mapping[str, Any]) -> None:
        self.named = named
        self.readers = readers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.readers:
            read = ast.Call(ast.Name(self.named.get(node.id, node.id), ast.Load()), [], [])
            return ast.fix_missing_locations(ast.copy_location(read, node))
        node.id = self.named.get(node.id, node.id)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        return self._named(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._named(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._named(node)

    def _named(self, node: ast.ExceptHandler | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if node.name is not None:
            node.name = self.named.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.named.get(node.arg, node.arg)
        return node


def _closed(tree: ast.Module, filename: str, values: dict[str, Any], scope: dict[str, Any]) -> FunctionType:
    """The function that `tree` defines, with `values` in a closure around it, and `scope` for its globals."""
    [loop] = tree.body
    assert isinstance(loop, (ast.FunctionDef, ast.AsyncFunctionDef))
    around = parse(f"def around(): return {loop.name}").body[0]
    assert isinstance(around, ast.FunctionDef)
    around.args.args = [ast.arg(name) for name in values]
    around.body.insert(0, loop)
    code = compile(ast.fix_missing_locations(ast.Module([around], [])), filename, "exec")
    made = next(each for each in code.co_consts if isinstance(each, CodeType))
    function = FunctionType(made, scope)(*values.values())
    assert isinstance(function, FunctionType)
    function.__name__ = function.__qualname__ = _LOOP
    return function
